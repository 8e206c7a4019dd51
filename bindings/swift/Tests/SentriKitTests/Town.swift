// What the tests stand on: the sandbox as a process of its own, and phones in it.

import Foundation
import SentriKit
import SentriSandbox
import Testing

/// The Bluetooth lockbox that the tests open.
let box = "B-20417"
/// A Bluetooth lockbox next door.
let otherBox = "B-20418"
/// The lockbox without Bluetooth.
let keypadBox = "K-00731"
/// The agent's cell phone.
let agentsNumber = "(312) 555-0142"
let password = "Wrench42"

/// A sandbox of the test's own: `sentri serve` on free ports, with data that go with it.
final class Town: @unchecked Sendable {
  private let process = Process()
  /// The control API.
  let control: SandboxControl
  /// Where phones reach the backend.
  let backend: String

  init() async throws {
    try Sentri.start()
    let sandbox = try #require(environment("SENTRI_SANDBOX"), "SENTRI_SANDBOX must name the sandbox's program")
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: sandbox)
    process.arguments = ["serve"]
    process.standardOutput = output
    try process.run()
    let line = try #require(firstLine(of: output.fileHandleForReading) { $0.contains("Control API") })
    let address = try #require(line.split(separator: " ").last.flatMap { URL(string: String($0)) })
    control = SandboxControl(address: address)
    backend = try await control.backend()
  }

  deinit {
    // Not `terminate`: on Linux a child starts with its parent's blocked signals, and would never hear of it. The
    // sandbox is built to be killed.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// The agent's phone, logged in and synced.
  func agentPhone() async throws -> Phone {
    let phone = try Phone(self, app: .agent)
    let agent = try await agent()
    _ = try await phone.core.loginAgent(sentrikeyId: agent.login, password: agent.password)
    _ = try await phone.core.syncNow()
    return phone
  }

  /// The token in the last invitation to an address.
  func invitation(to email: String) async throws -> String {
    let mail = try await eventually { [control] in
      try await control.mails(to: email).last { $0.body.contains("/join#") }
    }
    return String(mail.body.components(separatedBy: "/join#")[1].prefix { !$0.isWhitespace })
  }

  /// The code in the last text to a number.
  func code(to number: String) async throws -> String {
    let text = try await eventually { [control] in try await control.texts(to: number).last }
    return String(text.body.prefix { $0.isNumber })
  }

  /// The mail that comes to an address for what is done.
  func mailed<Done: Sendable>(to address: String, _ act: () async throws -> Done) async throws -> (Done, Letter) {
    let before = try await control.mails(to: address).count
    let done = try await act()
    return (done, try await eventually { [control] in try await control.mails(to: address).dropFirst(before).first })
  }

  /// The text that comes to a number for what is done.
  func texted<Done: Sendable>(to number: String, _ act: () async throws -> Done) async throws -> (Done, Letter) {
    let before = try await control.texts(to: number).count
    let done = try await act()
    return (done, try await eventually { [control] in try await control.texts(to: number).dropFirst(before).first })
  }

  /// Somebody with an account of their own, whom the agent has given access.
  func contractor(of agent: Phone) async throws -> (phone: Phone, email: String) {
    let email = someEmail()
    _ = try await agent.grant(email)
    let phone = try Phone(self, app: .connect)
    try await phone.signUp(email: email, number: someNumber())
    return (phone, email)
  }

  /// The agent.
  func agent() async throws -> Person {
    try #require(try await control.people().first { $0.kind == "agent" })
  }
}

/// The first line that fits; the rest is read and dropped.
func firstLine(of handle: FileHandle, where fits: (String) -> Bool) -> String? {
  var line = Data()
  while let byte = try? handle.read(upToCount: 1), !byte.isEmpty {
    if byte != Data("\n".utf8) {
      line += byte
      continue
    }
    let text = String(decoding: line, as: UTF8.self)
    if fits(text) {
      // The rest must not fill the pipe.
      handle.readabilityHandler = { _ = $0.availableData }
      return text
    }
    line = Data()
  }
  return nil
}

/// A phone: a folder, a key store, a radio, and the core on them.
final class Phone: Sendable {
  let town: Town
  let app: App
  let store: MemorySecureStore
  let folder: Folder
  let link: SandboxLink
  let core: SentriCore

  init(
    _ town: Town, app: App, store: MemorySecureStore = MemorySecureStore(), folder: Folder = Folder(),
    key: (any DeviceKey)? = nil, radio: (SandboxLink) -> any LockLink = { $0 }
  ) throws {
    (self.town, self.app, self.store, self.folder) = (town, app, store, folder)
    link = try SandboxLink(control: town.control.address)
    let config = config(town.backend, folder, app)
    core =
      if let key {
        try SentriCore.withDeviceKey(config: config, link: radio(link), secureStore: store, deviceKey: key)
      } else {
        try SentriCore(config: config, link: radio(link), secureStore: store)
      }
    link.attach(core.linkEvents())
  }

  /// The same phone with the app started anew. The former one must not be used any more.
  func restarted() throws -> Phone {
    try Phone(town, app: app, store: store, folder: folder)
  }

