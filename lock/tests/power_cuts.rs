//! Pulls the battery at every operation on flash of every scenario, in every way that an operation can break
//! off, and again at every operation of the boot that follows. Whatever was told before must still hold. [OPS-2]

mod support;

use std::collections::HashMap;

use sentri_lock::{
    BootError, Halt, Lock,
    journal::state::{FirstUse, State},
    lockout::CodeKind,
    sim::{Cut, Rig, SimBoard, SimFlash, SimPhone, Visit},
};
use sentri_protocol::{
    Time,
    advert::Advert,
    audit::{Acknowledgement, Kind, Record},
    codes::derived::{contractor, one_day},
    open::{
        Operation, Request, Verdict,
        channel::{LockMessage, PhoneMessage},
    },
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::{Settings, Switches},
    ticket::{CredentialId, Epoch},
    zone::Zone,
};
use support::{DAY, DAY_MS, HOUR, HOUR_MS, NOW, backend, window};

/// One thing that happens to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Power comes back.
    Boot,
    /// A phone brings the time.
    BringTime,
    /// A phone brings a time below the floor, with the right to.
    Repair,
    /// A phone brings a lower bound so many hours ahead.
    LowerBound(u32),
    /// A good ticket opens.
    Open(u64),
    /// The last M1 is asked again after a lost M2.
    Retry,
    /// A ticket that is too early is refused.
    Refused(u64),
    /// A ticket of this epoch opens.
    OpenInEpoch(u16),
    /// A wrong contractor code.
    WrongCode,
    /// A right contractor code.
    ContractorCode,
    /// The one day code with this index.
    OneDayCode(u8),
    /// So many hours pass.
    Hours(u64),
    /// A list of 64 revocations with this version.
    Revocations(u32),
    /// Settings with this version.
    Settings(u32),
    /// A phone reads all records, and brings the backend's acknowledgement.
    BackUp,
}

struct Scenario {
    name: &'static str,
    flash: SimFlash,
    steps: Vec<Step>,
}

/// A lock in a scenario, and all that the world did to it.
struct World {
    rig: Rig,
    sent: Vec<Vec<u8>>,
    last: Option<(SimPhone, Advert, Request)>,
    acknowledged: u32,
}

impl World {
    fn new(flash: SimFlash) -> Self {
        Self { rig: Rig::with_flash(flash, NOW), sent: Vec::new(), last: None, acknowledged: 0 }
    }

    fn run(&mut self, step: Step) -> Result<(), Halt> {
        match step {
            Step::Boot => match self.rig.reboot() {
                Ok(()) => Ok(()),
                Err(BootError::Halt(halt)) => Err(halt),
                Err(error) => panic!("does not boot: {error}"),
            },
            Step::BringTime => self.bring_time(self.rig.time(), false),
            Step::Repair => self.bring_time(self.rig.time().minus(HOUR), true),
            Step::LowerBound(hours) => {
                let bound = backend().lower_bound(self.rig.time().plus(hours * HOUR));
                self.ask(long_lived(80), Operation::Service, Some(bound)).map(drop)
            }
            Step::Open(credential) => self.ask(long_lived(credential), Operation::OpenKeyBin, None).map(drop),
            Step::Retry => self.retry(),
            Step::Refused(credential) => {
                let early = window(NOW.plus(900 * DAY), NOW.plus(901 * DAY));
                self.ask(support::phone_in(credential, early), Operation::OpenKeyBin, None).map(drop)
            }
            Step::OpenInEpoch(epoch) => {
                let mut ticket = long_lived(60).ticket;
                ticket.epoch = Epoch(epoch);
                self.ask(backend().phone(ticket, NOW), Operation::OpenKeyBin, None).map(drop)
            }
            Step::WrongCode => self.rig.type_code(&wrong_code()),
            Step::ContractorCode => self.rig.type_code(contractor(&backend().keys, 1, 1).as_ascii()),
            Step::OneDayCode(index) => {
                self.rig.type_code(one_day(&backend().keys, today(), index).as_ascii())
            }
            Step::Hours(hours) => self.rig.pass(hours * HOUR_MS),
            Step::Revocations(version) => self.hand_over(&PhoneMessage::Revocations(revocations(version))),
            Step::Settings(version) => {
                let settings = Settings { version, ..contractor_mode() };
                self.hand_over(&PhoneMessage::Settings(settings.sign(&backend().keys)))
            }
            Step::BackUp => self.back_up(),
        }
    }

