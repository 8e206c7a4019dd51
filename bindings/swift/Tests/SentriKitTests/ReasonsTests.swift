import Foundation
import SentriKit
import SentriSandbox
import Testing

/// Why the backend or the phone says no away from a lockbox, as the app is told. [BND-2]
@Suite(.serialized) struct ReasonsTests {
  @Test func whoeverIsSuspendedIsToldWhomToContactAndHoldsNothingThatWorks() async throws {
    let town = try await Town()
    let robin = try await town.control.addAgent(sentrikeyId: "104227319", email: someEmail())
    let core = try Phone(town, app: .agent).core
    _ = try await core.loginAgent(sentrikeyId: robin.login, password: robin.password)
    try await town.control.standing(robin.login, good: false)
    let state = try await core.syncNow().state
    guard case .blocked(.accountNotActive(.suspended, .some)) = state else { throw Unexpected(description: "\(state)") }
    let error = try await refusal { _ = try await core.loginAgent(sentrikeyId: robin.login, password: robin.password) }
    guard case .AccountNotActive(.suspended, .some(let support)) = error else {
      throw Unexpected(description: "\(error)")
    }
    #expect(!support.phones.isEmpty)
  }

  @Test func aDoorWhoseHubIsOfflineIsNotChanged() async throws {
    let town = try await Town()
    let rae = try await town.control.moveIn(
      email: someEmail(), phone: someNumber(), door: "D-70001", hub: "H-70001")
    let core = try Phone(town, app: .connect).core
    _ = try await core.loginContractor(email: rae.login, password: rae.password)
    _ = try await core.syncNow()
    #expect(try await core.doors().map(\.reach) == [.hub])
    let error = try await refusal { _ = try await core.generateDoorCode(lock: "D-70001", digits: nil) }
    #expect(error == .LockUnreachable(offline: .hub))
    #expect(try await core.doorCodes(lock: "D-70001").isEmpty)
  }

