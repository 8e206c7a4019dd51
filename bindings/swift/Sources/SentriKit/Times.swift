// Dates and UUIDs for what the core hands over as seconds and texts.

import Foundation
import SentriCore

extension UUID {
  /// From an id of the core's. They are UUIDs, all of them; anything else would be the UUID of zeros, which names
  /// nothing.
  public init(core id: String) {
    self = UUID(uuidString: id) ?? UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  }

  /// As the core writes ids: in lower case.
  public var coreText: String { uuidString.lowercased() }
}

extension Date {
  /// From whole seconds since 1970-01-01 UTC.
  public init(core seconds: Int64) {
    self.init(timeIntervalSince1970: TimeInterval(seconds))
  }

  /// Whole seconds since 1970-01-01 UTC, rounded down. What is no date at all, or past the year 9999, is the end of
  /// that year: the core refuses it by name where it matters.
  public var coreSeconds: Int64 {
    let (first, last) = (-62_135_596_800.0, 253_402_300_799.0)
    let seconds = timeIntervalSince1970.rounded(.down)
    return seconds.isNaN ? Int64(last) : Int64(min(last, max(first, seconds)))
  }
}

extension Profile {
  /// The account's id.
  public var uuid: UUID { UUID(core: accountId) }
}

extension AccountOnPhone {
  /// The account's id.
  public var uuid: UUID { UUID(core: accountId) }
}

extension OwnDevice {
  /// The registration's id.
  public var uuid: UUID { UUID(core: deviceId) }
  /// When it was registered.
  public var registered: Date { Date(core: registeredAt) }
  /// When it last logged in or renewed its session.
  public var lastSeen: Date { Date(core: lastSeenAt) }
}

extension KeyToReturn {
  /// Names it for `returnKey`.
  public var uuid: UUID { UUID(core: id) }
  /// First moment that is too late.
  public var end: Date { Date(core: until) }
}

extension IdentityProofProtocol {
  /// When the mailed code stops working.
  public var codeExpires: Date { Date(core: codeExpiresAt()) }

  /// Removes a device of one's own. As `removeDevice(deviceId:)`.
  public func remove(device: UUID) async throws {
    try await removeDevice(deviceId: device.coreText)
  }
}

extension PendingChangeProtocol {
  /// When the code that was sent stops working.
  public var codeExpires: Date { Date(core: codeExpiresAt()) }
}

extension Access {
  /// The access's id.
  public var uuid: UUID { UUID(core: id) }
  /// First second of the window.
  public var start: Date { Date(core: startsAt) }
  /// First second after the window.
  public var end: Date { Date(core: endsAt) }
}

extension Readiness {
  /// The span in which the phone opens the box without network; nothing where there is none.
  public var span: Range<Date>? {
    guard case .ready(let from, let until) = self, from <= until else { return nil }
    return Date(core: from)..<Date(core: until)
  }

  /// From when on a credential can be fetched, where it has to be.
  public var connectFrom: Date? {
    guard case .connectAfter(let at) = self else { return nil }
    return Date(core: at)
  }
}

extension Grant {
  /// The grant's id.
  public var uuid: UUID { UUID(core: id) }
  /// The listing's id.
  public var listing: UUID { UUID(core: listingId) }
  /// First second of the window.
  public var start: Date { Date(core: startsAt) }
  /// First second after the window.
  public var end: Date { Date(core: endsAt) }
  /// When it was last used.
  public var lastUsed: Date? { lastUsedAt.map(Date.init(core:)) }
  /// When it was taken back.
  public var revoked: Date? { revokedAt.map(Date.init(core:)) }
}

extension Listing {
  /// Our id of the listing.
  public var uuid: UUID { UUID(core: id) }
}

extension Lockbox {
  /// The listing that it hangs at.
  public var listing: UUID? { listingId.map(UUID.init(core:)) }
  /// When a phone last brought word from the box.
  public var lastHeard: Date? { lastHeardAt.map(Date.init(core:)) }
}

extension Message {
  /// The message's id.
  public var uuid: UUID { UUID(core: id) }
  /// The grant or access that it is about.
  public var access: UUID? { accessId.map(UUID.init(core:)) }
  /// When the message was made.
  public var time: Date { Date(core: at) }
}

extension AccessLogEntry {
  /// The entry's id.
  public var uuid: UUID { UUID(core: id) }
  /// The listing that the box hung at.
  public var listing: UUID? { listingId.map(UUID.init(core:)) }
  /// Who: the same for all that one person did; absent where nobody knows any more.
  public var person: UUID? { personId.map(UUID.init(core:)) }
  /// When: the lock's clock where its word is there, the phone's otherwise.
  public var time: Date { Date(core: at) }
}

