import SentriKit
import Testing

/// What is secret is in no text of the records that carry it. [ACC-8, BND-1]
@Suite struct SecretsTests {
  @Test func recordsThatCarrySecretsDontShowThem() {
    let secrets = ["Wrench42", "7301", "A pipe wrench", "tokenOfTheInvitation"]
    let person = somebody()
    let form = SignupForm(
      invitation: Secret(secrets[3]), email: "pat@plumbing.example", emailAgain: "pat@plumbing.example", phone: "1",
      phoneAgain: "1")
    var shown = "\(person) \(form) \(String(reflecting: person)) \(String(reflecting: form)) \([person]) \(["a": form])"
    dump(person, to: &shown)
    dump(form, to: &shown)
    #expect(shown.contains("Pat") && shown.contains("pat@plumbing.example"))
    for secret in secrets { #expect(!shown.contains(secret), "\(shown)") }
  }

  @Test func secretsCompareByWhatTheyHold() {
    #expect(Secret("a") == Secret("a"))
    #expect(Secret("a") != Secret("b"))
  }
}
