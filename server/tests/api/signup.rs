//! ACC-8: an account from an invitation.

use sentri_wire::{
    account::{Account, SignupStarted},
    agent::{Grant, GrantState},
};
use serde_json::json;

use crate::world::{BLE, DANA, DANAS_EMAIL, DANAS_PHONE, HOUR, NOW, World, completion, records};

const BO: &str = "bo@plumbing.example";
const PHONE: &str = "(503) 555-0199";

async fn invited() -> (World, String) {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    let invitation = world.invitation(BO).await;
    (world, invitation)
}

/// ACC-8, GRT-3
#[tokio::test]
async fn an_invited_person_makes_an_account_and_finds_the_access() {
    let world = World::new().await;
    let ready = world.ready().await;
    assert_eq!(ready.grant.state, GrantState::Invited);
    assert_eq!(ready.bo.account.role.as_deref(), Some("Plumber"));
    let (changes, _) = world.sync(&ready.bo, None).await;
    assert_eq!(records::<sentri_wire::credential::Access>(&changes).len(), 1);
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert_eq!(records::<Grant>(&changes)[0].state, GrantState::Granted);
}

#[tokio::test]
async fn both_entries_must_agree_and_the_address_must_be_the_invited_one() {
    let (world, invitation) = invited().await;
    let start = async |email: &str, again: &str, phone: &str, phone_again: &str| {
        let body = json!({ "email": email, "email_again": again, "phone": phone, "phone_again": phone_again,
            "invitation": invitation });
        world.post_public("/v1/signup", &body).await
    };
    start(BO, "b@plumbing.example", PHONE, PHONE).await.refused("invalid", Some("email_again"));
    start(BO, BO, PHONE, "503-555-0198").await.refused("invalid", Some("phone_again"));
    start("x", BO, PHONE, PHONE).await.refused("invalid", Some("email"));
    start(BO, BO, "12", "12").await.refused("invalid", Some("phone"));
    let other = "al@plumbing.example";
    start(other, other, PHONE, PHONE).await.refused("invalid", Some("email"));
    // However it is typed.
    start("Bo@Plumbing.example", BO, PHONE, "+1 503 555 0199").await.ok::<SignupStarted>();
}

#[tokio::test]
async fn a_code_has_three_tries_and_ten_minutes_and_belongs_to_its_request() {
    let (world, invitation) = invited().await;
    let started: SignupStarted = world.start_signup(BO, PHONE, &invitation).await.ok();
    let right = world.code(PHONE).await;
    let wrong = if right == "0000" { "0001" } else { "0000" };
    let verify = async |signup: &SignupStarted, code: &str| {
        let body = json!({ "signup": signup.signup.expose(), "code": code });
        world.post_public("/v1/signup/verify", &body).await
    };
    for _ in 0..3 {
        verify(&started, wrong).await.refused("wrong-code", Some("code"));
    }
    verify(&started, &right).await.refused("too-many-tries", None);

    // A second request has a code of its own, and the tries of its own.
    let second: SignupStarted = world.start_signup(BO, PHONE, &invitation).await.ok();
    world.server.deliver_due().await.unwrap();
    let codes: Vec<String> = world.mailbox.texts().iter().map(|text| text.body[..4].to_owned()).collect();
    assert_eq!(codes.len(), 2);
    if codes[0] != codes[1] {
        verify(&second, &codes[0]).await.refused("wrong-code", Some("code"));
    }
    world.clock.advance(600);
    verify(&second, &codes[1]).await.refused("expired", None);
    let body = completion(second.signup.expose());
    world.post_public("/v1/signup/complete", &body).await.refused("expired", None);
}

#[tokio::test]
async fn a_number_gets_only_so_many_texts_a_day() {
    let (world, invitation) = invited().await;
    for _ in 0..5 {
        world.start_signup(BO, PHONE, &invitation).await.ok::<SignupStarted>();
    }
    let refused = world.start_signup(BO, "503 555 0199", &invitation).await;
    let problem = refused.refused("too-many-tries", None);
    assert_eq!((problem.limit, problem.retry_after), (Some(5), Some(86_400)));
    world.start_signup(BO, "503-555-0177", &invitation).await.ok::<SignupStarted>();
    // The day begins with the first text, and what was refused does not lengthen it.
    world.clock.advance(86_399);
    world.start_signup(BO, PHONE, &invitation).await.refused("too-many-tries", None);
    world.clock.advance(1);
    world.start_signup(BO, PHONE, &invitation).await.ok::<SignupStarted>();
}

