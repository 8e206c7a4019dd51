//! The end of a run: the network is back, nobody without a right comes in, whoever has one does, and backend, phones and
//! lock agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sentri_core::{
    CoreError,
    api::types::{Access, AccessLogFilter, AccessOutcome, AccessState, GrantState, Readiness},
};
use sentri_sandbox::story::cast;
use sentri_tests::{HOUR, wires::Wires};
use sentri_wire::{
    credential::{self, Credential},
    sync::{Message, Record, SyncPage},
};

use crate::{
    oracle::{BEHIND, DAY, Expected},
    run::{Carrier, Run},
    visits::Weather,
};

/// From here on, by the clock in Chicago, a box is open whatever its owner has set.
const OPEN_FROM: i64 = 11 * HOUR;
/// Before an access begins it can be taken back.
const SOON: i64 = 120;
/// Opens of one kind that the end is tried with.
const TRIED: usize = 2;
/// How far a line's time may be from the motor's.
const SECONDS: i64 = 120;

impl Run {
    /// The second phone stays out of reach; the first one brings the lock all that there is.
    pub async fn ends_for_the_first(&mut self) {
        self.agents_way.heal().await;
        self.carriers[0].way.heal().await;
        self.carriers[1].way.heal().await;
        self.agent_is_current().await;
        self.takes_back_what_the_second_holds().await;
        let by_the_wall = (self.now() - BEHIND).rem_euclid(DAY);
        // Nor so late that the hours end meanwhile.
        if !(OPEN_FROM..DAY - HOUR).contains(&by_the_wall) {
            self.copy.town.clock.set(self.now() + (OPEN_FROM - by_the_wall).rem_euclid(DAY));
        }
        self.agent_is_current().await;
        let mut starts_at = self.now();
        while self.oracle.was_tried(starts_at) {
            starts_at += 1;
        }
        self.copy.town.clock.set(starts_at);
        self.grant_window(starts_at, starts_at + 40 * HOUR).await;
        assert!(self.oracle.told().contains(&starts_at), "once healed, it is granted");
        self.is_current(0).await;
        self.must_open(0, starts_at).await;
    }

    /// The second phone gets an access, and is out of reach when it is taken back, just before it begins.
    async fn takes_back_what_the_second_holds(&mut self) {
        let starts_at = self.now() + SOON;
        if !self.oracle.was_tried(starts_at) {
            self.grant_window(starts_at, starts_at + 30 * HOUR).await;
            self.is_current(1).await;
            let (id, _) = self.granted.last().cloned().unwrap();
            self.revoke_one(id, starts_at).await;
        }
        self.carriers[1].way.cut_off();
        self.copy.town.clock.set(starts_at);
    }

    /// GRT-6, PIN-7: the phone that heard of nothing shows accesses that are taken back, and guests have codes that are
    /// blocked: the lock refuses them by itself.
    pub async fn who_has_no_right_stays_outside(&mut self) {
        let shown = self.carriers[1].phone.core.accesses().await.unwrap_or_default();
        let revoked: Vec<_> = shown.iter().filter(|it| self.oracle.is_revoked(it.starts_at)).collect();
        for access in revoked.into_iter().rev().filter(|it| it.state != AccessState::Revoked).take(TRIED) {
            // The oracle fails where it opens.
            let told = self.hold(1, access, Weather::Good).await;
            assert!(!matches!(told, Some(Ok(_))), "{told:?}");
        }
        for number in self.pins_that(Expected::Stays) {
            self.types(number);
        }
    }

    /// Each right opens with each phone, once all have network.
    pub async fn no_right_was_lost(&mut self) {
        self.carriers[1].way.heal().await;
        for number in [1, 0] {
            self.is_current(number).await;
            self.all_rights_are_ready(number).await;
        }
        for (place, starts_at) in self.oracle.standing(self.now()).into_iter().enumerate().take(3) {
            self.must_open((place + 1) % 2, starts_at).await;
        }
        for number in self.pins_that(Expected::Opens) {
            self.types(number);
        }
        // What guests did, the next phone takes along.
        let last = self.oracle.standing(self.now()).pop().unwrap();
        self.must_open(0, last).await;
    }

    /// LST-4: by night the box stays shut, where its owner has set that, for a phone that does not judge by itself.
    pub async fn by_night_it_stays_shut(&mut self) {
        let by_the_wall = (self.now() - BEHIND).rem_euclid(DAY);
        self.copy.town.clock.set(self.now() + DAY - by_the_wall + 60);
        let Some(starts_at) = self.oracle.standing(self.now()).pop() else { return };
        let shown = self.carriers[1].phone.core.accesses().await.unwrap();
        if let Some(access) = shown.iter().find(|it| it.starts_at == starts_at) {
            // The oracle fails where it opens.
            let told = self.hold(1, access, Weather::Good).await;
            let refused = matches!(told, Some(Err(CoreError::OutsideHours { .. })));
            self.met.refused_by_night += u32::from(refused);
        }
    }

