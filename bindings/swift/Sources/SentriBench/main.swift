// What the home page costs, beside calls that only carry its records. Writes what it measured; judges nothing.

import Foundation
import SentriKit
import SentriSandbox

import class SentriBare.Bare

/// A radio that hears nothing.
final class NoRadio: LockLink {
  func startScan() throws {}
  func stopScan() throws {}
  func connect(peer: String) throws {}
  func write(peer: String, value: Data) throws {}
  func disconnect(peer: String) throws {}
}

struct Trouble: Error, CustomStringConvertible { let description: String }

func told(_ name: String) throws -> String {
  guard let value = ProcessInfo.processInfo.environment[name] else { throw Trouble(description: "\(name) is missing") }
  return value
}

/// In turn, each as often before the other as after it; the median of each, in nanoseconds.
func time(_ pages: Int, _ draw: [@Sendable () async throws -> Void]) async throws -> [Int64] {
  let clock = ContinuousClock()
  var took = draw.map { _ in [Duration]() }
  for page in 0..<pages {
    for turn in draw.indices {
      let which = (page + turn) % draw.count
      let begun = clock.now
      try await draw[which]()
      took[which].append(clock.now - begun)
    }
  }
  return took.map { $0.sorted()[pages / 2].components.attoseconds / 1_000_000_000 }
}

/// Away from the main actor, as an app's own work is: each call from there would take a hop.
func measure() async throws {
  let folder = try told("SENTRI_HOME_STORE")
  let config = CoreConfig(
    baseUrl: "http://127.0.0.1:1", dataDir: folder, app: .connect, appVersion: "1.0.0", deviceName: "Bench",
    platform: .ios)
  let core = try SentriCore(
    config: config, link: NoRadio(), secureStore: try FolderSecureStore(folder: folder + "/keys"))
  let bare = Bare()

  // Both carry the same, or nothing can be compared. The modules' names are all that differs.
  let ours = ["\(try await core.profile())", "\(try await core.syncStatus())", "\(try await core.accesses())"]
  let theirs = ["\(try await bare.profile())", "\(try await bare.syncStatus())", "\(try await bare.accesses())"]
  guard ours.map({ $0.replacingOccurrences(of: "SentriCore.", with: "SentriBare.") }) == theirs else {
    throw Trouble(description: "The records differ:\n\(ours)\n\(theirs)")
  }

  let draw: [@Sendable () async throws -> Void] = [
    {
      _ = try await core.profile()
      _ = try await core.syncStatus()
      _ = try await core.accesses()
    },
    {
      _ = try await bare.profile()
      _ = try await bare.syncStatus()
      _ = try await bare.accesses()
    },
  ]
  let pages = 5_001
  _ = try await time(pages, draw)
  let took = try await time(pages, draw)
  let measured = "{\"calls\": \(ours.count), \"core_ns\": \(took[0]), \"bare_ns\": \(took[1]), \"pages\": \(pages)}"
  try measured.write(toFile: try told("SENTRI_RESULTS"), atomically: true, encoding: .utf8)
}

try Sentri.start()
try await measure()
