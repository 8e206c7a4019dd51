// A hand on the sandbox that `cargo run -- serve` keeps running: presses keys, reads mails. For development only.

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The sandbox did not do what it was asked for.
public struct SandboxError: Error, CustomStringConvertible {
  public let description: String
}

/// Somebody whom one can log in as.
public struct Person: Decodable, Sendable {
  public let name: String
  public let kind: String
  public let login: String
  public let password: String
  public let pin: String
}

/// A mail or a text message that the backend sent.
public struct Letter: Decodable, Sendable {
  public let to: String
  public let subject: String?
  public let body: String

  /// The code that a mail's subject or a text begins with.
  public var code: String { String((subject ?? body).prefix { $0.isNumber }) }

  /// The link in it.
  public var link: String? {
    body.split(whereSeparator: \.isWhitespace).first { $0.contains("://") && $0.contains("#") }.map(String.init)
  }
}

/// What a virtual lockbox counted since its battery went in.
public struct BoxCounters: Decodable, Sendable {
  /// Connections of phones.
  public let connections: Int
  /// Frames that came over the air.
  public let framesIn: Int
  /// Opens of the key bin.
  public let opens: Int
}

/// The control API; `docs/sandbox.md` tells all of it.
public struct SandboxControl: Sendable {
  /// Where it is: `http://127.0.0.1:…`.
  public let address: URL

  public init(address: URL) {
    self.address = address
  }

  /// Where phones reach the backend.
  public func backend() async throws -> String { try await state().backend }

  /// Who can log in.
  public func people() async throws -> [Person] { try await state().people }

  /// Serial numbers of the lockboxes.
  public func lockboxes() async throws -> [String] { try await state().lockboxes }

  /// Where the sandbox keeps its data.
  public func folder() async throws -> String { try await state().folder }

  /// What a lockbox counted.
  public func counters(_ serial: String) async throws -> BoxCounters {
    struct Seen: Decodable { let counters: BoxCounters }
    let seen: Seen = try await answer(to: request("/lockboxes/\(serial)"))
    return seen.counters
  }

  /// Presses keys, as `ENT` or `1234567 ENT`.
  public func press(_ serial: String, keys: String = "ENT") async throws {
    try await post("/lockboxes/\(serial)/keys", ["keys": keys])
  }

  /// Pulls a lockbox's battery, or puts it in.
  public func battery(_ serial: String, inserted: Bool) async throws {
    try await post("/lockboxes/\(serial)/battery", ["battery": inserted ? "insert" : "pull"])
  }

  /// Hangs one more Bluetooth lockbox of the agent's, open within these hours: `08:00-20:00`, or `always`.
  public func hang(_ serial: String, accessHours: String = "always") async throws {
    try await post("/lockboxes", ["serial": serial, "access_hours": accessHours])
  }

  /// Jams a lockbox's motor, or frees it.
  public func motor(_ serial: String, jammed: Bool) async throws {
    try await post("/lockboxes/\(serial)/motor", ["motor": jammed ? "jammed" : "free"])
  }

  /// Makes one more agent, as an operator does.
  public func addAgent(sentrikeyId: String, email: String) async throws -> Person {
    try await post("/agents", ["sentrikey_id": sentrikeyId, "email": email])
    guard let made = try await people().first(where: { $0.login == sentrikeyId }) else {
      throw SandboxError(description: "The agent is not there.")
    }
    return made
  }

  /// Has somebody move in behind a door that this hub reaches, as an operator does. The hub is offline.
  public func moveIn(email: String, phone: String, door: String, hub: String) async throws -> Person {
    try await post("/residents", ["email": email, "phone": phone, "door": door, "hub": hub])
    guard let made = try await people().first(where: { $0.login == email }) else {
      throw SandboxError(description: "The resident is not there.")
    }
    return made
  }

  /// Suspends an agent, or puts them back into good standing, as an operator does.
  public func standing(_ sentrikeyId: String, good: Bool) async throws {
    try await post("/agents/\(sentrikeyId)/standing", ["standing": good ? "good" : "suspended"])
  }

  /// Cuts the network between phones and backend, or mends it.
  public func network(up: Bool) async throws {
    try await post("/network", ["network": up ? "up" : "down"])
  }

  /// Lets time pass for everything in the sandbox, lockboxes too.
  public func advance(seconds: Int) async throws {
    try await post("/clock", ["advance_seconds": seconds])
  }

  /// The mails to an address, oldest first.
  public func mails(to address: String) async throws -> [Letter] {
    let all: [Letter] = try await answer(to: request("/mails"))
    return all.filter { $0.to.lowercased() == address.lowercased() }
  }

  /// The text messages to a number, oldest first.
  public func texts(to number: String) async throws -> [Letter] {
    let all: [Letter] = try await answer(to: request("/texts"))
    return all.filter { $0.to == number }
  }

  /// Asks a route to do something.
  public func post<Body: Encodable>(_ path: String, _ body: Body) async throws {
    var request = request(path)
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = try JSONEncoder().encode(body)
    _ = try await data(of: request)
  }

  private struct State: Decodable {
    let backend: String
    let people: [Person]
    let lockboxes: [String]
    let folder: String
  }

  private func state() async throws -> State {
    try await answer(to: request("/state"))
  }

  private func request(_ path: String) -> URLRequest {
    URLRequest(url: address.appendingPathComponent(path))
  }

  private func answer<Answer: Decodable>(to request: URLRequest) async throws -> Answer {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Answer.self, from: try await data(of: request))
  }

  private func data(of request: URLRequest) async throws -> Data {
    let (data, answer) = try await URLSession.shared.data(for: request)
    guard (answer as? HTTPURLResponse)?.statusCode == 200 else {
      throw SandboxError(description: "\(request.url?.path ?? ""): \(String(decoding: data, as: UTF8.self))")
    }
    return data
  }
}
