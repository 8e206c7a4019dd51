//! The end of a run: the network is back, what is due is brought, and backend, phones and locks agree about each code.

use std::{collections::BTreeMap, time::Duration};

use sentri_core::api::residence_records::{CodeValidity, DoorCode};
use sentri_tests::HOUR;
use sentri_wire::residence;

use super::run::{DOORS, DoorRun, WITH_HUB};
use crate::{oracle::Expected, visits::Weather};

/// For so long a hub may hold what it was given and lost, and is given nothing.
const LEASE: Duration = Duration::from_secs(130);
/// Codes of a door that must stay shut, as many as are tried in the end.
const TRIED: usize = 2;

impl DoorRun {
    /// The garage's codes come by the hub alone, the home's by one resident.
    pub async fn all_is_brought(&mut self) {
        for way in self.ways() {
            way.heal().await;
        }
        self.copy.town.clock.advance(LEASE);
        for _ in 0..2 {
            assert!(self.turn_in(Weather::Good).await, "once healed, the hub hears its lock");
        }
        self.is_current(0).await;
        assert!(self.hold(0, 0, Weather::Good).await, "once healed, a phone brings codes");
        for door in 0..DOORS.len() {
            assert!(!self.door(door).insight().clock_lost, "whoever brings codes brings the time");
        }
        let acts = self.oracle.acts();
        for number in [1, 0] {
            self.is_current(number).await;
        }
        // Nothing is tried any more, and the hub has had all that there is.
        self.oracle.locks[WITH_HUB].surely = acts;
    }

    async fn is_current(&mut self, number: usize) {
        for _ in 0..3 {
            if self.sync(number).await {
                return;
            }
        }
        panic!("once healed, resident {number} syncs");
    }

    /// RES-5: each code is shown as working, as the backend has it and as the resident was told.
    pub async fn all_agree(&mut self) {
        self.met.adopted = self.oracle.adopted;
        for number in 0..self.residents.len() {
            for (door, serial) in DOORS.into_iter().enumerate() {
                let resident = &self.residents[number];
                let mut shown = resident.phone.core.door_codes(serial.into()).await.unwrap();
                // The backend tells no more of what is over; on the phone it stays until something changes there.
                shown.retain(|code| !is_over(code, self.now()));
                let answer = resident.way.ask(&format!("/v1/doors/{serial}/codes")).await.unwrap();
                let has: residence::DoorCodes = serde_json::from_slice(&answer.body).unwrap();
                let has: Vec<DoorCode> = has.codes.into_iter().map(Into::into).collect();
                assert_eq!(by_id(&shown), by_id(&has), "resident {number}, door {door}");
                self.oracle.must_be_all(door, number, &shown, self.now());
            }
            let doors = self.residents[number].phone.core.doors().await.unwrap();
            assert!(doors.iter().all(|it| !it.has_delivery), "{doors:?}");
        }
    }

    /// Each code that a phone shows opens its door, where it is one of that time of day.
    pub fn no_right_was_lost(&mut self) {
        for number in 0..self.oracle.codes.len() {
            if self.oracle.expects(number, self.now()) == Expected::Opens {
                self.types(number);
            }
        }
    }

    /// What was deleted, or had another in its place, opens nothing.
    pub fn who_has_no_right_stays_outside(&mut self) {
        for door in 0..DOORS.len() {
            let stays = |number: &usize| {
                let code = &self.oracle.codes[*number];
                code.door == door && self.oracle.expects(*number, self.now()) == Expected::Stays
            };
            let numbers: Vec<usize> = (0..self.oracle.codes.len()).rev().filter(stays).take(TRIED).collect();
            for number in numbers {
                self.types(number);
            }
        }
    }
}

fn is_over(code: &DoorCode, now: i64) -> bool {
    match code.validity {
        CodeValidity::Temporary { ends_at, .. } => ends_at <= now,
        CodeValidity::Delivery { starts_at } => starts_at + 2 * HOUR <= now,
        CodeValidity::Permanent | CodeValidity::Recurring { .. } => false,
    }
}

fn by_id(codes: &[DoorCode]) -> BTreeMap<&str, &DoorCode> {
    codes.iter().map(|it| (it.id.as_str(), it)).collect()
}