  /// Signs up with the invitation in the mail, logs in, and syncs.
  func signUp(email: String, number: String) async throws {
    let invitation = Secret(try await town.invitation(to: email))
    let signup = try await core.startSignup(
      form: SignupForm(invitation: invitation, email: email, emailAgain: email, phone: number, phoneAgain: number))
    try await signup.verify(code: try await town.code(to: number))
    try await signup.complete(person: somebody())
    _ = try await core.loginContractor(email: email, password: password)
    _ = try await core.syncNow()
  }

  /// Listens, presses ENT at the box, and tells how it went.
  func open(at box: String, access: UUID? = nil) async throws -> OpenReport {
    try await press(at: box, for: try await core.openOnEnt(accessId: access?.coreText))
  }

  /// Presses ENT at the box for a try that listens, and tells how it went.
  func press(at box: String, for attempt: OpenAttempt) async throws -> OpenReport {
    try await town.control.press(box)
    let told: Result<OpenReport, any Error>
    do { told = .success(try await attempt.result()) } catch { told = .failure(error) }
    // The phone may still be handing things over, and does one open at a time.
    await attempt.finished()
    return try told.get()
  }

  /// The listing that a box hangs at, made where there is none.
  func listing(with box: String) async throws -> String {
    if let listing = try await core.listings().first(where: { $0.lockbox == box }) { return listing.id }
    let listing = try await core.addListing(listing: newListing("\(box) Street"))
    _ = try await core.assignLockbox(
      listingId: listing.id, serial: box, onListingSince: Date().coreSeconds, region: "North Shore")
    return listing.id
  }

  /// Grants access, all as the app would.
  func grant(_ email: String, at box: String = box, start: Date = Date(), hours: Double = 2) async throws -> Grant {
    let flow = try await core.startGrant(listingId: try await listing(with: box))
    try flow.fillForm(email: email, start: start, end: start.addingTimeInterval(hours * 3_600))
    let step = try await flow.authenticate(pin: try await town.agent().pin)
    guard case .done(let grant, _) = step else { throw Unexpected(description: "\(step)") }
    return grant
  }

  /// The access to a grant, as the contractor's phone holds it.
  func access(_ grant: Grant) async throws -> Access {
    try #require(try await core.accesses().first { $0.id == grant.id })
  }
}

/// Who signs up.
func somebody(
  firstName: String = "Pat", lastName: String = "Moreno", role: String = "Plumber",
  password: String = SentriKitTests.password,
  pin: String = "7301",
  questions: [QuestionAndAnswer] = [
    QuestionAndAnswer(question: "What was your first tool?", answer: Secret("A pipe wrench"))
  ]
) -> NewPerson {
  NewPerson(
    firstName: firstName, lastName: lastName, role: role, password: Secret(password), pin: Secret(pin),
    securityQuestions: questions)
}

/// A folder that goes when nobody uses it any more.
final class Folder: Sendable {
  let path = NSTemporaryDirectory() + "sentri-" + UUID().uuidString

  init() {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct Unexpected: Error, CustomStringConvertible { let description: String }

/// A flag that any thread may set and see.
final class Flag: @unchecked Sendable {
  private let condition = NSCondition()
  private var raised = false

  var isRaised: Bool { condition.withLock { raised } }

  func raise() {
    condition.withLock {
      raised = true
      condition.broadcast()
    }
  }

  /// Blocks the calling thread. Only for ports, which the core calls from threads of its own.
  func wait() {
    condition.withLock { while !raised { condition.wait() } }
  }
}

func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

func config(_ backend: String, _ folder: Folder, _ app: App = .connect, version: String = "1.0.0") -> CoreConfig {
  CoreConfig(
    baseUrl: backend, dataDir: folder.path, app: app, appVersion: version, deviceName: "A phone of the tests",
    platform: .ios)
}

func newListing(_ address: String) -> NewListing {
  NewListing(
    unparsedAddress: address, city: "Evanston", stateOrProvince: "IL", postalCode: "60201", listPrice: 489_000,
    timeZone: "America/Chicago")
}

/// Waits for what another process brings about, half a minute at most.
func eventually<Seen: Sendable>(_ look: @Sendable () async throws -> Seen?) async throws -> Seen {
  let clock = ContinuousClock()
  let end = clock.now + .seconds(30)
  while clock.now < end {
    if let seen = try await look() { return seen }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw Unexpected(description: "nothing came within half a minute")
}

/// The error that the core answers with; a test fails where there is none.
func refusal(_ call: () async throws -> Void) async throws -> CoreError {
  do {
    try await call()
  } catch let error as CoreError {
    return error
  }
  throw Unexpected(description: "an error was expected")
}

/// The field that the core finds wrong; a test fails where it finds another fault, or none.
func badField(_ call: () async throws -> Void) async throws -> String {
  let error = try await refusal(call)
  guard case .InvalidField(let field, let reason) = error, !reason.isEmpty else {
    throw Unexpected(description: "\(error)")
  }
  return field
}

func someEmail() -> String { "pat-\(UUID().coreText)@plumbing.example" }

/// Belongs to nobody: 555-0100 to 555-0199, without the agent's.
func someNumber() -> String {
  let number = String(format: "(312) 555-01%02d", numbers.next() % 100)
  return number == agentsNumber ? someNumber() : number
}

private let numbers = Counter()

/// Counts up, for any thread.
final class Counter: @unchecked Sendable {
  // Every access holds the lock.
  private let lock = NSLock()
  private var count = 0

  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
