//! What phones carry to and from a lock: settings, revocations, audit records. [GRT-6, LST-4, LST-6, CON-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::sim::{Backend, Rig, SimPhone, Visit};
use sentri_protocol::{
    Generation,
    audit::{Acknowledgement, Batch, Entry, Kind},
    hours::{AccessHours, Span},
    open::{
        Operation, Verdict,
        channel::{Applied, LockMessage, PhoneMessage},
    },
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::Settings,
    ticket::{CredentialId, Epoch},
};
use support::{DAY, NOW, audit, backend, open, phone, phone_in, rig, told, verdict, window};

fn service(rig: &mut Rig) -> Visit {
    rig.operate(&mut long_lived(90), Operation::Service).expect("no power cut")
}

/// A phone that may come any time in these tests.
fn long_lived(credential: u64) -> SimPhone {
    phone_in(credential, window(NOW.minus(DAY), NOW.plus(300 * DAY)))
}

fn ask(rig: &mut Rig, visit: &mut Visit, message: &PhoneMessage) -> LockMessage {
    rig.ask(visit, message).expect("no power cut").expect("an answer")
}

fn revocations(version: u32, epoch: u16, credentials: &[u64], until: sentri_protocol::Time) -> Vec<u8> {
    list(version, epoch, credentials, until).sign(&backend().keys)
}

fn list(version: u32, epoch: u16, credentials: &[u64], until: sentri_protocol::Time) -> RevocationList {
    let what = |id: &u64| Revoked::Credential(CredentialId(id.to_be_bytes()));
    let entries = credentials.iter().map(|id| RevokedEntry { what: what(id), until }).collect();
    RevocationList::new(version, Epoch(epoch), entries).expect("at most 64 entries")
}

#[test]
fn grt_6_versions_of_revocation_lists_only_rise_and_epochs_never_fall() {
    let mut rig = rig();
    let mut visit = service(&mut rig);
    let until = NOW.plus(DAY);
    let forged = list(9, 0, &[1], until).sign(&Backend::new(1).keys);
    let mut truncated = revocations(9, 0, &[1], until);
    truncated.pop();
    for (signed, result, version) in [
        (revocations(4, 2, &[1], until), Applied::Now, 4),
        (revocations(4, 2, &[1], until), Applied::Already, 4),
        (revocations(3, 2, &[], until), Applied::Already, 4),
        (forged, Applied::Refused, 4),
        (truncated, Applied::Refused, 4),
        (Vec::new(), Applied::Refused, 4),
        (revocations(5, 1, &[7; 64], until), Applied::Now, 5),
    ] {
        let answer = ask(&mut rig, &mut visit, &PhoneMessage::Revocations(signed));
        assert_eq!(answer, LockMessage::Revocations { result, version });
    }
    // The records name the lists that came: so the backend hears at the same visit which one the lock has.
    let (entries, ..) = back_up(&mut rig, &mut visit);
    let lists = entries.iter().filter(|it| it.kind == Kind::Revocations);
    assert_eq!(lists.map(|it| u32::from_be_bytes(it.operation)).collect::<Vec<_>>(), [4, 5]);
    rig.reboot().unwrap();
    let state = rig.lock().unwrap().state();
    assert_eq!((state.revocations.version, state.revocations.epoch_floor), (5, Epoch(2)));
    assert_eq!(state.revocations.entries().len(), 64);
}

