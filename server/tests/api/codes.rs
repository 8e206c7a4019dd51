//! Codes for keypads through the API: what each route gives is what the lock's own rules take.

use sentri_protocol::{
    Time,
    codes::{
        Present, contractor, one_day,
        smac::{self, DayKey, Slot},
        smart_pin::{LockId, SmartPinKey as LockKey},
    },
    keys::Key,
    open::{OperationId, Verdict},
    settings::Settings,
    status::Status,
};
use sentri_server::operator::CodePolicy;
use sentri_wire::{
    Binary,
    codes::{IssuedCode, Keypad, SmacKey, SmartPinKey},
    credential::LockSettings,
    event::ReceiptResult,
    sync::Change,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, status, upload},
    world::{
        ARI, ARIS_BOX, BLE, DANA, DANAS_EMAIL, DAY, HOUR, NON_BLE, NOW, PIN, Phone, Ready, World, records,
    },
};

pub fn of_box(action: &str) -> String {
    format!("/v1/lockboxes/{BLE}/{action}")
}

async fn one_day(world: &World, phone: &Phone, day: &str) -> IssuedCode {
    world.post(phone, &of_box("one-day-codes"), &json!({ "day": day })).await.ok()
}

/// The owner's settings, as phones bring them to the lock, or as the factory wrote them.
async fn settings(world: &World, phone: &Phone) -> Settings {
    let (changes, _) = world.sync(phone, None).await;
    let told = records::<LockSettings>(&changes).pop().map(|it| it.settings);
    let signed = told.unwrap_or_else(|| world.boxes[BLE].settings.clone());
    Settings::open(&world.keys(BLE), signed.as_ref()).unwrap()
}

/// The contractor's phone brings word that the lock has settings of this version.
async fn heard(world: &World, ready: &Ready, settings_version: u32) {
    let operation = [u8::try_from(settings_version).unwrap(); 8];
    let status = Status { settings_version, operation_id: OperationId(operation), ..status(Verdict::Opened) };
    let mut event = event(ready, Uuid::new_v4(), Some(&status.sign(&world.keys(BLE))));
    event["operation"] = json!(Binary::from(operation));
    world.clock.set(NOW + HOUR / 10);
    assert_eq!(upload(world, &ready.bo, &[&event]).await, [ReceiptResult::Stored]);
}

fn present(at: i64) -> Present {
    Present::at(Time::from_unix(at).unwrap(), 0)
}

fn code_id(change: &Change) -> bool {
    change.kind == "code"
}

/// COD-2: its day's code, which the lock takes on that day and on no other; four for a day, and all on the owner's phones.
#[tokio::test]
async fn cod_2_a_one_day_code_works_on_its_day_at_the_property() {
    let world = World::new().await;
    let ready = world.ready().await;
    let made = one_day(&world, &ready.dana, "2026-11-21").await;
    // Saturday begins at the property at 8:00 UTC.
    assert_eq!((made.starts_at, made.ends_at), (NOW + 15 * HOUR, NOW + 39 * HOUR));
    let (keys, settings) = (world.keys(BLE), settings(&world, &ready.bo).await);
    let verify =
        |at: i64| one_day::verify(&keys, &settings, present(at), &[], made.code.expose().as_bytes()).is_ok();
    assert_eq!(
        [made.starts_at - 1, made.starts_at, made.ends_at - 1, made.ends_at].map(verify),
        [false, true, true, false]
    );

    for _ in 1..4 {
        one_day(&world, &ready.dana, "2026-11-21").await;
    }
    let fifth = world.post(&ready.dana, &of_box("one-day-codes"), &json!({ "day": "2026-11-21" })).await;
    fifth.refused("conflict", None);
    let other_phone = world.agent(DANA).await;
    let (changes, _) = world.sync(&other_phone, None).await;
    let mut codes: Vec<String> =
        records::<IssuedCode>(&changes).iter().map(|it| it.code.expose().to_owned()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 4, "four, all different");
    let (changes, _) = world.sync(&ready.bo, None).await;
    assert!(!changes.iter().any(code_id), "the contractor's phone has none of them");
}

