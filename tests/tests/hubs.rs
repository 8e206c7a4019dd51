//! Residents whose door is reached by a hub: a new code goes through the real backend, the hub's calls and its radio to the
//! real lock, with no phone at the door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{ops::Deref, sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::{
        error::OfflinePart,
        residence_records::{DoorCode, DoorCodeState, DoorReach, HubProgress},
    },
};
use sentri_sandbox::{
    hub::{Turn, VirtualHub},
    radio::{Direction, Fate},
};
use sentri_tests::home::{DOOR, Home};

/// A resident far from their door, and a hub near it.
struct Reached {
    home: Home,
    hub: Arc<VirtualHub>,
}

impl Deref for Reached {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Reached {
    async fn build(seed: u64) -> Self {
        let (home, hub) = Home::with_hub(seed).await.unwrap();
        Self { home, hub }
    }

    /// A code that works at the door already.
    async fn settled(&self) -> DoorCode {
        self.turn().await;
        self.generate().await.unwrap();
        self.turn().await;
        let code = self.synced_code().await;
        assert_eq!((code.state, code.progress), (DoorCodeState::Works, None));
        code
    }

    async fn turn(&self) -> Turn {
        self.town.clock.scene(self.hub.turn()).await.unwrap()
    }

    /// The resident's code, as their phone has it after a sync.
    async fn synced_code(&self) -> DoorCode {
        self.town.clock.scene(self.phone.core.sync_now()).await.unwrap();
        self.code().await.unwrap()
    }
}

/// RES-5: hub offline, lock offline, on its way, delivered; the old code works until the lock has the new one.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_hub_updates_the_lock_while_nobody_is_near() {
    let home = Reached::build(181).await;
    assert_eq!(home.phone.core.doors().await.unwrap()[0].reach, DoorReach::Hub);
    let refused = |offline| Err(CoreError::LockUnreachable { offline });
    assert_eq!(home.generate().await, refused(OfflinePart::Hub));
    // The hub is online; the lock's battery is out, and nothing was changed.
    home.door.pull_battery();
    assert_eq!(home.turn().await.heard, [""; 0]);
    assert_eq!(home.generate().await, refused(OfflinePart::Lock));
    assert_eq!(home.phone.core.door_codes(DOOR.into()).await.unwrap(), []);
    home.door.insert_battery().unwrap();

    let first = home.settled().await;
    assert!(home.opens(first.working.as_ref()));
    let second = home.generate().await.unwrap();
    assert_eq!((second.state, second.progress), (DoorCodeState::Pending, Some(HubProgress::WaitingForHub)));
    assert!(home.opens(first.working.as_ref()) && !home.opens(second.next.as_ref()));
    let turn = home.turn().await;
    assert_eq!((turn.heard, turn.brought), (vec![DOOR.to_owned()], vec![DOOR.to_owned()]));
    let now = home.synced_code().await;
    assert_eq!((now.state, &now.working, now.progress), (DoorCodeState::Works, &second.next, None));
    assert!(home.opens(second.next.as_ref()) && !home.opens(first.working.as_ref()));
    // The plug is pulled: after two minutes the backend says so.
    home.hub.plug_in(false);
    home.town.clock.advance(Duration::from_secs(120));
    assert_eq!(home.generate().await, refused(OfflinePart::Hub));
    assert!(home.opens(second.next.as_ref()));
}

/// RES-5: the hub has fetched the code and the lock falls silent: it is on its way, for as long as that takes, and the old
/// one works.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_hub_that_does_not_hear_the_lock_keeps_what_is_due() {
    let home = Reached::build(182).await;
    let first = home.settled().await;
    let second = home.generate().await.unwrap();
    home.door.pull_battery();
    assert_eq!(home.turn().await.brought, [""; 0]);
    let waits = home.synced_code().await;
    assert_eq!((waits.state, waits.progress), (DoorCodeState::Pending, Some(HubProgress::OnItsWay)));
    assert_eq!((&waits.working, &waits.next), (&first.working, &second.next));
    home.door.insert_battery().unwrap();
    assert!(home.opens(first.working.as_ref()));
    // The lock has lost its clock as well: the hub brings the time along.
    assert!(home.door.insight().clock_lost);
    assert_eq!(home.turn().await.brought, [DOOR]);
    assert!(!home.door.insight().clock_lost);
    assert_eq!(home.synced_code().await.working, second.next);
    assert!(home.opens(second.next.as_ref()));
}

/// RES-5: the hub loses the link midway: the old code works or the new one does, and in the end the new one alone.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_hub_that_loses_the_link_midway_finishes_later() {
    let home = Reached::build(183).await;
    let mut works = home.settled().await.working;
    // Its pass, the codes, the question for the log: each of them gets lost once.
    for cut in 0..3 {
        // Wrong tries at the keypad are forgiven in time.
        home.town.clock.advance(Duration::from_secs(2 * 86_400));
        home.turn().await;
        let wanted = home.generate().await.unwrap().next;
        let mut sent = 0;
        home.town.air.set_plan(Some(Box::new(move |passing| {
            sent += usize::from(passing.direction == Direction::ToLock);
            if sent > cut { Fate::Cut } else { Fate::Arrives }
        })));
        home.turn().await;
        let told = home.synced_code().await;
        assert_eq!((told.state, &told.working), (DoorCodeState::Pending, &works), "cut at {cut}");
        assert_ne!(home.opens(works.as_ref()), home.opens(wanted.as_ref()), "cut at {cut}");
        home.town.air.set_plan(None);
        assert_eq!(home.turn().await.brought, [DOOR], "cut at {cut}");
        let now = home.synced_code().await;
        assert_eq!((now.state, &now.working), (DoorCodeState::Works, &wanted), "cut at {cut}");
        assert!(home.opens(wanted.as_ref()) && !home.opens(works.as_ref()), "cut at {cut}");
        works = wanted;
    }
}

/// RES-5: ENT is pressed while the hub talks to the lock, and the keypad serves whoever stands there.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_hub_never_keeps_anybody_from_the_door() {
    let home = Reached::build(184).await;
    let first = home.settled().await;
    let second = home.generate().await.unwrap();
    let door = home.door.clone();
    let mut presses = 0;
    home.town.air.set_plan(Some(Box::new(move |passing| {
        if passing.direction == Direction::ToPhone && presses == 0 {
            presses += 1;
            return Fate::Cut;
        }
        Fate::Arrives
    })));
    home.turn().await;
    door.press_ent();
    assert!(home.opens(first.working.as_ref()) || home.opens(second.next.as_ref()));
    home.town.air.set_plan(None);
    // Woken by ENT, the lock takes the hub as well.
    door.press_ent();
    assert_eq!(home.turn().await.brought, [DOOR]);
    assert_eq!(home.synced_code().await.working, second.next);
}
