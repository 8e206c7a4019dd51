//! A lockbox without Bluetooth hears of its settings, codes and blocks by its owner's card, and says so by it.

use sentri_core::api::{
    keypad_records::{CodeState, Keypad},
    types::{AccessMethod, BoxSettings, DayHours, Weekday},
};
use sentri_lock::ports::Indication;
use sentri_sandbox::{card::put_in_and_out, story::cast};
use sentri_tests::{BEGINS, HOUR, House};
use sentri_wire::problem::ProblemCode;

use crate::{keypad_box, opens, opens_by_card, pressed, reader, refusal};

const BOX: &str = cast::KEYPAD_BOX;

async fn keypad(house: &House) -> Keypad {
    house.town.clock.scene(house.agent.core.sync_now()).await.unwrap();
    house.agent.core.keypad(BOX.into()).await.unwrap()
}

async fn is_pending(house: &House) -> bool {
    house.agent.core.lockbox_settings(BOX.into()).await.unwrap().pending
}

/// Open on one day of the week alone.
fn only_on(weekday: Weekday) -> BoxSettings {
    let access_hours = vec![DayHours { weekday, from: 0, to: 1440 }];
    BoxSettings { access_hours, contractor_mode: true, time_zone: None }
}

/// LST-4, LST-6, COD-3, COD-5: Pending, with the old code shown as the one that works, until the card that brought the new
/// settings has come back with the lock's own word.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_settings_of_a_box_without_bluetooth_travel_by_its_owners_card() {
    let house = House::build(801).await.unwrap();
    let lockbox = keypad_box(&house, "always").await;
    let reader = reader(&house, cast::SENTRIKEY_ID).await;
    assert!(reader.errands().await.unwrap().is_empty());

    let core = &house.agent.core;
    core.set_contractor_mode(BOX.into(), true).await.unwrap();
    assert!(is_pending(&house).await);
    assert_eq!(reader.errands().await.unwrap(), [BOX]);
    let card = reader.renew(cast::AGENT_PIN, None).await.unwrap();
    assert_eq!(card.carries_to, [BOX]);
    let first = keypad(&house).await.contractor_codes[0].code.clone();
    assert!(!opens(&lockbox, first.expose()), "the lock has not heard of it");
    let back = put_in_and_out(&lockbox, card.memory.as_ref());
    assert!(opens(&lockbox, first.expose()));
    assert!(is_pending(&house).await, "nobody told the backend yet");

    // A new code on top of it, while the card is still out.
    let rotated = core.rotate_contractor_code(BOX.into(), 1).await.unwrap();
    let new = rotated.contractor_codes[0].pending.clone().unwrap();
    let card = reader.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    let shown = keypad(&house).await;
    assert_eq!(shown.contractor_times.state, CodeState::Works, "the lock's word came with the card");
    assert_eq!(
        (&shown.contractor_codes[0].code, &shown.contractor_codes[0].pending),
        (&first, &Some(new.clone()))
    );
    assert!(is_pending(&house).await);
    let back = put_in_and_out(&lockbox, card.memory.as_ref());
    assert!(opens(&lockbox, new.expose()) && !opens(&lockbox, first.expose()));
    let card = reader.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    let shown = keypad(&house).await;
    assert_eq!((&shown.contractor_codes[0].code, &shown.contractor_codes[0].pending), (&new, &None));
    assert!(!is_pending(&house).await && reader.errands().await.unwrap().is_empty());
    assert!(card.carries_to.is_empty());

    // The log came along with it, and the lock is told that it is safe.
    let log = house.log().await.unwrap();
    assert!(log.iter().any(|line| line.lockbox == BOX && line.method == AccessMethod::Code), "{log:?}");
}

