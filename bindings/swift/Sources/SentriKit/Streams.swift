// What a screen follows, as sequences to loop over. Leaving the loop ends the subscription in the core.

import SentriCore

/// The values of a subscription. Looped over once; cancelling the task ends the loop and the subscription.
public struct Subscription<Element: Sendable>: AsyncSequence, Sendable {
  fileprivate let subscribe: @Sendable () async throws -> Handle<Element>

  public func makeAsyncIterator() -> Iterator {
    Iterator(subscribe: subscribe)
  }

  /// Asks the core for one value after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let subscribe: @Sendable () async throws -> Handle<Element>
    fileprivate var handle: Handle<Element>?

    /// The present value at the first call, then each one after it; nothing once the task is cancelled.
    public mutating func next() async throws -> Element? {
      if Task.isCancelled { return nil }
      let handle =
        if let handle { handle } else { try await subscribe() }
      self.handle = handle
      // Cancelling a task does not reach the core by itself.
      return try await withTaskCancellationHandler {
        try await handle.next()
      } onCancel: {
        handle.stop()
      }
    }
  }
}

/// A subscription of the core's. The core ends it when the last reference goes.
private struct Handle<Element: Sendable>: Sendable {
  let next: @Sendable () async throws -> Element?
  let stop: @Sendable () -> Void
}

extension SentriCoreProtocol {
  /// The sync status of the account in use, now and whenever it changes.
  ///
  /// Throws `CoreError.NotSignedIn` once nobody is logged in.
  public var syncStatuses: Subscription<SyncStatus> {
    Subscription {
      let stream = self.watchSyncStatus()
      return Handle(next: { try await stream.next() }, stop: { stream.stop() })
    }
  }

  /// The messages of the account in use, newest first, now and whenever they change.
  ///
  /// Throws `CoreError.NotSignedIn` once nobody is logged in.
  public var messageLists: Subscription<[Message]> {
    Subscription {
      let stream = self.watchMessages()
      return Handle(next: { try await stream.next() }, stop: { stream.stop() })
    }
  }

  /// The account's lockboxes that are awake nearby, now and whenever they change. The radio searches as long as
  /// somebody loops.
  ///
  /// Throws `CoreError.BluetoothOff` and its like where the radio can't be used.
  public var nearbyLockboxes: Subscription<[NearbyLockbox]> {
    Subscription {
      let stream = try await self.watchNearby()
      return Handle(next: { try await stream.next() }, stop: { stream.stop() })
    }
  }
}
