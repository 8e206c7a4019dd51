import Foundation
import SentriKit
import SentriSandbox
import Testing

/// One's own account: what is forgotten, changed, taken along and left behind. [ACC-3, ACC-6, ACC-8 to ACC-11]
@Suite(.serialized) struct AccountTests {
  let newPassword = "Hammer77"

  @Test func aForgottenPasswordIsResetByALinkThatWorksOnce() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let (phone, email) = try await town.contractor(of: agent)
    let core = phone.core
    // Whether there is such an account is told to nobody.
    try await core.forgotPassword(email: "nobody@nowhere.example")
    try await core.forgotAgentPassword(sentrikeyId: "999999999")
    let (_, mail) = try await town.mailed(to: email) { try await core.forgotPassword(email: email) }
    let link = try #require(mail.link)
    #expect(try await badField { try await core.resetPassword(link: link, newPassword: "short") }.contains("password"))
    try await core.resetPassword(link: link, newPassword: newPassword)
    #expect(try await refusal { try await core.resetPassword(link: link, newPassword: "Another99") } == .LinkExpired)
    #expect(try await refusal { try await core.resetPassword(link: "", newPassword: "Another99") } == .LinkExpired)

    #expect(try await core.syncNow().state == .blocked(why: .signInAgain))
    #expect(
      try await refusal { _ = try await core.loginContractor(email: email, password: password) } == .WrongCredentials)
    _ = try await core.loginContractor(email: email, password: newPassword)
    try expectCurrent(try await core.syncNow())

    let agents = try await agent.core.profile()
    let id = try #require(agents.sentrikeyId)
    _ = try await town.mailed(to: agents.email) { try await core.forgotAgentPassword(sentrikeyId: id) }
  }

  /// Begins to sign up without an invitation: with the text and the mail that come for it.
  private func unprompted(
    _ phone: Phone, email: String, number: String
  ) async throws -> (signup: Signup, text: Letter, mail: Letter) {
    let form = SignupForm(invitation: nil, email: email, emailAgain: email, phone: number, phoneAgain: number)
    let ((signup, text), mail) = try await phone.town.mailed(to: email) {
      try await phone.town.texted(to: number) { try await phone.core.startSignup(form: form) }
    }
    return (signup, text, mail)
  }

  @Test func anAccountIsMadeWithoutAnInvitationWithATextedAndAMailedCode() async throws {
    let town = try await Town()
    let phone = try Phone(town, app: .connect)
    let email = someEmail()
    let (signup, text, mail) = try await unprompted(phone, email: email, number: someNumber())
    #expect(signup.wantsEmailCode() && signup.codeExpires > Date())
    #expect(text.code.count == 4 && mail.code.count == 6)
    // The address is not proven by a text.
    #expect(try await refusal { try await signup.verify(code: text.code) } == .WrongCode)
    let wrong = other(than: mail.code)
    #expect(try await refusal { try await signup.verify(code: text.code, emailCode: wrong) } == .WrongCode)
    try await signup.verify(code: text.code, emailCode: mail.code)
    try await signup.complete(person: somebody())
    let profile = try await phone.core.loginContractor(email: email, password: password).profile
    #expect(profile.standing == .active && profile.passwordRule == .standard && !profile.deviceKeyApproves)
  }

  @Test func thatAnAddressIsAnAgentsIsToldOnlyOnceItIsProven() async throws {
    let town = try await Town()
    let email = try await town.agentPhone().core.profile().email
    let phone = try Phone(town, app: .connect)
    let (signup, text, mail) = try await unprompted(phone, email: email, number: someNumber())
    #expect(try await refusal { try await signup.verify(code: text.code, emailCode: mail.code) } == .AgentAccount)
  }

  @Test func nameRolePasswordAndQuestionsAreChangedWithThePassword() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let (phone, email) = try await town.contractor(of: agent)
    let core = phone.core
    func named(_ first: String, password: String) async throws -> Profile {
      try await core.changeProfile(password: password, firstName: first, lastName: "Ryan", role: "Roofer")
    }
    #expect(try await refusal { _ = try await named("Sam", password: "Wrong77") } == .WrongCredentials)
    #expect(try await badField { _ = try await named("", password: password) } == "first_name")
    let profile = try await named("Sam", password: password)
    #expect(profile.firstName == "Sam" && profile.role == "Roofer")

    func change(to new: String) async throws { try await core.changePassword(password: password, newPassword: new) }
    #expect(try await badField { try await change(to: "short") }.contains("password"))
    try await change(to: newPassword)
    try expectCurrent(try await core.syncNow())
    func ask(_ questions: [QuestionAndAnswer]) async throws {
      try await core.changeSecurityQuestions(password: newPassword, securityQuestions: questions)
    }
    try await ask([QuestionAndAnswer(question: "First car?", answer: Secret("A van"))])
    #expect(try await badField { try await ask([]) } == "security_questions")
    try await core.logout()
    #expect(try await core.loginContractor(email: email, password: newPassword).profile.lastName == "Ryan")
    let agents = try await refusal {
      _ = try await agent.core.changeProfile(password: "Lakeside7", firstName: "D", lastName: "R", role: nil)
    }
    #expect(agents == .Forbidden)
  }

  @Test func numberAndAddressAreChangedWithACodeThatWentThere() async throws {
    let town = try await Town()
    let (phone, email) = try await town.contractor(of: try await town.agentPhone())
    let core = phone.core
    let number = someNumber()
    #expect(
      try await badField {
        _ = try await core.changePhone(password: password, phone: number, phoneAgain: agentsNumber)
      } == "phone_again")
    let (change, text) = try await town.texted(to: number) {
      try await core.changePhone(password: password, phone: number, phoneAgain: number)
    }
    #expect(change.codeExpires > Date())
    let wrong = other(than: text.code)
    #expect(try await refusal { _ = try await change.verify(code: wrong) } == .WrongCode)
    #expect(try await core.profile().phone != number)
    #expect(try await change.verify(code: text.code).phone == number)

    let new = someEmail()
    #expect(
      try await badField { _ = try await core.changeEmail(password: password, email: new, emailAgain: email) }
        == "email_again")
    // The old address is told.
    let (profile, _) = try await town.mailed(to: email) {
      let (moving, mail) = try await town.mailed(to: new) {
        try await core.changeEmail(password: password, email: new, emailAgain: new)
      }
      return try await moving.verify(code: mail.code)
    }
    #expect(profile.email == new)
  }

  @Test func personalDataAreOneDocumentWithoutSecrets() async throws {
    struct Document: Decodable {
      struct Account: Decodable { let email: String }
      struct Device: Decodable { let name: String }
      let account: Account
      let devices: [Device]
    }
    let town = try await Town()
    let (phone, email) = try await town.contractor(of: try await town.agentPhone())
    let text = try await phone.core.exportPersonalData()
    let document = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
    #expect(document.account.email == email && document.devices.count == 1)
    for secret in [password, "7301", "pipe wrench"] { #expect(!text.contains(secret)) }
  }

  @Test func aDeletedAccountLeavesOnlyTheRightToReturnTheKey() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let (phone, email) = try await town.contractor(of: agent)
    let core = phone.core
    _ = try await phone.open(at: box)
    _ = try await core.syncNow()
    #expect(try await refusal { try await core.deleteAccount(password: "Wrong77") } == .WrongCredentials)
    try await town.control.advance(seconds: 60)
    try await core.deleteAccount(password: password)
    #expect(try await refusal { _ = try await core.profile() } == .NotSignedIn)
    #expect(
      try await refusal { _ = try await core.loginContractor(email: email, password: password) } == .WrongCredentials)
    #expect(try await core.accounts() == [])
    let log = try await agent.core.accessLog(from: Date() - 3_600, to: Date() + 3_600).entries
    #expect(!log.isEmpty && !log.contains { $0.who.contains("Moreno") })

    // Past the minutes in which a lock grants that clocks differ, after a new start, without network.
    try await town.control.advance(seconds: 1_200)
    try await town.control.network(up: false)
    let later = try phone.restarted()
    let keys = try await later.core.keysToReturn()
    let key = try #require(keys.first)
    #expect(keys.count == 1 && key.lockbox == box && key.end > Date())
    let opens = try await town.control.counters(box).opens
    #expect(try await later.press(at: box, for: try await later.core.returnKey(id: key.id)).lockbox == box)
    _ = try await refusal { _ = try await later.press(at: box, for: try await later.core.returnKey(id: key.id)) }
    #expect(try await town.control.counters(box).opens == opens + 1)
    #expect(try await refusal { _ = try await later.core.returnKey(id: UUID().coreText) } == .NotFound)

    #expect(try await refusal { try await agent.core.deleteAccount(password: "Lakeside7") } == .Offline)
    try await town.control.network(up: true)
    #expect(try await refusal { try await agent.core.deleteAccount(password: "Lakeside7") } == .Forbidden)
  }

  @Test func twoAccountsOnOnePhoneAreSwitchedAndDontSeeEachOther() async throws {
    let town = try await Town()
    let (phone, email) = try await town.contractor(of: try await town.agentPhone())
    let core = phone.core
    let (own, accesses) = (try await core.profile().uuid, try await core.accesses())
    #expect(accesses.count == 1)
    let agent = try await town.agent()
    let other = try await core.loginAgent(sentrikeyId: agent.login, password: agent.password).profile.uuid
    #expect(try await core.accesses() == [])
    _ = try await core.syncNow()
    #expect(try await !core.listings().isEmpty)
    let listed = try await core.accounts()
    #expect(listed.count == 2 && listed.filter(\.active).map(\.uuid) == [other])
    #expect(try await core.switchTo(account: own).email == email)
    #expect(try await core.accesses() == accesses)
    #expect(try await core.listings() == [])
    #expect(try await core.switchTo(account: other).uuid == other)
  }

  @Test func inFrontTheCoreSyncsByItselfAndAPushBringsWhatItTellsOf() async throws {
    let town = try await Town()
    let agent = try await town.agentPhone()
    let (phone, email) = try await town.contractor(of: agent)
    let core = phone.core
    try await core.logout()
    #expect(try await refusal { _ = try await core.appResumed() } == .NotSignedIn)
    _ = try await core.loginContractor(email: email, password: password)
    // Nobody asks for it.
    for try await status in core.syncStatuses {
      if case .current = status.state { break }
    }
    #expect(try await core.accesses().count == 1)

    let grant = try await agent.grant(email)
    try expectCurrent(try await core.pushReceived())
    #expect(try await phone.access(grant).id == grant.id)

    core.appPaused()
    try await core.logout()
    _ = try await core.loginContractor(email: email, password: password)
    if case .current = try await core.syncStatus().state { throw Unexpected(description: "synced behind") }
    try expectCurrent(try await core.appResumed())
    core.appPaused()
  }

  private func expectCurrent(_ status: SyncStatus) throws {
    guard case .current = status.state else { throw Unexpected(description: "\(status)") }
  }
}

/// A code of the same length that it is not.
func other(than code: String) -> String {
  String(repeating: code.first == "0" ? "1" : "0", count: code.count)
}