/// Whoever asks: the cap counts by number, over invitations, restarts and races.
#[tokio::test]
async fn the_cap_on_texts_is_a_deployments_and_counts_across_requests() {
    let mut world = World::with(|config| (config.texts_per_number, config.deliver) = (2, false)).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let mut invitations = Vec::new();
    for email in [BO, "al@paint.example", "cy@roof.example"] {
        world.grant(&dana, &listing, email, NOW, NOW + HOUR).await;
        world.server.deliver_due().await.unwrap();
        invitations.push((email, world.invitation(email).await));
    }
    world.restart(|_, _| {}).await;
    let starts = invitations.iter().map(|(email, invitation)| world.start_signup(email, PHONE, invitation));
    let [a, b, c] = <[_; 3]>::try_from(starts.collect::<Vec<_>>()).ok().unwrap();
    let (a, b, c) = tokio::join!(a, b, c);
    let statuses = [a.status, b.status, c.status];
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 1, "{statuses:?}");
    world.server.deliver_due().await.unwrap();
    assert_eq!(world.mailbox.texts().len(), 2);
}

/// ACC-9
#[tokio::test]
async fn the_last_step_names_what_breaks_a_rule() {
    let (world, invitation) = invited().await;
    let started: SignupStarted = world.start_signup(BO, PHONE, &invitation).await.ok();
    let signup = started.signup.expose();
    let complete = async |body: &_| world.post_public("/v1/signup/complete", body).await;
    // Not before the code was entered.
    complete(&completion(signup)).await.refused("expired", None);
    let code = world.code(PHONE).await;
    world.post_public("/v1/signup/verify", &json!({ "signup": signup, "code": code })).await;
    for (field, value) in [
        ("password", json!("short")),
        ("pin", json!("1234")),
        ("pin", json!("7777")),
        ("first_name", json!("")),
        ("role", json!("x".repeat(65))),
        ("security_questions", json!([])),
    ] {
        let mut body = completion(signup);
        body[field] = value;
        complete(&body).await.refused("invalid", Some(field));
    }
    let mut body = completion(signup);
    body["security_questions"][0]["answer"] = json!("");
    complete(&body).await.refused("invalid", Some("security_questions[0].answer"));
    complete(&completion(signup)).await.ok::<Account>();
    // Once.
    complete(&completion(signup)).await.refused("expired", None);
    world.start_signup(BO, PHONE, &invitation).await.refused("expired", Some("invitation"));
}

/// ACC-8: that an address is an agent's is told by mail to that address alone, never to the granter.
#[tokio::test]
async fn an_agents_address_looks_unknown_to_the_granter() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let grant = world.grant(&dana, &listing, "ari@realty.example", NOW, NOW + HOUR).await;
    let unknown = world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    assert_eq!(grant.state, unknown.state);
    let mail = world.mailbox.mail_to("ari@realty.example").await;
    assert!(mail.body.contains("belongs to an agent"), "{}", mail.body);
    assert!(!mail.body.contains("/join#"));
}

/// ACC-8: that a number is an agent's is told only once its code was entered.
#[tokio::test]
async fn an_agents_number_is_told_after_its_code() {
    let (world, invitation) = invited().await;
    let started: SignupStarted = world.start_signup(BO, DANAS_PHONE, &invitation).await.ok();
    let code = world.code(DANAS_PHONE).await;
    let body = json!({ "signup": started.signup.expose(), "code": code });
    world.post_public("/v1/signup/verify", &body).await.refused("agent-account", Some("phone"));
    assert_ne!(DANAS_EMAIL, BO);
}

#[tokio::test]
async fn an_invitation_is_a_secret_that_expires() {
    let (world, invitation) = invited().await;
    world.start_signup(BO, PHONE, "guess").await.refused("expired", Some("invitation"));
    world.clock.advance(31 * 86_400);
    world.start_signup(BO, PHONE, &invitation).await.refused("expired", Some("invitation"));
}

fn unprompted(email: &str, phone: &str) -> serde_json::Value {
    json!({ "email": email, "email_again": email, "phone": phone, "phone_again": phone })
}

fn codes(started: &SignupStarted, text: &str, mail: &str) -> serde_json::Value {
    json!({ "signup": started.signup.expose(), "code": text, "email_code": mail })
}

