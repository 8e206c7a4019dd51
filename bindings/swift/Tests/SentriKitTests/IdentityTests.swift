import Foundation
import SentriKit
import SentriSandbox
import Testing

/// What one does after proving who one is, by the password and a mailed code. [ACC-5, ACC-9]
@Suite(.serialized) struct IdentityTests {
  @Test func onesOwnDevicesAreListedAndOneThatIsRemovedFindsOutAndKeepsNothing() async throws {
    let town = try await Town()
    let (first, email) = try await town.contractor(of: try await town.agentPhone())
    let second = try Phone(town, app: .connect)
    _ = try await second.core.loginContractor(email: email, password: password)
    let wrongWord = try await refusal { _ = try await second.core.proveIdentity(email: email, password: "Wrong77") }
    #expect(wrongWord == .WrongCredentials)

    let (proof, mail) = try await town.mailed(to: email) { try await second.core.proveOwnIdentity(password: password) }
    #expect(proof.codeExpires > Date())
    #expect(proof.sentTo().contains("@") && proof.sentTo() != email)
    #expect(try await refusal { _ = try await proof.devices() } == .NotSignedIn)
    let wrong = other(than: mail.code)
    #expect(try await refusal { try await proof.verify(code: wrong) } == .WrongCode)
    try await proof.verify(code: mail.code)

    let own = try await proof.devices()
    #expect(own.devices.count == 2 && own.devices.filter(\.thisOne).count == 1)
    #expect(own.limit >= 2 && own.devices.allSatisfy { $0.registered <= $0.lastSeen })
    #expect(try await badField { try await proof.removeDevice(deviceId: "the first") } == "device_id")
    let removed = try #require(own.devices.first { !$0.thisOne }).uuid
    try await proof.remove(device: removed)
    #expect(try await refusal { try await proof.remove(device: removed) } == .NotFound)
    #expect(try await proof.devices().devices.count == 1)
    guard case .current = try await second.core.syncNow().state else { throw Unexpected(description: "not current") }

    #expect(try await refusal { _ = try await first.core.syncNow() } == .DeviceRemoved)
    #expect(try await refusal { _ = try await first.core.profile() } == .NotSignedIn)
    #expect(try await first.core.accounts() == [])
  }

  @Test func aForgottenPinIsSetAnewWithPasswordAndMailedCodeWhichEndsTheWait() async throws {
    let town = try await Town()
    let phone = try await town.agentPhone()
    let flow = try await phone.core.startGrant(listingId: try await phone.listing(with: box))
    try flow.fillForm(email: someEmail(), start: Date(), end: Date() + 3_600)
    for _ in 1...5 { #expect(try await refusal { _ = try await flow.authenticate(pin: "9753") } == .WrongCode) }
    let agent = try await town.agent()
    guard case .TooManyTries = try await refusal({ _ = try await flow.authenticate(pin: agent.pin) }) else {
      throw Unexpected(description: "a sixth try")
    }

    let address = try await phone.core.profile().email
    let (proof, mail) = try await town.mailed(to: address) {
      try await phone.core.proveAgentIdentity(sentrikeyId: agent.login, password: agent.password)
    }
    #expect(try await refusal { try await proof.setPin(pin: "8351") } == .NotSignedIn)
    try await proof.verify(code: mail.code)
    #expect(try await badField { try await proof.setPin(pin: "4321") } == "pin")
    try await proof.setPin(pin: "8351")
    #expect(try await refusal { _ = try await flow.authenticate(pin: agent.pin) } == .WrongCode)
    guard case .done = try await flow.authenticate(pin: "8351") else { throw Unexpected(description: "\(flow.step())") }
  }
}
