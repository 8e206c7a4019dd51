import Foundation
import SentriKit
import SentriSandbox
import Testing

/// What is not right comes back as an error that says so, whatever it is. No server is needed. [BND-1]
@Suite struct BadInputTests {
  let folder = Folder()

  func core(_ config: CoreConfig? = nil) throws -> SentriCore {
    try SentriCore(
      config: config ?? SentriKitTests.config("http://127.0.0.1:1", folder), link: NoLink(),
      secureStore: MemorySecureStore())
  }

  @Test(arguments: [
    "", "api.example.com", "http://api.example.com", "https://", String(repeating: "x", count: 1_000_000),
  ])
  func anAddressThatCantBeNamesItsField(address: String) async throws {
    #expect(try await badField { _ = try core(config(address, folder)) } == "base_url")
  }

  @Test(arguments: ["", "1", "1.2.3.4", "1.2.x", String(repeating: "9", count: 1_000_000)])
  func aVersionThatCantBeNamesItsField(version: String) async throws {
    let bad = CoreConfig(
      baseUrl: "https://api.example.com", dataDir: folder.path, app: .agent, appVersion: version,
      deviceName: String(repeating: "\u{0}Дом 🏠", count: 100_000), platform: .ios)
    #expect(try await badField { _ = try core(bad) } == "app_version")
  }