/// ACC-8: without an invitation, number and address are each proven by a code.
#[tokio::test]
async fn somebody_signs_up_unprompted_and_finds_what_was_granted() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    let started: SignupStarted = world.post_public("/v1/signup", &unprompted(BO, PHONE)).await.ok();
    assert!(started.email_code);
    let (text, mail) = (world.code(PHONE).await, world.mailed_code(BO, 0).await);
    let verify = async |body: &_| world.post_public("/v1/signup/verify", body).await;
    let only_text = json!({ "signup": started.signup.expose(), "code": text });
    verify(&only_text).await.refused("wrong-code", Some("email_code"));
    let wrong = if mail == "000000" { "000001" } else { "000000" };
    verify(&codes(&started, &text, wrong)).await.refused("wrong-code", Some("email_code"));
    let body = completion(started.signup.expose());
    world.post_public("/v1/signup/complete", &body).await.refused("expired", None);
    assert_eq!(verify(&codes(&started, &text, &mail)).await.status, 204);
    world.post_public("/v1/signup/complete", &body).await.ok::<Account>();
    let bo = world.contractor(BO).await;
    let (changes, _) = world.sync(&bo, None).await;
    assert_eq!(records::<sentri_wire::credential::Access>(&changes).len(), 1);
    // The invitation is of no more use, and a second account can't be made.
    let invitation = world.invitation_of(BO).await;
    world.start_signup(BO, PHONE, &invitation).await.refused("expired", None);
}

/// ACC-8: whose an address is, is told after its code: the first answer is the same for everybody.
#[tokio::test]
async fn an_unproven_address_learns_nothing() {
    let world = World::new().await;
    let ready = world.ready().await;
    let known = "bo@plumbing.example";
    for (email, code) in [(DANAS_EMAIL, "agent-account"), (known, "expired")] {
        let started: SignupStarted =
            world.post_public("/v1/signup", &unprompted(email, "503-555-0144")).await.ok();
        let text = world.texts_nth("503-555-0144", usize::from(email == known)).await;
        let mail = world.mailed_code(email, 0).await;
        let bad = if mail == "000000" { "000001" } else { "000000" };
        let verify =
            async |mail: &str| world.post_public("/v1/signup/verify", &codes(&started, &text, mail)).await;
        verify(bad).await.refused("wrong-code", Some("email_code"));
        let told = verify(&mail).await.problem();
        assert_eq!(serde_json::to_value(told.code).unwrap(), code);
    }
    assert_eq!(ready.bo.account.email, known);
}

/// Nobody floods a mailbox through the sign-up.
#[tokio::test]
async fn an_address_gets_only_so_many_codes_a_day() {
    let world = World::new().await;
    for n in 0..5 {
        let phone = format!("503-555-01{n}0");
        world.post_public("/v1/signup", &unprompted(BO, &phone)).await.ok::<SignupStarted>();
    }
    let refused = world.post_public("/v1/signup", &unprompted("BO@plumbing.example", PHONE)).await;
    assert_eq!(refused.refused("too-many-tries", Some("email")).retry_after, Some(86_400));
}

/// ACC-9: under the strict rule a long password, and no security questions.
#[tokio::test]
async fn the_strict_rule_holds_at_sign_up() {
    use sentri_wire::account::PasswordRule;
    let mut world = World::new().await;
    world.restart(|config, _| config.policy.password_rule = PasswordRule::Strict).await;
    let started: SignupStarted = world.post_public("/v1/signup", &unprompted(BO, PHONE)).await.ok();
    let (text, mail) = (world.code(PHONE).await, world.mailed_code(BO, 0).await);
    let verified = world.post_public("/v1/signup/verify", &codes(&started, &text, &mail)).await;
    assert_eq!(verified.status, 204);
    let mut body = completion(started.signup.expose());
    world.post_public("/v1/signup/complete", &body).await.refused("invalid", Some("password"));
    body["password"] = json!("lantern quarry mist five");
    body["security_questions"] = json!([]);
    world.post_public("/v1/signup/complete", &body).await.ok::<Account>();
}

impl World {
    /// The token in an invitation, whatever mails came after it.
    async fn invitation_of(&self, email: &str) -> String {
        let mail = self.nth_mail(email, "gave you access", 0).await;
        let link = mail.body.split_whitespace().find(|word| word.contains("/join#")).expect("a link");
        link.split_once('#').unwrap().1.to_owned()
    }

    /// The code in the nth text to a number.
    async fn texts_nth(&self, number: &str, earlier: usize) -> String {
        loop {
            let texts = self.mailbox.texts();
            if let Some(text) = texts.iter().filter(|text| text.to == number).nth(earlier) {
                return text.body[..4].to_owned();
            }
            self.server.deliver_due().await.unwrap();
            tokio::task::yield_now().await;
        }
    }
}
