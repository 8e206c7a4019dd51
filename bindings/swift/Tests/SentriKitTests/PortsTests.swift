import Foundation
import SentriKit
import Testing

/// A radio that hears nothing.
final class NoLink: LockLink {
  func startScan() throws {}
  func stopScan() throws {}
  func connect(peer: String) throws {}
  func write(peer: String, value: Data) throws {}
  func disconnect(peer: String) throws {}
}

/// A key store that does something, then throws what that gives, at every call.
final class FailingStore: SecureStore {
  let what: @Sendable () -> any Error

  init(_ what: @escaping @Sendable () -> any Error) { self.what = what }

  func get(key: String) throws -> Data? { throw what() }
  func put(key: String, value: Data) throws { throw what() }
  func remove(key: String) throws { throw what() }
}

/// A presence that answers every call with an error.
final class FailingPresence: UserPresence {
  let error: any Error & Sendable

  init(_ error: any Error & Sendable) { self.error = error }

  func keep(secret: Data) async throws { throw error }
  func release() async throws -> Data { throw error }
}

struct Bug: Error {}

/// Ports written in Swift, well-behaved and not. [BND-4]
@Suite struct PortsTests {
  let folder = Folder()

  func core(_ what: @escaping @Sendable () -> any Error) throws -> SentriCore {
    try SentriCore(config: config("http://127.0.0.1:1", folder), link: NoLink(), secureStore: FailingStore(what))
  }

  @Test func whatAKeyStoreSaysIsWhatTheAppIsTold() async throws {
    let locked = try core { SecureStoreError.Locked }
    #expect(try await refusal { _ = try await locked.profile() } == .DeviceLocked)
    let failed = try core { SecureStoreError.Failed }
    #expect(try await refusal { _ = try await failed.profile() } == .DeviceTrouble)
  }

  @Test func aKeyStoreThatThrowsSomethingOfItsOwnBreaksOneCallNotTheApp() async throws {
    let core = try core { Bug() }
    #expect(try await refusal { _ = try await core.profile() } == .DeviceTrouble)
    #expect(try await refusal { _ = try await core.accounts() } == .DeviceTrouble)
  }

  @Test func aKeyStoreThatNeverAnswersIsGivenUpOn() async throws {
    let never = Flag()
    let core = try core {
      never.wait()
      return SecureStoreError.Failed
    }
    #expect(try await refusal { _ = try await core.accounts() } == .DeviceTrouble)
    never.raise()
  }

  @MainActor @Test func aCallLeavesTheMainThreadFreeAndThePortIsCalledOnAnotherOne() async throws {
    let released = Flag()
    let onMain = Flag()
    let core = try core {
      if Thread.isMainThread { onMain.raise() }
      released.wait()
      return SecureStoreError.Locked
    }
    let waiting = Task { @MainActor () async -> CoreError? in
      do { _ = try await core.accounts() } catch { return error as? CoreError }
      return nil
    }
    // Runs on the main actor only if the call above does not sit on it.
    await Task { @MainActor in released.raise() }.value
    #expect(await waiting.value == .DeviceLocked)
    #expect(!onMain.isRaised)
  }

  @Test func aPortMayCallTheCoreFromWithinACall() async throws {
    final class Held: @unchecked Sendable { var events: LinkEvents? }
    let held = Held()
    let core = try core {
      // While the core waits for this very answer.
      held.events?.advert(peer: "someone", payload: Data([1, 2, 3]), rssi: -40)
      return SecureStoreError.Locked
    }
    held.events = core.linkEvents()
    #expect(try await refusal { _ = try await core.profile() } == .DeviceLocked)
    #expect(try await refusal { _ = try await core.accounts() } == .DeviceLocked)
  }

  @Test func aPortThatWaitsForTheCoreThatWaitsForItIsGivenUpOnAndNothingHangs() async throws {
    final class Again: @unchecked Sendable {
      // Written before the port is called, and by its one call from within.
      var core: SentriCore?
      var told: CoreError?
      let first = Flag()
      let over = Flag()
    }
    let again = Again()
    let core = try core {
      if !again.first.isRaised {
        again.first.raise()
        let done = DispatchSemaphore(value: 0)
        Task {
          do { _ = try await again.core?.profile() } catch { again.told = error as? CoreError }
          done.signal()
        }
        done.wait()
        again.over.raise()
      }
      return SecureStoreError.Locked
    }
    again.core = core
    #expect(try await refusal { _ = try await core.profile() } == .DeviceTrouble)
    // The call from within came to its turn after that, and to its own end.
    _ = try await eventually { again.over.isRaised ? true : nil }
    #expect(again.told == .DeviceLocked)
    #expect(try await refusal { _ = try await core.accounts() } == .DeviceLocked)
    again.core = nil
  }

  @Test func anAsyncPortWrittenInSwiftKeepsWhatItIsGiven() async throws {
    actor Keeper: UserPresence {
      var kept: Data?
      func keep(secret: Data) async throws { kept = secret }
      func release() async throws -> Data {
        guard let kept else { throw PresenceError.NothingKept }
        return kept
      }
    }
    let keeper = Keeper()
    try await keepPin(presence: keeper, pin: "2580")
    #expect(await keeper.kept == Data("2580".utf8))
    for pin in ["", String(repeating: "7", count: 1_000)] {
      #expect(try await badField { try await keepPin(presence: keeper, pin: pin) } == "pin")
    }
  }

  @Test func anAsyncPortThatThrowsIsAnErrorOfTheCall() async throws {
    for (error, told): (any Error & Sendable, CoreError) in [
      (PresenceError.NotRecognised, .Cancelled), (PresenceError.Failed, .PinNeeded), (Bug(), .PinNeeded),
    ] {
      let presence = FailingPresence(error)
      #expect(try await refusal { try await keepPin(presence: presence, pin: "2580") } == told)
    }
  }
}
