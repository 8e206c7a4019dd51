//! Who may have which code at which door, and who may see it. [RES-0 to RES-4]

use sentri_protocol::codes::{
    delivery::{Delivery, Order},
    validity::Validity,
};
use sentri_server::operator::CommunityChange;
use sentri_wire::residence::{CodeState, DoorCode, DoorKind, Doors};
use serde_json::json;

use super::{Maple, NEXT_DOOR, POOL, RAE, UNIT, door};
use crate::world::{DAY, HOUR, NOW, person, records};

/// RES-1, RES-2: each rule that a picked code breaks is named.
#[tokio::test]
async fn res_2_each_refusal_of_a_picked_code_names_its_rule() {
    let maple = Maple::new().await;
    for (code, rule) in [
        ("12a4", "digits only"),
        ("123", "4 digits"),
        ("826401", "4 digits"),
        ("7777", "repeat"),
        ("1234", "sequence"),
        ("4321", "sequence"),
    ] {
        let refused = maple.pick(&maple.rae, UNIT, code).await.refused("invalid", Some("code"));
        assert!(refused.detail.unwrap().contains(rule), "{code}");
    }
    let picked: DoorCode = maple.pick(&maple.rae, UNIT, "8264").await.ok();
    assert_eq!(picked.next.unwrap().expose(), "8264");

    maple.change(CommunityChange { six_digit_codes: Some(true), ..CommunityChange::default() }).await;
    for code in ["123456", "654321", "777777"] {
        maple.pick(&maple.rae, UNIT, code).await.refused("invalid", Some("code"));
    }
    maple.pick(&maple.rae, UNIT, "826401").await.ok::<DoorCode>();
    assert_eq!(maple.generate(&maple.rae, UNIT).await.next.unwrap().expose().len(), 6);

    maple.change(CommunityChange { custom_codes: Some(false), ..CommunityChange::default() }).await;
    maple.pick(&maple.rae, UNIT, "8246").await.refused("conflict", None);
    assert!(!maple.world.get(&maple.rae, "/v1/doors").await.ok::<Doors>().doors[0].may_pick);
}

/// RES-1: six digits only where the community enables them.
#[tokio::test]
async fn res_1_six_digits_only_where_the_community_enables_them() {
    let maple = Maple::new().await;
    let path = format!("/v1/doors/{UNIT}/codes/generate");
    let ask = async |digits: u8| maple.world.post(&maple.rae, &path, &json!({ "digits": digits })).await;
    ask(6).await.refused("invalid", Some("digits"));
    ask(5).await.refused("invalid", Some("digits"));
    maple.change(CommunityChange { six_digit_codes: Some(true), ..CommunityChange::default() }).await;
    for digits in [4, 6] {
        let code: DoorCode = ask(digits).await.ok();
        assert_eq!(code.next.unwrap().expose().len(), usize::from(digits));
    }
}

/// RES-0, RES-4: a code is picked in the app of 2.8.0 or newer, not on the web, and not for what all share.
#[tokio::test]
async fn res_4_codes_are_picked_in_a_new_enough_app_at_ones_own_door() {
    let maple = Maple::new().await;
    let path = format!("/v1/doors/{UNIT}/codes/pick");
    let pick = async |headers: &[(&str, &str)]| {
        let body = json!({ "code": "8264" }).to_string().into_bytes();
        maple.world.send("POST", &path, Some(&maple.rae.access), headers, Some(body)).await
    };
    for client in ["connect/2.7.9", "agent/9.0.0", "web/9.0.0"] {
        let told = pick(&[("sentri-client", client)]).await.refused("upgrade-required", None);
        assert!(told.detail.unwrap().contains("2.8.0"));
    }
    pick(&[]).await.refused("upgrade-required", None);
    pick(&[("sentri-client", "connect/2.10.0")]).await.ok::<DoorCode>();
    maple.pick(&maple.rae, POOL, "8264").await.refused("conflict", None);
    // Generating one is for any app, at any door.
    maple.generate(&maple.rae, POOL).await;
    let doors = maple.world.get(&maple.rae, "/v1/doors").await.ok::<Doors>().doors;
    let may_pick: Vec<_> = doors.iter().map(|door| (door.lock.as_str(), door.may_pick)).collect();
    assert_eq!(may_pick, [(UNIT, true), (POOL, false)]);
}

