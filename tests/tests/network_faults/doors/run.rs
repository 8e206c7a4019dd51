//! One run: two residents with a phone each, a hub, two doors, and what happens there.

use std::{collections::HashMap, sync::Arc};

use sentri_core::{
    CoreError,
    api::{
        residence_records::{CodeValidity, DoorCode},
        types::{SyncState, Weekday},
    },
};
use sentri_sandbox::{
    chance::Chance,
    hub::VirtualHub,
    lockbox::Lockbox,
    phone::Phone,
    story::{cast, times::EVERY_DAY},
};
use sentri_tests::{
    HOUR,
    building::{Building, BuildingCopy, GARAGE, HOME, RESIDENTS},
    wires::{Fate, Wires},
};

use super::oracle::{Oracle, Times, What};
use crate::run::{by_network_only, on, session_ended, wrong_by};

/// Both doors; the second has a hub.
pub const DOORS: [&str; 2] = [HOME, GARAGE];
pub const WITH_HUB: usize = 1;

/// A resident, whose phone carries word between the backend and both locks.
pub struct Resident {
    pub phone: Phone,
    pub way: Arc<Wires>,
    ahead: i64,
    /// Of so many acts it has surely heard, as far as they were told to be done.
    pub heard: usize,
    /// Of those that came later it can't have heard.
    pub heard_at_most: usize,
}

/// How often a run met what it is there for.
#[derive(Clone, Debug, Default)]
pub struct DoorMet {
    pub fates: HashMap<Fate, u64>,
    pub opened: u32,
    pub stayed: u32,
    pub power_cuts: u32,
    pub refused_as_offline: u32,
    pub brought_by_hub: u32,
    pub brought_by_phone: u32,
    pub adopted: u32,
}

/// One run.
pub struct DoorRun {
    seed: u64,
    told: bool,
    pub copy: BuildingCopy,
    pub chance: Chance,
    pub residents: Vec<Resident>,
    pub hub: VirtualHub,
    pub hubs_way: Arc<Wires>,
    pub oracle: Oracle,
    /// The newest record of each lock that was looked at.
    pub seen: [u32; 2],
    guests: u32,
    pub met: DoorMet,
}

impl DoorRun {
    pub async fn begin(building: &Building, seed: u64, told: bool) -> Self {
        let mut copy = building.copy(seed).await.unwrap();
        copy.town.air.reseed(seed);
        copy.town.clock.set(copy.town.clock.now() + HOUR);
        let mut chance = Chance::new(seed ^ 0xd00d_5eed);
        let way = |number: u64| Wires::new(&copy.town, seed.wrapping_mul(5).wrapping_add(number));
        let (ways, hubs_way) = ([way(1), way(2)], way(3));
        let mut residents = Vec::new();
        for (number, way) in ways.into_iter().enumerate() {
            let ahead = wrong_by(&mut chance);
            let phone = copy.start(number, on(&way, ahead)).unwrap();
            residents.push(Resident { phone, way, ahead, heard: 0, heard_at_most: 0 });
        }
        let hub = copy.plug_in_hub(hubs_way.clone(), seed);
        let last_records = DOORS.map(|serial| {
            copy.town.lockbox(serial).unwrap().records().last().map_or(0, |(number, _)| *number)
        });
        let (oracle, met) = (Oracle::default(), DoorMet::default());
        let mut run = Self {
            seed,
            told,
            copy,
            chance,
            residents,
            hub,
            hubs_way,
            oracle,
            seen: last_records,
            guests: 0,
            met,
        };
        run.oracle.locks.iter_mut().for_each(|it| it.may_have_no_time = true);
        // A phone learns the time by its first sync.
        for number in 0..RESIDENTS.len() {
            run.sync(number).await;
        }
        run.oracle.adopted = 0;
        run.ways().for_each(|way| way.break_up());
        run
    }

