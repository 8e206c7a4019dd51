import Foundation
import SentriKit
import SentriSandbox
import Testing

/// The system ends apps as it likes: the next start finds everything. [SYN-4, BND-2]
@Suite(.serialized) struct KilledTests {
  @Test func anAppThatWasKilledBetweenCallsGoesOnWhereItWas() async throws {
    let town = try await Town()
    let agent = try await town.agent()
    let folder = Folder()
    let (killed, output) = (Process(), Pipe())
    killed.executableURL = URL(fileURLWithPath: try #require(environment("SENTRI_PROGRAMS")) + "/SentriProbe")
    killed.environment = [
      "LD_LIBRARY_PATH": try #require(environment("SENTRI_LIBRARY_DIR")), "PHONE": folder.path,
      "BACKEND": town.backend, "LOGIN": agent.login, "PASSWORD": agent.password,
    ]
    killed.standardOutput = output
    try killed.run()
    let listings = firstLine(of: output.fileHandleForReading) { $0.hasPrefix("listings ") }
    kill(killed.processIdentifier, SIGKILL)
    killed.waitUntilExit()

    let keys = try FolderSecureStore(folder: folder.path + "/keys")
    let core = try SentriCore(config: config(town.backend, folder, .agent), link: NoLink(), secureStore: keys)
    #expect(try await core.profile().firstName == "Dana")
    let kept = try await core.listings().map(\.id)
    #expect(!kept.isEmpty && listings == "listings \(kept)")
  }
}
