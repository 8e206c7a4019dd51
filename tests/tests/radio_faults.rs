//! A bad radio, with many seeds: nothing opens without a right, a right is never lost once the radio heals, one
//! press of ENT opens at most once, and each try is in the access log once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{collections::HashSet, time::Duration};

use sentri_core::{CoreError, api::types::AccessOutcome};
use sentri_sandbox::{
    clock::Pull,
    radio::{Direction, Fate, Knobs},
};
use sentri_tests::{HOUR, House};

const SEEDS: u64 = 20;

const GOOD: fn() -> Knobs = Knobs::default;

/// For each seed: a try with a bad radio, then one with a good radio.
async fn right_survives(name: &str, bad: Knobs) {
    let house = House::build(11).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let mut tries = 0;
    for seed in 0..SEEDS {
        house.town.air.reseed(seed);
        house.town.air.set_knobs(bad).unwrap();
        let before = house.lockbox.motor_drives();
        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        let drives = house.lockbox.motor_drives() - before;
        assert!(drives <= 1, "{name}, seed {seed}: one press of ENT opens once");
        match &opened.told {
            Ok(_) => assert_eq!(drives, 1, "{name}, seed {seed}: told open, and is"),
            Err(error) => assert!(
                matches!(error, CoreError::NoAnswer | CoreError::NoLockboxHeard),
                "{name}, seed {seed}: a bad radio is told as such, not as {error:?}"
            ),
        }

        house.town.air.set_knobs(GOOD()).unwrap();
        let healed = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        assert!(healed.told.is_ok(), "{name}, seed {seed}: {:?}", healed.told);
        assert_eq!(house.lockbox.motor_drives() - before, drives + 1, "{name}, seed {seed}");
        tries += 2;
    }
    each_try_is_logged_once(&house, tries).await;
}

/// SYN-3, CON-3: every open is in the log, also where its answer got lost; nothing is there twice, and nothing that
/// did not happen.
async fn each_try_is_logged_once(house: &House, tries: usize) {
    house.sync().await.unwrap();
    let log = house.log().await.unwrap();
    let ids: HashSet<_> = log.iter().map(|entry| &entry.id).collect();
    assert_eq!(ids.len(), log.len());
    assert!(log.len() <= tries, "{} entries of {tries} tries", log.len());
    let opened = log.iter().filter(|entry| entry.outcome == AccessOutcome::Opened);
    assert!(opened.clone().all(|entry| entry.confirmed_by_lock));
    assert_eq!(opened.count() as u64, house.lockbox.motor_drives());
}

/// CON-2 with values lost.
#[tokio::test(flavor = "multi_thread")]
async fn loss() {
    right_survives("loss", Knobs { lost: 250, mtu: 23, ..Knobs::default() }).await;
}

/// CON-2 with values doubled.
#[tokio::test(flavor = "multi_thread")]
async fn doubling() {
    right_survives("doubling", Knobs { doubled: 500, mtu: 23, ..Knobs::default() }).await;
}

/// CON-2 with values out of order.
#[tokio::test(flavor = "multi_thread")]
async fn reordering() {
    right_survives("reordering", Knobs { reordered: 200, jitter_ms: 20, mtu: 23, ..Knobs::default() }).await;
}

/// CON-2 with links that break.
#[tokio::test(flavor = "multi_thread")]
async fn cuts() {
    right_survives("cuts", Knobs { cut: 150, mtu: 23, ..Knobs::default() }).await;
}

/// CON-2 with everything at once, at a common MTU.
#[tokio::test(flavor = "multi_thread")]
async fn everything_at_once() {
    let bad = Knobs {
        lost: 100,
        doubled: 200,
        reordered: 100,
        cut: 50,
        jitter_ms: 15,
        mtu: 65,
        ..Knobs::default()
    };
    right_survives("everything", bad).await;
}

/// Over a bad radio as over a good one: without a right nothing opens, whatever arrives of it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_opens_without_a_right() {
    let house = House::build(12).await.unwrap();
    let now = house.town.clock.now();
    let tomorrow = house.grant(now + 20 * HOUR, now + 22 * HOUR).await.unwrap();
    let phone = house.unchecked_phone().await.unwrap();
    let mut asked = 0;
    for seed in 0..SEEDS {
        house.town.air.reseed(seed);
        let bad = Knobs { lost: 60, doubled: 200, reordered: 60, cut: 30, mtu: 65, ..Knobs::default() };
        house.town.air.set_knobs(bad).unwrap();
        let opened = phone.open(&house.lockbox, Some(&tomorrow)).await.unwrap();
        asked += usize::from(matches!(opened.told, Err(CoreError::NotYetValid { .. })));
        assert!(opened.told.is_err(), "seed {seed}");
    }
    assert!(asked > 0, "some of it did arrive");
    assert_eq!(house.lockbox.motor_drives(), 0);
}

