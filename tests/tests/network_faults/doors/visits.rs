//! Before the doors: phones and the hub that bring codes over a good or a bad radio, codes that are typed, batteries that go.

use std::{sync::Arc, time::Duration};

use sentri_core::CoreError;
use sentri_sandbox::{calls::CallTrouble, lockbox::Lockbox};
use sentri_tests::home::deliver;

use super::run::{DoorRun, WITH_HUB};
use crate::visits::{Weather, opens_written};

/// From so many wrong codes on a lock has people wait, for as long as this at most.
const WAIT: Duration = Duration::from_secs(61 * 60);
const WRONG_CODES: u32 = 4;
/// From so many on they wait longer: nobody tries that.
const TOO_MANY: u32 = 11;

impl DoorRun {
    pub async fn visit(&mut self, resident: usize, door: usize) {
        let weather = Weather::draw(&mut self.chance);
        self.hold(resident, door, weather).await;
    }

    /// A resident holds the phone before the door and presses ENT. Whether the lock has all that the phone brought.
    pub async fn hold(&mut self, resident: usize, door: usize, weather: Weather) -> bool {
        let lock = self.door(door);
        let set = weather.set(&self.copy.town, &lock, &mut self.chance);
        let before = lock.motor_drives();
        let carrier = &self.residents[resident];
        let (heard, at_most) = (carrier.heard, carrier.heard_at_most);
        let told = deliver(&self.copy.town, &carrier.phone, &lock).await;
        self.say(|| format!("resident {resident} at door {door}, {weather:?}: {told:?}"));
        assert_eq!(lock.motor_drives(), before, "a visit for codes opens nothing");
        self.residents[resident].heard_at_most = self.oracle.acts();
        let knows = &mut self.oracle.locks[door];
        knows.at_most = knows.at_most.max(at_most);
        let is_done = told.is_ok();
        if is_done && weather == Weather::Good {
            knows.surely = knows.surely.max(heard);
        }
        if let Ok(report) = &told {
            assert!(!report.not_taken, "the backend makes no code that is there already");
            self.met.brought_by_phone += u32::from(report.delivered);
        }
        assert_ne!(told.as_ref().err(), Some(&CoreError::NoRight), "a resident may bring codes");
        drop(set);
        self.weather_is_over(door, &lock);
        self.looks(resident, None).await;
        is_done
    }

    /// One round of the hub's work.
    pub async fn turn(&mut self) {
        let weather = Weather::draw(&mut self.chance);
        self.turn_in(weather).await;
    }

    /// The same in this weather. Whether it reached the backend, and heard the lock.
    pub async fn turn_in(&mut self, weather: Weather) -> bool {
        let lock = self.door(WITH_HUB);
        let set = weather.set(&self.copy.town, &lock, &mut self.chance);
        let before = lock.motor_drives();
        let turned = self.copy.town.clock.scene(self.hub.turn()).await;
        self.say(|| format!("the hub's turn, {weather:?}: {turned:?}"));
        assert_eq!(lock.motor_drives(), before, "a hub opens nothing");
        assert!(!matches!(turned, Err(CallTrouble::Refused(_) | CallTrouble::Garbled)), "{turned:?}");
        self.oracle.locks[WITH_HUB].at_most = self.oracle.acts();
        drop(set);
        self.weather_is_over(WITH_HUB, &lock);
        let turned = turned.unwrap_or_default();
        self.met.brought_by_hub += u32::from(!turned.brought.is_empty());
        !turned.heard.is_empty()
    }

    fn weather_is_over(&mut self, door: usize, lock: &Arc<Lockbox>) {
        Weather::Good.set(&self.copy.town, lock, &mut self.chance);
        if !lock.board().is_powered() {
            self.met.power_cuts += 1;
            lock.pull_battery();
            lock.insert_battery().unwrap();
        }
        assert_eq!(opens_written(lock, &mut self.seen[door]), 0, "an open that was none");
        self.oracle.locks[door].may_have_no_time = lock.insight().clock_lost;
    }

    /// Somebody pulls the battery, and puts it in again.
    pub fn pull_battery(&mut self, door: usize) {
        let lock = self.door(door);
        lock.pull_battery();
        lock.insert_battery().unwrap();
        self.oracle.locks[door].may_have_no_time = true;
        self.say(|| format!("the battery of door {door} is pulled"));
    }

    /// Somebody types a code that they have, or had.
    pub fn somebody_types(&mut self, door: usize) {
        let at_door = |number: &usize| self.oracle.codes[*number].door == door;
        let numbers: Vec<usize> = (0..self.oracle.codes.len()).filter(at_door).collect();
        if let Some(number) = self.pick(&numbers) {
            self.types(number);
        }
    }

    /// Whoever has this code types it.
    pub fn types(&mut self, number: usize) {
        let code = self.oracle.codes[number].clone();
        let refusals = self.oracle.locks[code.door].refusals;
        if code.is_void || refusals >= TOO_MANY {
            return;
        }
        if refusals >= WRONG_CODES {
            self.copy.town.clock.advance(WAIT);
        }
        let lock = self.door(code.door);
        let now = self.now();
        let drives = lock.type_code(code.digits.expose());
        self.say(|| format!("code {number} is typed at door {}: {drives}", code.door));
        let written = opens_written(&lock, &mut self.seen[code.door]);
        assert_eq!(written, drives, "the bolt turned and the lock has no record of it, or the other way");
        self.oracle.typed(number, now, drives > 0);
        self.met.opened += u32::from(drives > 0);
        self.met.stayed += u32::from(drives == 0);
    }
}
