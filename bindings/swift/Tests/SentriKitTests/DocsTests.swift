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
    // Line by line, though it is no terminal: the test waits for the line that asks for ENT.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let program = try #require(environment("SENTRI_PROGRAMS")) + "/AppDevelopers"
    process.arguments = ["stdbuf", "-oL", program, town.control.address.absoluteString]
    process.standardOutput = output
    try process.run()
    var text = ""
    for try await line in lines(of: output.fileHandleForReading) {
      text += line + "\n"
      if line.hasPrefix("Press ENT on ") { try await town.control.press(box) }
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text.contains("\(box) was opened by ENT"), "\(text)")
  }

  private func lines(of handle: FileHandle) -> AsyncThrowingStream<String, any Error> {
    AsyncThrowingStream { continuation in
      Thread {
        var line = Data()
        while let byte = try? handle.read(upToCount: 1), !byte.isEmpty {
          if byte == Data("\n".utf8) {
            continuation.yield(String(decoding: line, as: UTF8.self))
            line = Data()
          } else {
            line += byte
          }
        }
        continuation.finish()
      }.start()
    }
  }
}
