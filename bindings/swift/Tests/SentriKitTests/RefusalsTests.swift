import Foundation
import SentriKit
import SentriSandbox
import Testing

/// Why a bin does not open, as the app is told. Each test has a sandbox of its own: some break it. [CON-2, BND-2]
@Suite(.serialized) struct RefusalsTests {
  let email = someEmail()

  private func contractor(_ town: Town, radio: (SandboxLink) -> any LockLink = { $0 }) async throws -> Phone {
    let phone = try Phone(town, app: .connect, radio: radio)
    try await phone.signUp(email: email, number: someNumber())
    return phone
  }

  @Test func thePhoneTellsOfAnAccessThatHasNotBegunIsRevokedOrIsForAnotherBox() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let soon = try await agent.grant(email, start: Date() + 7_200)
    let far = try await agent.grant(email, start: Date() + 3 * 86_400)
    let taken = try await agent.grant(email, start: Date() + 14_400)
    let now = try await agent.grant(email)
    _ = try await agent.core.revoke(grantId: taken.id)
    let phone = try await contractor(town)

    // First, while the right box sleeps.
    #expect(try await refusal { _ = try await phone.open(at: otherBox, access: now.uuid) } == .WrongBox(by: .phone))
    #expect(
      try await refusal { _ = try await phone.open(at: box, access: soon.uuid) }
        == .NotYetValid(from: soon.startsAt, by: .phone))
    guard case .connectAfter = try await phone.access(far).readiness else { throw Unexpected(description: "ready") }
    #expect(try await refusal { _ = try await phone.open(at: box, access: taken.uuid) } == .Revoked(by: .phone))
    #expect(try await refusal { _ = try await phone.core.open(access: UUID()) } == .NotFound)
    #expect(try await town.control.counters(box).opens == 0)
  }

  @Test func ofTwoBoxesThatWouldOpenTheUserPicksOne() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let here = try await agent.grant(email)
    let there = try await agent.grant(email, at: otherBox)
    let phone = try await contractor(town)
    for awake in [box, otherBox] { try await town.control.press(awake) }
    guard case .SeveralLockboxes(let accessIds) = try await refusal({ _ = try await phone.core.open() }) else {
      throw Unexpected(description: "one was opened")
    }
    #expect(Set(accessIds) == [here.id, there.id])
    #expect(try await phone.open(at: otherBox, access: there.uuid).lockbox == otherBox)
  }

  @Test func theLockTellsOfAnAccessThatIsOver() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    let phone = try await contractor(town)
    try await town.control.network(up: false)
    try await town.control.post("/lockboxes/\(box)/clock", ["ahead_seconds": 6 * 3_600])
    guard case .Expired(_, .lock) = try await refusal({ _ = try await phone.open(at: box) }) else {
      throw Unexpected(description: "not over")
    }
  }

  @Test func outsideOfTheLockboxsHoursThePhoneSaysWhenItOpensNext() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    try await town.control.hang("B-40001", accessHours: hoursWithoutNow())
    _ = try await agent.core.syncNow()
    _ = try await agent.grant(email, at: "B-40001")
    let phone = try await contractor(town)
    let error = try await refusal { _ = try await phone.open(at: "B-40001") }
    guard case .OutsideHours(.some, .phone) = error else { throw Unexpected(description: "\(error)") }
    let next = try #require(error.date)
    #expect(next > Date() && next < Date() + 86_400)
  }

  /// An hour of the property's day that is not this one, and not the next.
  private func hoursWithoutNow() -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: "America/Chicago") ?? calendar.timeZone
    return (4...11).contains(calendar.component(.hour, from: Date())) ? "16:00-17:00" : "08:00-09:00"
  }

  @Test func anAccessWhoseCredentialHasNotBeenFetchedAsksToConnect() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    let phone = try await contractor(town)
    // A credential is given out a day before the start: some moments after the sync, on a machine of any speed.
    func synced(_ moments: TimeInterval) async throws -> Grant {
      let grant = try await agent.grant(email, start: Date() + 86_400 + moments)
      _ = try await phone.core.syncNow()
      if case .connectAfter = try await phone.access(grant).readiness { return grant }
      return try await synced(2 * moments)
    }
    let tomorrow = try await synced(2)
    let error = try await eventually { () -> CoreError? in
      let error = try await refusal { _ = try await phone.open(at: box, access: tomorrow.uuid) }
      guard case .NotReady = error else { return nil }
      return error
    }
    #expect(error.date == tomorrow.start - 86_400)
    _ = try await phone.core.syncNow()
    #expect(
      try await refusal { _ = try await phone.open(at: box, access: tomorrow.uuid) }
        == .NotYetValid(from: tomorrow.startsAt, by: .phone))
  }

  @Test func aTicketWithoutTheRightToOpenIsRefusedByTheLock() async throws {
    let town = try await Town()
    _ = try await town.agentPhone().grant(email)
    let phone = try await contractor(town)
    try await phone.core.logout()
    let narrow = Process()
    narrow.executableURL = URL(fileURLWithPath: try #require(environment("SENTRI_NARROW_RIGHTS")))
    narrow.arguments = [try await town.control.folder() + "/sentri.db"]
    try narrow.run()
    narrow.waitUntilExit()
    #expect(narrow.terminationStatus == 0)
    _ = try await phone.core.loginContractor(email: email, password: password)
    _ = try await phone.core.syncNow()
    #expect(try await refusal { _ = try await phone.open(at: box) } == .NoRight)
    #expect(try await town.control.counters(box).opens == 0)
  }

  @Test func aMotorThatIsJammedIsTheLockboxsDefect() async throws {
    let town = try await Town()
    _ = try await town.agentPhone().grant(email)
    let phone = try await contractor(town)
    try await town.control.motor(box, jammed: true)
    #expect(try await refusal { _ = try await phone.open(at: box) } == .LockboxDefect)
  }

  @Test func aWrongPinIsCountedAndThenWaitedFor() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let flow = try await agent.core.startGrant(listingId: try await agent.listing(with: box))
    try flow.fillForm(email: email, start: Date(), end: Date() + 600)
    for _ in 1...5 { #expect(try await refusal { _ = try await flow.authenticate(pin: "0000") } == .WrongCode) }
    let pin = try await town.agent().pin
    let error = try await refusal { _ = try await flow.authenticate(pin: pin) }
    guard case .TooManyTries(.some(let wait)) = error, wait > 0 else { throw Unexpected(description: "\(error)") }
  }

  @Test func aLockWithoutItsClockOpensOnceThePhoneHasNetwork() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    let phone = try await contractor(town)
    try await town.control.battery(box, inserted: false)
    try await town.control.battery(box, inserted: true)
    try await town.control.network(up: false)
    #expect(try await refusal { _ = try await phone.open(at: box) } == .ClockUntrusted)
    try await town.control.network(up: true)
    #expect(try await phone.open(at: box).lockbox == box)
    // The box still talks: it was pressed once.
    #expect(try await refusal { _ = try await phone.core.open() } == .PressEntAgain)
  }

  @Test func aLinkThatBreaksAtEveryValueIsNoAnswer() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    let phone = try await contractor(town)
    try await town.control.post("/radio/knobs", ["cut": 1_000])
    #expect(try await refusal { _ = try await phone.open(at: box) } == .NoAnswer)
  }

  /// A radio that refuses to search, with whatever it is told to.
  final class Refusing: LockLink, @unchecked Sendable {
    private let inner: SandboxLink
    private let lock = NSLock()
    private var refuse: () throws -> Void = {}

    init(_ inner: SandboxLink) { self.inner = inner }

    func refuse(_ with: @escaping () throws -> Void) { lock.withLock { refuse = with } }

    func startScan() throws {
      try lock.withLock { refuse }()
      try inner.startScan()
    }
    func stopScan() throws { try inner.stopScan() }
    func connect(peer: String) throws { try inner.connect(peer: peer) }
    func write(peer: String, value: Data) throws { try inner.write(peer: peer, value: value) }
    func disconnect(peer: String) throws { try inner.disconnect(peer: peer) }
  }

  @Test func whatTheRadioRefusesIsToldWhateverItThrowsAndThoughItNeverAnswers() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    var made: Refusing?
    let phone = try await contractor(town) { link in
      let refusing = Refusing(link)
      made = refusing
      return refusing
    }
    let radio = try #require(made)
    for (error, told): (any Error, CoreError) in [
      (LinkError.PoweredOff, .BluetoothOff), (LinkError.NotAllowed, .BluetoothNotAllowed),
      (LinkError.Unsupported, .BluetoothTrouble), (Bug(), .BluetoothTrouble),
    ] {
      radio.refuse { throw error }
      #expect(try await refusal { _ = try await phone.core.open() } == told)
      #expect(try await refusal { _ = try await phone.core.watchNearby() } == told)
    }
    let never = Flag()
    radio.refuse { never.wait() }
    #expect(try await refusal { _ = try await phone.core.open() } == .BluetoothTrouble)
    never.raise()
  }

  @Test func anAccountHasSoManyDevices() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    _ = try await agent.grant(email)
    let phone = try await contractor(town)
    var devices: UInt32 = 1
    while true {
      let another = try Phone(town, app: .connect)
      do {
        _ = try await another.core.loginContractor(email: email, password: password)
        devices += 1
      } catch CoreError.DeviceLimitReached(let limit, let support) {
        #expect(limit == devices)
        #expect(support?.phones.isEmpty == false)
        break
      }
    }
    let wrong = try await refusal { _ = try await phone.core.loginContractor(email: email, password: "Wrong-1-word") }
    #expect(wrong == .WrongCredentials)
  }

  @Test func afterLogOutEverythingAsksForALogInAlsoWhatWasBegunBefore() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let flow = try await agent.core.startGrant(listingId: try await agent.listing(with: box))
    try flow.fillForm(email: email, start: Date(), end: Date() + 600)
    try await agent.core.logout()
    _ = try await refusal { _ = try await flow.authenticate(pin: "2580") }
    #expect(try await refusal { _ = try await agent.core.listings() } == .NotSignedIn)
    #expect(try await refusal { try await agent.core.logout() } == .NotSignedIn)
  }
}
