// Dates and UUIDs for what the core hands over as seconds and texts.

import Foundation
import SentriCore

extension UUID {
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

extension Access {
  /// The access's id.
  public var uuid: UUID? { UUID(uuidString: id) }
  /// First second of the window.
  public var start: Date { Date(core: startsAt) }
  /// First second after the window.
  public var end: Date { Date(core: endsAt) }
}

extension Grant {
  /// The grant's id.
  public var uuid: UUID? { UUID(uuidString: id) }
  /// First second of the window.
  public var start: Date { Date(core: startsAt) }
  /// First second after the window.
  public var end: Date { Date(core: endsAt) }
  /// When it was last used.
  public var lastUsed: Date? { lastUsedAt.map(Date.init(core:)) }
}

extension Listing {
  /// Our id of the listing.
  public var uuid: UUID? { UUID(uuidString: id) }
}

extension Message {
  /// The message's id.
  public var uuid: UUID? { UUID(uuidString: id) }
  /// When the message was made.
  public var time: Date { Date(core: at) }
}

extension AccessLogEntry {
  /// When: the lock's clock where its word is there, the phone's otherwise.
  public var time: Date { Date(core: at) }
}

extension OpenReport {
  /// When the bin opened, by the phone's clock.
  public var time: Date { Date(core: at) }
}

extension SyncStatus {
  /// From when on the phone opens something without network.
  public var opensFromDate: Date? { opensFrom.map(Date.init(core:)) }
  /// Until when the last of its credentials lasts.
  public var opensUntilDate: Date? { opensUntil.map(Date.init(core:)) }
}

extension GrantFlowProtocol {
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
}
