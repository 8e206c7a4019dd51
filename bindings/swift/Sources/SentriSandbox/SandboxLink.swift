// The sandbox's simulated air as a phone's Bluetooth: carries frames over its WebSocket. For development only.

import Foundation
import SentriKit

/// One phone on the sandbox's air. Make it, make the core with it, then `attach` the core's events.
public final class SandboxLink: LockLink, @unchecked Sendable {
  private let socket: WebSocket
  // Every access of what is below holds the lock.
  private let lock = NSLock()
  private var events: LinkEvents?
  private var writes = 0

  /// - Parameter control: The control API's address, `http://127.0.0.1:…`.
  public init(control: URL) throws {
    socket = try WebSocket(port: UInt16(control.port ?? 80), path: "/radio")
    socket.listen { [weak self] text in self?.hear(text) }
  }

  deinit { socket.close() }

  /// Values written to locks, for a look from outside.
  public var written: Int { lock.withLock { writes } }

  /// Where to tell what the radio hears: `core.linkEvents()`.
  public func attach(_ events: LinkEvents) {
    lock.withLock { self.events = events }
  }

  public func startScan() throws { try ask(Command(do: "scan", on: true)) }

  public func stopScan() throws { try ask(Command(do: "scan", on: false)) }

  public func connect(peer: String) throws { try ask(Command(do: "connect", peer: peer)) }

  public func write(peer: String, value: Data) throws {
    lock.withLock { writes += 1 }
    try ask(Command(do: "write", peer: peer, value: value.map { String(format: "%02x", $0) }.joined()))
  }

  public func disconnect(peer: String) throws { try ask(Command(do: "disconnect", peer: peer)) }

  /// What a phone asks its radio; a part that is absent is left out.
  private struct Command: Encodable {
    let `do`: String
    var on: Bool?
    var peer: String?
    var value: String?
  }

  /// What its radio tells a phone.
  private struct Event: Decodable {
    let event: String
    let peer: String?
    let payload: String?
    let rssi: Int16?
    let mtu: UInt16?
    let value: String?
    let reason: String?
  }

  private func ask(_ command: Command) throws {
    do {
      try socket.send(String(decoding: try JSONEncoder().encode(command), as: UTF8.self))
    } catch {
      throw LinkError.Failed
    }
  }

  private func hear(_ text: String) {
    guard let events = lock.withLock({ events }),
      let event = try? JSONDecoder().decode(Event.self, from: Data(text.utf8)), let peer = event.peer
    else { return }
    switch event.event {
    case "advert": events.advert(peer: peer, payload: Data(hex: event.payload), rssi: event.rssi ?? 0)
    case "connected": events.connected(peer: peer, mtu: event.mtu ?? 23)
    case "received": events.received(peer: peer, value: Data(hex: event.value))
    case "disconnected": events.disconnected(peer: peer, reason: Self.reason(event.reason))
    default: break
    }
  }

  private static func reason(_ name: String?) -> DisconnectReason {
    switch name {
    case "requested": .requested
    case "by_lock": .byLock
    case "not_connected": .notConnected
    default: .lost
    }
  }
}

extension Data {
  fileprivate init(hex: String?) {
    let digits = Array((hex ?? "").utf8).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    self.init(zip(digits, digits.dropFirst()).enumerated().compactMap { $0 % 2 == 0 ? UInt8($1.0 << 4 | $1.1) : nil })
  }
}