    fn ask(
        &mut self,
        mut phone: SimPhone,
        operation: Operation,
        lower_bound: Option<sentri_protocol::clock::LowerBound>,
    ) -> Result<Visit, Halt> {
        let advert = self.rig.press_enter()?.expect("an advert");
        let mut request = phone.request(operation);
        request.lower_bound = lower_bound;
        self.last = Some((phone.clone(), advert, request.clone()));
        let mut copy = phone.clone();
        let (_, m1) = copy.m1(&advert, request.clone()).expect("M1");
        self.sent.push(m1);
        self.rig.visit(&mut phone, &advert, request)
    }

    fn retry(&mut self) -> Result<(), Halt> {
        let Some((mut phone, advert, request)) = self.last.clone() else { panic!("nothing to retry") };
        self.rig.visit(&mut phone, &advert, request).map(drop)
    }

    fn bring_time(&mut self, time: Time, repair: bool) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(81), Operation::Service, None)?;
        let hash = *visit
            .answer
            .as_ref()
            .expect("an answer")
            .as_ref()
            .expect("a proved ticket")
            .channel
            .handshake_hash();
        self.rig.ask(&mut visit, &backend().fresh_time(&hash, time, repair)).map(drop)
    }

    fn hand_over(&mut self, message: &PhoneMessage) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(82), Operation::Service, None)?;
        self.rig.ask(&mut visit, message).map(drop)
    }

    fn back_up(&mut self) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(83), Operation::Service, None)?;
        let mut from = 0;
        let mut last: Option<Acknowledgement> = None;
        loop {
            let ask = PhoneMessage::ReadAudit { from, at_most: 24 };
            let Some(LockMessage::Audit(bytes)) = self.rig.ask(&mut visit, &ask)? else { panic!("no batch") };
            let (batch, entries, acknowledgement) = backend().read_batch(&bytes).expect("an authentic batch");
            if entries.is_empty() {
                break;
            }
            from = batch.first + u32::try_from(entries.len()).expect("a small batch");
            last = acknowledgement;
        }
        let Some(acknowledgement) = last else { return Ok(()) };
        self.acknowledged = acknowledgement.up_to;
        self.rig.ask(&mut visit, &PhoneMessage::Acknowledge(acknowledgement)).map(drop)
    }
}

fn long_lived(credential: u64) -> SimPhone {
    support::phone_in(credential, window(NOW.minus(DAY), NOW.plus(800 * DAY)))
}

fn today() -> u32 {
    Zone::UTC.local(NOW).day
}

fn wrong_code() -> [u8; 7] {
    let mut digits = *contractor(&backend().keys, 1, 1).as_ascii();
    digits[6] = if digits[6] == b'9' { b'0' } else { digits[6] + 1 };
    digits
}

fn contractor_mode() -> Settings {
    let switches = Switches { contractor_mode: true, ..Settings::default().switches };
    Settings { switches, ..Settings::default() }
}

fn revocations(version: u32) -> Vec<u8> {
    let entry = |id: u64| RevokedEntry {
        what: Revoked::Credential(CredentialId((1_000_000 + u64::from(version) * 100 + id).to_be_bytes())),
        until: NOW.plus(1000 * DAY),
    };
    let list = RevocationList::new(version, Epoch(0), (0..64).map(entry).collect());
    list.expect("64 entries").sign(&backend().keys)
}