/// LST-6: what an older card brings, or one that was altered, changes nothing at a lock.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_settings_on_an_older_card_change_nothing() {
    let house = House::build(802).await.unwrap();
    let lockbox = keypad_box(&house, "always").await;
    let reader = reader(&house, cast::SENTRIKEY_ID).await;
    let core = &house.agent.core;
    let mut cards = Vec::new();
    // It is Wednesday.
    for weekday in [Weekday::Sunday, Weekday::Wednesday] {
        core.set_lockbox_settings(BOX.into(), Some(only_on(weekday))).await.unwrap();
        cards.push(reader.renew(cast::AGENT_PIN, None).await.unwrap().memory.as_ref().to_vec());
    }
    let third = keypad(&house).await.contractor_codes[2].code.clone();
    put_in_and_out(&lockbox, &cards[1]);
    assert!(opens(&lockbox, third.expose()));
    let newest = lockbox.insight().settings_version;
    let back = put_in_and_out(&lockbox, &cards[0]);
    assert_eq!(lockbox.insight().settings_version, newest);
    assert!(opens(&lockbox, third.expose()), "Sundays are long gone");
    // Whichever card comes back says what the lock has.
    reader.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    assert!(!is_pending(&house).await);

    core.set_lockbox_settings(BOX.into(), Some(only_on(Weekday::Sunday))).await.unwrap();
    let mut altered = reader.renew(cast::AGENT_PIN, None).await.unwrap().memory.as_ref().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let mut back = put_in_and_out(&lockbox, &altered);
    assert_eq!(lockbox.insight().settings_version, newest);
    // Nor is a word believed that no lock said.
    let status = back.iter().position(|byte| *byte == 0x81).unwrap();
    back[status + 20] ^= 1;
    reader.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    assert!(is_pending(&house).await);
    let refused = refusal(reader.renew(cast::AGENT_PIN, Some(altered[..100].to_vec())).await);
    assert_eq!((refused.code, refused.field.as_deref()), (ProblemCode::Invalid, Some("memory")));
}

/// PIN-7: a block ordered from afar reaches a box without Bluetooth by the card.
#[tokio::test(flavor = "multi_thread")]
async fn pin_7_a_block_travels_by_card() {
    let house = House::build(803).await.unwrap();
    let lockbox = keypad_box(&house, "always").await;
    let reader = reader(&house, cast::SENTRIKEY_ID).await;
    let core = &house.agent.core;
    core.set_smart_pins(BOX.into(), true, 1).await.unwrap();
    let card = reader.renew(cast::AGENT_PIN, None).await.unwrap();
    put_in_and_out(&lockbox, card.memory.as_ref());
    let (from, to) = (BEGINS + HOUR, BEGINS + 9 * HOUR);
    let gus = core.make_smart_pin(BOX.into(), "Gus".into(), from, to).await.unwrap();
    assert!(opens(&lockbox, gus.code.expose()));
    core.block_smart_pin(gus.id.clone()).await.unwrap();
    assert!(opens(&lockbox, gus.code.expose()), "the lock has not heard of it");
    let card = reader.renew(cast::AGENT_PIN, None).await.unwrap();
    let back = put_in_and_out(&lockbox, card.memory.as_ref());
    assert!(!opens(&lockbox, gus.code.expose()));
    reader.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    keypad(&house).await;
    let shown = core.issued_codes(BOX.into()).await.unwrap();
    assert_eq!(shown[0].times.state, CodeState::Blocked);
}

/// COD-4: the owner's card, as the backend made it, turns contractor mode on and off; the box knows whose card that is.
#[tokio::test(flavor = "multi_thread")]
async fn cod_4_the_owners_card_switches_contractor_mode_at_the_keypad() {
    let house = House::build(804).await.unwrap();
    let lockbox = keypad_box(&house, "always").await;
    let reader = reader(&house, cast::SENTRIKEY_ID).await;
    let card = reader.renew(cast::AGENT_PIN, None).await.unwrap();
    let code = keypad(&house).await.contractor_codes[0].code.clone();
    for (command, works) in [("F61E", true), ("F60E", false)] {
        lockbox.insert_card(card.memory.as_ref());
        assert_eq!(pressed(&lockbox, &format!("{}E", cast::AGENT_PIN)), Indication::Ready);
        assert_eq!(pressed(&lockbox, command), Indication::Done);
        lockbox.remove_card();
        assert_eq!(opens(&lockbox, code.expose()), works);
    }
    assert!(opens_by_card(&lockbox, card.memory.as_ref()));
    let wrong = refusal(reader.renew("0864", None).await);
    assert_eq!((wrong.code, wrong.field.as_deref()), (ProblemCode::WrongCode, Some("pin")));
}
