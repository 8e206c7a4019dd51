import Foundation
import SentriKit
import SentriSandbox
import Testing

/// A disk that is full: a small one of the test's own, in another process. [SYN-4, BND-2]
@Suite(.serialized) struct FullDiskTests {
  @Test(.enabled(if: SmallDisk.entering != nil, "this system lets no test mount a small disk"))
  func aLoginOnAFullDiskSaysSoIsNoHalfLoginAndWorksOnceThereIsRoom() async throws {
    let town = try await Town()
    let agent = try await town.agent()
    let robin = try await town.control.addAgent(sentrikeyId: "104227319", email: someEmail())
    let folder = Folder()
    let program = try #require(environment("SENTRI_PROGRAMS")) + "/SentriProbe"
    let phone = SmallDisk.process(at: folder, running: [program], entering: try #require(SmallDisk.entering))
    let output = Pipe()
    phone.environment?.merge(
      [
        "LD_LIBRARY_PATH": try #require(environment("SENTRI_LIBRARY_DIR")), "SMALL_DISK": folder.path,
        "BACKEND": town.backend, "LOGINS": "\(agent.login) \(robin.login)",
        "PASSWORDS": "\(agent.password) \(robin.password)",
      ], uniquingKeysWith: { $1 })
    phone.standardOutput = output
    phone.standardError = output
    try phone.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    withExtendedLifetime(folder) { phone.waitUntilExit() }
    #expect(phone.terminationStatus == 0, "\(said)")
    let expected = [
      "full: DeviceFull", "then: NotSignedIn", "room: \(agent.login)", "full: DeviceFull", "then: \(agent.login)",
    ]
    #expect(said.split(separator: "\n").dropFirst().map(String.init) == expected)
  }
}

/// A disk of 16 MB for one process, where the system allows it.
enum SmallDisk {
  /// How to enter a process that may mount.
  static let entering: [String]? = [
    // The second is for a root that is no mount, as that of a chroot.
    ["--mount"], ["--mount", "--propagation", "unchanged"], ["--mount", "--map-root-user"],
  ].first { options in
    let folder = Folder()
    let trial = process(at: folder, running: ["true"], entering: options)
    trial.standardError = FileHandle.nullDevice
    guard (try? trial.run()) != nil else { return false }
    return withExtendedLifetime(folder) {
      trial.waitUntilExit()
      return trial.terminationStatus == 0
    }
  }

  static func process(at folder: Folder, running program: [String], entering options: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let mount = "mount -t tmpfs -o size=16m none \"$FOLDER\"; exec \"$@\""
    process.arguments = ["unshare"] + options + ["sh", "-ec", mount, "sh"] + program
    process.environment = ["PATH": environment("PATH") ?? "/usr/bin:/bin:/usr/sbin:/sbin", "FOLDER": folder.path]
    return process
  }
}
