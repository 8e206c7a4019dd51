import Foundation
import SentriKit
import SentriSandbox
import Testing

/// The main job through the bindings: from log-in to the open on ENT, against the real server and lockbox. [BND-2]
@Suite(.serialized) struct MainJobTests {
  @Test func anAgentGrantsStepByStepAContractorSignsUpAndOpensByENT() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    let grant = try await agent.grant(email)
    #expect(grant.state == .invited)

    let phone = try Phone(town, app: .connect)
    try await phone.signUp(email: email, number: someNumber())
    let profile = try await phone.core.profile()
    #expect(profile.kind == .contractor && profile.email == email)
    let access = try await phone.access(grant)
    #expect(access.state == .active && access.start == grant.start)
    guard case .ready = access.readiness else { throw Unexpected(description: "\(access.readiness)") }

    let before = try await town.control.counters(box)
    let report = try await phone.open(at: box)
    let after = try await town.control.counters(box)
    #expect(report.lockbox == box && report.accessId == grant.id)
    #expect(report.figures.m1Bytes == 112)
    #expect(after.opens == before.opens + 1)
    // The box counted the very frames that this phone's link carried.
    #expect(after.framesIn - before.framesIn == phone.link.written)

    let now = Date().coreSeconds
    let entry = try await eventually {
      try await agent.core.accessLog(from: now - 600, to: now + 600, listingId: nil, after: nil)
        .entries.first { $0.who == "Pat Moreno" }
    }
    #expect(entry.outcome == .opened && entry.confirmedByLock)