extension OpenReport {
  /// The access that was used.
  public var access: UUID { UUID(core: accessId) }
  /// When the bin opened, by the phone's clock.
  public var time: Date { Date(core: at) }
}

extension SignupProtocol {
  /// When the texted code stops working.
  public var codeExpires: Date { Date(core: codeExpiresAt()) }
}

extension SyncStatus {
  /// From when on the phone opens something without network.
  public var opensFromDate: Date? { opensFrom.map(Date.init(core:)) }
  /// Until when the last of its credentials lasts.
  public var opensUntilDate: Date? { opensUntil.map(Date.init(core:)) }
}

extension SyncState {
  /// When the data came, where that is known.
  public var dataFrom: Date? {
    switch self {
    case .current(let at): Date(core: at)
    case .staleSince(let at), .offline(let at): at.map(Date.init(core:))
    case .syncing, .blocked: nil
    }
  }
}

extension CoreError {
  /// When it helps to try again, or when it would have: the start, the end, the next opening, as the case has it.
  public var date: Date? {
    switch self {
    case .NotYetValid(let from, _): Date(core: from)
    case .Expired(let since, _): since.map(Date.init(core:))
    case .OutsideHours(let next, _): next.map(Date.init(core:))
    case .NotReady(let connectAfter): connectAfter.map(Date.init(core:))
    case .AlreadyBegun(let since): since.map(Date.init(core:))
    default: nil
    }
  }
}

extension GrantFlowProtocol {
  /// Puts a box on the listing, in whole seconds. As `chooseLockbox(serial:onListingSince:region:)`.
  public func chooseLockbox(serial: String, onListingSince: Date, region: String) async throws -> GrantStep {
    try await chooseLockbox(serial: serial, onListingSince: onListingSince.coreSeconds, region: region)
  }

  /// Takes whom and when, in whole seconds. As `fillForm(email:startsAt:endsAt:)`.
  @discardableResult
  public func fillForm(email: String, start: Date, end: Date) throws -> GrantStep {
    try fillForm(email: email, startsAt: start.coreSeconds, endsAt: end.coreSeconds)
  }
}

extension SentriCoreProtocol {
  /// Begins to grant access to a listing. As `startGrant(listingId:)`.
  public func startGrant(listing: UUID) async throws -> GrantFlow {
    try await startGrant(listingId: listing.coreText)
  }

  /// Revokes an access that has not begun. As `revoke(grantId:)`.
  public func revoke(grant: UUID) async throws -> Grant {
    try await revoke(grantId: grant.coreText)
  }

  /// Whether an access will open its box. As `willItOpen(accessId:at:)`, in whole seconds.
  public func willItOpen(access: UUID, at date: Date? = nil) async throws -> WillItOpen {
    try await willItOpen(accessId: access.coreText, at: date?.coreSeconds)
  }

  /// Puts a lockbox on a listing, in whole seconds. As `assignLockbox(listingId:serial:onListingSince:region:)`.
  public func assignLockbox(
    listing: UUID, serial: String, onListingSince: Date, region: String
  ) async throws -> Lockbox {
    try await assignLockbox(
      listingId: listing.coreText, serial: serial, onListingSince: onListingSince.coreSeconds, region: region)
  }

  /// The access log between two dates, newest first, in pages, in whole seconds. As
  /// `accessLog(from:to:filter:after:)`.
  public func accessLog(
    from: Date, to: Date, filter: AccessLogFilter = AccessLogFilter(), after: String? = nil
  ) async throws -> AccessLogPage {
    try await accessLog(from: from.coreSeconds, to: to.coreSeconds, filter: filter, after: after)
  }

  /// The access log between two dates as a CSV document, in whole seconds. As `accessLogCsv(from:to:filter:)`.
  public func accessLogCsv(
    from: Date, to: Date, filter: AccessLogFilter = AccessLogFilter()
  ) async throws -> String {
    try await accessLogCsv(from: from.coreSeconds, to: to.coreSeconds, filter: filter)
  }

  /// Marks a message as read. As `markMessageRead(messageId:)`.
  public func markRead(message: UUID) async throws {
    try await markMessageRead(messageId: message.coreText)
  }

  /// Deletes a message. As `deleteMessage(messageId:)`.
  public func delete(message: UUID) async throws {
    try await deleteMessage(messageId: message.coreText)
  }

  /// Puts another account of this phone in use. As `switchAccount(accountId:)`.
  public func switchTo(account: UUID) async throws -> Profile {
    try await switchAccount(accountId: account.coreText)
  }
}