/// RES-4: two residents of different units may hold the same code; on one lock nobody may, and whose it is is not told.
#[tokio::test]
async fn res_4_the_same_code_on_two_doors_and_never_twice_on_one() {
    let maple = Maple::new().await;
    maple.pick(&maple.rae, UNIT, "8264").await.ok::<DoorCode>();
    maple.pick(&maple.max, NEXT_DOOR, "8264").await.ok::<DoorCode>();
    let operator = maple.world.server.operator();
    let email = "kit@home.example";
    operator.add_resident("Maple Court", "1", &person(email, "503-555-0173")).await.unwrap();
    let kit = maple.world.contractor(email).await;
    let told = maple.pick(&kit, UNIT, "8264").await.refused("conflict", Some("code"));
    assert_eq!(told.detail.unwrap(), "Choose another code.");
    maple.pick(&kit, UNIT, "8265").await.ok::<DoorCode>();
}

/// RES-3: guests' codes of four kinds, generated; each bad window names its field.
#[tokio::test]
async fn res_3_guests_get_generated_codes_of_four_kinds() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let temporary = |from: i64, to: i64| json!({ "kind": "temporary", "starts_at": from, "ends_at": to });
    let recurring = |days: &[&str], from: u16, to: u16| json!({ "kind": "recurring", "weekdays": days, "from_minute": from, "to_minute": to });
    let good = [
        json!({ "kind": "permanent" }),
        temporary(NOW, NOW + 3 * DAY),
        recurring(&["tuesday", "friday"], 480, 720),
        json!({ "kind": "delivery", "starts_at": NOW }),
    ];
    for validity in &good {
        let made: DoorCode = maple.guest(&maple.rae, validity.clone()).await.ok();
        assert_eq!(
            (serde_json::to_value(&made.validity).unwrap(), made.state),
            (validity.clone(), CodeState::Pending)
        );
    }
    let bad = [
        (temporary(NOW + HOUR, NOW), "validity.ends_at"),
        (temporary(NOW - 2 * HOUR, NOW - HOUR), "validity.ends_at"),
        (temporary(NOW, NOW + 400 * DAY), "validity.ends_at"),
        (temporary(NOW + 400 * DAY, NOW + 401 * DAY), "validity.starts_at"),
        (temporary(i64::MIN, i64::MAX), "validity.starts_at"),
        (recurring(&[], 480, 720), "validity.weekdays"),
        (recurring(&["monday"], 481, 720), "validity.from_minute"),
        (recurring(&["monday"], 480, 65_535), "validity.to_minute"),
        (recurring(&["monday"], 480, 480), "validity.to_minute"),
        (json!({ "kind": "delivery", "starts_at": NOW - 3 * HOUR }), "validity.starts_at"),
    ];
    for (validity, field) in bad {
        maple.guest(&maple.rae, validity).await.refused("invalid", Some(field));
    }
    let halves = [
        (json!({ "kind": "temporary", "starts_at": NOW }), "validity.ends_at"),
        (json!({ "kind": "recurring", "weekdays": ["monday"], "to_minute": 720 }), "validity.from_minute"),
        (json!({ "kind": "permanent", "ends_at": NOW }), "validity.ends_at"),
    ];
    for (validity, field) in halves {
        maple.guest(&maple.rae, validity).await.refused("malformed", Some(field));
    }
    let picked = json!({ "guest": "Kim", "validity": { "kind": "permanent" }, "code": "8264" });
    let path = format!("/v1/doors/{UNIT}/codes/guests");
    maple.world.post(&maple.rae, &path, &picked).await.refused("malformed", Some("code"));

    let parcel = maple.parcel(&maple.rae, UNIT).await.unwrap();
    let delivery = Delivery::open(&lock.keys, parcel.deliveries[0].as_ref()).unwrap();
    let hours = delivery.orders().iter().find_map(|order| match order {
        Order::Put { validity: Validity::Delivery(window), .. } => {
            Some(window.not_after().unix() - window.not_before().unix())
        }
        _ => None,
    });
    assert_eq!(hours, Some(2 * HOUR));
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert_eq!(lock.table.len(), 4);
    // What is over is shown no more.
    maple.world.clock.advance(3 * HOUR);
    let rae = maple.world.again(&maple.rae).await;
    assert_eq!(maple.codes(&rae, UNIT).await.len(), 3);
}