/// COD-2: up to two weeks ahead, by the property's calendar. A repeat under one key makes one code.
#[tokio::test]
async fn cod_2_days_that_are_over_or_too_far_are_refused_and_a_retry_makes_no_second_code() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let path = of_box("one-day-codes");
    // 9 PM on Friday in Portland is Saturday in UTC.
    world.clock.set(NOW + 12 * HOUR);
    let dana = world.again(&dana).await;
    for day in ["2026-11-19", "2026-12-05", "2026-1-1", "tomorrow", "2026-11-31", "-026-11-21", ""] {
        world.post(&dana, &path, &json!({ "day": day })).await.refused("invalid", Some("day"));
    }
    for day in ["2026-11-20", "2026-12-04"] {
        world.post(&dana, &path, &json!({ "day": day })).await.ok::<IssuedCode>();
    }
    let key = Uuid::new_v4().to_string();
    let body = json!({ "day": "2026-11-22" });
    let first: IssuedCode = world.post_once(&dana, &path, &key, &body).await.ok();
    let again: IssuedCode = world.post_once(&dana, &path, &key, &body).await.ok();
    assert_eq!(first, again);
    let keypad_box = format!("/v1/lockboxes/{NON_BLE}/one-day-codes");
    world.post(&dana, &keypad_box, &body).await.ok::<IssuedCode>();
}

/// COD-3, COD-4, COD-5: three codes; contractor mode and a new code are Pending until the lock is heard to have them.
#[tokio::test]
async fn cod_5_contractor_codes_are_seen_and_rotated_and_pending_until_the_lock_has_them() {
    let world = World::new().await;
    let ready = world.ready().await;
    let keypad: Keypad = world.get(&ready.dana, &of_box("keypad")).await.ok();
    assert!(!keypad.contractor_mode.at_lock && !keypad.contractor_mode.wanted);
    let keys = world.keys(BLE);
    let code = |slot: u8, generation| contractor::code(&keys, slot, generation).as_str().to_owned();
    let shown = |keypad: &Keypad| -> Vec<String> {
        keypad.contractor_codes.iter().map(|it| it.code.expose().to_owned()).collect()
    };
    assert_eq!(shown(&keypad), [code(0, 1), code(1, 1), code(2, 1)]);

    let on = json!({ "contractor_mode": true });
    let keypad: Keypad = world.post(&ready.dana, &of_box("keypad"), &on).await.ok();
    assert_eq!((keypad.contractor_mode.at_lock, keypad.contractor_mode.wanted), (false, true));
    let rotated: Keypad =
        world.post(&ready.dana, &of_box("contractor-codes"), &json!({ "slot": 2 })).await.ok();
    assert_eq!(shown(&rotated), shown(&keypad), "the old one works still");
    let pending: Vec<_> = rotated.contractor_codes.iter().map(|it| it.pending.clone()).collect();
    assert_eq!(pending, [None, Some(code(1, 2).into()), None]);
    for slot in [0, 4, 255] {
        let refused = world.post(&ready.dana, &of_box("contractor-codes"), &json!({ "slot": slot })).await;
        refused.refused("invalid", Some("slot"));
    }

    let carried = settings(&world, &ready.bo).await;
    assert!(carried.switches.contractor_mode);
    assert_eq!((carried.version, carried.contractor_generations), (3, [1, 2, 1]));
    heard(&world, &ready, 2).await;
    let keypad: Keypad = world.get(&ready.dana, &of_box("keypad")).await.ok();
    assert!(keypad.contractor_mode.at_lock, "version 2 had that");
    assert!(keypad.contractor_codes[1].pending.is_some(), "and not yet the new code");
    let (_, cursor) = world.sync(&ready.dana, None).await;
    heard(&world, &ready, 3).await;
    let (changes, _) = world.sync(&ready.dana, Some(&cursor)).await;
    let keypad = records::<Keypad>(&changes).remove(0);
    assert_eq!(shown(&keypad), [code(0, 1), code(1, 2), code(2, 1)]);
    assert!(keypad.contractor_codes.iter().all(|it| it.pending.is_none()));
}

fn guest(name: &str, from: i64, to: i64) -> Value {
    json!({ "guest": name, "starts_at": from, "ends_at": to })
}

async fn allow_smart_pins(world: &World, phone: &Phone, per_window: u8) -> Keypad {
    let change = json!({ "smart_pins": true, "pins_per_window": per_window });
    world.post(phone, &of_box("keypad"), &change).await.ok()
}

