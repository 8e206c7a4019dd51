//! Codes through the apps, from end to end: the code that an app shows is typed at a lock that runs the real logic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::time::Duration;

use sentri_core::{
    CoreError,
    api::{
        keypad_records::{CodeState, IssuedCode, Keypad},
        types::AccessMethod,
    },
    open::PhoneChecks,
};
use sentri_sandbox::{phone::Phone, story::cast};
use sentri_server::operator::CodePolicy;
use sentri_tests::{AGENTS_PHONE, BEGINS, HOUR, House};
use sentri_wire::Secret;

const DAY: i64 = 24 * HOUR;

/// Whether a code that is typed opens the key bin.
fn typed(house: &House, code: &Secret) -> bool {
    house.lockbox.type_code(code.expose()) == 1
}

/// Time passes until so many seconds after the house's beginning.
fn wait_until(house: &House, after: i64) {
    let passed = BEGINS + after - house.town.clock.now();
    house.town.clock.advance(Duration::from_secs(u64::try_from(passed).expect("not back in time")));
}

async fn sync(house: &House, phone: &Phone) {
    house.town.clock.scene(phone.core.sync_now()).await.unwrap();
}

/// The contractor comes by twice: the first time the phone brings the lock its settings, the second time it hears that the
/// lock has them. Then the agent's app hears of it.
async fn deliver(house: &House) {
    let access = house.open_house(8).await.unwrap();
    for _ in 0..2 {
        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        assert!(opened.told.is_ok(), "{:?}", opened.told);
        house.sync().await.unwrap();
    }
    sync(house, &house.agent).await;
}

/// COD-2: it opens on its day and for an hour from its first use; the app says when, with no network.
#[tokio::test(flavor = "multi_thread")]
async fn cod_2_the_one_day_code_that_the_app_shows_opens_the_lock_on_its_day() {
    let house = House::build(70).await.unwrap();
    let core = &house.agent.core;
    let refused = core.make_one_day_code(cast::BOX.into(), "2030-05-16".into()).await;
    assert!(matches!(refused, Err(CoreError::InvalidField { field, .. }) if field == "day"));
    let made = core.make_one_day_code(cast::BOX.into(), "2030-05-02".into()).await.unwrap();
    assert_eq!(made.times.state, CodeState::NotYet);
    assert_eq!(made.times.says, "Works tomorrow, property time, for 60 minutes from its first use.");
    assert!(made.text_to_send.expose().contains(made.code.expose()));
    assert!(made.text_to_send.expose().contains("on Thu, May 2"), "{}", made.text_to_send.expose());
    assert!(!format!("{made:?}").contains(made.code.expose()));
    assert!(!typed(&house, &made.code), "today it is a wrong one");

    // Another phone of the owner's, which has synced once and has no network any more.
    let mut device =
        house.town.device("Dana's tablet", sentri_core::api::types::App::Agent, PhoneChecks::Enforced);
    let tablet = device.start(&house.town.surroundings()).unwrap();
    tablet.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    sync(&house, &tablet).await;
    house.town.cut_network().await;
    wait_until(&house, DAY);
    let shown = tablet.core.issued_codes(cast::BOX.into()).await.unwrap().remove(0);
    assert_eq!((shown.code.expose(), shown.times.state), (made.code.expose(), CodeState::Works));
    assert_eq!(shown.times.says, "Works today, property time, for 60 minutes from its first use.");

    assert!(typed(&house, &shown.code));
    wait_until(&house, DAY + HOUR - 60);
    assert!(typed(&house, &shown.code), "over and over within the hour");
    wait_until(&house, DAY + HOUR + 60);
    assert!(!typed(&house, &shown.code), "and then no more");
}

fn code(keypad: &Keypad, slot: usize) -> Secret {
    keypad.contractor_codes[slot - 1].code.clone()
}

