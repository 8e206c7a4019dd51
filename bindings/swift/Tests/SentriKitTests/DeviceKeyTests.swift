import Foundation
import SentriKit
import SentriSandbox
import Testing

/// A key in hardware that is simulated: real P-256, by OpenSSL's program, used only while its owner looks.
actor HardwareKey: DeviceKey {
  private let folder = Folder()
  private(set) var asked: [SigningReason] = []
  var ownerLooks = true

  private var key: String { folder.path + "/key.pem" }

  init() throws {
    _ = try openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder.path + "/key.pem")
  }

  func look(_ looks: Bool) { ownerLooks = looks }

  func publicKey() async throws -> Data { try openssl("pkey", "-in", key, "-pubout", "-outform", "DER") }

  func sign(message: Data, reason: SigningReason) async throws -> Data {
    asked.append(reason)
    guard ownerLooks else { throw DeviceKeyError.NotRecognised }
    let file = folder.path + "/message"
    try message.write(to: URL(fileURLWithPath: file))
    return try openssl("dgst", "-sha256", "-sign", key, file)
  }
}

private func openssl(_ arguments: String...) throws -> Data {
  let (process, output) = (Process(), Pipe())
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["openssl"] + arguments
  process.standardOutput = output
  try process.run()
  let said = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw Unexpected(description: "openssl \(arguments)") }
  return said
}

/// A key that does the same for both calls.
final class AnsweringKey: DeviceKey, @unchecked Sendable {
  // Every access holds the lock.
  private let lock = NSLock()
  private var answer: @Sendable () async throws -> Data

  init(_ answer: @escaping @Sendable () async throws -> Data) { self.answer = answer }

  func answer(_ with: @escaping @Sendable () async throws -> Data) { lock.withLock { answer = with } }

  func publicKey() async throws -> Data { try await lock.withLock { answer }() }
  func sign(message: Data, reason: SigningReason) async throws -> Data { try await lock.withLock { answer }() }
}

/// The device's own key: a port written in Swift, well-behaved and not. [ACC-12, BND-4]
@Suite(.serialized) struct DeviceKeyTests {
  private func contractor(_ town: Town, key: any DeviceKey) async throws -> Phone {
    let email = someEmail()
    _ = try await town.agentPhone().grant(email)
    let phone = try Phone(town, app: .connect, key: key)
    try await phone.signUp(email: email, number: someNumber())
    return phone
  }

  @Test func anOpenIsSignedByTheKeyInHardwareAndOnlyWhileItsOwnerLooks() async throws {
    let key = try HardwareKey()
    let phone = try await contractor(try await Town(), key: key)
    #expect(try await phone.core.keyProtection() == .hardware)
    #expect(await key.asked == [.register])
    #expect(try await phone.open(at: box).figures.m1Bytes == 209)
    #expect(await key.asked == [.register, .open])
    await key.look(false)
    #expect(try await refusal { _ = try await phone.open(at: box) } == .Cancelled)
    try await phone.core.registerDeviceKey(password: nil)
  }

  @Test func withoutSuchHardwareTheCoreMakesAKeySaysSoAndOpensWithIt() async throws {
    let phone = try await contractor(try await Town(), key: AnsweringKey { throw DeviceKeyError.NoHardware })
    #expect(try await phone.core.keyProtection() == .software)
    #expect(try await phone.open(at: box).figures.m1Bytes == 209)
  }

  private func flow(_ town: Town, key: (any DeviceKey)?) async throws -> GrantFlow {
    let agent = try await town.agent()
    let phone = try Phone(town, app: .agent, key: key)
    _ = try await phone.core.loginAgent(sentrikeyId: agent.login, password: agent.password)
    _ = try await phone.core.syncNow()
    #expect(try await phone.core.profile().deviceKeyApproves)
    let flow = try await phone.core.startGrant(listingId: try await phone.listing(with: box))
    try flow.fillForm(email: someEmail(), start: Date(), end: Date() + 3_600)
    return flow
  }

  @Test func aGrantIsApprovedByTheKeyInHardwareAndByNoOther() async throws {
    let town = try await Town()
    let key = try HardwareKey()
    let approved = try await flow(town, key: key)
    await key.look(false)
    #expect(try await refusal { _ = try await approved.authenticateByDeviceKey() } == .Cancelled)
    await key.look(true)
    guard case .done = try await approved.authenticateByDeviceKey() else { throw Unexpected(description: "not done") }
    #expect(try await refusal { _ = try await approved.authenticateByDeviceKey() } == .WrongStep)
    #expect(await key.asked.filter { $0 == .approve }.count == 2)

    for key: AnsweringKey? in [AnsweringKey { throw DeviceKeyError.NoHardware }, nil] {
      let flow = try await flow(town, key: key)
      #expect(try await refusal { _ = try await flow.authenticateByDeviceKey() } == .PinNeeded)
      guard case .done = try await flow.authenticate(pin: try await town.agent().pin) else {
        throw Unexpected(description: "not done")
      }
    }
  }

  @Test func whateverTheKeyThrowsIsAnErrorOfTheCallAndNoLoginFailsByIt() async throws {
    let key = AnsweringKey { throw Bug() }
    let phone = try await contractor(try await Town(), key: key)
    let core = phone.core
    #expect(try await refusal { try await core.registerDeviceKey(password: password) } == .DeviceTrouble)
    for (error, told): (any Error & Sendable, CoreError) in [
      (Bug(), .DeviceTrouble), (DeviceKeyError.Failed, .DeviceTrouble), (DeviceKeyError.KeyLost, .PinNeeded),
      (DeviceKeyError.NotRecognised, .Cancelled),
    ] {
      key.answer { throw error }
      #expect(try await refusal { _ = try await core.keyProtection() } == told)
    }
    for odd in [Data(), Data(repeating: 0xFF, count: 33), Data(count: 1_000_000)] {
      key.answer { odd }
      #expect(try await refusal { _ = try await core.keyProtection() } == .DeviceTrouble)
    }
    // Tickets are bound to no key, and open all the same.
    #expect(try await phone.open(at: box).figures.m1Bytes == 112)
  }

  @Test func aKeyThatNeverAnswersIsGivenUpOnAndHoldsNothingUp() async throws {
    let nobody = SilenceTests.Nobody()
    let key = AnsweringKey { try await nobody.release() }
    let phone = try await contractor(try await Town(), key: key)
    async let silence = refusal { _ = try await phone.core.keyProtection() }
    guard case .current = try await phone.core.syncNow().state else { throw Unexpected(description: "not current") }
    #expect(try await phone.open(at: box).lockbox == box)
    #expect(try await silence == .Cancelled)
    await nobody.leave()
  }
}
