import Foundation
import SentriKit
import SentriSandbox
import Testing

/// Long lists come over in one call, as they went. [BND-2]
@Suite(.serialized) struct ListsTests {
  private let many = 1_000

  /// Does it a thousand times, so many at once.
  private func inTurns<Thing: Sendable>(
    _ atOnce: Int, _ what: @escaping @Sendable (Int) async throws -> Thing
  ) async throws -> [Thing] {
    try await withThrowingTaskGroup(of: Thing.self) { group in
      var done: [Thing] = []
      for index in 1...many {
        if index > atOnce, let one = try await group.next() { done.append(one) }
        group.addTask { try await what(index) }
      }
      for try await one in group { done.append(one) }
      return done
    }
  }

  @Test func aThousandListingsComeOverAsTheyWereWritten() async throws {
    let town = try await Town()
    let core = try await town.agentPhone().core
    let before = try await core.listings().count
    let added = try await inTurns(16) { try await core.addListing(listing: newListing("\($0) Straße 🏠 \"quoted\"")) }
    let listed = try await core.listings()
    #expect(listed.count == before + many)
    #expect(Set(added).isSubset(of: Set(listed)))

    // Two calls at once do the work of each.
    async let one = core.syncNow()
    async let two = core.syncNow()
    async let three = core.listings()
    _ = try await (one, two)
    #expect(try await three.count == before + many)
  }

  @Test func aThousandAccessesAndTheirMessagesComeOverAsTheyWereGranted() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    let first = try await agent.grant(email)
    let contractor = try Phone(town, app: .connect)
    try await contractor.signUp(email: email, number: someNumber())
    let now = Date()
    // The backend counts a PIN as wrong until it has looked: no more than a few at once.
    let grants = try await inTurns(4) { try await agent.grant(email, start: now + Double($0) * 3_600) }

    _ = try await contractor.core.syncNow()
    let accesses = try await contractor.core.accesses()
    let granted = Dictionary(uniqueKeysWithValues: (grants + [first]).map { ($0.id, $0.start..<$0.end) })
    #expect(granted == Dictionary(uniqueKeysWithValues: accesses.map { ($0.id, $0.start..<$0.end) }))
    #expect(accesses.map(\.startsAt) == accesses.map(\.startsAt).sorted())

    let messages = try await contractor.core.messages()
    #expect(messages.allSatisfy { $0.topic == .accessGranted })
    #expect(Set(messages.compactMap(\.access)).subtracting([first.uuid]) == Set(grants.map(\.uuid)))
    #expect(messages.map(\.at) == messages.map(\.at).sorted(by: >))
  }
}