#[test]
fn grt_6_revoked_entries_are_forgotten_by_the_floor_and_never_by_the_running_clock() {
    let mut rig = rig();
    let mut visit = service(&mut rig);
    let list = revocations(1, 0, &[1], NOW.plus(DAY));
    ask(&mut rig, &mut visit, &PhoneMessage::Revocations(list));
    rig.pass(3 * support::DAY_MS).unwrap();
    // The running clock is days past the entry's end, the floor is not: it is still held.
    let mut visit = service(&mut rig);
    let list = revocations(2, 0, &[1], NOW.plus(DAY));
    ask(&mut rig, &mut visit, &PhoneMessage::Revocations(list));
    assert_eq!(rig.lock().unwrap().state().revocations.entries().len(), 1);

    let hash = *visit.answer.as_ref().unwrap().as_ref().unwrap().channel.handshake_hash();
    let time = rig.time();
    ask(&mut rig, &mut visit, &backend().fresh_time(&hash, time, false));
    let list = revocations(3, 0, &[1], NOW.plus(DAY));
    ask(&mut rig, &mut visit, &PhoneMessage::Revocations(list));
    assert_eq!(rig.lock().unwrap().state().revocations.entries().len(), 0);
}

#[test]
fn lst_4_settings_count_at_once_and_after_a_reset_and_versions_only_rise() {
    let (mut rig, backend) = (rig(), backend());
    let closed = AccessHours::daily(Span::new(0, 4).unwrap());
    let set = |version, access_hours| Settings { version, access_hours, ..Settings::default() };
    let mut forged = set(9, AccessHours::ALWAYS).sign(&backend.keys);
    forged[20] ^= 1;
    let mut visit = service(&mut rig);
    for (signed, result, version) in [
        (set(2, closed).sign(&backend.keys), Applied::Now, 2),
        (set(2, AccessHours::ALWAYS).sign(&backend.keys), Applied::Already, 2),
        (set(1, AccessHours::ALWAYS).sign(&backend.keys), Applied::Already, 2),
        (forged, Applied::Refused, 2),
        (vec![0; 300], Applied::Refused, 2),
    ] {
        let answer = ask(&mut rig, &mut visit, &PhoneMessage::Settings(signed));
        assert_eq!(answer, LockMessage::Settings { result, version });
    }
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::OutsideHours);
    rig.reboot().unwrap();
    assert_eq!(open(&mut rig, &mut phone(1)).settings_version, 2);
    assert_eq!(rig.lock().unwrap().state().settings.access_hours, closed);
}

#[test]
fn ops_2_a_new_generation_ends_all_older_tickets_and_keeps_old_records_readable() {
    let (mut rig, mut backend) = (rig(), backend());
    let mut old = phone(1);
    assert_eq!(verdict(&mut rig, &mut old), Verdict::Opened);
    let mut visit = service(&mut rig);
    let transferred = Settings { version: 1, generation: Generation(2), ..Settings::default() };
    let answer = ask(&mut rig, &mut visit, &PhoneMessage::Settings(transferred.sign(&backend.keys)));
    assert_eq!(answer, LockMessage::Settings { result: Applied::Now, version: 1 });
    assert!(rig.board.broadcast().is_none(), "the wake under old keys is over");
    assert_eq!(rig.open(&mut old).unwrap(), None);

    backend.rotate(Generation(2));
    let mut new = backend.phone(backend.ticket(1, support::today(), NOW), NOW);
    assert_eq!(verdict(&mut rig, &mut new), Verdict::Opened);
    let back = Settings { version: 5, ..Settings::default() };
    let mut visit = rig.operate(&mut new, Operation::Service).unwrap();
    let answer = ask(&mut rig, &mut visit, &PhoneMessage::Settings(back.sign(&backend.keys)));
    assert_eq!(answer, LockMessage::Settings { result: Applied::Refused, version: 1 });
    let entries = audit(&mut rig, &mut new);
    assert_eq!(told(&entries), [(Kind::Boot, 0), (Kind::Ble, 0), (Kind::Settings, 1), (Kind::Ble, 0)]);
    assert_eq!(entries[2].operation, 1_u32.to_be_bytes(), "which settings");
    rig.reboot().unwrap();
    assert_eq!(verdict(&mut rig, &mut new), Verdict::ClockLost, "the generation is stored");
}

