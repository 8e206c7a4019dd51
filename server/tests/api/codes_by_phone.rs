//! Phone support, and codes in the access log.

use sentri_protocol::{
    Time,
    audit::{Entry, Kind},
    codes::contractor,
};
use sentri_server::{
    Refusal,
    operator::{NewPerson, OwnersCall, Permission},
};
use sentri_wire::{
    Binary, Secret,
    codes::{IssuedCode, SmacKey},
    event::{LogEntry, LogPage, Method, Outcome},
    problem::ProblemCode,
};
use serde_json::{Value, json};

use crate::{
    codes::of_box,
    locks::Log,
    world::{ARI, ARIS_BOX, BLE, DANA, DANAS_EMAIL, HOUR, NOW, PASSWORD, PIN, Phone, Ready, World, records},
};

const SAM: &str = "sam@support.example";

async fn support(world: &World) {
    let sam = NewPerson {
        first_name: "Sam".into(),
        last_name: "Ortiz".into(),
        email: SAM.into(),
        phone: "503-555-0190".into(),
        password: Some(Secret::new(PASSWORD)),
        pin: Some(Secret::new(PIN)),
    };
    world.server.operator().add_support_user(Permission::Support, &sam).await.unwrap();
}

async fn set_question(world: &World, phone: &Phone) {
    let body = json!({ "password": PASSWORD,
        "security_questions": [{ "question": "First street?", "answer": "Elm Street" }] });
    assert_eq!(world.post(phone, "/v1/me/security-questions", &body).await.status, 204);
}

fn call(answer: &str) -> OwnersCall {
    OwnersCall { support: SAM.into(), owner: DANA.into(), lockbox: BLE.into(), answer: Secret::new(answer) }
}

#[track_caller]
fn code_of<T>(refused: Result<T, Refusal>) -> ProblemCode {
    match refused {
        Err(Refusal::Problem(problem)) => problem.code,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// COD-7: a caller who answers right gets a one day code and hears the contractor codes; the code is on the owner's phones,
/// and is marked as made by support.
#[tokio::test]
async fn cod_7_phone_support_acts_for_a_verified_owner() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    support(&world).await;
    let operator = world.server.operator();
    assert_eq!(code_of(operator.security_questions(SAM, DANA).await), ProblemCode::Conflict);
    set_question(&world, &dana).await;
    assert_eq!(operator.security_questions(SAM, DANA).await.unwrap(), ["First street?"]);

    let made = operator.one_day_code_by_phone(&call("elm  street."), "2026-11-21").await.unwrap();
    assert!(made.by_support);
    let (changes, _) = world.sync(&dana, None).await;
    assert_eq!(records::<IssuedCode>(&changes), [made]);
    let codes = operator.contractor_codes_by_phone(&call("Elm Street")).await.unwrap();
    assert_eq!(codes[2].code.expose(), contractor::code(&world.keys(BLE), 2, 1).as_str());

    let foreign = OwnersCall { lockbox: ARIS_BOX.into(), ..call("Elm Street") };
    assert_eq!(code_of(operator.one_day_code_by_phone(&foreign, "2026-11-21").await), ProblemCode::NotFound);
}

/// COD-7: a guesser waits, whoever takes the call; and who is no support user, or a suspended one, gets nothing.
#[tokio::test]
async fn cod_7_wrong_answers_are_counted_and_strangers_get_nothing() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    support(&world).await;
    set_question(&world, &dana).await;
    let operator = world.server.operator();
    let codes = async |answer: &str| code_of(operator.contractor_codes_by_phone(&call(answer)).await);
    for answer in ["", "…", "Oak Street"] {
        assert_eq!(codes(answer).await, ProblemCode::WrongCode);
    }
    assert_eq!(codes("Elm Street").await, ProblemCode::TooManyTries);
    world.clock.set(NOW + 2 * HOUR);
    operator.contractor_codes_by_phone(&call("Elm Street")).await.unwrap();

    let as_agent = OwnersCall { support: DANAS_EMAIL.into(), ..call("Elm Street") };
    assert_eq!(code_of(operator.contractor_codes_by_phone(&as_agent).await), ProblemCode::NotFound);
    operator.suspend_person(sentri_wire::account::AccountKind::Support, SAM).await.unwrap();
    assert_eq!(codes("Elm Street").await, ProblemCode::Forbidden);
}

