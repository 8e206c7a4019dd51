//! Killed in the middle: the backend between a grant's commit and its mail, a phone at each write of a visit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use sentri_core::{
    api::types::AccessOutcome,
    store::{WriteGate, WriteMoment},
};
use sentri_sandbox::{letters, story::cast};
use sentri_tests::{HOUR, House};

/// GRT-3: the grant is committed, the backend dies before its mail is out; once it is back the mail is sent, at
/// least once and under one Message-ID, and its invitation works.
#[tokio::test(flavor = "multi_thread")]
async fn the_backend_dies_between_a_grant_and_its_mail() {
    let house = House::build(31).await.unwrap();
    let (town, to) = (&house.town, "new.person@roofing.example");
    // It commits, and does not come to sending.
    town.restart_backend(false).await.unwrap();
    let now = town.clock.now();
    let flow = house.agent.core.start_grant(house.listing.clone()).await.unwrap();
    flow.fill_form(to.into(), now, now + HOUR).unwrap();
    flow.authenticate(cast::AGENT_PIN.into()).await.unwrap();
    town.kill_backend().await;
    assert!(town.mails().iter().all(|mail| mail.to != to), "nothing was sent yet");

    town.restart_backend(true).await.unwrap();
    let mail = town.mailbox().mail_to(to).await;
    assert!(letters::invitation_in(&mail.body).is_some_and(|token| !token.is_empty()));
    // Killed and started once more, it has nothing else to say, or says the same again.
    town.kill_backend().await;
    town.restart_backend(true).await.unwrap();
    town.running().await.unwrap().deliver_due().await.unwrap();
    let mails = town.mails();
    let ids: HashSet<_> = mails.iter().filter(|mail| mail.to == to).map(|mail| &mail.id).collect();
    assert_eq!(ids.len(), 1);
}

/// Kills the app at one moment of one write: from then on nothing is written any more.
struct KillAt {
    moment: usize,
    passed: AtomicUsize,
    place: Mutex<Option<(&'static str, WriteMoment)>>,
}

impl WriteGate for KillAt {
    fn pass(&self, write: &'static str, moment: WriteMoment) -> bool {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst);
        if passed == self.moment {
            *self.place.lock().unwrap() = Some((write, moment));
        }
        passed < self.moment
    }
}

/// SYN-3: the phone is killed at each step of its queue, from ENT to the last upload. Whatever opened is in the log
/// once, and the right is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_dies_at_each_step_of_its_queue() {
    let mut house = House::build(32).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let mut places = Vec::new();
    for moment in 0.. {
        let before = (house.lockbox.motor_drives(), house.log().await.unwrap().len());
        let gate = Arc::new(KillAt { moment, passed: AtomicUsize::new(0), place: Mutex::default() });
        house.contractor = house.device.start_with_gate(&house.town.surroundings(), gate.clone()).unwrap();
        house.town.cut_network().await;
        let _ = house.contractor.open(&house.lockbox, Some(&access)).await;
        house.town.restore_network().await.unwrap();
        let _ = house.sync().await;
        let Some(place) = *gate.place.lock().unwrap() else { break };
        places.push(place);

        house.restart_app().unwrap();
        house.sync().await.unwrap();
        let drives = house.lockbox.motor_drives() - before.0;
        let log = house.log().await.unwrap();
        let entries = &log[..log.len() - before.1];
        assert!(drives <= 1, "{place:?}");
        assert!(entries.len() <= 1, "{place:?}: {entries:?}");
        if drives == 1 {
            let told = [AccessOutcome::Opened, AccessOutcome::Unanswered];
            assert!(
                entries.iter().any(|entry| told.contains(&entry.outcome)),
                "{place:?}: opened, and not told"
            );
        }
        let again = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        assert!(again.told.is_ok(), "{place:?}: the right is not lost: {:?}", again.told);
    }
    let writes: HashSet<_> = places.iter().map(|(write, _)| *write).collect();
    for write in ["outbox.draft", "outbox.settle", "outbox.remove"] {
        assert!(writes.contains(write), "{write} is a step of the queue: {writes:?}");
    }
}
