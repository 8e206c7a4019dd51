//! The clock: lost at each reset, moved by what the backend signed and by nothing else. [CON-2, SYN-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::sim::{Backend, Rig, Visit};
use sentri_protocol::{
    Time,
    audit::Kind,
    clock::LowerBound,
    open::{
        Operation, Verdict,
        channel::{LockMessage, PhoneMessage},
    },
    status::{ClockQuality, Status},
};
use support::{
    DAY, DAY_MS, HOUR, HOUR_MS, NOW, audit, backend, open, phone, phone_in, rig, today, told, verdict, window,
};

/// Brings the time to a session, as an online phone does.
fn bring(rig: &mut Rig, visit: &mut Visit, time: Time, repair: bool) -> Status {
    let hash = *visit
        .answer
        .as_ref()
        .expect("an answer")
        .as_ref()
        .expect("a proved ticket")
        .channel
        .handshake_hash();
    let token = backend().fresh_time(&hash, time, repair);
    judged(rig, visit, &token)
}

fn judged(rig: &mut Rig, visit: &mut Visit, token: &PhoneMessage) -> Status {
    match rig.ask(visit, token).expect("no power cut") {
        Some(LockMessage::Judged(status)) => {
            Status::verify(&backend().keys, &status).expect("the lock's own status")
        }
        other => panic!("not judged again: {other:?}"),
    }
}

/// A lock whose battery was pulled and put back an hour ago.
fn rebooted() -> Rig {
    let mut rig = rig();
    rig.pass(HOUR_MS).expect("no power cut");
    rig.reboot().expect("no power cut");
    rig
}

#[test]
fn after_a_pulled_battery_an_offline_phone_is_told_that_the_clock_is_lost() {
    let mut rig = rebooted();
    let status = open(&mut rig, &mut phone(1));
    assert_eq!((status.verdict, status.quality), (Verdict::ClockLost, ClockQuality::Lost));
    assert_eq!(rig.board.drives(), 0);
    let entries = audit(&mut rig, &mut phone(1));
    assert_eq!(told(&entries), [(Kind::Boot, 0), (Kind::Boot, 0), (Kind::Ble, 6)]);
    assert!(!entries[0].clock_lost && entries[1].clock_lost && entries[2].clock_lost);
}

#[test]
fn after_a_pulled_battery_an_online_phone_brings_the_time_and_the_same_operation_opens() {
    let mut rig = rebooted();
    let mut phone = phone(1);
    let mut visit = rig.operate(&mut phone, Operation::OpenKeyBin).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::ClockLost);
    let time = rig.time();
    let status = bring(&mut rig, &mut visit, time, false);
    assert_eq!(status.verdict, Verdict::Opened);
    assert_eq!((status.clock, status.quality), (time, ClockQuality::Good { days: 0 }));
    assert_eq!(status.operation_id, visit.status().unwrap().operation_id);
    assert_eq!(rig.board.drives(), 1);
    // The answer was lost: the phone comes again in the same wake, and hears that it is open.
    let again = bring(&mut rig, &mut visit, time, false);
    assert_eq!((again.verdict, again.flags.motor_driven), (Verdict::Opened, true));
    assert_eq!(rig.board.drives(), 1);
    assert!(!rig.press_enter().unwrap().unwrap().flags.clock_lost);
}

#[test]
fn service_works_while_the_clock_is_lost_and_a_window_that_is_surely_over_is_said_to_be() {
    let mut rig = rebooted();
    let visit = rig.operate(&mut phone(1), Operation::Service).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Served);
    // The stored time is past both windows; for one the widest tolerance might still hold.
    let mut over = phone_in(2, window(NOW.minus(DAY), NOW.minus(HOUR)));
    assert_eq!(verdict(&mut rig, &mut over), Verdict::Expired);
    let mut perhaps = phone_in(3, window(NOW.minus(DAY), rig.time().minus(1700)));
    assert_eq!(verdict(&mut rig, &mut perhaps), Verdict::ClockLost);
}

#[test]
fn a_token_of_another_session_forged_old_or_late_changes_nothing() {
    let mut rig = rebooted();
    let mut phone = phone(1);
    let mut visit = rig.operate(&mut phone, Operation::OpenKeyBin).unwrap();
    let (time, hash) =
        (rig.time(), *visit.answer.as_ref().unwrap().as_ref().unwrap().channel.handshake_hash());
    let backend = backend();
    let of_another_session = backend.fresh_time(&[1; 32], time, false);
    let forged = Backend::new(0x11).fresh_time(&hash, time, false);
    let below_the_floor = backend.fresh_time(&hash, NOW.minus(1), false);
    for token in [of_another_session, forged] {
        let status = judged(&mut rig, &mut visit, &token);
        assert_eq!((status.verdict, status.quality), (Verdict::ClockLost, ClockQuality::Lost));
    }
    rig.pass(9_000).unwrap();
    let status = judged(&mut rig, &mut visit, &below_the_floor);
    assert_eq!((status.verdict, status.quality), (Verdict::ClockLost, ClockQuality::Lost));

    let mut visit = rig.operate(&mut phone, Operation::OpenKeyBin).unwrap();
    rig.pass(9_000).unwrap();
    // Keeps the channel awake past the fifteen seconds.
    rig.ask(&mut visit, &PhoneMessage::ReadAudit { from: 0, at_most: 1 }).unwrap().unwrap();
    rig.pass(6_001).unwrap();
    let time = rig.time();
    assert_eq!(bring(&mut rig, &mut visit, time, false).quality, ClockQuality::Lost, "late");
    assert_eq!(rig.board.drives(), 0);
}

