//! Codes and blocks that a phone brings into the lock's table. [RES-5, PIN-7, RES-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{Provisioning, ports::Indication, sim::Rig};
use sentri_protocol::{
    Generation, KeyTree, Seed,
    audit::Kind,
    codes::{
        delivery::{Delivery, Holder, Order},
        kind::Profile,
        smart_pin::SmartPin,
        stored::StoredCode,
        validity::Validity,
    },
    open::{
        Operation,
        channel::{Applied, LockMessage, PhoneMessage},
    },
};
use support::{PROGRAMMING_CODE, audit, backend, phone, provisioning, smart_pin};

fn door() -> Rig {
    Rig::provisioned(Provisioning { profile: Profile::Residential, ..provisioning() })
}

fn enter(rig: &mut Rig, digits: &[u8]) -> Indication {
    rig.type_code(digits).expect("power");
    *rig.board.take_indications().last().expect("the lights showed something")
}

fn code(digits: &[u8]) -> StoredCode {
    StoredCode::parse(digits).expect("digits")
}

fn resident(place: u8, digits: &[u8]) -> Order {
    Order::Put { place, holder: Holder::Resident, code: code(digits), validity: Validity::Permanent }
}

fn block(pin: [u8; 10]) -> Order {
    Order::Block(SmartPin::parse(&pin).expect("ten digits"))
}

fn sealed(from: u32, version: u32, orders: &[Order]) -> Vec<u8> {
    Delivery::new(from, version, orders.to_vec()).expect("a delivery").seal(&backend().keys)
}

/// A phone comes in range for service and hands the bytes over; result, the lock's version, what was not done.
fn hand_over(rig: &mut Rig, sealed: Vec<u8>) -> (Applied, u32, u16) {
    let mut visit = rig.operate(&mut phone(1), Operation::Service).expect("power");
    rig.board.take_indications();
    match rig.ask(&mut visit, &PhoneMessage::Codes(sealed)).expect("power") {
        Some(LockMessage::Codes { result, version, not_done }) => (result, version, not_done),
        other => panic!("{other:?}"),
    }
}

#[test]
fn res_5_the_old_code_works_until_a_phone_brings_the_new_one_and_then_only_that() {
    let mut rig = door();
    assert_eq!(hand_over(&mut rig, sealed(0, 1, &[resident(2, b"4071")])), (Applied::Now, 1, 0));
    let pending = sealed(1, 2, &[resident(2, b"518263")]);
    assert_eq!(enter(&mut rig, b"4071"), Indication::Opened, "the new one is still pending");
    assert_eq!(enter(&mut rig, b"518263"), Indication::Refused);
    assert_eq!(hand_over(&mut rig, pending), (Applied::Now, 2, 0));
    assert_eq!(enter(&mut rig, b"4071"), Indication::Refused);
    assert_eq!(enter(&mut rig, b"518263"), Indication::Opened);
    rig.reboot().unwrap();
    assert_eq!(enter(&mut rig, b"518263"), Indication::Opened, "clock or not");
    let entries = audit(&mut rig, &mut phone(1));
    let delivered: Vec<_> = entries.iter().filter(|it| it.kind == Kind::Codes).map(|it| it.who).collect();
    assert_eq!(
        delivered,
        [[0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 2, 0, 0, 0, 0]],
        "the log proves the delivery"
    );
}

#[test]
fn res_5_a_delivery_counts_once_in_turn_and_only_from_this_lock_s_backend() {
    let mut rig = door();
    let second = sealed(1, 2, &[resident(3, b"5182")]);
    assert_eq!(hand_over(&mut rig, second.clone()), (Applied::Refused, 0, 0), "the first is missing");
    assert_eq!(hand_over(&mut rig, sealed(0, 1, &[resident(2, b"4071")])), (Applied::Now, 1, 0));
    assert_eq!(hand_over(&mut rig, second.clone()), (Applied::Now, 2, 0));
    for again in [second, sealed(0, 1, &[Order::TakeOut(2)])] {
        assert_eq!(hand_over(&mut rig, again), (Applied::Already, 2, 0));
    }
    let all_since_the_first = sealed(1, 4, &[resident(3, b"5182"), Order::TakeOut(2)]);
    for place in 0..all_since_the_first.len() {
        let mut forged = all_since_the_first.clone();
        forged[place] ^= 1;
        assert_eq!(hand_over(&mut rig, forged), (Applied::Refused, 2, 0), "byte {place}");
    }
    let other_lock = KeyTree::new(&Seed::new([9; 32]), Generation::FIRST);
    let mut other_generation = backend();
    other_generation.rotate(Generation(2));
    for keys in [other_lock, other_generation.keys] {
        let delivery = Delivery::new(2, 4, vec![Order::TakeOut(2)]).unwrap();
        assert_eq!(hand_over(&mut rig, delivery.seal(&keys)), (Applied::Refused, 2, 0));
    }
    for bytes in [vec![], vec![0; 8], vec![1; 400]] {
        assert_eq!(hand_over(&mut rig, bytes), (Applied::Refused, 2, 0));
    }
    assert_eq!(enter(&mut rig, b"4071"), Indication::Opened, "nothing of that changed anything");
    assert_eq!(hand_over(&mut rig, all_since_the_first), (Applied::Now, 4, 0));
    assert_eq!(enter(&mut rig, b"4071"), Indication::Refused);
    assert_eq!(enter(&mut rig, b"5182"), Indication::Opened);
}