/// What a lock has told, or would tell, at a moment between two steps.
#[derive(Clone, Debug)]
struct Told {
    boots: u32,
    lost: u32,
    merged: u32,
    records: HashMap<u32, Record>,
    head: u32,
    wrong_tries: [u16; 2],
    first_uses: Vec<FirstUse>,
    settings: u32,
    revocations: u32,
    epoch: Epoch,
    floor: Time,
    time: Time,
    drives: u64,
}

impl Told {
    fn of(state: &State, drives: u64) -> Self {
        let start = state.audit.start();
        let records: HashMap<u32, Record> = (start.first..).zip(state.audit.records().copied()).collect();
        Self {
            boots: state.boots,
            lost: start.lost,
            merged: start.merged,
            records,
            head: state.audit.head(),
            wrong_tries: CodeKind::ALL.map(|kind| state.wrong_tries.of(kind)),
            first_uses: state.first_uses.clone(),
            settings: state.settings.version,
            revocations: state.revocations.version,
            epoch: state.revocations.epoch_floor,
            floor: state.stamp.floor,
            time: state.stamp.time,
            drives,
        }
    }

    fn of_lock(lock: &Lock<SimBoard>) -> Self {
        Self::of(lock.state(), lock.board().drives())
    }
}

/// Opens in the log after record `head`, as the backend reads it; the chain must hold.
fn opens_after(head: u32, state: &State) -> u64 {
    let keys = backend().keys;
    let start = state.audit.start();
    let mut previous = start.previous;
    let mut opens = 0;
    for (number, record) in (start.first..).zip(state.audit.records()) {
        if number > head {
            let entry = record.open(&keys, number, &previous).expect("the chain of records holds");
            opens += u64::from(matches!(entry.kind, Kind::Ble | Kind::Code) && entry.result == 0);
        }
        previous = record.tag();
    }
    opens
}

/// What must hold after a cut in `step`, given what was told before it.
fn check(told: &Told, step: Step, world: &World, context: &str) {
    let lock = world.rig.lock().expect("a booted lock");
    let now = Told::of_lock(lock);
    assert!(now.boots > told.boots, "{context}: boot counter");
    check_records(told, &now, world.acknowledged, context);
    for (before, after) in told.wrong_tries.iter().zip(now.wrong_tries) {
        let fallen = if matches!(step, Step::Hours(_)) { 2 } else { 0 };
        assert!(after + fallen >= *before, "{context}: wrong tries fell from {before} to {after}");
        assert!(after <= before + 1, "{context}: wrong tries rose from {before} to {after}");
    }
    for first_use in &told.first_uses {
        assert!(now.first_uses.contains(first_use), "{context}: a first use was forgotten");
    }
    let driven = now.drives - told.drives;
    if matches!(step, Step::OneDayCode(_)) && driven > 0 {
        assert!(!now.first_uses.is_empty(), "{context}: opened without a first use");
    }
    assert!(driven <= 1, "{context}: opened {driven} times in one step");
    let logged = opens_after(told.head, lock.state());
    assert!(logged >= driven, "{context}: an open without its record");
    assert!(now.settings >= told.settings, "{context}: settings version fell");
    assert!(now.revocations >= told.revocations, "{context}: revocation version fell");
    assert!(now.epoch >= told.epoch, "{context}: epoch floor fell");
    assert!(now.floor >= told.floor || step == Step::Repair, "{context}: floor fell");
    let may_set_back = matches!(step, Step::BringTime | Step::Repair);
    assert!(now.time >= told.time || may_set_back, "{context}: stored time fell");
    world.rig.board.with_flash(|flash| assert_eq!(flash.overwritten(), 0, "{context}: written twice"));
    assert_eq!(world.rig.board.used_without_power(), 0, "{context}: used a port without power");
}