/// COD-3, COD-4, COD-5: contractor mode by app, and a code rotated: Pending until a phone has told the lock, the old one
/// shown as the working one until then.
#[tokio::test(flavor = "multi_thread")]
async fn cod_5_contractor_codes_are_shown_rotated_and_work_as_shown() {
    let house = House::build(71).await.unwrap();
    let core = &house.agent.core;
    let keypad = core.keypad(cast::BOX.into()).await.unwrap();
    assert_eq!(keypad.contractor_times.state, CodeState::SwitchedOff);
    assert!(!typed(&house, &code(&keypad, 1)));
    let keypad = core.set_contractor_mode(cast::BOX.into(), true).await.unwrap();
    assert_eq!(keypad.contractor_times.state, CodeState::Pending);
    assert!(!typed(&house, &code(&keypad, 1)), "the lock has not heard of it");
    deliver(&house).await;
    let keypad = core.keypad(cast::BOX.into()).await.unwrap();
    assert_eq!(keypad.contractor_times.state, CodeState::Works);
    for slot in 1..=3 {
        assert!(typed(&house, &code(&keypad, slot)), "slot {slot}");
    }

    let rotated = core.rotate_contractor_code(cast::BOX.into(), 2).await.unwrap();
    let (old, new) = (code(&rotated, 2), rotated.contractor_codes[1].pending.clone().unwrap());
    assert_eq!(old, code(&keypad, 2));
    assert!(typed(&house, &old) && !typed(&house, &new));
    deliver(&house).await;
    house.town.cut_network().await;
    let keypad = core.keypad(cast::BOX.into()).await.unwrap();
    assert_eq!((code(&keypad, 2), &keypad.contractor_codes[1].pending), (new.clone(), &None));
    assert!(typed(&house, &new) && !typed(&house, &old));
}

async fn smart_pin(house: &House, guest: &str, from: i64, to: i64) -> Result<IssuedCode, CoreError> {
    let core = &house.agent.core;
    core.make_smart_pin(cast::BOX.into(), guest.into(), BEGINS + from, BEGINS + to).await
}

/// PIN-0 to PIN-4, PIN-7: two guests of one window get two PINs that open in it, and not before nor after.
#[tokio::test(flavor = "multi_thread")]
async fn pin_7_the_smart_pins_of_two_guests_open_in_their_window() {
    let house = House::build(72).await.unwrap();
    let core = &house.agent.core;
    let off = smart_pin(&house, "Gus", 4 * HOUR, 6 * HOUR).await;
    assert!(matches!(off, Err(CoreError::Conflict { reason }) if reason.contains("switched off")));
    core.set_smart_pins(cast::BOX.into(), true, 2).await.unwrap();
    let gus = smart_pin(&house, "Gus", 4 * HOUR, 6 * HOUR).await.unwrap();
    assert_eq!(gus.times.state, CodeState::Pending);
    deliver(&house).await;
    let ida = smart_pin(&house, "Ida", 4 * HOUR, 6 * HOUR).await.unwrap();
    assert_ne!(gus.code, ida.code);
    assert_eq!(ida.times.says, "Works from 2:00 PM today until 4:00 PM today, property time.");
    let half_past = smart_pin(&house, "Una", HOUR / 2, HOUR).await;
    assert!(matches!(half_past, Err(CoreError::InvalidField { field, .. }) if field == "starts_at"));

    assert!(!typed(&house, &gus.code), "not before");
    wait_until(&house, 4 * HOUR + 60);
    assert!(typed(&house, &gus.code) && typed(&house, &ida.code));
    wait_until(&house, 7 * HOUR);
    assert!(!typed(&house, &gus.code) && !typed(&house, &ida.code), "it ends by itself");
    let shown = core.issued_codes(cast::BOX.into()).await.unwrap();
    assert!(shown.iter().all(|it| it.times.state == CodeState::Over));
}

/// PIN-7: one of two guests is blocked from afar: a contractor's phone brings it without knowing what.
#[tokio::test(flavor = "multi_thread")]
async fn pin_7_one_guest_is_blocked_from_afar_and_the_other_is_not() {
    let house = House::build(78).await.unwrap();
    let core = &house.agent.core;
    core.set_smart_pins(cast::BOX.into(), true, 2).await.unwrap();
    deliver(&house).await;
    let gus = smart_pin(&house, "Gus", HOUR, 9 * HOUR).await.unwrap();
    let ida = smart_pin(&house, "Ida", HOUR, 9 * HOUR).await.unwrap();
    let one_day = core.make_one_day_code(cast::BOX.into(), "2030-05-01".into()).await.unwrap();
    assert!(matches!(core.block_smart_pin(one_day.id).await, Err(CoreError::Conflict { .. })));

    let blocked = core.block_smart_pin(gus.id.clone()).await.unwrap();
    assert!(blocked.blocked && blocked.times.says.contains("told the lockbox"), "{}", blocked.times.says);
    assert!(typed(&house, &gus.code), "the lock has not heard of it");
    deliver(&house).await;
    let shown = core.issued_codes(cast::BOX.into()).await.unwrap();
    let state = |id: &str| shown.iter().find(|it| it.id == id).unwrap().times.state;
    assert_eq!((state(&gus.id), state(&ida.id)), (CodeState::Blocked, CodeState::Works));
    assert!(!typed(&house, &gus.code) && typed(&house, &ida.code));
}