/// PIN-1, PIN-4, PIN-7: two guests of one window get two PINs, which the lock takes by its rules and tells apart.
#[tokio::test]
async fn pin_7_both_guests_of_one_window_get_pins_that_are_told_apart() {
    let world = World::new().await;
    let ready = world.ready().await;
    let dana = &ready.dana;
    let (path, window) = (of_box("smart-pins"), (NOW + HOUR, NOW + 3 * HOUR));
    let off = world.post(dana, &path, &guest("Gus", window.0, window.1)).await;
    off.refused("conflict", None);
    let keypad = allow_smart_pins(&world, dana, 2).await;
    assert_eq!((keypad.smart_pins.at_lock, keypad.pins_per_window.wanted), (false, 2), "Pending");

    let gus: IssuedCode = world.post(dana, &path, &guest("Gus", window.0, window.1)).await.ok();
    let ida: IssuedCode = world.post(dana, &path, &guest("Ida", window.0, window.1)).await.ok();
    assert_ne!(gus.code, ida.code);
    assert!(!gus.shared && !ida.shared);
    world.post(dana, &path, &guest("Una", window.0, window.1)).await.refused("conflict", None);

    let carried = settings(&world, &ready.bo).await;
    let key = LockKey::of(&world.keys(BLE), LockId(world.boxes[BLE].lockbox.id.into_bytes()));
    for (pin, variant) in [(&gus, 0), (&ida, 1)] {
        let entry = pin.code.expose().as_bytes();
        let verify = |at| {
            key.verify(&carried, carried.smart_pin_rules, present(at), entry, |_| false)
                .map(|it| it.variant.number())
        };
        assert_eq!(verify(window.0), Ok(variant));
        assert!(verify(window.0 - 1).is_err() && verify(window.1).is_err());
        assert_eq!((pin.starts_at, pin.ends_at), window);
    }
}

/// PIN-2: longer, zero, reversed, off the hour, over: refused, with the field named.
#[tokio::test]
async fn pin_2_windows_that_no_pin_can_carry_are_refused() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    allow_smart_pins(&world, &dana, 1).await;
    // 9 AM in Portland; 8 AM and 8 PM are the hours of long ones.
    for (from, to, field) in [
        (NOW, NOW, "ends_at"),
        (NOW + HOUR, NOW, "ends_at"),
        (NOW + 60, NOW + HOUR, "starts_at"),
        (NOW, NOW + HOUR + 1, "ends_at"),
        (NOW - HOUR, NOW + 366 * DAY, "ends_at"),
        (NOW, NOW + 40 * DAY, "starts_at"),
        (NOW - HOUR, NOW + 40 * DAY, "ends_at"),
        (-1, NOW, "starts_at"),
        (NOW - 3 * HOUR, NOW, "ends_at"),
    ] {
        let refused = world.post(&dana, &of_box("smart-pins"), &guest("Gus", from, to)).await;
        refused.refused("invalid", Some(field));
    }
    let nameless = world.post(&dana, &of_box("smart-pins"), &guest(" ", NOW, NOW + HOUR)).await;
    nameless.refused("invalid", Some("guest"));
    let long = guest("Gus", NOW - HOUR, NOW + 40 * DAY + 11 * HOUR);
    let long: IssuedCode = world.post(&dana, &of_box("smart-pins"), &long).await.ok();
    assert_eq!((long.starts_at, long.ends_at), (NOW - HOUR, NOW + 40 * DAY + 11 * HOUR));
}

/// PIN-1: a phone that may makes PINs by itself, for a while; what it made is noted once, also where two made the same.
#[tokio::test]
async fn pin_1_a_phone_makes_pins_offline_by_its_owners_choice() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let offline = of_box("smart-pins/offline");
    world.post(&dana, &offline, &json!({ "pin": PIN })).await.refused("conflict", None);
    allow_smart_pins(&world, &dana, 1).await;
    world.post(&dana, &offline, &json!({ "pin": "9999" })).await.refused("wrong-code", Some("pin"));
    let key: SmartPinKey = world.post(&dana, &offline, &json!({ "pin": PIN })).await.ok();
    assert_eq!(key.until, NOW + DAY, "a phone without secure hardware");
    let of_phone =
        LockKey::from_parts(&Key::new(key.key.array().unwrap()), LockId(key.lock_id.array().unwrap()));

    let made = |id: Uuid, name: &str| {
        let mut body = guest(name, NOW, NOW + HOUR);
        body["id"] = json!(id);
        body["made"] = json!({ "number": 0, "at": NOW });
        body
    };
    let id = Uuid::new_v4();
    let noted: IssuedCode = world.post(&dana, &of_box("smart-pins"), &made(id, "Gus")).await.ok();
    let again: IssuedCode = world.post(&dana, &of_box("smart-pins"), &made(id, "Gus")).await.ok();
    assert_eq!((noted.id, &noted), (id, &again));
    let pin = sentri_protocol::codes::smart_pin::SmartPin::parse(noted.code.expose().as_bytes()).unwrap();
    assert_eq!(of_phone.decode(&pin).unwrap().1.number(), 0, "the phone's own PIN");
    let other: IssuedCode = world.post(&dana, &of_box("smart-pins"), &made(Uuid::new_v4(), "Ida")).await.ok();
    assert!(other.shared, "two guests have one PIN, and the owner is told");
    let mut clash = guest("Gus", NOW, NOW + 2 * HOUR);
    clash["id"] = json!(id);
    world.post(&dana, &of_box("smart-pins"), &clash).await.refused("conflict", Some("id"));

    let second = world.agent(DANA).await;
    let refused = world.post(&second, &of_box("smart-pins"), &made(Uuid::new_v4(), "Una")).await;
    refused.refused("conflict", Some("made"));
    assert_eq!(world.delete(&dana, &offline).await.status, 204);
    let refused = world.post(&dana, &of_box("smart-pins"), &made(Uuid::new_v4(), "Una")).await;
    refused.refused("conflict", Some("made"));
}