/// Every record told of is held unchanged, or was acknowledged, or is counted as lost.
fn check_records(told: &Told, now: &Told, acknowledged: u32, context: &str) {
    assert!(now.head >= told.head, "{context}: the log's head fell");
    let mut missing = 0;
    for (number, record) in &told.records {
        match now.records.get(number) {
            Some(held) => assert_eq!(held, record, "{context}: record {number} changed"),
            None if *number <= acknowledged => {}
            None => missing += 1,
        }
    }
    assert!(missing <= now.lost - told.lost, "{context}: {missing} records are gone uncounted");
    assert!(now.merged >= told.merged || now.head > told.head, "{context}: merged failures forgotten");
}

/// Nothing that was ever sent opens again, and the lock still does its work.
fn check_works(world: &mut World, context: &str) {
    let drives = world.rig.board.drives();
    world.rig.press_enter().expect("power");
    for m1 in world.sent.clone() {
        let connection = world.rig.connect(247).expect("power");
        world.rig.write(connection, &m1).expect("power");
        world.rig.disconnect(connection).expect("power");
    }
    assert_eq!(world.rig.board.drives(), drives, "{context}: a recorded M1 opened");
    let time = world.rig.time();
    world.bring_time(time, true).expect("power");
    let mut ticket = long_lived(70).ticket;
    ticket.epoch = Epoch(9);
    let visit = world.ask(backend().phone(ticket, NOW), Operation::OpenKeyBin, None).expect("power");
    assert_eq!(visit.status().expect("a proved ticket").verdict, Verdict::Opened, "{context}");
    assert_eq!(world.rig.board.drives(), drives + 1, "{context}");
}

/// Points cut at the scenario's own operations, and at those of the boots that followed.
#[derive(Default)]
struct Points {
    first: u64,
    again: u64,
}

/// Cuts one scenario everywhere.
fn cut_everywhere(scenario: &Scenario, points: &mut Points) {
    let operations = uncut(scenario);
    for operation in 0..operations {
        for cut in Cut::ALL {
            let context = format!("{}, operation {operation}, {cut:?}", scenario.name);
            points.first += 1;
            let (told, step, world) = run_until_cut(scenario, operation, cut, &context);
            let flash = world.rig.board.with_flash(|flash| flash.clone());
            // Of the four ways only this one has the boot turn the page on every flash.
            if cut == Cut::TornEarly {
                points.again += cut_the_boot(&told, step, &world, &flash, &context);
            }

            let mut world = world;
            world.rig.reboot().unwrap_or_else(|error| panic!("{context}: does not boot: {error}"));
            check(&told, step, &world, &context);
            check_works(&mut world, &context);
        }
    }
}

/// How many operations on flash a scenario has; each state in memory is the one in flash on the way.
fn uncut(scenario: &Scenario) -> u64 {
    let mut world = World::new(scenario.flash.clone());
    for step in &scenario.steps {
        world.run(*step).expect("power");
        let told = Told::of_lock(world.rig.lock().expect("a lock"));
        let image = world.rig.board.with_flash(|flash| SimFlash::from_image(&flash.image()));
        let mut copy = World::new(image.expect("two areas"));
        copy.run(Step::Boot).expect("power");
        let context = format!("{}, after {step:?}", scenario.name);
        let stored = Told { drives: told.drives, ..Told::of_lock(copy.rig.lock().expect("a lock")) };
        assert_eq!((stored.boots, stored.wrong_tries), (told.boots + 1, told.wrong_tries), "{context}");
        assert_eq!((stored.settings, stored.revocations), (told.settings, told.revocations), "{context}");
        assert_eq!(stored.first_uses, told.first_uses, "{context}");
        check_records(&told, &stored, 0, &context);
    }
    world.rig.board.with_flash(|flash| flash.operations())
}

/// Runs a scenario with its flash's operations counted from 0, until the cut; what was told before that step.
fn run_until_cut(scenario: &Scenario, operation: u64, cut: Cut, context: &str) -> (Told, Step, World) {
    let mut world = World::new(scenario.flash.clone());
    world.rig.board.with_flash(|flash| flash.cut_at(operation, cut));
    let mut told = told_in_flash(&scenario.flash);
    for step in &scenario.steps {
        if world.run(*step).is_err() {
            return (told, *step, world);
        }
        told = Told::of_lock(world.rig.lock().expect("a lock"));
    }
    panic!("{context}: never cut");
}