/// PIN-1: with phone and lock both offline, by the owner's choice; the log names the guest once the phone is back, and the
/// choice ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn pin_1_a_pin_made_with_no_network_opens_and_its_guest_is_named() {
    let house = House::build(73).await.unwrap();
    let core = &house.agent.core;
    core.set_smart_pins(cast::BOX.into(), true, 1).await.unwrap();
    deliver(&house).await;
    house.town.cut_network().await;
    assert_eq!(smart_pin(&house, "Gus", 2 * HOUR, 5 * HOUR).await, Err(CoreError::Offline), "opt-in");
    house.town.restore_network().await.unwrap();
    let wrong = core.allow_smart_pins_offline(cast::BOX.into(), "1379".into()).await;
    assert_eq!(wrong, Err(CoreError::WrongCode));
    let until = core.allow_smart_pins_offline(cast::BOX.into(), cast::AGENT_PIN.into()).await.unwrap();
    assert_eq!(core.keypad(cast::BOX.into()).await.unwrap().smart_pins_offline_until, Some(until));

    house.town.cut_network().await;
    let gus = smart_pin(&house, "Gus Park", 2 * HOUR, 5 * HOUR).await.unwrap();
    let second = smart_pin(&house, "Ida", 2 * HOUR, 5 * HOUR).await;
    assert!(matches!(second, Err(CoreError::Conflict { .. })), "the lock takes one PIN of a window");
    assert_eq!(core.issued_codes(cast::BOX.into()).await.unwrap(), std::slice::from_ref(&gus));
    wait_until(&house, 2 * HOUR + 60);
    assert!(typed(&house, &gus.code));

    house.town.restore_network().await.unwrap();
    sync(&house, &house.agent).await;
    let noted = core.issued_codes(cast::BOX.into()).await.unwrap();
    assert_eq!((noted.len(), &noted[0].id, &noted[0].code), (1, &gus.id, &gus.code));
    let access = house.open_house(2).await.unwrap();
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    house.sync().await.unwrap();
    let log = house.log().await.unwrap();
    let by_code: Vec<&str> =
        log.iter().filter(|it| it.method == AccessMethod::Code).map(|it| it.who.as_str()).collect();
    assert_eq!(by_code, ["Gus Park"]);

    house.town.cut_network().await;
    wait_until(&house, until - BEGINS + 1);
    let late = smart_pin(&house, "Una", 2 * DAY, 3 * DAY).await;
    assert_eq!(late, Err(CoreError::Offline), "its time is over");
}

/// PIN-1, ACC-6: an owner who takes the choice back, or logs out, leaves nothing on the phone that makes PINs.
#[tokio::test(flavor = "multi_thread")]
async fn pin_1_the_choice_is_taken_back_at_once() {
    let house = House::build(74).await.unwrap();
    let core = &house.agent.core;
    core.set_smart_pins(cast::BOX.into(), true, 1).await.unwrap();
    core.allow_smart_pins_offline(cast::BOX.into(), cast::AGENT_PIN.into()).await.unwrap();
    core.end_smart_pins_offline(cast::BOX.into()).await.unwrap();
    house.town.cut_network().await;
    assert_eq!(smart_pin(&house, "Gus", 2 * HOUR, 5 * HOUR).await, Err(CoreError::Offline));
    house.town.restore_network().await.unwrap();
    core.allow_smart_pins_offline(cast::BOX.into(), cast::AGENT_PIN.into()).await.unwrap();
    house.town.clock.scene(core.logout()).await.unwrap();
    core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    sync(&house, &house.agent).await;
    house.town.cut_network().await;
    assert_eq!(smart_pin(&house, "Gus", 2 * HOUR, 5 * HOUR).await, Err(CoreError::Offline));
}

