import Foundation
import SentriKit
import SentriSandbox
import Testing

/// Objects that are gone, calls that outlive them, a library that does not belong. [BND-1, BND-2]
@Suite struct LifetimesTests {
  let folder = Folder()

  @Test func whatCameFromACoreThatIsGoneLivesOn() async throws {
    var core: SentriCore? = try SentriCore(
      config: config("http://127.0.0.1:1", folder), link: NoLink(), secureStore: MemorySecureStore())
    weak var gone = core
    let events = try #require(core).linkEvents()
    core = nil
    #expect(gone == nil)
    events.connected(peer: "nobody", mtu: 23)
  }

  @Test func aCallThatIsGoingOnKeepsWhatItNeeds() async throws {
    let (entered, released) = (Flag(), Flag())
    let store = FailingStore {
      entered.raise()
      released.wait()
      return SecureStoreError.Locked
    }
    let call = Task { [folder] in
      let core = try SentriCore(config: config("http://127.0.0.1:1", folder), link: NoLink(), secureStore: store)
      return try await refusal { _ = try await core.accounts() }
    }
    _ = try await eventually { entered.isRaised ? true : nil }
    released.raise()
    #expect(try await call.value == .DeviceLocked)
  }

  @Test func portsAreLetGoWithTheCore() throws {
    weak var gone: MemorySecureStore?
    do {
      let store = MemorySecureStore()
      gone = store
      _ = try SentriCore(config: config("http://127.0.0.1:1", folder), link: NoLink(), secureStore: store)
    }
    #expect(gone == nil)
  }

  @Test func aStaleLibraryIsRefusedAtTheStartInWords() throws {
    let said = try probe(libraries: try #require(environment("SENTRI_STALE_LIBRARY_DIR")))
    #expect(said.status == 1)
    #expect(said.text.contains("is not the one that the app was built for"), "\(said.text)")
  }

  @Test func aLibraryThatIsOlderThanTheBindingsIsRefusedAtTheStartInWords() throws {
    let said = try probe(libraries: try #require(environment("SENTRI_OLDER_LIBRARY_DIR")))
    #expect(said.status == 1)
    #expect(said.text.contains("is older than the app"), "\(said.text)")
  }

  @Test func theRightLibraryStarts() throws {
    let said = try probe(libraries: try #require(environment("SENTRI_LIBRARY_DIR")))
    #expect(said.status == 0)
    let version = try #require(environment("SENTRI_VERSION"))
    #expect(said.text == "core \(version)\n")
  }

  #if os(Linux)
    @Test func theLibraryUnderTestIsTheOneThatAPhoneShips() throws {
      try Sentri.start()
      let shipped = try #require(environment("SENTRI_LIBRARY_DIR"))
      let maps = try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readDataToEndOfFile()
      let loaded = String(decoding: maps, as: UTF8.self).split(separator: "\n").filter { $0.contains("sentri_core") }
      #expect(!loaded.isEmpty && loaded.allSatisfy { $0.contains("\(shipped)/") }, "\(loaded)")
    }
  #endif

  private func probe(libraries: String) throws -> (status: Int32, text: String) {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: try #require(environment("SENTRI_PROGRAMS")) + "/SentriProbe")
    process.environment = ["LD_LIBRARY_PATH": libraries, "SWIFT_BACKTRACE": "enable=no"]
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}
