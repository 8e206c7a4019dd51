//! Settings of lockboxes, default and custom: Pending until the lock itself said that it has them. [LST-4, LST-6]

use sentri_protocol::{
    audit::{Entry, Kind},
    hours::Span,
    open::Verdict,
    settings::Settings,
};
use sentri_wire::{
    agent::{Lockbox, Lockboxes},
    credential::{Credential, LockSettings},
    settings::{BoxSettings, DayHours, LockboxSettings, Weekday},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, status, upload},
    log_and_records::{bring, entry, visit},
    world::{ARI, ARIS_BOX, BLE, DANA, NON_BLE, NOW, Phone, World, assignment, new_listing, records},
};

const DEFAULTS: &str = "/v1/lockbox-settings";

pub fn of(serial: &str) -> String {
    format!("/v1/lockboxes/{serial}/settings")
}

/// Open on weekdays from nine to five.
fn office_hours() -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    json!(days.map(|day| json!({ "weekday": day, "from": 540, "to": 1020 })))
}

fn custom() -> Value {
    json!({ "custom": { "access_hours": office_hours(), "contractor_mode": true } })
}

async fn page(world: &World, phone: &Phone) -> LockboxSettings {
    world.get(phone, &of(BLE)).await.ok()
}

fn always(settings: &BoxSettings) -> bool {
    settings.access_hours.len() == 7 && settings.access_hours.iter().all(|day| day.to == 1440)
}

/// What a phone carries to the lock, as the lock reads it.
pub async fn carried(world: &World, phone: &Phone) -> Option<Settings> {
    let (changes, _) = world.sync(phone, None).await;
    let carried = records::<LockSettings>(&changes).into_iter().find(|it| it.lockbox == BLE)?;
    Settings::open(&world.keys(BLE), carried.settings.as_ref())
}

async fn shown(world: &World, phone: &Phone) -> Lockbox {
    let (changes, _) = world.sync(phone, None).await;
    records::<Lockbox>(&changes).into_iter().find(|it| it.serial == BLE).unwrap()
}

fn taken(who: [u8; 8], version: u32, at: i64) -> Entry {
    let operation = version.to_be_bytes();
    Entry { kind: Kind::Settings, operation, ..entry(who, Verdict::Served, at) }
}

/// LST-4: boxes that follow the default settings change with them, others keep theirs.
#[tokio::test]
async fn lst_4_default_settings_are_those_of_all_boxes_that_follow_them() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let defaults: BoxSettings = world.get(&dana, DEFAULTS).await.ok();
    assert!(always(&defaults) && !defaults.contractor_mode && defaults.time_zone.is_none());

    world.post(&dana, &of(BLE), &json!({})).await.ok::<Value>();
    world.post(&dana, &of(NON_BLE), &custom()).await.ok::<Value>();
    let night = json!({ "access_hours": [{ "weekday": "sunday", "from": 1320, "to": 360 }],
        "contractor_mode": false, "time_zone": "America/Boise" });
    let set: BoxSettings = world.post(&dana, DEFAULTS, &night).await.ok();
    assert_eq!(serde_json::to_value(&set).unwrap(), night);
    assert_eq!(world.get(&dana, DEFAULTS).await.ok::<BoxSettings>(), set);

    let following = page(&world, &dana).await;
    assert!(following.follows_default);
    assert_eq!(following.set, set, "also over midnight");
    let own: LockboxSettings = world.get(&dana, &of(NON_BLE)).await.ok();
    assert!(!own.follows_default && own.set.contractor_mode);
    assert_eq!(own.set.access_hours.len(), 5);
    assert_eq!(own.set.access_hours[0], DayHours { weekday: Weekday::Monday, from: 540, to: 1020 });

    // A retry under one key changes nothing a second time; another agent's defaults are their own.
    let key = Uuid::new_v4().to_string();
    for _ in 0..2 {
        let page: LockboxSettings = world.post_once(&dana, &of(BLE), &key, &custom()).await.ok();
        assert!(!page.follows_default);
    }
    assert!(always(&world.get(&world.agent(ARI).await, DEFAULTS).await.ok()));
}