/// The smallest MTU that BLE knows, on a radio that is otherwise good.
#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_mtu_opens() {
    let house = House::build(13).await.unwrap();
    let access = house.open_house(3).await.unwrap();
    house.town.air.set_knobs(Knobs { mtu: 23, ..Knobs::default() }).unwrap();
    let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!((opened.figures.m1_frames, opened.figures.m2_frames, opened.figures.mtu), (6, 5, 23));
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// CON-2: M2 is lost and the phone asks again in the same wake: one open, the same answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_and_opens_once() {
    let house = House::build(14).await.unwrap();
    let access = house.open_house(3).await.unwrap();
    let mut answers = 0;
    house.town.air.set_plan(Some(Box::new(move |passing| {
        answers += usize::from(passing.direction == Direction::ToPhone);
        if passing.direction == Direction::ToPhone && answers == 1 { Fate::Lost } else { Fate::Arrives }
    })));
    let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    let report = opened.told.unwrap();
    assert_eq!(report.figures.tries, 2);
    assert_eq!(house.lockbox.motor_drives(), 1);
    house.sync().await.unwrap();
    let log = house.log().await.unwrap();
    assert_eq!(log.len(), 1, "one try, one entry");
}

/// CON-2: who is impatient presses ENT again, and may do so at any moment. The lock then ends the wake that the phone heard
/// and begins another: the phone goes on there, and opens. Each run of the motor is in the log once.
#[tokio::test(flavor = "multi_thread")]
async fn pressing_ent_again_at_any_moment_opens() {
    let house = House::build(16).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let moments = (0..1_000).step_by(10).map(Duration::from_millis);
    let mut tries = 0;
    for moment in moments {
        let (before, lockbox) = (house.lockbox.motor_drives(), house.lockbox.clone());
        let again = house.town.clock.after(moment, Pull::Yes, move || lockbox.press_ent());
        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        drop(again);
        assert!(opened.told.is_ok(), "ENT again after {moment:?}: {:?}", opened.told);
        let drives = house.lockbox.motor_drives() - before;
        assert!((1..=2).contains(&drives), "ENT again after {moment:?}: no press opens more than once");
        tries += 2;
    }
    each_try_is_logged_once(&house, tries).await;
}

/// CON-2: the same where an adapter knocks for seconds before it gives up. From the first trouble on the phone hears ENT
/// while it knocks too, and goes there at once.
#[tokio::test(flavor = "multi_thread")]
async fn pressing_ent_again_ends_a_connection_that_does_not_come_about() {
    let knocking = Duration::from_millis(2_500);
    let house = House::build(17).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let connect_ms = u32::try_from(knocking.as_millis()).unwrap();
    house.town.air.set_knobs(Knobs { connect_ms, ..Knobs::default() }).unwrap();
    for moments in (500..6_000).step_by(250).map(|first| [first, first + 1_900]) {
        let presses = moments.map(|moment| {
            let lockbox = house.lockbox.clone();
            let moment = Duration::from_millis(moment);
            house.town.clock.after(moment, Pull::Yes, move || lockbox.press_ent())
        });
        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        drop(presses);
        assert!(opened.told.is_ok(), "ENT again after {moments:?} ms: {:?}", opened.told);
        // Heard, or the first connection given up, and one more connection after that, and what is said there.
        let last = moments.into_iter().rfind(|moment| u128::from(*moment) < opened.ms).unwrap_or(0);
        let gone_to = u128::from(last).max(knocking.as_millis()) + 700;
        assert!(opened.ms <= gone_to + knocking.as_millis() + 500, "{moments:?}: {} ms", opened.ms);
    }
}

/// CON-2: a try in which nothing comes through searches for ENT, and once more for ENT again: Android lets an app begin five
/// searches in half a minute, and hear nothing after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_try_searches_twice_at_most() {
    let house = House::build(18).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    house.town.air.set_plan(Some(Box::new(|_| Fate::Cut)));
    house.town.air.take_traffic();
    let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    assert_eq!(opened.told, Err(CoreError::NoAnswer));
    assert_eq!(house.town.air.take_traffic().searches, 2);
}
