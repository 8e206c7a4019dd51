// Key stores and a presence for development: in memory, or in plain files. No phone keeps its keys so.

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

  /// Loses the items whose names end so; all of them where nothing is said.
  public func lose(endingIn end: String = "") {
    lock.withLock { items = items.filter { !$0.key.hasSuffix(end) && !end.isEmpty } }
  }
}

/// A key store in files, which outlives its process: one for each item, under its name in hex.
public final class FolderSecureStore: SecureStore {
  private let folder: String

  public init(folder: String) throws {
    self.folder = folder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  public func get(key: String) throws -> Data? {
    FileManager.default.contents(atPath: file(key))
  }

  public func put(key: String, value: Data) throws {
    do { try value.write(to: URL(fileURLWithPath: file(key))) } catch { throw SecureStoreError.Failed }
  }

  public func remove(key: String) throws {
    try? FileManager.default.removeItem(atPath: file(key))
  }

  private func file(_ key: String) -> String {
    folder + "/" + key.utf8.map { String(format: "%02x", $0) }.joined()
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
