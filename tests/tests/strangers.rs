//! A crowd at the door: strangers with garbage, and two phones at one press of ENT. Whoever has a right gets in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use sentri_core::{
    CoreError,
    api::{contractor::OpenAttempt, types::AccessOutcome},
};
use sentri_protocol::frame::frames;
use sentri_sandbox::{
    phone::Phone,
    radio::{Air, Central, Gone, Knobs, PhonePlace},
};
use sentri_tests::House;

/// What a stranger sends once it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Whole messages of garbage, as long as an M1.
    Garbage,
    /// One frame of a message that never comes to its end.
    Unfinished,
    /// Nothing.
    Silent,
}

/// A stranger's radio: it connects to whatever it hears, again and again, until the box is asleep.
struct Stranger {
    air: Air,
    place: PhonePlace,
    manner: Manner,
    connections: AtomicUsize,
}

impl Stranger {
    fn at(house: &House, manner: Manner) -> Arc<Self> {
        let air = house.town.air.clone();
        let stranger = Arc::new_cyclic(|me: &Weak<Self>| Self {
            place: air.add_phone(me.clone()),
            air,
            manner,
            connections: AtomicUsize::new(0),
        });
        stranger.air.scan(stranger.place, true);
        stranger
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Central for Stranger {
    fn advert(&self, peer: &str, _: &[u8], _: i8) {
        self.air.scan(self.place, false);
        self.air.connect(self.place, peer);
    }

    fn connected(&self, peer: &str, mtu: u16) {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let garbage = [u8::try_from(number % 251).unwrap(); 112];
        let sent = match self.manner {
            Manner::Garbage => usize::MAX,
            Manner::Unfinished => 1,
            Manner::Silent => 0,
        };
        for frame in frames(&garbage, mtu).take(sent) {
            self.air.write(self.place, peer, &frame).unwrap();
        }
    }

    fn notified(&self, _: &str, _: &[u8]) {}

    fn disconnected(&self, peer: &str, why: Gone) {
        if why != Gone::NotConnected {
            self.air.connect(self.place, peer);
        }
    }
}

/// CON-2: two strangers are at the box before the contractor's phone and never leave it alone. The phone gets in all
/// the same, by one press of ENT; what strangers sent is in no log.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_keep_no_good_phone_out() {
    for (seed, manner) in [(41, Manner::Garbage), (42, Manner::Silent), (43, Manner::Unfinished)] {
        let house = House::build(seed).await.unwrap();
        let access = house.open_house(3).await.unwrap();
        house.town.air.set_knobs(Knobs { mtu: 65, ..Knobs::default() }).unwrap();
        let strangers = [Stranger::at(&house, manner), Stranger::at(&house, manner)];

        let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
        assert!(opened.told.is_ok(), "{manner:?}: {:?} after {} ms", opened.told, opened.ms);
        assert!(strangers.iter().all(|stranger| stranger.connections() > 0), "{manner:?}: they were there");
        let counters = house.lockbox.insight().counters;
        assert_eq!(counters.m1_unproved > 0, manner == Manner::Garbage, "{manner:?}");
        assert_eq!((house.lockbox.motor_drives(), counters.opens), (1, 1), "{manner:?}");
        house.sync().await.unwrap();
        let log = house.log().await.unwrap();
        assert_eq!(log.iter().map(|entry| entry.outcome).collect::<Vec<_>>(), [AccessOutcome::Opened]);
    }
}

async fn told(attempt: &OpenAttempt) -> Result<(), CoreError> {
    let told = attempt.result().await.map(drop);
    attempt.finished().await;
    told
}

/// Both phones wait for ENT; it is pressed once.
async fn both(house: &House, phones: [&Phone; 2], access: &str) -> [Result<(), CoreError>; 2] {
    house
        .town
        .clock
        .scene(async {
            let one = phones[0].core.open_on_ent(Some(access.to_owned())).await.unwrap();
            let other = phones[1].core.open_on_ent(Some(access.to_owned())).await.unwrap();
            house.lockbox.press_ent();
            let (one, other) = tokio::join!(told(&one), told(&other));
            [one, other]
        })
        .await
}

/// CON-2, CON-3: the contractor's two phones hear one press of ENT, and their messages go frame by frame in turn. One
/// opens, the other is told to press again; both are in the log as the lock judged them.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_phones_in_mid_handshake_one_opens_and_the_other_is_told() {
    let house = House::build(44).await.unwrap();
    let access = house.open_house(3).await.unwrap();
    let second = house.unchecked_phone().await.unwrap();
    for (round, mtu) in (1..).zip([23, 65, 247]) {
        house.town.air.set_knobs(Knobs { mtu, ..Knobs::default() }).unwrap();
        let told = both(&house, [&house.contractor, &second], &access).await;
        assert!(told.contains(&Ok(())) && told.contains(&Err(CoreError::PressEntAgain)), "{mtu}: {told:?}");
        assert_eq!(house.lockbox.motor_drives(), round, "{mtu}");
    }
    house.sync().await.unwrap();
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    let log = house.log().await.unwrap();
    let count = |outcome| log.iter().filter(|it| it.outcome == outcome && it.confirmed_by_lock).count();
    assert_eq!((log.len(), count(AccessOutcome::Opened), count(AccessOutcome::Refused)), (6, 3, 3));
}