/// What a lock wrote down of codes that were typed, brought by the contractor's phone.
async fn logged(world: &World, ready: &Ready, typed: &[([u8; 8], u8)]) -> Vec<LogEntry> {
    let entries: Vec<Entry> = typed
        .iter()
        .zip(1..)
        .map(|((who, result), n)| Entry {
            time: Time::from_unix(NOW + n).unwrap(),
            kind: Kind::Code,
            clock_lost: false,
            result: *result,
            who: *who,
            operation: [0; 4],
            skew: i16::MIN,
        })
        .collect();
    world.sync(&ready.bo, None).await;
    world.clock.set(NOW + 60);
    let batch = Log::with(world.keys(BLE), &entries).all();
    let path = format!("/v1/locks/{BLE}/audit");
    world.post(&ready.bo, &path, &json!({ "batch": Binary::from(batch.clone()) })).await.ok::<Value>();
    world.post(&ready.bo, &path, &json!({ "batch": Binary::from(batch) })).await.ok::<Value>();
    let page: LogPage = world.get(&ready.dana, "/v1/access-log").await.ok();
    page.entries.into_iter().rev().collect()
}

/// COD-1, CON-3: the log names the agent of a SMAC and the guest of a SmartPIN; one that nobody was given raises an alarm.
#[tokio::test]
async fn cod_1_the_log_names_whose_code_it_was() {
    let world = World::new().await;
    let ready = world.ready().await;
    let ari = world.agent(ARI).await;
    let smac: SmacKey = world.send("POST", &of_box("smac"), Some(&ari.access), &[], None).await.ok();
    let on = json!({ "smart_pins": true });
    world.post(&ready.dana, &of_box("keypad"), &on).await.ok::<Value>();
    let gus = json!({ "guest": "Gus Park", "starts_at": NOW, "ends_at": NOW + 2 * HOUR });
    world.post(&ready.dana, &of_box("smart-pins"), &gus).await.ok::<IssuedCode>();

    let [a, b] = smac.slot.to_be_bytes();
    let [c, d] = ((smac.slot + 1) % 1000).to_be_bytes();
    let hour = u32::try_from((NOW - 8 * HOUR) / HOUR).unwrap().to_be_bytes();
    let typed = [
        ([1, 1, 0, 0, 0, 0, 0, 0], 0),
        ([2, 0, 0, 0, 0, 0, 0, 0], 0),
        ([3, 0, 0, a, b, 0, 0, 0], 0),
        ([3, 0, 0, c, d, 0, 0, 0], 0),
        ([4, 0, 0, hour[1], hour[2], hour[3], 0, 2], 0),
        ([1, 0xff, 0, 0, 0, 0, 0, 0], 7),
    ];
    let log = logged(&world, &ready, &typed).await;
    let told: Vec<(&str, Outcome)> = log.iter().map(|it| (it.who.as_str(), it.outcome)).collect();
    assert_eq!(
        told,
        [
            ("Contractor code 2", Outcome::Opened),
            ("One day code", Outcome::Opened),
            ("Ari Reyes", Outcome::Opened),
            ("Mobile access code of nobody", Outcome::Opened),
            ("Gus Park", Outcome::Opened),
            ("Contractor code", Outcome::Refused),
        ]
    );
    assert!(log.iter().all(|it| it.method == Method::Code && it.confirmed_by_lock));
    world.nth_mail(DANAS_EMAIL, "unknown code", 0).await;
}
