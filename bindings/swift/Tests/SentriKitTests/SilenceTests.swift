import Foundation
import SentriKit
import SentriSandbox
import Testing

/// A minute in which nobody answers: no finger at the phone, no finger at the lockbox. [ACC-12, CON-2, BND-4]
@Suite(.serialized) struct SilenceTests {
  /// Shows its dialogue, and nobody looks.
  actor Nobody: UserPresence {
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func keep(secret: Data) async throws { await forever() }

    func release() async throws -> Data {
      await forever()
      throw PresenceError.Failed
    }

    /// Lets go of whoever still waits, once the test is over.
    func leave() {
      for waiter in waiting { waiter.resume() }
      waiting = []
    }

    private func forever() async {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  @Test func aPresenceThatNeverAnswersAndABoxThatNobodyWakesAreGivenUpOnAndHoldNothingUp() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    _ = try await agent.grant(email)
    let flow = try await agent.core.startGrant(listingId: try await agent.listing(with: box))
    try flow.fillForm(email: email, start: Date(), end: Date() + 3_600)
    let contractor = try Phone(town, app: .connect)
    try await contractor.signUp(email: email, number: someNumber())

    let nobody = Nobody()
    let attempt = try await contractor.core.openOnEnt(accessId: nil)
    async let released = refusal { _ = try await flow.authenticateByPresence(presence: nobody) }
    async let kept = refusal { try await keepPin(presence: nobody, pin: "2580") }
    async let heard = refusal { _ = try await attempt.result() }
    // Meanwhile everything else goes on.
    guard case .current = try await agent.core.syncNow().state else { throw Unexpected(description: "not current") }
    #expect(try await agent.core.grants().count == 1)
    #expect(try await contractor.core.accesses().count == 1)
    #expect(try await released == .Cancelled)
    #expect(try await kept == .Cancelled)
    #expect(try await heard == .NoLockboxHeard)
    await nobody.leave()

    #expect(flow.step() == .authenticate)
    guard case .done = try await flow.authenticate(pin: try await town.agent().pin) else {
      throw Unexpected(description: "\(flow.step())")
    }
    #expect(try await contractor.open(at: box).lockbox == box)
  }
}
