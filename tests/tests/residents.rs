//! Residents: a new code goes by phone to the real lock, and works there from then on; the old one until then.
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
    api::residence_records::{CodeValidity, DoorCodeState},
};
use sentri_sandbox::{
    clock::Pull,
    radio::{Direction, Fate},
};
use sentri_tests::home::{DOOR, Home};
use sentri_wire::Secret;

/// RES-1, RES-5: view, generate, deliver over the BLE session, and type it.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_phone_in_range_brings_the_new_code_and_the_old_one_works_until_then() {
    let home = Home::build(171).await.unwrap();
    assert_eq!(home.phone.core.doors().await.unwrap()[0].lock, DOOR);
    let first = home.generate().await.unwrap();
    assert_eq!((first.state, &first.working), (DoorCodeState::Pending, &None));
    assert!(!home.opens(first.next.as_ref()));
    let report = home.deliver().await.unwrap();
    assert_eq!((report.delivered, report.not_taken), (true, false));
    let now = home.code().await.unwrap();
    assert_eq!((now.state, &now.working, &now.next), (DoorCodeState::Works, &first.next, &None));
    assert!(home.opens(now.working.as_ref()));

    let second = home.generate().await.unwrap();
    assert_eq!((second.state, &second.working), (DoorCodeState::Pending, &first.next));
    assert!(home.opens(first.next.as_ref()) && !home.opens(second.next.as_ref()));
    home.deliver().await.unwrap();
    assert_eq!(home.code().await.unwrap().working, second.next);
    assert!(home.opens(second.next.as_ref()) && !home.opens(first.next.as_ref()));
    assert!(!home.phone.core.doors().await.unwrap()[0].has_delivery);
}

/// RES-5: at the door there is no network. The code works once it is delivered, and shows as working once the lock's
/// word has gone up; a second delivery changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_it_is_delivered_with_no_network_and_twice_changes_nothing() {
    let home = Home::build(172).await.unwrap();
    let first = home.generate().await.unwrap();
    home.town.cut_network().await;
    assert!(home.deliver().await.unwrap().delivered);
    assert!(home.opens(first.next.as_ref()));
    assert_eq!(home.code().await.unwrap().state, DoorCodeState::Pending);
    assert!(home.deliver().await.unwrap().delivered);
    home.town.restore_network().await.unwrap();
    home.town.clock.scene(home.phone.core.sync_now()).await.unwrap();
    assert_eq!(
        (home.code().await.unwrap().state, home.code().await.unwrap().working),
        (DoorCodeState::Works, first.next)
    );
}

/// RES-5: the link breaks before anything is handed over: the old code works, and the next visit brings the new one.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_visit_that_finds_no_lock_changes_nothing() {
    let home = Home::build(173).await.unwrap();
    let first = home.generate().await.unwrap();
    home.deliver().await.unwrap();
    let second = home.generate().await.unwrap();
    home.door.pull_battery();
    assert_eq!(home.deliver().await, Err(CoreError::NoLockboxHeard));
    home.door.insert_battery().unwrap();
    assert!(home.opens(first.next.as_ref()));
    assert_eq!(home.code().await.unwrap().state, DoorCodeState::Pending);
    home.deliver().await.unwrap();
    assert!(home.opens(second.next.as_ref()));
}

/// RES-5: the link is lost midway. Where the code had not come, the old one works; where it had and only the answer was
/// lost, the new one does. The app tells of neither before the lock's own word is there, which the next visit brings.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_phone_that_loses_the_link_midway_tells_nothing_that_is_not_so() {
    for (seed, direction) in [(175, Direction::ToLock), (176, Direction::ToPhone)] {
        let home = Home::build(seed).await.unwrap();
        let first = home.generate().await.unwrap();
        home.deliver().await.unwrap();
        let second = home.generate().await.unwrap();
        // The first message and its answer are one value each; all that comes after it is lost.
        let mut values = 0;
        home.town.air.set_plan(Some(Box::new(move |passing| {
            values += u32::from(passing.direction == direction);
            if values > 1 && passing.direction == direction { Fate::Cut } else { Fate::Arrives }
        })));
        let told = home.deliver().await;
        assert!(!told.is_ok_and(|report| report.delivered), "{direction:?}");
        home.town.air.set_plan(None);
        let has_come = direction == Direction::ToPhone;
        assert_eq!(
            (home.opens(first.next.as_ref()), home.opens(second.next.as_ref())),
            (!has_come, has_come)
        );
        let shown = home.code().await.unwrap();
        assert_eq!((shown.state, &shown.working), (DoorCodeState::Pending, &first.next));

        let report = home.deliver().await.unwrap();
        assert_eq!((report.delivered, report.not_taken), (true, false));
        let shown = home.code().await.unwrap();
        assert_eq!((shown.state, &shown.working), (DoorCodeState::Works, &second.next));
        assert!(home.opens(second.next.as_ref()) && !home.opens(first.next.as_ref()));
    }
}