    /// A right is worth nothing without the ticket for it.
    async fn all_rights_are_ready(&self, number: usize) {
        let shown = self.carriers[number].phone.core.accesses().await.unwrap();
        for starts_at in self.oracle.standing(self.now()) {
            let access = shown.iter().find(|it| it.starts_at == starts_at);
            let is_ready = access.is_some_and(|it| matches!(it.readiness, Readiness::Ready { .. }));
            assert!(is_ready, "phone {number} has no ticket for the access from {starts_at}: {access:?}");
        }
    }

    fn pins_that(&self, expected: Expected) -> Vec<usize> {
        let now = self.now();
        let all = 0..self.oracle.pins.len();
        all.filter(|number| self.oracle.expects(*number, now) == expected).take(TRIED).collect()
    }

    async fn must_open(&mut self, number: usize, starts_at: i64) {
        let shown = self.carriers[number].phone.core.accesses().await.unwrap();
        let access = shown.into_iter().find(|it| it.starts_at == starts_at);
        let access = access.unwrap_or_else(|| panic!("the access from {starts_at} is lost"));
        let told = self.hold(number, &access, Weather::Good).await;
        assert!(matches!(told, Some(Ok(_))), "phone {number} has a right from {starts_at}: {told:?}");
    }

    async fn is_current(&mut self, number: usize) {
        for _ in 0..3 {
            if self.sync(number).await {
                assert_eq!(self.carriers[number].phone.core.sync_status().await.unwrap().events_queued, 0);
                return;
            }
        }
        panic!("once healed, phone {number} syncs");
    }

    async fn agent_is_current(&self) {
        for _ in 0..3 {
            if self.sync_agent().await {
                return;
            }
        }
        panic!("once healed, the agent's phone syncs");
    }

    pub async fn all_agree(&mut self) {
        for number in [1, 0] {
            self.is_current(number).await;
        }
        self.agent_is_current().await;
        for carrier in &self.carriers {
            self.contractor_shows_what_the_backend_has(carrier).await;
        }
        self.agent_shows_what_the_backend_has().await;
        self.the_lock_has_what_the_agent_set().await;
        self.the_log_tells_what_the_motor_did().await;
    }

    async fn contractor_shows_what_the_backend_has(&self, carrier: &Carrier) {
        let has = all_of(&carrier.way).await;
        let accesses: BTreeMap<_, _> =
            has.of::<credential::Access>().map(|it| (it.id.to_string(), it)).collect();
        let shown = carrier.phone.core.accesses().await.unwrap();
        assert_eq!(shown.len(), accesses.len(), "accesses");
        let tickets: HashMap<_, _> =
            has.of::<Credential>().map(|it| (it.access_id.to_string(), it)).collect();
        for access in &shown {
            let backend = &accesses[&access.id];
            assert_eq!((access.starts_at, access.ends_at), (backend.starts_at, backend.ends_at));
            assert_eq!(access.state == AccessState::Revoked, backend.revoked, "{}", access.id);
            if matches!(access.readiness, Readiness::Ready { .. }) {
                assert!(tickets.contains_key(&access.id), "ready without a ticket of the backend's");
            }
            self.is_as_the_agent_said(access);
        }
        for revoked in &self.revoked {
            assert!(accesses.get(revoked).is_none_or(|it| it.revoked), "a revoked access came back");
            assert!(!tickets.contains_key(revoked), "a revoked access has a ticket");
        }
        let messages: BTreeMap<_, _> = has.of::<Message>().map(|it| (it.id.to_string(), it.read)).collect();
        let read = carrier.phone.core.messages().await.unwrap();
        assert_eq!(read.into_iter().map(|it| (it.id, it.read)).collect::<BTreeMap<_, _>>(), messages);
    }

    fn is_as_the_agent_said(&self, access: &Access) {
        let (starts_at, is_revoked) = (access.starts_at, access.state == AccessState::Revoked);
        assert!(self.oracle.knows(starts_at, access.ends_at), "an access that nobody granted: {starts_at}");
        assert!(is_revoked || !self.oracle.is_revoked(starts_at), "{starts_at} is taken back");
        assert!(!is_revoked || self.oracle.may_be_revoked(starts_at), "nobody took {starts_at} back");
    }