/// PIN-1, ACC-5: with a lost phone went what makes a lock's SmartPINs: the lock is told to take none, until its keys are
/// renewed.
#[tokio::test]
async fn pin_1_a_removed_phone_takes_the_locks_smart_pins_with_it() {
    let world = World::new().await;
    let ready = world.ready().await;
    allow_smart_pins(&world, &ready.dana, 1).await;
    world.post(&ready.dana, &of_box("smart-pins/offline"), &json!({ "pin": PIN })).await.ok::<SmartPinKey>();
    let gus = guest("Gus", NOW, NOW + HOUR);
    let former: IssuedCode = world.post(&ready.dana, &of_box("smart-pins"), &gus).await.ok();

    let identity = world.prove(&json!({ "sentrikey_id": DANA }), DANAS_EMAIL).await;
    let device = format!("/v1/identity/devices/{}", ready.dana.device);
    assert_eq!(world.delete(&identity, &device).await.status, 204);
    assert!(!settings(&world, &ready.bo).await.switches.smart_pins);
    let dana = world.agent(DANA).await;
    let on = json!({ "smart_pins": true });
    world.post(&dana, &of_box("keypad"), &on).await.refused("conflict", Some("smart_pins"));

    let renewed = world.server.operator().renew_lockbox_keys(BLE).await.unwrap();
    assert_eq!(renewed.key_generation, 2);
    world.post(&dana, &of_box("keypad"), &on).await.ok::<Keypad>();
    let (changes, _) = world.sync(&dana, None).await;
    assert!(records::<IssuedCode>(&changes).is_empty(), "no code of the old keys is shown");
    let fresh: IssuedCode = world.post(&dana, &of_box("smart-pins"), &gus).await.ok();
    assert_ne!(fresh.code, former.code, "the same window, and other keys");
}

/// COD-1: an agent's slot of the day; the lock takes what its key makes; others of the association have other slots.
#[tokio::test]
async fn cod_1_a_smac_is_of_one_agent_one_box_and_one_day() {
    let world = World::new().await;
    let ready = world.ready().await;
    let ari = world.agent(ARI).await;
    let own: SmacKey = world.send("POST", &of_box("smac"), Some(&ready.dana.access), &[], None).await.ok();
    let again: SmacKey = world.send("POST", &of_box("smac"), Some(&ready.dana.access), &[], None).await.ok();
    let aris: SmacKey = world.send("POST", &of_box("smac"), Some(&ari.access), &[], None).await.ok();
    assert_eq!(own, again);
    assert_ne!((own.slot, &own.key), (aris.slot, &aris.key));
    for smac in [&own, &aris] {
        let key =
            DayKey::from_parts(Key::new(smac.key.array().unwrap()), smac.day, Slot::new(smac.slot).unwrap());
        let code = key.code(Time::from_unix(NOW).unwrap()).unwrap();
        let used = smac::verify(&world.keys(BLE), present(NOW), code.as_ascii()).unwrap();
        assert_eq!(used.slot.number(), smac.slot);
        assert!(smac::verify(&world.keys(ARIS_BOX), present(NOW), code.as_ascii()).is_err());
        assert!(smac::verify(&world.keys(BLE), present(NOW + 900), code.as_ascii()).is_err());
    }

    // One that hangs at no listing opens to its owner alone, and none to a contractor.
    let hers = format!("/v1/lockboxes/{ARIS_BOX}/smac");
    world.send("POST", &hers, Some(&ready.dana.access), &[], None).await.refused("not-found", None);
    world.send("POST", &hers, Some(&ari.access), &[], None).await.ok::<SmacKey>();
    world.send("POST", &hers, Some(&ready.bo.access), &[], None).await.refused("forbidden", None);
    world.clock.set(NOW + DAY);
    let dana = world.again(&ready.dana).await;
    let next: SmacKey = world.send("POST", &of_box("smac"), Some(&dana.access), &[], None).await.ok();
    assert_eq!(next.day, own.day + 1);
    assert_ne!(next.key, own.key);
}