/// RES-5: ENT is pressed again, at any moment of the visit: the phone goes on in the wake that this begins.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_pressing_ent_again_at_any_moment_delivers() {
    let home = Home::build(178).await.unwrap();
    for moment in (0..800).step_by(25).map(Duration::from_millis) {
        let code = home.generate().await.unwrap();
        let door = home.door.clone();
        let again = home.town.clock.after(moment, Pull::Yes, move || door.press_ent());
        let told = home.deliver().await;
        drop(again);
        assert!(told.is_ok_and(|report| report.delivered), "ENT again after {moment:?}");
        assert!(home.opens(code.next.as_ref()), "ENT again after {moment:?}");
    }
}

/// RES-3: a guest's code goes the same way.
#[tokio::test(flavor = "multi_thread")]
async fn res_3_a_guests_code_is_delivered_and_leaves_again() {
    let home = Home::build(174).await.unwrap();
    let core = &home.phone.core;
    let guest = home.make_for_guest(CodeValidity::Permanent).await.unwrap();
    home.deliver().await.unwrap();
    assert!(home.opens(guest.next.as_ref()));
    home.town.clock.scene(core.delete_door_code(guest.id.clone())).await.unwrap();
    assert_eq!(home.code().await.unwrap().state, DoorCodeState::Leaving);
    home.deliver().await.unwrap();
    assert!(!home.opens(guest.next.as_ref()));
    assert_eq!(core.door_codes(DOOR.into()).await.unwrap(), []);
}

/// RES-3, RES-5: a lock whose battery was changed does not know the time, and refuses codes that are bound to it. The
/// resident's phone brings it, with or without something else to deliver.
#[tokio::test(flavor = "multi_thread")]
async fn res_3_a_guests_timed_code_works_again_once_a_phone_has_brought_the_time() {
    let home = Home::build(177).await.unwrap();
    let now = home.town.clock.now();
    let validity = CodeValidity::Temporary { starts_at: now, ends_at: now + 86_400 };
    let guest = home.make_for_guest(validity).await.unwrap();
    home.deliver().await.unwrap();
    assert!(home.opens(guest.next.as_ref()));
    home.door.pull_battery();
    home.door.insert_battery().unwrap();
    assert!(!home.opens(guest.next.as_ref()));
    assert!(!home.deliver().await.unwrap().delivered);
    assert!(home.opens(guest.next.as_ref()));
}

/// RES-1, RES-2: a code of the resident's own choice, in an app that is new enough; each code that breaks a rule is refused.
#[tokio::test(flavor = "multi_thread")]
async fn res_2_a_resident_picks_a_code() {
    let mut home = Home::build(178).await.unwrap();
    assert!(home.phone.core.doors().await.unwrap()[0].may_pick);
    let too_old = home.pick("7294").await;
    assert!(matches!(too_old, Err(CoreError::UpgradeRequired { .. })), "{too_old:?}");
    home.update("2.8.0").unwrap();
    for digits in ["1111", "1234", "4321", "729", "72941", "72a4"] {
        let refused = home.pick(digits).await;
        let is_named = matches!(&refused, Err(CoreError::InvalidField { field, .. }) if field == "code");
        assert!(is_named, "{digits}: {refused:?}");
    }
    assert_eq!(home.phone.core.door_codes(DOOR.into()).await.unwrap(), []);

    let picked = home.pick("7294").await.unwrap();
    assert_eq!(picked.state, DoorCodeState::Pending);
    assert_eq!(picked.next.as_ref().map(Secret::expose), Some("7294"));
    assert!(!home.opens(picked.next.as_ref()));
    home.deliver().await.unwrap();
    assert!(home.opens(picked.next.as_ref()));
    assert_eq!(home.code().await.unwrap().state, DoorCodeState::Works);
}