    pub fn ways(&self) -> impl Iterator<Item = Arc<Wires>> + use<> {
        let ways: Vec<_> = self.residents.iter().map(|it| it.way.clone()).collect();
        ways.into_iter().chain([self.hubs_way.clone()])
    }

    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("seed {} at {}: {}", self.seed, self.now(), what());
        }
    }

    pub fn now(&self) -> i64 {
        self.copy.town.clock.now()
    }

    pub fn door(&self, number: usize) -> Arc<Lockbox> {
        self.copy.town.lockbox(DOORS[number]).unwrap()
    }

    pub async fn step(&mut self) {
        let (resident, door) = (self.chance.below(2) as usize, self.chance.below(2) as usize);
        match self.chance.below(100) {
            0..14 => {
                self.sync(resident).await;
            }
            14..24 => self.generate(resident, door).await,
            24..37 => self.make_for_guest(resident, door).await,
            37..46 => self.delete(resident, door).await,
            46..59 => self.visit(resident, door).await,
            59..71 => self.turn().await,
            71..87 => self.somebody_types(door),
            87..90 => self.pull_battery(door),
            90..94 => self.restart(resident),
            _ => self.let_time_pass().await,
        }
    }

    /// Whether the phone has all that there is.
    pub async fn sync(&mut self, number: usize) -> bool {
        let acts = self.oracle.acts();
        let core = self.residents[number].phone.core.clone();
        let status = self.copy.town.clock.scene(core.sync_now()).await;
        let is_current = matches!(&status, Ok(it) if matches!(it.state, SyncState::Current { .. }));
        self.say(|| format!("resident {number} syncs: {status:?}"));
        self.residents[number].heard_at_most = acts;
        if is_current {
            self.residents[number].heard = acts;
            let now = self.now();
            self.looks(number, Some(now)).await;
        } else if session_ended(&self.residents[number].phone).await {
            let login = core.login_contractor(RESIDENTS[number].1.into(), cast::CONTRACTOR_PASSWORD.into());
            let signed_in = self.copy.town.clock.scene(login).await;
            self.residents[number].heard = 0;
            self.say(|| format!("resident {number} signs in: {:?}", signed_in.err()));
        }
        is_current
    }

    /// The resident looks at what the phone shows, which has synced at that time.
    pub async fn looks(&mut self, number: usize, synced_at: Option<i64>) {
        for (door, serial) in DOORS.into_iter().enumerate() {
            let shown = self.residents[number].phone.core.door_codes(serial.into()).await;
            if let Ok(view) = shown {
                self.oracle.shown(door, number, &view, synced_at);
            }
        }
    }

    async fn generate(&mut self, resident: usize, door: usize) {
        self.hub_may_be_back(door).await;
        let act = self.oracle.tries(door, resident, What::Own, Times::Always);
        let core = self.residents[resident].phone.core.clone();
        let late = self.late(resident);
        let made = self.copy.town.clock.scene(core.generate_door_code(DOORS[door].into(), None)).await;
        self.say(|| format!("resident {resident}, a new code for door {door}: {made:?}"));
        self.is_answered(act, resident, late, made.map(|it| it.next)).await;
    }

    async fn make_for_guest(&mut self, resident: usize, door: usize) {
        self.hub_may_be_back(door).await;
        self.guests += 1;
        let name = format!("Guest {}", self.guests);
        let (validity, times) = self.draw_times();
        let act = self.oracle.tries(door, resident, What::Guest(name.clone()), times);
        let core = self.residents[resident].phone.core.clone();
        let late = self.late(resident);
        let made = core.make_guest_code(DOORS[door].into(), name.clone(), validity, None);
        let made = self.copy.town.clock.scene(made).await;
        self.say(|| format!("resident {resident}, {name}'s code for door {door}, {times:?}: {made:?}"));
        self.is_answered(act, resident, late, made.map(|it| it.next)).await;
    }

    fn draw_times(&mut self) -> (CodeValidity, Times) {
        let starts_at = self.now() + HOUR * self.below(3);
        match self.chance.below(8) {
            0..3 => (CodeValidity::Permanent, Times::Always),
            3..5 => {
                let ends_at = starts_at + HOUR + HOUR * self.below(20);
                (CodeValidity::Temporary { starts_at, ends_at }, Times::Between(starts_at, ends_at))
            }
            5..7 => (CodeValidity::Delivery { starts_at }, Times::Between(starts_at, starts_at + 2 * HOUR)),
            _ => {
                let weekdays: Vec<Weekday> = EVERY_DAY.into();
                let validity = CodeValidity::Recurring { weekdays, from_minute: 8 * 60, to_minute: 20 * 60 };
                (validity, Times::Daily(8 * HOUR, 20 * HOUR))
            }
        }
    }

    /// A resident deletes a code that their phone shows: a guest's, or at times their own.
    async fn delete(&mut self, resident: usize, door: usize) {
        self.hub_may_be_back(door).await;
        let core = self.residents[resident].phone.core.clone();
        let Ok(mut shown) = core.door_codes(DOORS[door].into()).await else { return };
        if !self.chance.per_mille(250) {
            shown.retain(|it| it.guest.is_some());
        }
        let Some(DoorCode { id, guest, .. }) = self.pick(&shown) else { return };
        let what = match &guest {
            Some(name) => What::NoGuest(self.oracle.of_guest(name).unwrap()),
            None => What::NoOwn,
        };
        let act = self.oracle.tries(door, resident, what, Times::Always);
        let late = self.late(resident);
        let deleted = self.copy.town.clock.scene(core.delete_door_code(id)).await;
        self.say(|| format!("resident {resident} deletes {guest:?} at door {door}: {deleted:?}"));
        self.is_answered(act, resident, late, deleted.map(|()| None)).await;
    }

    /// Notes what the resident was told. A refusal counts where no request is on its way that could come later.
    async fn is_answered(
        &mut self,
        act: usize,
        resident: usize,
        late: usize,
        answer: Result<Option<sentri_wire::Secret>, CoreError>,
    ) {
        self.residents[resident].heard_at_most = self.oracle.acts();
        match answer {
            Err(CoreError::LockUnreachable { .. }) => {
                self.met.refused_as_offline += 1;
                if self.late(resident) == late {
                    self.oracle.refused(act);
                }
            }
            answer => match by_network_only(answer) {
                Some(Some(digits)) => self.oracle.made(act, digits),
                Some(None) => self.oracle.done(act),
                None => {}
            },
        }
        self.looks(resident, None).await;
    }

    fn late(&self, resident: usize) -> usize {
        self.residents[resident].way.met().into_iter().filter(|it| *it == Fate::Late).count()
    }

    /// A door with a hub takes changes only while that calls and hears the lock.
    async fn hub_may_be_back(&mut self, door: usize) {
        if door == WITH_HUB && self.chance.per_mille(800) {
            self.turn().await;
        }
    }

    fn restart(&mut self, number: usize) {
        if self.chance.per_mille(400) {
            let seed = self.chance.draw();
            self.hub = self.copy.plug_in_hub(self.hubs_way.clone(), seed);
            return self.say(|| "the hub is unplugged and plugged in".into());
        }
        let between = on(&self.residents[number].way, self.residents[number].ahead);
        self.residents[number].phone = self.copy.start(number, between).unwrap();
        self.say(|| format!("the app of resident {number} is killed and started"));
    }

    async fn let_time_pass(&mut self) {
        for way in self.ways() {
            way.settle().await;
        }
        let by = 60 + self.below(12 * HOUR);
        self.copy.town.clock.set(self.now() + by);
        self.say(|| format!("{by} seconds have passed"));
    }

    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.chance.below(bound.unsigned_abs())).unwrap()
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let index = usize::try_from(self.chance.below(of.len() as u64)).unwrap();
        of.get(index).cloned()
    }
}