/// Reads everything, batch by batch, and acknowledges the last.
fn back_up(rig: &mut Rig, visit: &mut Visit) -> (Vec<Entry>, u32, Option<Acknowledgement>) {
    let (mut from, mut all, mut lost, mut newest) = (0, Vec::new(), 0, None);
    loop {
        let LockMessage::Audit(bytes) = ask(rig, visit, &PhoneMessage::ReadAudit { from, at_most: 24 })
        else {
            panic!("no batch")
        };
        let (batch, entries, acknowledgement) = backend().read_batch(&bytes).expect("an authentic batch");
        if entries.is_empty() {
            return (all, lost, newest);
        }
        (from, lost, newest) =
            (batch.first + u32::try_from(entries.len()).expect("a small batch"), batch.lost, acknowledgement);
        all.extend(entries);
    }
}

#[test]
fn con_3_records_are_kept_until_the_backend_acknowledges_them() {
    let mut rig = rig();
    for credential in 1..=30 {
        assert_eq!(verdict(&mut rig, &mut phone(credential)), Verdict::Opened);
    }
    let mut visit = service(&mut rig);
    assert_eq!(visit.status().unwrap().unacknowledged, 31);
    let (entries, lost, acknowledgement) = back_up(&mut rig, &mut visit);
    assert_eq!((entries.len(), lost), (31, 0));
    rig.reboot().unwrap();

    let acknowledgement = acknowledgement.unwrap();
    let mut visit = service(&mut rig);
    let mut forged = acknowledgement.encode();
    forged[23] ^= 1;
    let forged = Acknowledgement::decode(&forged).unwrap();
    let keys = backend().keys;
    let other_chain = Acknowledgement::sign(&keys, 31, [9; 12]);
    let future = Acknowledgement::sign(&keys, 400, acknowledgement.tag);
    for (message, result, up_to) in [
        (forged, Applied::Refused, 0),
        (other_chain, Applied::Refused, 0),
        (future, Applied::Refused, 0),
        (acknowledgement, Applied::Now, 31),
        (acknowledgement, Applied::Already, 31),
    ] {
        let answer = ask(&mut rig, &mut visit, &PhoneMessage::Acknowledge(message));
        assert_eq!(answer, LockMessage::Acknowledged { result, up_to });
    }
    let (rest, _, _) = back_up(&mut rig, &mut visit);
    assert_eq!(told(&rest), [(Kind::Boot, 0)], "the reset's own record came after");
}

#[test]
fn con_3_batches_chain_and_a_phone_can_neither_alter_nor_reorder_them() {
    let mut rig = rig();
    for credential in 1..=5 {
        assert_eq!(verdict(&mut rig, &mut phone(credential)), Verdict::Opened);
    }
    let mut visit = service(&mut rig);
    let LockMessage::Audit(bytes) =
        ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: 3, at_most: 2 })
    else {
        panic!("no batch")
    };
    assert_eq!(Batch::peek(&bytes).unwrap(), (3, 2));
    let keys = backend().keys;
    assert!(Batch::open(&keys, &bytes).is_ok());
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(Batch::open(&keys, &altered).is_err(), "byte {at}");
    }
    for at_most in [0, 25, 255] {
        let answer = ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: 1, at_most });
        assert_eq!(answer, LockMessage::Malformed);
    }
    let LockMessage::Audit(bytes) =
        ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: u32::MAX, at_most: 1 })
    else {
        panic!("no batch")
    };
    assert_eq!(Batch::peek(&bytes).unwrap(), (7, 0), "nothing there yet");
}

