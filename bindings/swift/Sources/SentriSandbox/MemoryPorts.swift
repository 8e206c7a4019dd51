// A key store and a presence of this process alone, for development: what they keep is gone with it.

import Foundation
import SentriKit

/// A key store in memory. A phone's own is the Keychain.
public final class MemorySecureStore: SecureStore, @unchecked Sendable {
  // Every access holds the lock.
  private let lock = NSLock()
  private var items: [String: Data] = [:]

  public init() {}

  public func get(key: String) throws -> Data? {
    lock.withLock { items[key] }
  }

  public func put(key: String, value: Data) throws {
    lock.withLock { items[key] = value }
  }

  public func remove(key: String) throws {
    lock.withLock { items[key] = nil }
  }

  /// Loses everything, as a key store does that was set back.
  public func clear() {
    lock.withLock { items.removeAll() }
  }
}

/// A presence that recognises its owner when told to. A phone's own asks for finger or face.
public final class MemoryPresence: UserPresence, @unchecked Sendable {
  // Every access holds the lock.
  private let lock = NSLock()
  private var secret: Data?
  private var present = true

  public init() {}

  /// Whether the owner is there.
  public var ownerIsThere: Bool {
    get { lock.withLock { present } }
    set { lock.withLock { present = newValue } }
  }

  public func keep(secret: Data) async throws {
    lock.withLock { self.secret = secret }
  }

  public func release() async throws -> Data {
    guard ownerIsThere else { throw PresenceError.NotRecognised }
    guard let secret = lock.withLock({ secret }) else { throw PresenceError.NothingKept }
    return secret
  }
}
