import Foundation
import SentriKit
import SentriSandbox
import Testing

/// A panic in the core reaches the app as an error of the call, and the core goes on. [BND-1]
@Suite struct BugsTests {
  @Test func aPanicIsAnErrorOfTheCallInCallsThatWaitAndInCallsThatDont() async throws {
    try Sentri.start()
    let core = try SentriCore(
      config: config("http://127.0.0.1:1", Folder()), link: NoLink(), secureStore: MemorySecureStore())
    let atOnce = await caught { try core.rehearseBug() }
    #expect(isBug(atOnce))
    await withTaskGroup(of: Bool.self) { group in
      for _ in 1...8 { group.addTask { isBug(await caught { try await core.rehearseBugLater() }) } }
      for await told in group { #expect(told) }
    }
    #expect(try await refusal { _ = try await core.profile() } == .NotSignedIn)
    #expect(try await core.accounts() == [])
  }
}

private func caught(_ call: () async throws -> Void) async -> (any Error)? {
  do { try await call() } catch { return error }
  return nil
}

/// Whether it is a bug of the core's: an error that is none of the API's, and tells what happened.
private func isBug(_ error: (any Error)?) -> Bool {
  guard let error, !(error is CoreError) else { return false }
  return "\(error)".contains("a bug, rehearsed")
}
