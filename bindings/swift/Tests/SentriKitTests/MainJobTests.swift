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

    let entry = try await eventually {
      try await agent.core.accessLog(from: Date() - 600, to: Date() + 600).entries.first { $0.who == "Pat Moreno" }
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
    let flow = try await agent.core.startGrant(listing: listing.uuid)
    guard case .chooseLockbox(let free) = flow.step() else { throw Unexpected(description: "\(flow.step())") }
    #expect(free.contains { $0.serial == keypadBox })
    #expect(try await refusal { _ = try await flow.authenticate(pin: "2580") } == .WrongStep)
    let offer = try await flow.chooseLockbox(serial: keypadBox, onListingSince: Date(), region: "North Shore")
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
    #expect(try await agent.core.revoke(grant: later.uuid).state == .revoked)
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

  /// A radio that tells whether it searches.
  final class Watched: LockLink, @unchecked Sendable {
    private let inner: SandboxLink
    // Every access holds the lock.
    private let lock = NSLock()
    private var scanning = false

    init(_ inner: SandboxLink) { self.inner = inner }

    var isScanning: Bool { lock.withLock { scanning } }

    func startScan() throws {
      try inner.startScan()
      lock.withLock { scanning = true }
    }
    func stopScan() throws {
      try inner.stopScan()
      lock.withLock { scanning = false }
    }
    func connect(peer: String) throws { try inner.connect(peer: peer) }
    func write(peer: String, value: Data) throws { try inner.write(peer: peer, value: value) }
    func disconnect(peer: String) throws { try inner.disconnect(peer: peer) }
  }

  @Test func leavingALoopOverLockboxesNearbyEndsTheRadiosSearch() async throws {
    let town = try await Town()
    var made: Watched?
    let phone = try Phone(town, app: .agent) { link in
      let watched = Watched(link)
      made = watched
      return watched
    }
    let radio = try #require(made)
    let agent = try await town.agent()
    _ = try await phone.core.loginAgent(sentrikeyId: agent.login, password: agent.password)
    for try await list in phone.core.nearbyLockboxes {
      #expect(list == [])
      break
    }
    _ = try await eventually { radio.isScanning ? nil : true }
    let following = Task { for try await _ in phone.core.nearbyLockboxes {} }
    _ = try await eventually { radio.isScanning ? true : nil }
    following.cancel()
    try await following.value
    _ = try await eventually { radio.isScanning ? nil : true }
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
    let next = try await phone.core.openOnEnt(accessId: nil)
    next.cancel()
    #expect(try await refusal { _ = try await next.result() } == .Cancelled)
    #expect(try await phone.open(at: box).lockbox == box)
  }

  @Test func theNextOpenNeedNotWaitUntilTheLastOneHasHandedEverythingOver() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    _ = try await agent.grant(email)
    let phone = try Phone(town, app: .connect)
    try await phone.signUp(email: email, number: someNumber())
    let first = try await phone.core.openOnEnt(accessId: nil)
    try await town.control.press(box)
    #expect(try await first.result().lockbox == box)
    #expect(try await phone.open(at: box).lockbox == box)
  }

  @Test func thePinEnteredTwiceAtOnceGrantsOnce() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let email = someEmail()
    let flow = try await agent.core.startGrant(listingId: try await agent.listing(with: box))
    try flow.fillForm(email: email, start: Date(), end: Date() + 3_600)
    let pin = try await town.agent().pin
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...2 {
        group.addTask { do { _ = try await flow.authenticate(pin: pin) } catch CoreError.WrongStep {} }
      }
      try await group.waitForAll()
    }
    _ = try await agent.core.syncNow()
    #expect(try await agent.core.grants().filter { $0.email == email }.count == 1)
  }

  @Test func aBoxIsHungTakenOffItsListingAndHungAgain() async throws {
    let town = try await Town()
    let core = try await town.agentPhone().core
    let here = try await core.addListing(listing: newListing("Hanging Street 1"))
    let there = try await core.addListing(listing: newListing("Hanging Street 2"))
    try await town.control.hang("B-50001")
    func hang(at listing: Listing) async throws -> Lockbox {
      try await core.assignLockbox(listing: listing.uuid, serial: "B-50001", onListingSince: Date(), region: "Here")
    }
    #expect(try await hang(at: here).listing == here.uuid)
    guard case .Conflict = try await refusal({ _ = try await hang(at: there) }) else {
      throw Unexpected(description: "a box hangs at two listings")
    }
    #expect(try await core.unassignLockbox(serial: "B-50001").listing == nil)
    #expect(try await hang(at: there).listing == there.uuid)
  }
}