/// RES-0: a resident sees their own doors and their own codes, and nobody else's.
#[tokio::test]
async fn res_0_codes_are_their_holders_to_see() {
    let maple = Maple::new().await;
    let code = maple.generate(&maple.rae, UNIT).await;
    let shared = maple.generate(&maple.rae, POOL).await;
    maple.world.get(&maple.max, &format!("/v1/doors/{UNIT}/codes")).await.refused("not-found", None);
    maple
        .world
        .post(&maple.max, &format!("/v1/doors/{UNIT}/codes/generate"), &json!({}))
        .await
        .refused("not-found", None);
    assert_eq!(maple.codes(&maple.max, POOL).await, []);
    let (changes, _) = maple.world.sync(&maple.max, None).await;
    assert_eq!(records::<DoorCode>(&changes), []);
    let text = serde_json::to_string(&changes).unwrap();
    assert!(!text.contains(UNIT));
    // He carries what the pool's lock is to get, and can't read it.
    assert!(maple.parcel(&maple.max, POOL).await.is_some());
    for digits in [code.next.unwrap(), shared.next.unwrap()] {
        assert!(!text.contains(&format!("\"{}\"", digits.expose())));
    }
    let agent = maple.world.agent(crate::world::DANA).await;
    maple.world.get(&agent, &format!("/v1/doors/{UNIT}/codes")).await.refused("forbidden", None);
    assert_eq!(maple.world.get(&agent, "/v1/doors").await.ok::<Doors>().doors, []);
}

/// RES-0: whoever moves out loses the door, and their codes and their guests' leave the lock with any phone that passes.
#[tokio::test]
async fn res_0_whoever_moves_out_takes_their_codes_along() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let operator = maple.world.server.operator();
    operator.add_resident("Maple Court", "1", &person("kit@home.example", "503-555-0173")).await.unwrap();
    let kit = maple.world.contractor("kit@home.example").await;
    maple.generate(&maple.rae, UNIT).await;
    maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.ok::<DoorCode>();
    let own = maple.generate(&kit, UNIT).await;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert_eq!(lock.table.len(), 3);
    let (_, cursor) = maple.world.sync(&maple.rae, None).await;

    operator.transfer_resident(RAE, "Maple Court", "2").await.unwrap();
    maple.world.get(&maple.rae, &format!("/v1/doors/{UNIT}/codes")).await.refused("not-found", None);
    let (changes, _) = maple.world.sync(&maple.rae, Some(&cursor)).await;
    let gone: Vec<_> = changes.iter().filter(|it| it.record.is_none()).map(|it| it.kind.as_str()).collect();
    assert_eq!(gone.iter().filter(|kind| **kind == "door_code").count(), 2, "{gone:?}");
    assert!(gone.contains(&"door"), "{gone:?}");
    maple.deliver(&kit, UNIT, &mut lock, 0).await;
    assert_eq!(lock.table.values().collect::<Vec<_>>(), [own.next.unwrap().expose()]);
}

/// A retry after a lost answer gets the same code, and makes no second one.
#[tokio::test]
async fn res_1_a_repeated_request_makes_one_code() {
    let maple = Maple::new().await;
    let path = format!("/v1/doors/{UNIT}/codes/generate");
    let ask = async || maple.world.post_once(&maple.rae, &path, "generate-1", &json!({})).await;
    let (first, again): (DoorCode, DoorCode) = (ask().await.ok(), ask().await.ok());
    assert_eq!(first, again);
    assert_eq!(maple.codes(&maple.rae, UNIT).await, [first]);
}

/// What an operator types about a door is checked, each field by its name.
#[tokio::test]
async fn ops_1_a_bad_door_is_refused_by_its_field() {
    let maple = Maple::new().await;
    let operator = maple.world.server.operator();
    for (new, told) in [
        (door("DOOR-009", DoorKind::Unit, None, None), "unit"),
        (door("DOOR-009", DoorKind::Amenity, Some("1"), None), "unit"),
        (door(UNIT, DoorKind::Amenity, None, None), "serial"),
        (door(crate::world::BLE, DoorKind::Amenity, None, None), "serial"),
        (door("DOOR-009", DoorKind::Amenity, None, Some("HUB-009")), "serial"),
    ] {
        let refused = operator.provision_door(&new).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(&format!("({told})")), "{refused}");
    }
    assert_eq!(operator.doors("Maple Court").await.unwrap().len(), 3);
}

/// All that is stored about a resident is told to them, guests' names too; digits are in no such document.
#[tokio::test]
async fn res_3_a_residents_export_names_guests_and_shows_no_digits() {
    let maple = Maple::new().await;
    let made: DoorCode = maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.ok();
    let export = maple.world.get(&maple.rae, "/v1/me/export").await;
    let codes = &export.body["door_codes"];
    assert_eq!((codes[0]["guest"].as_str(), codes[0]["lock"].as_str()), (Some("Kim"), Some(UNIT)));
    assert!(!codes.to_string().contains(made.next.unwrap().expose()));
    let of_max = maple.world.get(&maple.max, "/v1/me/export").await;
    assert_eq!(of_max.body["door_codes"], json!([]));
}