  @Test func emptyAndHugeNamesAreRefusedBeforeTheNetworkIsAsked() async throws {
    let core = try core()
    for id in ["", "12345678", "１０４２２７３１８", String(repeating: "1", count: 1_000_000)] {
      #expect(try await badField { _ = try await core.loginAgent(sentrikeyId: id, password: "x") } == "sentrikey_id")
      #expect(try await badField { try await core.forgotAgentPassword(sentrikeyId: id) } == "sentrikey_id")
      #expect(
        try await badField { _ = try await core.proveAgentIdentity(sentrikeyId: id, password: "x") } == "sentrikey_id")
    }
    for email in ["", "nobody", " "] {
      #expect(try await badField { _ = try await core.loginContractor(email: email, password: "x") } == "email")
      #expect(try await badField { try await core.forgotPassword(email: email) } == "email")
      #expect(try await badField { _ = try await core.proveIdentity(email: email, password: "x") } == "email")
    }
  }

  @Test func withoutANetworkACallThatNeedsItSaysSo() async throws {
    let core = try core()
    #expect(
      try await refusal { _ = try await core.loginAgent(sentrikeyId: "104227318", password: "Lakeside7") } == .Offline)
    let long = String(repeating: "x", count: 1_000_000)
    #expect(try await refusal { _ = try await core.loginContractor(email: "a@b.example", password: long) } == .Offline)
    for invitation in [Secret(""), nil] {
      let form = SignupForm(invitation: invitation, email: "", emailAgain: "", phone: "", phoneAgain: "")
      #expect(try await refusal { _ = try await core.startSignup(form: form) } == .Offline)
    }
    #expect(try await refusal { try await core.forgotAgentPassword(sentrikeyId: "104227318") } == .Offline)
    #expect(try await refusal { try await core.forgotPassword(email: "a@b.example") } == .Offline)
    #expect(try await refusal { try await core.resetPassword(link: "https://b/reset#x", newPassword: "") } == .Offline)
    #expect(
      try await refusal { _ = try await core.proveAgentIdentity(sentrikeyId: "104227318", password: "") } == .Offline)
    #expect(try await refusal { _ = try await core.proveIdentity(email: "a@b.example", password: long) } == .Offline)
  }

  @Test func beforeLogInEveryCallSaysSo() async throws {
    let core = try core()
    let id = UUID().coreText
    let calls: [() async throws -> Void] = [
      { _ = try await core.profile() }, { _ = try await core.accesses() }, { _ = try await core.listings() },
      { _ = try await core.lockboxes() }, { _ = try await core.grants() }, { _ = try await core.messages() },
      { _ = try await core.syncNow() }, { _ = try await core.syncStatus() }, { try await core.logout() },
      { _ = try await core.watchNearby() }, { _ = try await core.openOnEnt(accessId: nil) },
      { _ = try await core.addListing(listing: newListing("A Street")) },
      { _ = try await core.assignLockbox(listing: UUID(), serial: box, onListingSince: Date(), region: "Here") },
      { _ = try await core.unassignLockbox(serial: box) }, { _ = try await core.openOnEnt(accessId: id) },
      { _ = try await core.startGrant(listingId: id) },
      { _ = try await core.revoke(grantId: id) }, { try await core.markMessageRead(messageId: id) },
      { try await core.deleteMessage(messageId: id) },
      { _ = try await core.accessLog(from: 0, to: .max, filter: AccessLogFilter(), after: nil) },
      { _ = try await core.accessLogCsv(from: 0, to: .max, filter: AccessLogFilter()) },
      { _ = try await core.searchLockbox(serial: box) }, { _ = try await core.findLockboxOnEnt() },
      { _ = try await core.lockboxSettings(serial: box) }, { _ = try await core.defaultLockboxSettings() },
      { _ = try await core.setLockboxSettings(serial: box, custom: nil) },
      {
        let none = BoxSettings(accessHours: [], contractorMode: false, timeZone: nil)
        _ = try await core.setDefaultLockboxSettings(defaultSettings: none)
      },
      { for try await _ in core.syncStatuses {} }, { for try await _ in core.messageLists {} },
      { for try await _ in core.nearbyLockboxes {} },
      { _ = try await core.appResumed() }, { _ = try await core.pushReceived() },
      { _ = try await core.exportPersonalData() }, { _ = try await core.proveOwnIdentity(password: "x") },
      { _ = try await core.changeProfile(password: "x", firstName: "", lastName: "", role: nil) },
      { try await core.changePassword(password: "x", newPassword: "y") },
      { _ = try await core.changePhone(password: "x", phone: "", phoneAgain: "") },
      { _ = try await core.changeEmail(password: "x", email: "", emailAgain: "") },
      { try await core.changeSecurityQuestions(password: "x", securityQuestions: []) },
      { try await core.deleteAccount(password: "x") }, { try await core.registerDeviceKey(password: nil) },
    ]
    for call in calls { #expect(try await refusal(call) == .NotSignedIn) }
    core.appPaused()
    #expect(try await core.accounts() == [])
    #expect(try await core.keysToReturn() == [])
    #expect(try await core.keyProtection() == .noKey)
    #expect(try await refusal { _ = try await core.returnKey(id: id) } == .NotFound)
    #expect(try await refusal { _ = try await core.switchAccount(accountId: id) } == .NotFound)
    for no in ["", "no-id", String(repeating: id, count: 30_000)] {
      #expect(try await badField { _ = try await core.switchAccount(accountId: no) } == "account_id")
      #expect(try await badField { _ = try await core.returnKey(id: no) } == "id")
    }
  }

  @Test func theRadiosEventsMayBeAnything() throws {
    let events = try core().linkEvents()
    events.advert(peer: "", payload: Data(), rssi: .min)
    events.advert(peer: String(repeating: "x", count: 100_000), payload: Data(count: 1_000_000), rssi: .max)
    events.connected(peer: "nobody", mtu: 0)
    events.connected(peer: "nobody", mtu: .max)
    events.received(peer: "nobody", value: Data(count: 1_000_000))
    for reason in [DisconnectReason.requested, .byLock, .lost, .notConnected] {
      events.disconnected(peer: "nobody", reason: reason)
    }
  }

  @Test func anErrorHasATextForLogsAndKeepsSecretsOutOfIt() async throws {
    let core = try core()
    let error = try await refusal { _ = try await core.loginAgent(sentrikeyId: "104227318", password: "Lakeside7") }
    #expect("\(error)" == "There is no connection to the service.")
  }

  @Test func datesThatAreNoneDoNotCrash() {
    for odd in [Double.nan, .infinity, -.infinity, 1e300, -1e300] {
      _ = Date(timeIntervalSince1970: odd).coreSeconds
    }
    #expect(Date(core: 1_795_302_748).coreSeconds == 1_795_302_748)
    #expect(Date(timeIntervalSince1970: -0.5).coreSeconds == -1)
  }
}