#[test]
fn res_5_two_codes_alike_are_not_taken_and_the_others_of_the_delivery_are() {
    let mut rig = door();
    hand_over(&mut rig, sealed(0, 1, &[resident(2, b"4071"), resident(3, b"5182")]));
    enter(&mut rig, &smart_pin(0, 8, 0));
    assert_eq!(enter(&mut rig, b"7595"), Indication::Done, "a guest's short PIN");
    let orders = [
        resident(3, b"4071"),              // another's
        resident(2, b"7595"),              // the short PIN's
        resident(4, PROGRAMMING_CODE),     // the programming code
        resident(1, b"6666"),              // its place
        resident(65, b"6667"),             // a short PIN's place
        resident(5, b"8293"),              // this one is fine
        resident(6, b"8293"),              // like the one just put in
        Order::Programming(code(b"5182")), // another's
        Order::TakeOut(1),                 // not by this order
        block(*b"0000000000"),             // no SmartPIN of this lock
    ];
    assert_eq!(hand_over(&mut rig, sealed(1, 2, &orders)), (Applied::Now, 2, 0b11_1101_1111));
    for works in [&b"4071"[..], b"5182", b"7595", b"8293"] {
        assert_eq!(enter(&mut rig, works), Indication::Opened, "{works:?}");
    }
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready);
    let last = *audit(&mut rig, &mut phone(1)).iter().rfind(|it| it.kind == Kind::Codes).unwrap();
    assert_eq!(last.who, [0, 0, 0, 2, 0b11, 0b1101_1111, 0, 0], "which, and not whose");
    // Two residents who swap their codes: taken out first, then put in.
    let swap = [Order::TakeOut(2), resident(3, b"4071"), resident(2, b"5182")];
    assert_eq!(hand_over(&mut rig, sealed(2, 3, &swap)), (Applied::Now, 3, 0));
    let mut lockbox = Rig::provisioned(provisioning());
    let long = [resident(2, b"4071625"), resident(3, b"407162")];
    assert_eq!(
        hand_over(&mut lockbox, sealed(0, 1, &long)),
        (Applied::Now, 1, 1),
        "a contractor code's length"
    );
}

#[test]
fn pin_7_a_block_arrives_by_ble_and_takes_the_short_pin_along() {
    for mut rig in [door(), Rig::provisioned(provisioning())] {
        let (bad, good) = (smart_pin(0, 8, 0), smart_pin(-1, 9, 0));
        assert_eq!(enter(&mut rig, &bad), Indication::Opened);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Done);
        assert_eq!(hand_over(&mut rig, sealed(0, 1, &[block(bad)])), (Applied::Now, 1, 0));
        assert_eq!(enter(&mut rig, b"7595"), Indication::Refused);
        assert_eq!(enter(&mut rig, &bad), Indication::Refused);
        assert_eq!(enter(&mut rig, &good), Indication::Opened, "another guest's still opens");
        let refused = audit(&mut rig, &mut phone(1)).into_iter().rfind(|it| it.result == 5);
        assert_eq!(refused.expect("a refusal").who[..3], [4, 0xff, 0], "blocked, says the log");
    }
}

#[test]
fn pin_6_a_delivered_programming_code_replaces_the_old_one() {
    let mut rig = door();
    let new = [Order::Programming(code(b"13579024"))];
    assert_eq!(hand_over(&mut rig, sealed(0, 1, &new)), (Applied::Now, 1, 0));
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Refused);
    assert_eq!(enter(&mut rig, b"13579024"), Indication::Ready);
}

#[test]
fn res_5_worn_flash_takes_no_delivery_and_says_so() {
    let mut rig = door();
    hand_over(&mut rig, sealed(0, 1, &[resident(2, b"4071")]));
    rig.board.with_flash(sentri_lock::sim::SimFlash::wear_out);
    let delivery = sealed(1, 2, &[resident(2, b"5182")]);
    assert_eq!(hand_over(&mut rig, delivery), (Applied::FlashFailed, 1, 0));
    assert_eq!(rig.lock().unwrap().state().tables.codes[1].code.as_ascii(), b"4071");
}

#[test]
fn a_delivery_holds_one_to_sixteen_orders_and_its_versions_rise() {
    let order = resident(2, b"4071");
    for (from, version, orders) in [(0, 1, 0), (0, 1, 17), (1, 1, 1), (2, 1, 1)] {
        assert_eq!(Delivery::new(from, version, vec![order.clone(); orders]), None);
    }
    let delivery = Delivery::new(7, 9, vec![order; 16]).unwrap();
    assert_eq!(Delivery::open(&backend().keys, &delivery.seal(&backend().keys)), Some(delivery));
}