/// COD-6: what the brokerage forbids is refused, shown, and told to the locks; and allowed again.
#[tokio::test]
async fn cod_6_a_brokerage_forbids_kinds_of_codes() {
    let world = World::new().await;
    let ready = world.ready().await;
    let forbid = CodePolicy { one_day_codes: Some(false), contractor_codes: Some(false) };
    let operator = world.server.operator();
    let set = async |policy| {
        operator.set_code_policy("Cascade Realtors", "Oak Street Homes", policy).await.unwrap()
    };
    let brokerage = set(forbid).await;
    assert!(!brokerage.one_day_codes && !brokerage.contractor_codes);
    let day = json!({ "day": "2026-11-20" });
    let refused = world.post(&ready.dana, &of_box("one-day-codes"), &day).await.refused("conflict", None);
    assert!(refused.detail.unwrap().contains("brokerage forbids one day codes"));
    for (action, body) in
        [("contractor-codes", json!({ "slot": 1 })), ("keypad", json!({ "contractor_mode": true }))]
    {
        let refused = world.post(&ready.dana, &of_box(action), &body).await.refused("conflict", None);
        assert!(refused.detail.unwrap().contains("contractor codes"));
    }
    let keypad: Keypad = world.get(&ready.dana, &of_box("keypad")).await.ok();
    assert!(keypad.forbids_one_day && keypad.forbids_contractor && keypad.contractor_codes.is_empty());
    let carried = settings(&world, &ready.bo).await.switches;
    assert!(carried.forbids_one_day && carried.forbids_contractor);

    // An agent who leaves the brokerage takes its rules off the boxes, and one who comes gets them.
    operator.transfer_agent(DANA, "Cascade Realtors", None).await.unwrap();
    one_day(&world, &ready.dana, "2026-11-20").await;
    assert!(!settings(&world, &ready.bo).await.switches.forbids_one_day);
    operator.transfer_agent(DANA, "Cascade Realtors", Some("Oak Street Homes")).await.unwrap();
    assert!(settings(&world, &ready.bo).await.switches.forbids_contractor);
    set(CodePolicy { contractor_codes: Some(true), ..CodePolicy::default() }).await;
    let switches = settings(&world, &ready.bo).await.switches;
    assert!(switches.forbids_one_day && !switches.forbids_contractor);
}

/// Codes are in no column, and in no answer to anybody but the owner.
#[tokio::test]
async fn codes_are_not_in_the_database() {
    let world = World::new().await;
    let ready = world.ready().await;
    allow_smart_pins(&world, &ready.dana, 1).await;
    let day = one_day(&world, &ready.dana, "2026-11-20").await;
    let pin: IssuedCode =
        world.post(&ready.dana, &of_box("smart-pins"), &guest("Gus", NOW, NOW + HOUR)).await.ok();
    let path = of_box("smart-pins/offline");
    let key: SmartPinKey = world.post(&ready.dana, &path, &json!({ "pin": PIN })).await.ok();
    world.sync(&ready.dana, None).await;
    let Some(file) = world.config.database.strip_prefix("sqlite:") else { return };
    let file = std::path::PathBuf::from(file.trim_start_matches("//"));
    let mut bytes = Vec::new();
    for part in std::fs::read_dir(file.parent().unwrap()).unwrap().flatten() {
        bytes.extend(std::fs::read(part.path()).unwrap_or_default());
    }
    assert!(bytes.windows(3).any(|it| it == b"Gus"), "the file is the database");
    for secret in [day.code.expose().as_bytes(), pin.code.expose().as_bytes(), key.key.as_ref()] {
        assert!(!bytes.windows(secret.len()).any(|it| it == secret));
    }
}