    async fn agent_shows_what_the_backend_has(&self) {
        let has = all_of(&self.agents_way).await;
        let grants: BTreeMap<_, _> =
            has.of::<sentri_wire::agent::Grant>().map(|it| (it.id.to_string(), it)).collect();
        let shown = self.agent.core.grants().await.unwrap();
        assert_eq!(shown.len(), grants.len(), "grants");
        let mut starts = BTreeSet::new();
        for grant in &shown {
            let backend = &grants[&grant.id];
            let revoked = backend.state == sentri_wire::agent::GrantState::Revoked;
            assert_eq!(grant.state == GrantState::Revoked, revoked, "{}", grant.id);
            assert_eq!(grant.phone_ready, backend.phone_ready);
            assert!(starts.insert(grant.starts_at), "granted twice: {}", grant.starts_at);
        }
        for (id, _) in &self.granted {
            assert!(grants.contains_key(id), "a grant that was told is lost");
        }
        for id in &self.revoked {
            assert_eq!(grants[id].state, sentri_wire::agent::GrantState::Revoked);
        }
        let messages: BTreeSet<_> = has.of::<Message>().map(|it| it.id.to_string()).collect();
        let listed = self.agent.core.messages().await.unwrap();
        assert_eq!(listed.into_iter().map(|it| it.id).collect::<BTreeSet<_>>(), messages);
    }

    /// LST-6, PIN-7: nothing is Pending any more, and it is what the agent was last told.
    async fn the_lock_has_what_the_agent_set(&self) {
        let core = &self.agent.core;
        let shown = core.lockboxes().await.unwrap().into_iter().find(|it| it.serial == cast::BOX).unwrap();
        assert!(!shown.settings_pending);
        let page = core.lockbox_settings(cast::BOX.into()).await.unwrap();
        assert!(!page.pending && page.working == page.set);
        let (from, may_be) = (page.set.access_hours[0].from, self.oracle.may_be_set());
        assert!(may_be.contains(&from), "set from {from} on, not one of {may_be:?}");
        let issued = core.issued_codes(cast::BOX.into()).await.unwrap();
        for pin in &self.oracle.pins {
            assert!(issued.iter().any(|it| it.id == pin.id && it.code == pin.code), "a SmartPIN is lost");
        }
    }

    /// CON-3: each run of the motor is one line, confirmed by the lock, and there is no other line; but for what was
    /// written down when the battery went.
    async fn the_log_tells_what_the_motor_did(&self) {
        let mut lines = Vec::new();
        for entry in self.log().await.unwrap() {
            assert!(lines.iter().all(|(id, _, _)| *id != entry.id), "an entry twice");
            if entry.outcome == AccessOutcome::Opened && entry.at >= self.begun {
                assert!(entry.confirmed_by_lock, "{entry:?}");
                lines.push((entry.id, entry.at, entry.method));
            }
        }
        for drive in &self.oracle.drives {
            let is_it = |line: &(String, i64, _)| {
                line.2 == drive.by && line.1.abs_diff(drive.at) <= SECONDS.unsigned_abs()
            };
            let place = lines.iter().position(is_it);
            lines.remove(place.unwrap_or_else(|| panic!("not in the log: {drive:?}")));
        }
        for (_, at, method) in lines {
            let is_near = self.oracle.cuts.iter().any(|cut| (cut - at).abs() <= SECONDS);
            assert!(is_near, "{at}: opened by {method:?} in the log, and by no motor");
        }
    }

    async fn log(&self) -> Result<Vec<sentri_core::api::types::AccessLogEntry>, CoreError> {
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let core = &self.agent.core;
            let page = core.access_log(0, i64::from(u32::MAX), AccessLogFilter::default(), after).await?;
            entries.extend(page.entries);
            after = page.next;
            if after.is_none() {
                return Ok(entries);
            }
        }
    }
}

/// All that the backend would send a phone that starts over.
struct Has(Vec<sentri_wire::sync::Change>);

impl Has {
    fn of<R: Record>(&self) -> impl Iterator<Item = R> {
        self.0.iter().filter_map(sentri_wire::sync::Change::parse::<R>).map(Result::unwrap)
    }
}

async fn all_of(way: &Wires) -> Has {
    let (mut changes, mut path) = (Vec::new(), "/v1/sync".to_owned());
    loop {
        let answer = way.ask(&path).await.unwrap();
        assert_eq!(answer.status, 200);
        let page: SyncPage = serde_json::from_slice(&answer.body).unwrap();
        changes.extend(page.changes);
        if !page.more {
            return Has(changes);
        }
        path = format!("/v1/sync?cursor={}", page.cursor);
    }
}
