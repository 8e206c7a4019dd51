//! Before the lock: phones that are held to it over a good or a bad radio, codes that are typed, a battery that goes.

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::{
        contractor::OpenReport,
        error::Judge,
        types::{Access, AccessState},
    },
};
use sentri_lock::sim::Cut;
use sentri_protocol::{audit::Kind, open::Verdict};
use sentri_sandbox::{
    chance::Chance,
    clock::{Pull, Timer},
    lockbox::Lockbox,
    radio::Knobs,
    town::Town,
};

use crate::{oracle::Holder, run::Run};

/// After so many wrong codes a lock has people wait, which is no right that is lost.
const WRONG_CODES: u32 = 3;
/// How long a keypad takes what is typed for a part of what was typed before.
const KEYPAD_RESTS: Duration = Duration::from_secs(180);
/// After at most so many more writes the battery goes.
const WRITES: u64 = 4;
/// Milliseconds within which ENT is pressed again.
const AGAIN: u64 = 600;

/// What is in the way of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Good,
    /// Values get lost, come twice or in another order, and links break.
    BadRadio,
    /// The battery goes at one of the lock's next writes.
    BatteryGoes,
    /// Somebody presses ENT once more.
    Impatience,
}

impl Weather {
    /// Draws it: nothing in half of all visits.
    pub fn draw(chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..50 => Self::Good,
            50..72 => Self::BadRadio,
            72..87 => Self::BatteryGoes,
            _ => Self::Impatience,
        }
    }

    /// Has it around this lock, for as long as what it gives back is kept.
    pub fn set(self, town: &Town, lockbox: &Arc<Lockbox>, chance: &mut Chance) -> Option<Timer> {
        let mut knobs = Knobs::default();
        if self == Self::BadRadio {
            knobs = Knobs { lost: 60, doubled: 150, reordered: 60, cut: 25, jitter_ms: 15, mtu: 65, ..knobs };
        }
        town.air.set_knobs(knobs).unwrap();
        let (writes, cut) = (chance.below(WRITES), chance.draw());
        lockbox.board().with_flash(|flash| match self {
            Self::BatteryGoes => {
                let cuts = [Cut::Before, Cut::TornEarly, Cut::TornLate, Cut::After];
                flash.cut_at(flash.operations() + writes, cuts[(cut % 4) as usize]);
            }
            _ => flash.cut_nowhere(),
        });
        (self == Self::Impatience).then(|| {
            let (moment, lockbox) = (Duration::from_millis(chance.below(AGAIN)), lockbox.clone());
            town.clock.after(moment, Pull::Yes, move || lockbox.press_ent())
        })
    }
}

/// How often a lock has written down that it opens, since this was last asked: what it holds above the record `seen`.
pub fn opens_written(lockbox: &Lockbox, seen: &mut u32) -> u64 {
    let records = lockbox.records();
    let new = records.iter().filter(|(number, _)| number > seen);
    let opens = new
        .filter(|(_, it)| matches!(it.kind, Kind::Ble | Kind::Code) && it.result == Verdict::Opened.code());
    let opens = opens.count() as u64;
    *seen = records.last().map_or(*seen, |(number, _)| *number);
    opens
}

impl Run {
    /// One of the contractor's phones is held before the box and ENT is pressed, for some access that it shows.
    pub async fn visit(&mut self) {
        let carrier = self.chance.below(2) as usize;
        let Ok(accesses) = self.carriers[carrier].phone.core.accesses().await else { return };
        let active: Vec<_> = accesses.iter().filter(|it| it.state == AccessState::Active).cloned().collect();
        let among = if active.is_empty() || self.chance.per_mille(350) { accesses } else { active };
        let Some(access) = self.pick(&among) else { return };
        let weather = Weather::draw(&mut self.chance);
        self.hold(carrier, &access, weather).await;
    }

