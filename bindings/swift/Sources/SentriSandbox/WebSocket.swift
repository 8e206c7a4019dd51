// A WebSocket to a program on this machine. Foundation's own does not work on Linux, where libcurl comes without.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Texts both ways, until one side closes.
final class WebSocket: @unchecked Sendable {
  // Writing holds the lock; only the thread of `listen` reads.
  private let lock = NSLock()
  private let socket: Int32

  /// Connects and shakes hands.
  init(port: UInt16, path: String) throws {
    #if canImport(Glibc)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    socket = Self.connect(port: port, stream: stream)
    guard socket >= 0 else { throw SandboxError(description: "Nobody listens on port \(port).") }
    let key = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    try sendAll(
      Data(
        """
        GET \(path) HTTP/1.1\r
        Host: 127.0.0.1:\(port)\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: \(key)\r
        \r\n
        """.utf8))
    var head = Data()
    while !head.hasSuffix("\r\n\r\n") { head += try read(1) }
    guard String(decoding: head, as: UTF8.self).hasPrefix("HTTP/1.1 101") else {
      throw SandboxError(description: "No WebSocket at \(path): \(String(decoding: head, as: UTF8.self))")
    }
  }

  deinit { _ = Foundation.close(socket) }

  /// Hands on every text, from a thread of its own, until the connection ends.
  func listen(_ hear: @escaping @Sendable (String) -> Void) {
    Thread {
      while let text = try? self.nextText() { hear(text) }
    }.start()
  }

  /// Sends one text; texts arrive in the order of the calls.
  func send(_ text: String) throws {
    try sendFrame(opcode: 1, Data(text.utf8))
  }

  /// Ends the connection, and with it `listen`.
  func close() {
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private static func connect(port: UInt16, stream: Int32) -> Int32 {
    let socket = Foundation.socket(AF_INET, stream, 0)
    guard socket >= 0 else { return socket }
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let done = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if done == 0 { return socket }
    _ = Foundation.close(socket)
    return -1
  }

  private func nextText() throws -> String {
    var text = Data()
    while true {
      let head = [UInt8](try read(2))
      var length = Int(head[1] & 0x7f)
      if length == 126 { length = try read(2).reduce(0) { $0 << 8 | Int($1) } }
      if length == 127 { length = try read(8).reduce(0) { $0 << 8 | Int($1) } }
      let payload = try read(length)
      switch head[0] & 0x0f {
      case 0, 1:
        text += payload
        if head[0] & 0x80 != 0 { return String(decoding: text, as: UTF8.self) }
      case 8: throw SandboxError(description: "The sandbox closed the radio.")
      case 9: try sendFrame(opcode: 10, payload)
      default: continue
      }
    }
  }

  private func sendFrame(opcode: UInt8, _ payload: Data) throws {
    let mask = (0..<4).map { _ in UInt8.random(in: .min ... .max) }
    var frame = Data([0x80 | opcode])
    if payload.count < 126 {
      frame.append(0x80 | UInt8(payload.count))
    } else {
      frame.append(contentsOf: [UInt8(0x80 | 126), UInt8(payload.count >> 8 & 0xff), UInt8(payload.count & 0xff)])
    }
    frame.append(contentsOf: mask)
    frame.append(contentsOf: payload.enumerated().map { $1 ^ mask[$0 % 4] })
    try sendAll(frame)
  }

  private func sendAll(_ data: Data) throws {
    try lock.withLock {
      var rest = [UInt8](data)[...]
      while !rest.isEmpty {
        #if canImport(Glibc)
          let sent = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        #else
          let sent = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, 0) }
        #endif
        guard sent > 0 else { throw SandboxError(description: "The radio's connection is gone.") }
        rest = rest.dropFirst(sent)
      }
    }
  }

  private func read(_ count: Int) throws -> Data {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + filled, count - filled, 0) }
      guard got > 0 else { throw SandboxError(description: "The radio's connection is gone.") }
      filled += got
    }
    return Data(bytes)
  }
}

extension Data {
  fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
