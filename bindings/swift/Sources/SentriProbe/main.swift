// A process of its own for the tests: starts the core, so that a library which must be refused ends only this; where it is
// told a phone's folder, uses the phone until it is killed; where it is told a small disk, fills that.

import Foundation
import SentriKit
import SentriSandbox

/// A radio that hears nothing.
final class NoRadio: LockLink {
  func startScan() throws {}
  func stopScan() throws {}
  func connect(peer: String) throws {}
  func write(peer: String, value: Data) throws {}
  func disconnect(peer: String) throws {}
}

func config(_ backend: String, _ folder: String) -> CoreConfig {
  CoreConfig(
    baseUrl: backend, dataDir: folder, app: .agent, appVersion: "1.0.0", deviceName: "A phone of the tests",
    platform: .ios)
}

/// Logs in, syncs, tells what it has, and waits to be killed.
func use(phone folder: String, backend: String, login: String, password: String) async throws {
  let config = config(backend, folder)
  let keys = try FolderSecureStore(folder: folder + "/keys")
  let core = try SentriCore(config: config, link: NoRadio(), secureStore: keys)
  _ = try await core.loginAgent(sentrikeyId: login, password: password)
  _ = try await core.syncNow()
  print("listings", try await core.listings().map(\.id))
  // For whoever reads line by line from a pipe.
  fflush(nil)
  while true { try await Task.sleep(for: .seconds(3_600)) }
}

/// Takes all room that a disk has left.
func fill(_ folder: String) throws -> String {
  let ballast = folder + "/ballast"
  _ = FileManager.default.createFile(atPath: ballast, contents: nil)
  let file = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
  let page = Data(count: 4_096)
  while (try? file.write(contentsOf: page)) != nil {}
  try file.close()
  return ballast
}

/// Logs in where there is no room, then where there is, then another account where there is none again.
func log(intoSmallDisk folder: String, backend: String, logins: [String], passwords: [String]) async throws {
  let core = try SentriCore(config: config(backend, folder), link: NoRadio(), secureStore: MemorySecureStore())
  func tell(_ when: String, _ call: () async throws -> String) async throws {
    do {
      print("\(when):", try await call())
    } catch CoreError.DeviceFull {
      print("\(when): DeviceFull")
    } catch CoreError.NotSignedIn {
      print("\(when): NotSignedIn")
    }
  }
  func login(_ number: Int) async throws -> String {
    try await core.loginAgent(sentrikeyId: logins[number], password: passwords[number]).profile.sentrikeyId ?? "-"
  }
  let ballast = try fill(folder)
  try await tell("full") { try await login(0) }
  try await tell("then") { try await core.profile().sentrikeyId ?? "-" }
  try FileManager.default.removeItem(atPath: ballast)
  try await tell("room") { try await login(0) }
  _ = try fill(folder)
  try await tell("full") { try await login(1) }
  try await tell("then") { try await core.profile().sentrikeyId ?? "-" }
}

do {
  print("core \(try Sentri.start())")
} catch {
  print("refused: \(error)")
  exit(1)
}

let told = ProcessInfo.processInfo.environment
if let folder = told["PHONE"], let backend = told["BACKEND"], let login = told["LOGIN"], let password = told["PASSWORD"]
{
  try await use(phone: folder, backend: backend, login: login, password: password)
}
if let disk = told["SMALL_DISK"], let backend = told["BACKEND"], let logins = told["LOGINS"],
  let passwords = told["PASSWORDS"]
{
  try await log(
    intoSmallDisk: disk, backend: backend, logins: logins.split(separator: " ").map(String.init),
    passwords: passwords.split(separator: " ").map(String.init))
}
