// A process of its own for the tests: starts the core, so that a library which must be refused ends only this; and, where
// it is told a phone's folder, uses the phone until it is killed.

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

/// Logs in, syncs, tells what it has, and waits to be killed.
func use(phone folder: String, backend: String, login: String, password: String) async throws {
  let config = CoreConfig(
    baseUrl: backend, dataDir: folder, app: .agent, appVersion: "1.0.0", deviceName: "A phone that is killed",
    platform: .ios)
  let keys = try FolderSecureStore(folder: folder + "/keys")
  let core = try SentriCore(config: config, link: NoRadio(), secureStore: keys)
  _ = try await core.loginAgent(sentrikeyId: login, password: password)
  _ = try await core.syncNow()
  print("listings", try await core.listings().map(\.id))
  // For whoever reads line by line from a pipe.
  fflush(nil)
  while true { try await Task.sleep(for: .seconds(3_600)) }
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