#[test]
fn a_token_serves_its_session_once() {
    let mut rig = rebooted();
    let mut phone = phone(1);
    let mut visit = rig.operate(&mut phone, Operation::Service).unwrap();
    let time = rig.time();
    assert_eq!(bring(&mut rig, &mut visit, time, false).clock, time);
    rig.pass(5_000).unwrap();
    let repeated = bring(&mut rig, &mut visit, time, false);
    assert_eq!(repeated.clock, time.plus(5), "a replay does not set it back");
}

#[test]
fn only_a_repair_goes_below_the_floor_and_lowers_it() {
    let mut rig = rig();
    let mut phone = phone(1);
    rig.pass(1000).unwrap();
    let wrong = NOW.plus(20 * DAY);
    let mut visit = rig.operate(&mut phone, Operation::Service).unwrap();
    assert_eq!(bring(&mut rig, &mut visit, wrong, false).clock, wrong);
    rig.reboot().unwrap();
    assert_eq!(rig.lock().unwrap().now().time, wrong, "the floor is stored");

    let right = rig.time();
    let mut visit = rig.operate(&mut phone, Operation::OpenKeyBin).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Expired);
    assert_eq!(bring(&mut rig, &mut visit, right, false).verdict, Verdict::Expired);
    let mut visit = rig.operate(&mut phone, Operation::OpenKeyBin).unwrap();
    let repaired = bring(&mut rig, &mut visit, right, true);
    assert_eq!((repaired.verdict, repaired.clock), (Verdict::Opened, right));
    rig.reboot().unwrap();
    assert_eq!(rig.lock().unwrap().now().time, right, "and so is a lower one");
}

#[test]
fn lower_bounds_move_a_lost_clock_forward_but_never_make_it_good() {
    let mut rig = rebooted();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    for (bound, expected) in [
        (rig.time().plus(5 * HOUR), rig.time().plus(5 * HOUR)),
        (rig.time().plus(3 * HOUR), rig.time().plus(5 * HOUR)),
    ] {
        let mut request = phone.request(Operation::OpenKeyBin);
        request.lower_bound = Some(backend().lower_bound(bound));
        let visit = rig.visit(&mut phone, &advert, request).unwrap();
        let status = visit.status().unwrap();
        assert_eq!((status.verdict, status.clock), (Verdict::ClockLost, expected));
        assert!(!status.flags.time_ignored);
        rig.disconnect(visit.connection).unwrap();
    }
}

#[test]
fn a_lower_bound_too_far_ahead_or_forged_is_ignored_and_the_former_reported() {
    let send = |rig: &mut Rig, bound: LowerBound| {
        let mut phone = phone(1);
        let advert = rig.press_enter().unwrap().unwrap();
        let mut request = phone.request(Operation::Service);
        request.lower_bound = Some(bound);
        let visit = rig.visit(&mut phone, &advert, request).unwrap();
        visit.status().unwrap()
    };
    let good_ahead = 30 * DAY;
    let lost_ahead = 2 * 365 * DAY;
    for (lost, ahead) in [(false, good_ahead), (true, lost_ahead)] {
        let mut rig = rig();
        if lost {
            rig.reboot().unwrap();
        }
        let forged = send(&mut rig, Backend::new(3).lower_bound(NOW.plus(60)));
        assert_eq!((forged.clock, forged.flags.time_ignored), (NOW, false));
        let ignored = send(&mut rig, backend().lower_bound(NOW.plus(ahead + 1)));
        assert_eq!((ignored.clock, ignored.flags.time_ignored), (NOW, true));
        let taken = send(&mut rig, backend().lower_bound(NOW.plus(ahead)));
        assert_eq!((taken.clock, taken.flags.time_ignored), (NOW.plus(ahead), false));
        rig.reboot().unwrap();
        assert_eq!(rig.lock().unwrap().now().time, NOW.plus(ahead), "a visit for service stores it too");
    }
}

#[test]
fn a_proved_tickets_issue_is_a_lower_bound() {
    let (mut rig, backend) = (rebooted(), backend());
    let mut ticket = backend.ticket(1, today(), NOW);
    ticket.issued_at = rig.time().plus(HOUR);
    let status = open(&mut rig, &mut backend.phone(ticket, NOW));
    assert_eq!((status.verdict, status.clock), (Verdict::ClockLost, NOW.plus(2 * HOUR)));
    rig.reboot().unwrap();
    assert_eq!(rig.lock().unwrap().now().time, NOW.plus(2 * HOUR), "and stored");
}

#[test]
fn the_time_is_stored_hourly_and_drift_is_told_in_days() {
    let mut rig = rig();
    // −5.4 s a day.
    rig.board.set_drift_ppm(-62);
    rig.pass(10 * DAY_MS).unwrap();
    let status = open(&mut rig, &mut phone_in(1, window(NOW, NOW.plus(30 * DAY))));
    let behind = rig.time().since(status.clock);
    assert!((53..=55).contains(&behind), "{behind} s behind");
    assert_eq!(status.quality, ClockQuality::Good { days: 9 });
    rig.reboot().unwrap();
    let lost = rig.time().since(rig.lock().unwrap().now().time);
    assert!(lost < HOUR + 60, "at most an hour is lost, not {lost} s");
}
