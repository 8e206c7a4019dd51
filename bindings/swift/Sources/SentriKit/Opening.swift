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
    let attempt = try await openOnEnt(accessId: access?.coreText)
    return try await withTaskCancellationHandler {
      try await attempt.result()
    } onCancel: {
      attempt.cancel()
    }
  }
}
