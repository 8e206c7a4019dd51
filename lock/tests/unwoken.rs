//! A door's lock while nobody has pressed ENT: reached for service, by those who hold a pass, and for nothing else. [RES-5]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    Provisioning,
    ports::{Broadcast, Indication},
    sim::{Heard, Rig},
};
use sentri_protocol::{
    advert::Advert,
    codes::kind::Profile,
    open::{
        Operation, Verdict,
        channel::{LockMessage, PhoneMessage},
    },
    status::Status,
};
use support::{backend, phone, provisioning, rig, verdict};

const QUARTER_HOUR: u64 = 15 * 60_000;

/// A door's lock, a moment after it came to the wall.
fn door() -> Rig {
    let mut rig = Rig::provisioned(Provisioning { profile: Profile::Residential, ..provisioning() });
    rig.pass(1).unwrap();
    rig
}

fn on_air(rig: &Rig) -> (Broadcast, Advert) {
    let broadcast = rig.board.broadcast().expect("it advertises");
    (broadcast, Advert::decode(&broadcast.advert).unwrap())
}

/// RES-5: a hub is served, with no light and no sound; a lockbox stays silent.
#[test]
fn res_5_a_door_is_served_without_ent_and_a_lockbox_is_not_on_the_air() {
    let mut rig = door();
    let (broadcast, advert) = on_air(&rig);
    assert!(broadcast.seldom && advert.flags.service_only);
    assert!(advert.is_from(&backend().keys.advert_key(rig.time().week())));
    let mut hub = phone(1);
    let request = hub.request(Operation::Service);
    let mut visit = rig.visit(&mut hub, &advert, request).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Served);
    let question = PhoneMessage::ReadAudit { from: 1, at_most: 24 };
    assert!(matches!(rig.ask(&mut visit, &question).unwrap(), Some(LockMessage::Audit(_))));
    assert_eq!(rig.board.take_indications(), []);

    let mut lockbox = self::rig();
    lockbox.pass(QUARTER_HOUR).unwrap();
    assert_eq!(lockbox.board.broadcast(), None);
}

/// Nothing opens without a press of ENT, whatever ticket is shown; with one, it does.
#[test]
fn nothing_opens_without_ent() {
    let mut rig = door();
    let (_, advert) = on_air(&rig);
    for _ in 0..2 {
        let mut phone = phone(1);
        let request = phone.request(Operation::OpenKeyBin);
        let told = rig.visit(&mut phone, &advert, request).unwrap().status().unwrap();
        assert_eq!(told.verdict, Verdict::AlreadyOpened);
        assert!(!told.flags.motor_driven);
    }
    assert_eq!(rig.board.drives(), 0);
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Opened);
    assert_eq!(rig.board.drives(), 1);
}

/// RES-5: ENT ends what was begun without it, and is answered as ever; afterwards the lock can be reached again.
#[test]
fn res_5_ent_goes_before_and_service_comes_back_after_it() {
    let mut rig = door();
    let (before, advert) = on_air(&rig);
    let mut hub = phone(1);
    let request = hub.request(Operation::Service);
    let visit = rig.visit(&mut hub, &advert, request).unwrap();
    rig.press_enter().unwrap();
    assert_eq!(rig.heard(visit.connection), [Heard::HungUp]);
    let (woken, flags) = (on_air(&rig).0, on_air(&rig).1.flags);
    assert!(!woken.seldom && !flags.service_only);
    assert_eq!(rig.board.take_indications(), [Indication::Awake]);
    rig.pass(30_001).unwrap();
    assert_eq!(rig.board.take_indications(), [Indication::Asleep]);
    let (after, advert) = on_air(&rig);
    assert!(after.seldom && advert.flags.service_only);
    assert_ne!((before.address, before.advert), (after.address, after.advert));
}

/// An open is judged by its own press of ENT: no other wake begins while the phone that asked is connected.
#[test]
fn an_open_is_never_judged_by_another_wake() {
    let mut rig = door();
    let advert = rig.press_enter().unwrap().unwrap();
    rig.pass(29_000).unwrap();
    let mut phone = phone(1);
    let request = phone.request(Operation::OpenKeyBin);
    let mut visit = rig.visit(&mut phone, &advert, request).unwrap();
    // The time for this press is over, the link is not.
    rig.pass(2_000).unwrap();
    assert_eq!(rig.board.broadcast(), None);
    let Some(Ok(answer)) = &visit.answer else { panic!("it answered") };
    let token = backend().fresh_time(answer.channel.handshake_hash(), rig.time(), false);
    let Some(LockMessage::Judged(told)) = rig.ask(&mut visit, &token).unwrap() else { panic!("it judged") };
    assert_eq!(Status::decode(&told).unwrap().verdict, Verdict::Opened);
    assert_eq!(rig.board.drives(), 1);
    rig.disconnect(visit.connection).unwrap();
    rig.pass(1).unwrap();
    assert!(on_air(&rig).0.seldom);
}

/// Nobody is followed by their door: a fresh address and nonce each quarter of an hour, and after power-on at once.
#[test]
fn the_address_changes_each_quarter_of_an_hour() {
    let mut rig = door();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..8 {
        let (broadcast, advert) = on_air(&rig);
        assert!(seen.insert(broadcast.address) && seen.insert(advert.nonce[..6].try_into().unwrap()));
        rig.pass(QUARTER_HOUR - 2).unwrap();
        assert_eq!(on_air(&rig).0, broadcast);
        rig.pass(2).unwrap();
    }
    rig.reboot().unwrap();
    rig.pass(1).unwrap();
    let (broadcast, advert) = on_air(&rig);
    assert!(seen.insert(broadcast.address) && advert.flags.clock_lost);
    assert!(advert.is_from(&backend().keys.advert_key_lost()));
}
