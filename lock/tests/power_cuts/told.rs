//! What must still hold after a cut: everything that was told before it.

use std::collections::HashMap;

use sentri_lock::{
    Lock,
    journal::{
        state::State,
        tables::{Role, Tables},
    },
    lockout::CodeKind,
    sim::SimBoard,
};
use sentri_protocol::{
    Time,
    audit::{Kind, Record},
    codes::one_day::FirstUse,
    open::{Operation, Verdict},
    ticket::Epoch,
};

use crate::{
    support::{NOW, backend},
    world::{Step, World, long_lived, today},
};

/// What a lock has told, or would tell, at a moment between two steps.
#[derive(Clone, Debug)]
pub struct Told {
    pub boots: u32,
    pub lost: u32,
    pub merged: u32,
    pub records: HashMap<u32, Record>,
    pub head: u32,
    pub wrong_tries: [u16; 6],
    pub first_uses: Vec<FirstUse>,
    pub tables: Tables,
    pub codes_version: u32,
    pub settings: u32,
    pub revocations: u32,
    pub epoch: Epoch,
    pub floor: Time,
    pub time: Time,
    pub drives: u64,
}

impl Told {
    pub fn of(state: &State, drives: u64) -> Self {
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
            tables: state.tables.clone(),
            codes_version: state.codes_version,
            settings: state.settings.version,
            revocations: state.revocations.version,
            epoch: state.revocations.epoch_floor,
            floor: state.stamp.floor,
            time: state.stamp.time,
            drives,
        }
    }

    pub fn of_lock(lock: &Lock<SimBoard>) -> Self {
        Self::of(lock.state(), lock.board().drives())
    }
}

/// Opens in the log after record `head`, as the backend reads it; the chain must hold.
pub fn opens_after(head: u32, state: &State) -> u64 {
    let keys = backend().keys;
    let start = state.audit.start();
    let mut previous = start.previous;
    let mut opens = 0;
    for (number, record) in (start.first..).zip(state.audit.records()) {
        if number > head {
            let entry = record.open(&keys, number, &previous).expect("the chain of records holds");
            opens +=
                u64::from(matches!(entry.kind, Kind::Ble | Kind::Code | Kind::Card) && entry.result == 0);
        }
        previous = record.tag();
    }
    opens
}

/// What must hold after a cut in `step`, given what was told before it.
pub fn check(told: &Told, step: Step, world: &World, context: &str) {
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
    if let Step::OneDayCode(index) = step
        && driven > 0
    {
        let is_its_own = |it: &FirstUse| (it.day, it.index) == (today(), index);
        assert!(now.first_uses.iter().any(is_its_own), "{context}: opened without its first use");
    }
    check_tables(told, &now, step, driven, context);
    assert!(driven <= 1, "{context}: opened {driven} times in one step");
    let logged = opens_after(told.head, lock.state());
    assert!(logged >= driven, "{context}: an open without its record");
    assert!(now.codes_version >= told.codes_version, "{context}: codes version fell");
    assert!(now.settings >= told.settings, "{context}: settings version fell");
    assert!(now.revocations >= told.revocations, "{context}: revocation version fell");
    assert!(now.epoch >= told.epoch, "{context}: epoch floor fell");
    assert!(now.floor >= told.floor || step == Step::Repair, "{context}: floor fell");
    let may_set_back = matches!(step, Step::BringTime | Step::Repair);
    assert!(now.time >= told.time || may_set_back, "{context}: stored time fell");
    world.rig.board.with_flash(|flash| assert_eq!(flash.overwritten(), 0, "{context}: written twice"));
    assert_eq!(world.rig.board.used_without_power(), 0, "{context}: used a port without power");
}

/// Nothing that was blocked, used or counted is forgotten, and no code that was kept.
fn check_tables(told: &Told, now: &Told, step: Step, driven: u64, context: &str) {
    for pin in &told.tables.blocked {
        assert!(now.tables.blocked.contains(pin), "{context}: a block was forgotten");
    }
    for smac in &told.tables.smacs {
        assert!(now.tables.smacs.contains(smac), "{context}: a used SMAC was forgotten");
    }
    if matches!(step, Step::Smac(_)) && driven > 0 {
        assert!(now.tables.smacs.len() > told.tables.smacs.len(), "{context}: opened without a use");
    }
    for code in &told.tables.codes {
        let is_blocked = matches!(&code.role, Role::Short(pin) if now.tables.is_blocked(pin));
        let is_there = now.tables.codes.iter().any(|it| it.id == code.id);
        assert!(is_there || is_blocked, "{context}: a code was forgotten");
    }
    for card in &told.tables.cards {
        let after = now.tables.wrong_pins(card.serial);
        let may_fall = matches!(step, Step::Card | Step::ContractorMode(_));
        assert!(after >= card.wrong || may_fall, "{context}: wrong PINs were forgotten");
    }
}

/// Every record told of is held unchanged, or was acknowledged, or is counted as lost.
pub fn check_records(told: &Told, now: &Told, acknowledged: u32, context: &str) {
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
pub fn check_works(world: &mut World, context: &str) {
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