/// LST-4, LST-6: told to all phones that come by, shown as Pending, and the old ones as those that work, until the lock's
/// own record names their version.
#[tokio::test]
async fn lst_6_settings_are_pending_until_the_lock_wrote_that_it_has_them() {
    let (world, ready, who) = visit().await;
    assert!(!page(&world, &ready.dana).await.pending, "the factory wrote the first ones");
    let set: LockboxSettings = world.post(&ready.dana, &of(BLE), &custom()).await.ok();
    assert!(set.pending && set.set.contractor_mode && !set.working.contractor_mode);
    assert_eq!(set.working.access_hours[6], DayHours { weekday: Weekday::Sunday, from: 480, to: 1200 });
    assert!(shown(&world, &ready.dana).await.settings_pending);
    let told = carried(&world, &ready.bo).await.unwrap();
    assert_eq!((told.version, told.switches.contractor_mode, told.access_hours.0[6]), (2, true, None));
    assert_eq!(told.access_hours.0[0], Span::new(36, 68));
    // Bo's phone says beforehand what the lock will refuse.
    let (changes, _) = world.sync(&ready.bo, None).await;
    let hours = &records::<Credential>(&changes)[0].access_hours;
    assert_eq!(hours.as_ref(), told.access_hours.encode());

    // The same again is nothing new.
    world.post(&ready.dana, &of(BLE), &custom()).await.ok::<Value>();
    assert_eq!(carried(&world, &ready.bo).await.unwrap().version, 2);

    bring(&world, &ready.bo, 1, &[taken(who, 2, 60)]).await;
    let page = page(&world, &ready.dana).await;
    assert!(!page.pending && page.working.contractor_mode);
    assert!(!shown(&world, &ready.dana).await.settings_pending);
    assert_eq!(carried(&world, &ready.bo).await, None, "nobody need carry them any more");
}

/// LST-6: a phone that had not synced brings settings that were newest before: those work then, and the newest are Pending
/// still. A lock's status says the same as its record.
#[tokio::test]
async fn lst_6_older_settings_that_arrive_work_and_leave_the_newest_pending() {
    let (world, ready, who) = visit().await;
    let hours = |from: u16| json!([{ "weekday": "friday", "from": from, "to": 1440 }]);
    for from in [60, 120, 180] {
        let custom = json!({ "custom": { "access_hours": hours(from), "contractor_mode": false } });
        world.post(&ready.dana, &of(BLE), &custom).await.ok::<Value>();
    }
    let works = async || {
        let page = page(&world, &ready.dana).await;
        (page.working.access_hours[0].from, page.set.access_hours[0].from, page.pending)
    };
    assert_eq!(works().await, (480, 180, true));
    bring(&world, &ready.bo, 1, &[taken(who, 2, 60)]).await;
    assert_eq!(works().await, (60, 180, true));
    // A record that comes late takes nothing back, nor does one of a version that nobody made, or of no phone.
    let mut said = status(Verdict::Opened);
    said.settings_version = 3;
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&said.sign(&world.keys(BLE))))]).await;
    assert_eq!(works().await, (120, 180, true));
    bring(&world, &ready.bo, 2, &[taken(who, 2, 70), taken(who, 9, 80), taken([9; 8], 4, 90)]).await;
    assert_eq!(works().await, (120, 180, true));
    bring(&world, &ready.bo, 5, &[taken(who, 4, 100)]).await;
    assert_eq!(works().await, (180, 180, false));
}

/// LST-4: hours are meant by the clock of the property, wherever the box came from.
#[tokio::test]
async fn lst_4_a_box_takes_the_zone_of_the_listing_it_hangs_at() {
    let (world, ready, _) = visit().await;
    assert_eq!(page(&world, &ready.dana).await.set.time_zone.as_deref(), Some("America/Los_Angeles"));
    let mut new = new_listing();
    new["time_zone"] = json!("America/Denver");
    let east = world.post(&ready.dana, "/v1/listings", &new).await.ok();
    let assign = format!("/v1/lockboxes/{NON_BLE}/assign");
    let hung: Lockbox = world.post(&ready.dana, &assign, &assignment(&east)).await.ok();
    assert!(hung.settings_pending);
    assert_eq!((hung.on_listing_since, hung.region.as_deref()), (Some(NOW - 86_400), Some("Portland West")));
    let there: LockboxSettings = world.get(&ready.dana, &of(NON_BLE)).await.ok();
    let zones = (there.working.time_zone.unwrap(), there.set.time_zone.unwrap());
    assert_eq!(zones, ("America/Los_Angeles".into(), "America/Denver".into()));
    // Custom settings that name no zone leave it; others set it.
    let boxed: LockboxSettings = world.post(&ready.dana, &of(NON_BLE), &custom()).await.ok();
    assert_eq!(boxed.set.time_zone.as_deref(), Some("America/Denver"));
    let mut own = custom();
    own["custom"]["time_zone"] = json!("America/Phoenix");
    let boxed: LockboxSettings = world.post(&ready.dana, &of(NON_BLE), &own).await.ok();
    assert_eq!(boxed.set.time_zone.as_deref(), Some("America/Phoenix"));
}