    /// A phone is held before the box for this access. What the user was told, where the app came so far.
    pub async fn hold(
        &mut self,
        carrier: usize,
        access: &Access,
        weather: Weather,
    ) -> Option<Result<OpenReport, CoreError>> {
        let lockbox = self.lockbox();
        let set = self.set_weather(&lockbox, weather);
        let (at, before) = (self.now(), lockbox.motor_drives());
        let opened = self.carriers[carrier].phone.open(&lockbox, Some(&access.id)).await;
        let told = match opened {
            Ok(opened) => Some(opened.told),
            Err(CoreError::NotSignedIn) => None,
            Err(error) => panic!("an open is never refused by the network: {error:?}"),
        };
        let drives = lockbox.motor_drives() - before;
        self.say(|| format!("phone {carrier} at the box, {weather:?}, from {}: {told:?}", access.starts_at));
        drop(set);
        self.set_weather(&lockbox, Weather::Good);
        let by = self.may_have_used(carrier, access, told.as_ref()).await;
        let presses = 1 + u64::from(weather == Weather::Impatience);
        assert!(drives <= presses, "one press of ENT opens once");
        for _ in 0..drives {
            self.oracle.opened(&by, at);
        }
        if matches!(told, Some(Ok(_))) {
            assert!(drives > 0, "told open, and is");
            self.met.opened_in_haste += u32::from(weather == Weather::Impatience);
            self.oracle.may_have_no_time = false;
            if weather == Weather::Good {
                self.oracle.hears(self.carriers[carrier].heard);
            }
        }
        let went = !lockbox.board().is_powered();
        if went {
            self.met.power_cuts += 1;
            self.oracle.lost_power(&by, at);
            lockbox.pull_battery();
            lockbox.insert_battery().unwrap();
        }
        self.is_written_down(&lockbox, drives, went);
        self.met.refused_as_revoked += u32::from(told == Some(Err(CoreError::Revoked { by: Judge::Lock })));
        told
    }

    /// The lock's own log has each run of the motor, whatever phones say of it. Where the battery went it may have been
    /// written down, and not happened.
    fn is_written_down(&mut self, lockbox: &Lockbox, drives: u64, battery_went: bool) {
        let written = opens_written(lockbox, &mut self.seen);
        assert!(written >= drives, "the motor ran, and the lock has no record of it");
        assert!(written == drives || battery_went, "the lock has a record of an open that was none");
    }

    /// The rights that the phone may have shown to the lock: the one that it tells, else the one that it was asked for. The
    /// phone that does not judge shows another one where it has nothing for that.
    async fn may_have_used(
        &self,
        carrier: usize,
        access: &Access,
        told: Option<&Result<OpenReport, CoreError>>,
    ) -> Vec<Holder> {
        let shown = self.carriers[carrier].phone.core.accesses().await.unwrap_or_default();
        let used = |it: &&Access| match told {
            Some(Ok(report)) => it.id == report.access_id,
            _ => carrier == 1 || it.id == access.id,
        };
        shown.iter().filter(used).map(|it| (carrier, it.starts_at)).collect()
    }

    fn set_weather(&mut self, lockbox: &Arc<Lockbox>, weather: Weather) -> Option<Timer> {
        weather.set(&self.copy.town, lockbox, &mut self.chance)
    }

    /// Somebody pulls the battery, and puts it in again.
    pub fn pull_battery(&mut self) {
        let lockbox = self.lockbox();
        lockbox.pull_battery();
        lockbox.insert_battery().unwrap();
        self.oracle.lost_power(&[], self.now());
        self.say(|| "the battery is pulled".into());
    }

    /// A guest types a SmartPIN.
    pub fn guest_types(&mut self) {
        let numbers: Vec<usize> = (0..self.oracle.pins.len()).collect();
        if let Some(number) = self.pick(&numbers) {
            self.types(number);
        }
    }

    /// The guest with this SmartPIN types it.
    pub fn types(&mut self, number: usize) {
        if self.oracle.refusals >= WRONG_CODES {
            return;
        }
        let lockbox = self.lockbox();
        self.copy.town.clock.advance(KEYPAD_RESTS);
        let at = self.now();
        let drives = lockbox.type_code(self.oracle.pins[number].code.expose());
        let opened = drives > 0;
        self.say(|| format!("guest {number} types: opened {opened}"));
        self.is_written_down(&lockbox, drives, false);
        self.oracle.typed(number, at, opened);
        self.met.typed += u32::from(opened);
    }
}
