//! A battery is pulled: before a visit, and at each value that goes over the air during one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sentri_core::CoreError;
use sentri_lock::ports::Indication;
use sentri_sandbox::{
    clock::Pull,
    lockbox::Lockbox,
    radio::{Fate, Knobs},
};
use sentri_tests::House;

/// The lock has lost its clock, and the contractor has no network: refused, and told why, on the phone and by the
/// lights. With network the phone brings the time, and the same press of ENT opens.
#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_battery_offline_and_online() {
    let house = House::build(21).await.unwrap();
    let access = house.open_house(3).await.unwrap();
    house.lockbox.pull_battery();
    house.town.clock.advance(Duration::from_secs(300));
    house.lockbox.insert_battery().unwrap();

    house.town.cut_network().await;
    let offline = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    assert_eq!(offline.told, Err(CoreError::ClockUntrusted));
    assert_eq!(house.lockbox.motor_drives(), 0);
    assert!(house.lockbox.lights().iter().any(|light| light.shown == Indication::Refused));

    house.town.restore_network().await.unwrap();
    let online = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    assert!(online.told.is_ok(), "{:?}", online.told);
    assert_eq!(house.lockbox.motor_drives(), 1);
    let insight = house.lockbox.insight();
    assert!(!insight.clock_lost);
    assert!((insight.clock.unwrap() - house.town.clock.now()).abs() <= 2);

    house.town.cut_network().await;
    let later = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    assert!(later.told.is_ok(), "the clock stays good, so that no network is needed any more");
}

/// Pulls the battery as soon as so many values have gone over the air.
fn pull_at(house: &House, value: usize) -> Arc<AtomicUsize> {
    let passed = Arc::new(AtomicUsize::new(0));
    let (count, clock) = (passed.clone(), house.town.clock.clone());
    let lockbox: Weak<Lockbox> = Arc::downgrade(&house.lockbox);
    house.town.air.set_plan(Some(Box::new(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) + 1 == value {
            let lockbox = lockbox.clone();
            let pull = move || {
                if let Some(lockbox) = lockbox.upgrade() {
                    lockbox.pull_battery();
                }
            };
            clock.after(Duration::ZERO, Pull::Yes, pull).let_go();
        }
        Fate::Arrives
    })));
    passed
}

/// Wherever it goes during an open: one press of ENT opens at most once, the lock boots again, and with network the
/// right still opens.
#[tokio::test(flavor = "multi_thread")]
async fn a_battery_pulled_at_any_value_of_an_open_loses_no_right() {
    let house = House::build(22).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    house.town.air.set_knobs(Knobs { mtu: 65, ..Knobs::default() }).unwrap();
    for value in 1.. {
        let passed = pull_at(&house, value);
        let before = house.lockbox.motor_drives();
        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        let drives = house.lockbox.motor_drives() - before;
        house.town.air.set_plan(None);
        assert!(drives <= 1, "value {value}");
        assert!(opened.told.is_err() || drives == 1, "value {value}: told open, and is");
        if passed.load(Ordering::SeqCst) < value {
            assert!(value > 4, "an open is more than that");
            break;
        }
        house.lockbox.insert_battery().unwrap();
        let again = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        assert!(again.told.is_ok(), "value {value}: {:?}", again.told);
        assert_eq!(house.lockbox.motor_drives(), before + drives + 1, "value {value}");
    }
    assert_eq!(house.lockbox.board().used_without_power(), 0);
}