/// LST-4: what no lock could do is refused, with the field named.
#[tokio::test]
async fn lst_4_bad_settings_name_their_field() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let day = |from: i64, to: i64| json!([{ "weekday": "monday", "from": from, "to": to }]);
    let twice =
        json!([{ "weekday": "monday", "from": 0, "to": 60 }, { "weekday": "monday", "from": 60, "to": 120 }]);
    let bad = [day(545, 1020), day(540, 1021), day(540, 540), day(1440, 60), day(0, 0), day(0, 1455), twice];
    for hours in bad {
        let settings = json!({ "access_hours": hours, "contractor_mode": false });
        world.post(&dana, DEFAULTS, &settings).await.refused("invalid", Some("access_hours"));
        let choice = json!({ "custom": settings });
        world.post(&dana, &of(BLE), &choice).await.refused("invalid", Some("access_hours"));
    }
    let zone = json!({ "access_hours": [], "contractor_mode": false, "time_zone": "Oregon" });
    world.post(&dana, DEFAULTS, &zone).await.refused("invalid", Some("time_zone"));
    for body in [
        json!({ "costum": {} }),
        json!({ "custom": { "access_hours": day(-15, 60), "contractor_mode": true } }),
    ] {
        let refused = world.post(&dana, &of(BLE), &body).await;
        assert!((400..500).contains(&refused.status), "{}", refused.body);
    }
    assert!(!page(&world, &dana).await.pending, "nothing was told to the lock");
}

/// LST-3, LST-5: a serial number of another owner, unknown or retired is no box of the caller's; one that hangs elsewhere
/// is told so.
#[tokio::test]
async fn lst_5_boxes_that_are_not_the_callers_are_not_found() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let (first, second) = (world.place(&dana, BLE).await, world.listing(&dana).await);
    world.server.operator().retire_lockbox(NON_BLE).await.unwrap();
    for serial in [ARIS_BOX, NON_BLE, "XYZ-9999", "%20", "a%2Fb", &"9".repeat(300)] {
        let path = format!("/v1/lockboxes/{serial}");
        world.get(&dana, &path).await.refused("not-found", None);
        world.get(&dana, &of(serial)).await.refused("not-found", None);
        world.post(&dana, &of(serial), &custom()).await.refused("not-found", None);
        world.post(&dana, &format!("{path}/assign"), &assignment(&second)).await.refused("not-found", None);
        world.post(&dana, &format!("{path}/unassign"), &json!({})).await.refused("not-found", None);
    }
    let assign = format!("/v1/lockboxes/{BLE}/assign");
    let refused = world.post(&dana, &assign, &assignment(&second)).await.refused("conflict", None);
    assert!(refused.detail.unwrap().contains("another listing"));
    let seen: Lockboxes = world.get(&dana, "/v1/lockboxes").await.ok();
    let seen: Vec<_> = seen.lockboxes.iter().map(|it| (it.serial.as_str(), it.listing_id)).collect();
    assert_eq!(seen, [(BLE, Some(first.id))]);
}

/// OPS-2: whoever gets a box gets its settings as the box's own, and not those that its former owner set by default.
#[tokio::test]
async fn ops_2_a_box_that_changes_hands_follows_nobodys_default() {
    let world = World::new().await;
    let (dana, ari) = (world.agent(DANA).await, world.agent(ARI).await);
    world.post(&dana, &of(BLE), &json!({})).await.ok::<Value>();
    world.server.operator().transfer_lockbox(BLE, ARI).await.unwrap();
    let settings = json!({ "access_hours": office_hours(), "contractor_mode": true });
    world.post(&dana, DEFAULTS, &settings).await.ok::<Value>();
    let page = page(&world, &ari).await;
    assert!(!page.follows_default && page.pending && always(&page.set));
    world.get(&dana, &of(BLE)).await.refused("not-found", None);
}