fn told_in_flash(flash: &SimFlash) -> Told {
    let board = SimBoard::with(1, flash.clone());
    let journal = sentri_lock::journal::Journal::open(&board).expect("a journal");
    Told::of(journal.state(), 0)
}

/// Cuts the boot after a cut, at each of its operations in each way; then it must boot all the same.
fn cut_the_boot(told: &Told, step: Step, cut: &World, flash: &SimFlash, context: &str) -> u64 {
    let mut points = 0;
    let begin = flash.operations();
    for operation in begin.. {
        for way in Cut::ALL {
            let mut flash = flash.clone();
            flash.cut_at(operation, way);
            let mut again = World::new(flash);
            again.acknowledged = cut.acknowledged;
            if again.run(Step::Boot).is_ok() {
                return points;
            }
            points += 1;
            let context = format!("{context}, then boot's {operation}, {way:?}");
            again.rig.reboot().unwrap_or_else(|error| panic!("{context}: does not boot: {error}"));
            // The copy's motor has not run; the first world's has.
            let told = Told { drives: 0, ..told.clone() };
            check(&told, step, &again, &context);
        }
    }
    points
}

/// Cuts the power while the motor runs, at each step that drives it.
fn cut_while_driving(scenario: &Scenario) -> u64 {
    let mut points = 0;
    for cut_in in 0..scenario.steps.len() {
        let mut world = World::new(scenario.flash.clone());
        let mut told = told_in_flash(&scenario.flash);
        for (index, step) in scenario.steps.iter().enumerate() {
            if index == cut_in {
                world.rig.board.cut_while_driving();
            }
            if world.run(*step).is_err() {
                points += 1;
                let context = format!("{}, driving in {step:?}", scenario.name);
                assert_eq!(world.rig.board.drives(), told.drives + 1, "{context}");
                world.rig.reboot().unwrap_or_else(|error| panic!("{context}: does not boot: {error}"));
                check(&told, *step, &world, &context);
                check_works(&mut world, &context);
                break;
            }
            if index >= cut_in {
                break; // This step drives no motor.
            }
            told = Told::of_lock(world.rig.lock().expect("a lock"));
        }
    }
    points
}

/// The flash of a lock to which these steps happened.
fn prepared(steps: &[Step]) -> SimFlash {
    let rig = Rig::new(&backend(), contractor_mode(), NOW);
    let flash = rig.board.with_flash(|flash| flash.image());
    let mut world = World::new(SimFlash::from_image(&flash).expect("two areas"));
    world.run(Step::Boot).expect("power");
    for step in steps {
        world.run(*step).expect("power");
    }
    let image = world.rig.board.with_flash(|flash| flash.image());
    SimFlash::from_image(&image).expect("two areas")
}

