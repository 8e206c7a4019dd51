import Foundation
import SentriKit
import SentriSandbox
import Testing

/// The program of docs/app-developers.md does what the page says, twice in the same sandbox. [BND-1]
@Suite(.serialized) struct DocsTests {
  @Test func thePagesProgramOpensByENT() async throws {
    let town = try await Town()
    for _ in 1...2 { try await run(town) }
  }

  private func run(_ town: Town) async throws {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: try #require(environment("SENTRI_PROGRAMS")) + "/AppDevelopers")
    process.arguments = [town.control.address.absoluteString]
    process.standardOutput = output
    try process.run()
    let control = town.control
    // The program's own output waits in a buffer until it ends, so ENT is pressed whenever its grant is there.
    let pressing = Task {
      while !Task.isCancelled {
        try await control.press(box)
        try await Task.sleep(for: .milliseconds(500))
      }
    }
    let text = await Task.detached { String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
      .value
    pressing.cancel()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text.contains("\(box) was opened by ENT"), "\(text)")
  }
}