  @Test func whatAgentsDoIsForbiddenToContractors() async throws {
    let town = try await Town()
    let email = someEmail()
    _ = try await town.agentPhone().grant(email)
    let phone = try Phone(town, app: .connect)
    try await phone.signUp(email: email, number: someNumber())
    #expect(
      try await refusal { _ = try await phone.core.addListing(listing: newListing("Their Street")) } == .Forbidden)
    #expect(try await refusal { _ = try await phone.core.revoke(grant: UUID()) } == .Forbidden)
  }

  @Test func aBoxThatIsTakenAwayOrExchangedWhileAGrantIsFilledInLeadsTheFlowElsewhere() async throws {
    let town = try await Town()
    let core = try await town.agentPhone().core
    let listing = try await core.addListing(listing: newListing("Exchange Street"))
    _ = try await core.assignLockbox(listing: listing.uuid, serial: box, onListingSince: Date(), region: "Here")
    func flow() async throws -> GrantFlow {
      let flow = try await core.startGrant(listing: listing.uuid)
      try flow.fillForm(email: someEmail(), start: Date(), end: Date() + 600)
      return flow
    }
    let (one, two) = (try await flow(), try await flow())
    let pin = try await town.agent().pin
    _ = try await core.unassignLockbox(serial: box)
    #expect(try await refusal { _ = try await one.authenticate(pin: pin) } == .NoLockboxAssigned)
    guard case .chooseLockbox = one.step() else { throw Unexpected(description: "\(one.step())") }
    let offer = try await one.chooseLockbox(serial: keypadBox, onListingSince: Date(), region: "Here")
    #expect(offer == .offerOneDayCode(lockbox: keypadBox))
    #expect(try await refusal { _ = try await two.authenticate(pin: pin) } == .LockboxWithoutBluetooth)
    guard case .offerOneDayCode = two.step() else { throw Unexpected(description: "\(two.step())") }
  }

  @Test func anInvitationWorksOnceItsCodeThreeTimesAndNeitherForAnAgentsNumber() async throws {
    let town = try await Town()
    let (email, number) = (someEmail(), someNumber())
    _ = try await town.agentPhone().grant(email)
    let token = try await town.invitation(to: email)
    func form(
      token: String = token, email: String = email, again: String? = nil, number: String = number
    ) -> SignupForm {
      SignupForm(
        invitation: Secret(token), email: email, emailAgain: again ?? email, phone: number, phoneAgain: number)
    }
    let phone = try Phone(town, app: .connect)
    let core = phone.core
    #expect(try await badField { _ = try await core.startSignup(form: form(again: "x@y.example")) } == "email_again")
    #expect(try await badField { _ = try await core.startSignup(form: form(number: "")) } == "phone")
    let long = String(repeating: "x", count: 1_000)
    #expect(try await badField { _ = try await core.startSignup(form: form(email: long)) } == "email")
    #expect(try await refusal { _ = try await core.startSignup(form: form(token: "nothing")) } == .LinkExpired)

    let agents = try await core.startSignup(form: form(number: agentsNumber))
    let agentsCode = try await town.code(to: agentsNumber)
    #expect(try await refusal { try await agents.verify(code: agentsCode) } == .AgentAccount)

    let signup = try await core.startSignup(form: form())
    let right = try await town.code(to: number)
    let wrong = right == "0000" ? "1111" : "0000"
    for _ in 1...3 { #expect(try await refusal { try await signup.verify(code: wrong) } == .WrongCode) }
    guard case .TooManyTries = try await refusal({ try await signup.verify(code: right) }) else {
      throw Unexpected(description: "a fourth try")
    }
    let another = someNumber()
    try await phone.signUp(email: email, number: another)
    #expect(try await refusal { _ = try await core.startSignup(form: form()) } == .LinkExpired)
  }

  @Test func whatAPersonMayNotBeIsNamedByItsField() async throws {
    let town = try await Town()
    let (email, number) = (someEmail(), someNumber())
    _ = try await town.agentPhone().grant(email)
    let invitation = Secret(try await town.invitation(to: email))
    let signup = try await Phone(town, app: .connect).core.startSignup(
      form: SignupForm(invitation: invitation, email: email, emailAgain: email, phone: number, phoneAgain: number))
    try await signup.verify(code: try await town.code(to: number))
    let bad: [(String, NewPerson)] = [
      ("first_name", somebody(firstName: "")), ("last_name", somebody(lastName: String(repeating: "x", count: 1_000))),
      ("role", somebody(role: "\u{0}")), ("password", somebody(password: "short")), ("pin", somebody(pin: "1234")),
      ("security_questions", somebody(questions: [])),
    ]
    for (field, person) in bad {
      #expect(try await badField { try await signup.complete(person: person) } == field)
    }
    try await signup.complete(person: somebody())
  }

  @Test func whatIsUnknownIsNotFoundWhateverItIs() async throws {
    let town = try await Town()
    let core = try await town.agentPhone().core
    let calls: [() async throws -> Void] = [
      { _ = try await core.startGrant(listing: UUID()) }, { _ = try await core.revoke(grant: UUID()) },
      { try await core.markRead(message: UUID()) }, { try await core.delete(message: UUID()) },
      { _ = try await core.switchTo(account: UUID()) }, { _ = try await core.unassignLockbox(serial: "Z-99999") },
      { _ = try await core.assignLockbox(listing: UUID(), serial: box, onListingSince: Date(), region: "Here") },
      { _ = try await core.open(access: UUID()) },
    ]
    for call in calls { #expect(try await refusal(call) == .NotFound) }
    let long = String(repeating: "x", count: 1_000_000)
    for odd in ["", long, "🏠", "../.."] {
      #expect(try await badField { _ = try await core.startGrant(listingId: odd) } == "listing_id")
      _ = try await refusal { _ = try await core.unassignLockbox(serial: odd) }
    }
    #expect(try await badField { _ = try await core.addListing(listing: newListing("")) } == "unparsed_address")
    let thousand = String(repeating: "x", count: 1_000)
    #expect(try await badField { _ = try await core.addListing(listing: newListing(thousand)) } == "unparsed_address")
    guard case .InvalidField = try await refusal({ _ = try await core.addListing(listing: newListing(long)) }) else {
      throw Unexpected(description: "a megabyte of an address")
    }
  }

  @Test func anAppThatIsTooOldIsAskedToUpdate() async throws {
    let town = try await Town()
    let old = config(town.backend, Folder(), .agent, version: "0.9.9")
    let core = try SentriCore(config: old, link: NoLink(), secureStore: MemorySecureStore())
    let error = try await refusal { _ = try await core.loginAgent(sentrikeyId: "104227318", password: "Lakeside7") }
    guard case .UpgradeRequired(.some(let needed)) = error else { throw Unexpected(description: "\(error)") }
    #expect(needed.contains("1.0.0"))
  }

  @Test func aServiceThatIsNoneHasTroubleInWordsOfOurs() async throws {
    let town = try await Town()
    let elsewhere = config(town.control.address.absoluteString, Folder(), .agent)
    let core = try SentriCore(config: elsewhere, link: NoLink(), secureStore: MemorySecureStore())
    let error = try await refusal { _ = try await core.loginAgent(sentrikeyId: "104227318", password: "Lakeside7") }
    guard case .ServiceTrouble = error else { throw Unexpected(description: "\(error)") }
  }

  @Test func aPhoneWhoseKeyIsGoneAsksToSignInAgain() async throws {
    let town = try await Town()
    let phone = try await town.agentPhone()
    phone.store.lose(endingIn: "/key")
    let again = try phone.restarted()
    #expect(try await refusal { _ = try await again.core.profile() } == .SignInAgain(eventsLost: 0))
    let agent = try await town.agent()
    #expect(try await again.core.loginAgent(sentrikeyId: agent.login, password: agent.password).eventsLost == 0)
  }
}
