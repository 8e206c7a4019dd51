// The open on ENT, as one call that a task's cancellation ends.

import Foundation
import SentriCore

extension SentriCoreProtocol {
  /// Listens for up to a minute for a press of ENT, opens the box that was pressed, and tells how it went. Cancelling
  /// the task ends the try, as long as nothing was sent to a lock.
  ///
  /// - Parameter access: One access, or none for whichever box is pressed.
  /// - Throws: `CoreError`, as `OpenAttempt.result` tells.
  public func open(access: UUID? = nil) async throws -> OpenReport {
    try await told(by: try await openOnEnt(accessId: access?.coreText))
  }

  /// As `open(access:)`, once, to return the key of an account that was deleted on this phone; nobody needs to be
  /// logged in.
  ///
  /// - Throws: `CoreError`, as `returnKey` and `OpenAttempt.result` tell.
  public func open(toReturn key: KeyToReturn) async throws -> OpenReport {
    try await told(by: try await returnKey(id: key.id))
  }

  private func told(by attempt: OpenAttempt) async throws -> OpenReport {
    try await withTaskCancellationHandler {
      try await attempt.result()
    } onCancel: {
      attempt.cancel()
    }
  }
}