/// COD-1: typed in place of the card, once, also with no network; the log names the agent.
#[tokio::test(flavor = "multi_thread")]
async fn cod_1_an_agents_mobile_access_code_opens_once_and_the_log_names_the_agent() {
    let house = House::build(75).await.unwrap();
    let core = &house.agent.core;
    let first = core.make_mobile_access_code(cast::BOX.into()).await.unwrap();
    assert!(first.until > house.town.clock.now() && first.warning.contains("never give it"));
    assert!(typed(&house, &first.code));
    assert!(!typed(&house, &first.code), "each opens once");
    house.town.cut_network().await;
    wait_until(&house, 2 * HOUR);
    let second = core.make_mobile_access_code(cast::BOX.into()).await.unwrap();
    assert!(typed(&house, &second.code));
    wait_until(&house, 2 * HOUR + 900);
    let third = core.make_mobile_access_code(cast::BOX.into()).await.unwrap();
    wait_until(&house, 2 * HOUR + 1800);
    assert!(!typed(&house, &third.code), "it ends by itself");
    wait_until(&house, DAY);
    assert_eq!(core.make_mobile_access_code(cast::BOX.into()).await, Err(CoreError::Offline), "a day's key");

    house.town.restore_network().await.unwrap();
    let access = house.open_house(2).await.unwrap();
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    house.sync().await.unwrap();
    let log = house.log().await.unwrap();
    let opened: Vec<&str> = log
        .iter()
        .filter(|it| it.method == AccessMethod::Code && it.who.contains(' '))
        .map(|it| it.who.as_str())
        .filter(|who| *who != "Mobile access code")
        .collect();
    assert_eq!(opened, ["Dana Reyes", "Dana Reyes"]);
}

/// COD-6: the app says what the brokerage forbids, and the lock takes none once it has heard of it.
#[tokio::test(flavor = "multi_thread")]
async fn cod_6_the_app_says_what_the_brokerage_forbids_and_the_lock_takes_none() {
    let house = House::build(76).await.unwrap();
    let core = &house.agent.core;
    let made = core.make_one_day_code(cast::BOX.into(), "2030-05-01".into()).await.unwrap();
    assert!(typed(&house, &made.code));
    let policy = CodePolicy { one_day_codes: Some(false), contractor_codes: Some(false) };
    let forbid = async |operator: sentri_server::operator::Operator<'_>| {
        operator.set_code_policy(cast::ASSOCIATION, cast::BROKERAGE, policy).await
    };
    house.town.operate(forbid).await.unwrap();
    sync(&house, &house.agent).await;
    house.town.cut_network().await;
    let keypad = core.keypad(cast::BOX.into()).await.unwrap();
    assert!(keypad.one_day_codes_forbidden && keypad.contractor_codes_forbidden);
    assert_eq!(keypad.contractor_codes, []);
    let shown = core.issued_codes(cast::BOX.into()).await.unwrap();
    assert_eq!(shown[0].times.state, CodeState::ForbiddenByBrokerage);
    assert_eq!(shown[0].times.says, "Your brokerage forbids this kind of code.");

    house.town.restore_network().await.unwrap();
    let refused = core.make_one_day_code(cast::BOX.into(), "2030-05-02".into()).await;
    assert!(matches!(refused, Err(CoreError::Conflict { reason }) if reason.contains("brokerage forbids")));
    deliver(&house).await;
    assert!(!typed(&house, &made.code));
}

/// What the phone keeps of codes is sealed: no file of it shows one.
#[tokio::test(flavor = "multi_thread")]
async fn codes_are_sealed_on_the_phone() {
    let house = House::build(77).await.unwrap();
    let core = &house.agent.core;
    core.set_smart_pins(cast::BOX.into(), true, 1).await.unwrap();
    core.allow_smart_pins_offline(cast::BOX.into(), cast::AGENT_PIN.into()).await.unwrap();
    let made = core.make_one_day_code(cast::BOX.into(), "2030-05-01".into()).await.unwrap();
    let keypad = core.keypad(cast::BOX.into()).await.unwrap();
    let folder = house.town.folder().to_owned();
    let (mut folders, mut files) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            files += 1;
            for code in [&made.code, &code(&keypad, 1)] {
                let shows = bytes.windows(code.expose().len()).any(|it| it == code.expose().as_bytes());
                assert!(!shows, "{}", entry.path().display());
            }
        }
    }
    assert!(files > 2, "{AGENTS_PHONE} keeps files");
}