fn scenarios() -> Vec<Scenario> {
    use Step::{
        BackUp, Boot, BringTime, ContractorCode, Hours, LowerBound, OneDayCode, Open, OpenInEpoch, Refused,
        Repair, Retry, Revocations, Settings, WrongCode,
    };
    let full_ring: Vec<Step> = [BringTime].into_iter().chain((0..253).map(|index| Open(index % 5))).collect();
    let turns: Vec<Step> = [Boot, BringTime]
        .into_iter()
        .chain((1..=8).map(Revocations))
        .chain([Open(1), WrongCode, Refused(2)])
        .chain((9..=18).map(Revocations))
        .chain([OneDayCode(0), Open(3)])
        .collect();
    let scenario = |name, before: &[Step], steps: &[Step]| Scenario {
        name,
        flash: prepared(before),
        steps: steps.to_vec(),
    };
    vec![
        scenario("opens", &[], &[Boot, BringTime, Open(1), Retry, Open(2), OneDayCode(1), ContractorCode]),
        scenario(
            "refusals",
            &[],
            &[Boot, Refused(1), BringTime, Refused(1), Refused(2), OpenInEpoch(2), Refused(3)],
        ),
        scenario("two page turns", &full_ring, &turns),
        scenario(
            "lockout",
            &[],
            &[
                Boot,
                WrongCode,
                WrongCode,
                WrongCode,
                ContractorCode,
                WrongCode,
                WrongCode,
                Hours(1),
                ContractorCode,
            ],
        ),
        scenario(
            "lockout falling",
            &[WrongCode, WrongCode, WrongCode],
            &[Boot, Hours(23), Hours(2), WrongCode],
        ),
        scenario(
            "one day codes",
            &[BringTime, OneDayCode(0)],
            &[Boot, BringTime, OneDayCode(2), OneDayCode(2)],
        ),
        scenario("acknowledgement", &[], &[Boot, BringTime, Open(1), BackUp, Open(2), Refused(3), BackUp]),
        scenario(
            "full log",
            &full_ring,
            &[Boot, Refused(1), Refused(1), BringTime, Open(1), BackUp, Refused(1)],
        ),
        scenario("settings", &[], &[Boot, BringTime, Settings(1), Settings(2), Open(1), Revocations(3)]),
        scenario(
            "clock",
            &[],
            &[Boot, LowerBound(2), Hours(3), BringTime, Hours(1), Repair, Open(1), LowerBound(9)],
        ),
    ]
}

#[test]
fn a_battery_pulled_at_any_write_loses_nothing_told_and_opens_nothing_twice() {
    let (mut points, mut driving) = (Points::default(), 0);
    for scenario in scenarios() {
        let before = points.first;
        cut_everywhere(&scenario, &mut points);
        driving += cut_while_driving(&scenario);
        println!("{:>5} points cut in \"{}\"", points.first - before, scenario.name);
    }
    let Points { first, again } = points;
    println!("{first} points cut, {again} more in the boots after them, {driving} while the motor ran");
    assert!(first >= 500, "only {first} points cut");
    assert!(driving >= 5, "only {driving} cut while the motor ran");
}

#[test]
fn a_battery_pulled_in_the_factory_leaves_a_lock_or_a_blank_one() {
    let seed = sentri_protocol::Seed::new([0x5e; 32]);
    for operation in 0..20 {
        for cut in Cut::ALL {
            let provisioning =
                sentri_lock::Provisioning { seed: seed.clone(), settings: Settings::default(), time: NOW };
            let board = SimBoard::new(3);
            board.with_flash(|flash| flash.cut_at(operation, cut));
            let provisioned = Lock::provision(board.clone(), provisioning.clone()).is_ok();
            board.with_flash(SimFlash::cut_nowhere);
            board.restore_power();
            match Lock::boot(board.clone()) {
                Ok(_) => {}
                Err(BootError::NotProvisioned) => {
                    assert!(!provisioned);
                    Lock::provision(board, provisioning).expect("a blank board");
                }
                Err(error) => panic!("operation {operation}, {cut:?}: {error}"),
            }
        }
    }
}

#[test]
fn a_month_with_a_battery_pulled_every_day_boots_always_and_keeps_its_counts() {
    let mut world = World::new(prepared(&[]));
    for day in 0..31_u32 {
        world.run(Step::Boot).unwrap();
        world.run(Step::WrongCode).unwrap();
        world.run(Step::BringTime).unwrap();
        world.run(Step::Open(u64::from(day))).unwrap();
        let told = Told::of_lock(world.rig.lock().unwrap());
        assert!(u32::from(told.wrong_tries[0]) <= day + 1);
        assert_eq!(told.drives, u64::from(day) + 1);
        world.rig.pass(DAY_MS - 1).unwrap();
    }
    let told = Told::of_lock(world.rig.lock().unwrap());
    assert!(told.wrong_tries[0] >= 4, "no quiet day passed: the count stays");
    assert_eq!(told.boots, 33);
}