    // The app starts and opens with no network.
    try await town.control.network(up: false)
    let offline = try phone.restarted()
    #expect(try await offline.core.profile().email == email)
    guard case .offline = try await offline.core.syncNow().state else { throw Unexpected(description: "not offline") }
    #expect(try await offline.open(at: box).accessId == grant.id)
    _ = try await eventually { try await offline.core.syncStatus().eventsQueued > 0 ? true : nil }
  }

  @Test func theStepsOfAGrantAreDataAndAWrongOneSaysSo() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let listing = try await agent.core.addListing(listing: newListing("Steps Street"))
    let flow = try await agent.core.startGrant(listing: try #require(listing.uuid))
    guard case .chooseLockbox(let free) = flow.step() else { throw Unexpected(description: "\(flow.step())") }
    #expect(free.contains { $0.serial == keypadBox })
    #expect(try await refusal { _ = try await flow.authenticate(pin: "2580") } == .WrongStep)
    let offer = try await flow.chooseLockbox(serial: keypadBox, onListingSince: Date().coreSeconds, region: "North Shore")
    #expect(offer == .offerOneDayCode(lockbox: keypadBox))

    let form = try await agent.core.startGrant(listingId: try await agent.listing(with: box))
    for email in ["", String(repeating: "x", count: 1_000_000), "a b@c"] {
      #expect(try await badField { try form.fillForm(email: email, start: Date(), end: Date() + 60) } == "email")
    }
    for (start, end, field) in [(Date(), Date(), "ends_at"), (.distantPast, Date() + 60, "starts_at")] {
      #expect(try await badField { try form.fillForm(email: "a@b.example", start: start, end: end) } == field)
    }
    #expect(try form.fillForm(email: "a@b.example", start: Date(), end: Date() + 60) == .authenticate)
    #expect(try await refusal { _ = try await form.authenticate(pin: "0000") } == .WrongCode)
    #expect(form.step() == .authenticate)

    // Biometrics release the PIN, and nothing less does.
    let presence = MemoryPresence()
    #expect(try await refusal { _ = try await form.authenticateByPresence(presence: presence) } == .PinNeeded)
    try await keepPin(presence: presence, pin: try await town.agent().pin)
    presence.ownerIsThere = false
    #expect(try await refusal { _ = try await form.authenticateByPresence(presence: presence) } == .Cancelled)
    presence.ownerIsThere = true
    guard case .done(_, .new) = try await form.authenticateByPresence(presence: presence) else {
      throw Unexpected(description: "\(form.step())")
    }
  }

  @Test func aGrantIsRevokedBeforeItBeginsAndNotAfter() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let later = try await agent.grant(someEmail(), start: Date() + 7_200)
    #expect(try await agent.core.revoke(grant: try #require(later.uuid)).state == .revoked)
    let begun = try await agent.grant(someEmail())
    guard case .AlreadyBegun(.some) = try await refusal({ _ = try await agent.core.revoke(grantId: begun.id) }) else {
      throw Unexpected(description: "a begun grant was revoked")
    }
    #expect(try await refusal { _ = try await agent.core.revoke(grant: UUID()) } == .NotFound)
  }

  @Test func screensFollowStatusMessagesAndLockboxesNearby() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    _ = try await agent.grant(email)
    let phone = try Phone(town, app: .connect)
    try await phone.signUp(email: email, number: someNumber())
    let core = phone.core

    var statuses = core.syncStatuses.makeAsyncIterator()
    guard case .current? = try await statuses.next()?.state else { throw Unexpected(description: "not current") }

    let messages = Task {
      for try await list in core.messageLists where list.contains(where: { $0.topic == .accessGranted }) {
        return list.count
      }
      return 0
    }
    _ = try await agent.grant(email, start: Date() + 10_800)
    _ = try await core.syncNow()
    #expect(try await messages.value > 0)

    let near = Task {
      for try await list in core.nearbyLockboxes where !list.isEmpty { return list }
      return []
    }
    try await town.control.press(box)
    #expect(try await near.value.first?.lockbox == box)

    // Cancelling the task ends the loop, and does not wait for a change.
    let endless = Task {
      var seen = 0
      for try await _ in core.syncStatuses { seen += 1 }
      return seen
    }
    endless.cancel()
    _ = try await endless.value

    let ended = Task { try await refusal { for try await _ in core.syncStatuses {} } }
    try await core.logout()
    #expect(try await ended.value == .NotSignedIn)
  }

  @Test func aCancelledOpenEndsTheSearchAndAnotherCanBegin() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    _ = try await agent.grant(email)
    let searching = Flag()
    let phone = try Phone(town, app: .connect) { link in
      let told = RefusalsTests.Refusing(link)
      told.refuse { searching.raise() }
      return told
    }
    try await phone.signUp(email: email, number: someNumber())
    let open = Task { try await phone.core.open() }
    _ = try await eventually { searching.isRaised ? true : nil }
    #expect(try await refusal { _ = try await phone.core.openOnEnt(accessId: nil) } == .AlreadyOpening)
    open.cancel()
    #expect(try await refusal { _ = try await open.value } == .Cancelled)
    _ = try await eventually { try? await phone.open(at: box) }
  }

  @Test func aThousandListingsComeOverAsTheyWereWritten() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let before = try await agent.core.listings().count
    let core = agent.core
    let added = try await withThrowingTaskGroup(of: Listing.self) { group in
      var added: [Listing] = []
      for index in 1...1_000 {
        if index > 16, let one = try await group.next() { added.append(one) }
        group.addTask { try await core.addListing(listing: newListing("\(index) Straße 🏠 \"quoted\"")) }
      }
      for try await one in group { added.append(one) }
      return added
    }
    let listed = try await core.listings()
    #expect(listed.count == before + 1_000)
    #expect(Set(added.map(\.id)).isSubset(of: Set(listed.map(\.id))))
    #expect(Set(added.map(\.unparsedAddress)).isSubset(of: Set(listed.map(\.unparsedAddress))))

    // Two calls at once do the work of each.
    async let one = core.syncNow()
    async let two = core.syncNow()
    async let three = core.listings()
    _ = try await (one, two)
    #expect(try await three.count == before + 1_000)
  }
}