#[test]
fn con_3_a_full_log_merges_failures_first_then_overwrites_the_oldest_and_counts_the_gap() {
    let mut rig = rig();
    let mut early = phone_in(7, window(NOW.plus(200 * DAY), NOW.plus(300 * DAY)));
    // The boot record and 255 refusals fill the ring.
    for _ in 0..255 {
        assert_eq!(verdict(&mut rig, &mut early), Verdict::NotYet);
    }
    let full = open(&mut rig, &mut early);
    assert_eq!((full.log_head, full.unacknowledged, full.flags.records_lost), (256, 256, false));
    for _ in 0..4 {
        open(&mut rig, &mut early);
    }
    rig.reboot().unwrap(); // Writes the five merged failures, then its own record.
    let status = open(&mut rig, &mut early);
    assert_eq!((status.log_head, status.unacknowledged, status.flags.records_lost), (258, 256, true));

    let mut visit = service(&mut rig);
    let (entries, lost, acknowledgement) = back_up(&mut rig, &mut visit);
    assert_eq!((entries.len(), lost), (256, 2));
    let [.., refusal, merged, boot] = entries.as_slice() else { panic!("too few") };
    assert_eq!(
        told(&[*refusal, *merged, *boot]),
        [(Kind::Ble, 2), (Kind::MergedFailures, 0), (Kind::Boot, 0)]
    );
    assert_eq!(merged.who, [0, 0, 0, 5, 0, 0, 0, 0]);

    let message = PhoneMessage::Acknowledge(acknowledgement.unwrap());
    let answer = ask(&mut rig, &mut visit, &message);
    assert_eq!(answer, LockMessage::Acknowledged { result: Applied::Now, up_to: 258 });
    assert_eq!(open(&mut rig, &mut early).verdict, Verdict::ClockLost);
    let (entries, lost, _) = {
        let mut visit = service(&mut rig);
        back_up(&mut rig, &mut visit)
    };
    // The one merged after the reset, then the refusal that found room again.
    assert_eq!((told(&entries), lost), (vec![(Kind::MergedFailures, 0), (Kind::Ble, 6)], 2));
}

#[test]
fn con_3_a_refusal_overwrites_nothing_even_where_only_the_merged_ones_find_room() {
    let mut rig = rig();
    let mut early = phone_in(7, window(NOW.plus(200 * DAY), NOW.plus(300 * DAY)));
    for _ in 0..256 {
        assert_eq!(verdict(&mut rig, &mut early), Verdict::NotYet);
    }
    let mut visit = service(&mut rig);
    let LockMessage::Audit(bytes) =
        ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: 0, at_most: 1 })
    else {
        panic!("no batch")
    };
    let (_, _, acknowledgement) = backend().read_batch(&bytes).unwrap();
    let message = PhoneMessage::Acknowledge(acknowledgement.unwrap());
    let answer = ask(&mut rig, &mut visit, &message);
    assert_eq!(answer, LockMessage::Acknowledged { result: Applied::Now, up_to: 1 });
    let status = open(&mut rig, &mut early);
    assert_eq!((status.unacknowledged, status.flags.records_lost), (255, false));
    assert_eq!(rig.lock().unwrap().state().audit.start().merged, 2);
}

#[test]
fn messages_that_are_malformed_are_answered_and_ones_of_another_channel_end_it() {
    let mut rig = rig();
    let mut visit = service(&mut rig);
    let answer = ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: 0, at_most: 0 });
    assert_eq!(answer, LockMessage::Malformed);
    rig.write(visit.connection, &[7; 40]).unwrap();
    assert_eq!(rig.heard(visit.connection), [sentri_lock::sim::Heard::HungUp]);
}

#[test]
fn a_silent_channel_ends_after_ten_seconds_and_any_after_a_minute() {
    let mut rig = rig();
    let visit = service(&mut rig);
    rig.pass(9_999).unwrap();
    assert_eq!(rig.heard(visit.connection), []);
    rig.pass(1).unwrap();
    assert_eq!(rig.heard(visit.connection), [sentri_lock::sim::Heard::HungUp]);

    let mut visit = service(&mut rig);
    for _ in 0..7 {
        ask(&mut rig, &mut visit, &PhoneMessage::ReadAudit { from: 0, at_most: 1 });
        rig.pass(8_500).unwrap();
    }
    assert_eq!(rig.heard(visit.connection), []);
    rig.pass(500).unwrap();
    assert_eq!(rig.heard(visit.connection), [sentri_lock::sim::Heard::HungUp]);
}
