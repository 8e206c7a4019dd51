//! Pulls the battery at every operation on flash of every scenario, in every way that an operation can break
//! off, and again at every operation of the boot that follows. Whatever was told before must still hold. [OPS-2]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

#[path = "../support/mod.rs"]
mod support;
mod told;
mod world;
mod worn;

use sentri_lock::{
    BootError, Lock, Provisioning,
    sim::{Cut, Rig, SimBoard, SimFlash},
};
use sentri_protocol::settings::Settings;

use self::{
    support::{DAY_MS, NOW, backend},
    told::{Told, check, check_records, check_works},
    world::{Step, World, contractor_mode},
};

struct Scenario {
    name: &'static str,
    flash: SimFlash,
    steps: Vec<Step>,
}

/// Points cut at the scenario's own operations, and at those of the boots that followed.
#[derive(Default)]
struct Points {
    first: u64,
    again: u64,
}

/// Cuts one scenario everywhere.
fn cut_everywhere(scenario: &Scenario, points: &mut Points) {
    let operations = uncut(scenario).operations();
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

/// The flash after a scenario that nothing cuts; each state in memory is the one in flash on the way.
fn uncut(scenario: &Scenario) -> SimFlash {
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
        assert_eq!(stored.tables, told.tables, "{context}");
        check_records(&told, &stored, 0, &context);
    }
    world.rig.board.with_flash(|flash| flash.clone())
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
    let rig = Rig::provisioned(Provisioning { settings: contractor_mode(), ..support::provisioning() });
    let flash = rig.board.with_flash(|flash| flash.image());
    let mut world = World::new(SimFlash::from_image(&flash).expect("two areas"));
    world.run(Step::Boot).expect("power");
    for step in steps {
        world.run(*step).expect("power");
    }
    let image = world.rig.board.with_flash(|flash| flash.image());
    SimFlash::from_image(&image).expect("two areas")
}

fn scenario(name: &'static str, before: &[Step], steps: &[Step]) -> Scenario {
    Scenario { name, flash: prepared(before), steps: steps.to_vec() }
}

/// The sequences of the keypad.
fn keypad_scenarios() -> Vec<Scenario> {
    use Step::{
        Block, Boot, BringTime, Card, ContractorCode, ContractorMode, Pick, Smac, SmartPin, Stored,
        WrongCardPin, WrongStored,
    };
    vec![
        scenario("SMACs", &[BringTime, Smac(1)], &[Boot, BringTime, Smac(1), Smac(999), Smac(2)]),
        scenario(
            "SmartPINs",
            &[BringTime],
            &[
                Boot,
                BringTime,
                SmartPin(0),
                Pick(0, *b"7595"),
                Stored(*b"7595"),
                Pick(0, *b"9576"),
                Stored(*b"9576"),
            ],
        ),
        scenario(
            "a block",
            &[BringTime, Pick(0, *b"7595")],
            &[
                Boot,
                BringTime,
                Stored(*b"7595"),
                Block(0),
                Stored(*b"7595"),
                SmartPin(0),
                WrongStored,
                Block(1),
            ],
        ),
        scenario(
            "cards",
            &[WrongCardPin],
            &[
                Boot,
                WrongCardPin,
                BringTime,
                Card,
                ContractorMode(false),
                ContractorCode,
                ContractorMode(true),
            ],
        ),
    ]
}

/// Those with several codes or kinds in them.
fn more_keypad_scenarios() -> Vec<Scenario> {
    use Step::{
        Block, Boot, BringTime, Card, Deliver, Pick, SmartPin, Stored, WrongProgramming, WrongStored,
    };
    vec![
        scenario(
            "the programming code in a wait that the owner ends",
            &[BringTime, WrongStored, WrongStored, WrongStored],
            &[
                Boot,
                BringTime,
                WrongStored,
                WrongStored,
                WrongProgramming,
                Block(0),
                SmartPin(0),
                Card,
                WrongStored,
            ],
        ),
        scenario(
            "picks that meet other codes",
            &[BringTime, Deliver(1)],
            &[Boot, BringTime, Pick(0, *b"7595"), Pick(2, *b"7595"), Pick(2, *b"9576"), Stored(*b"9576")],
        ),
        scenario(
            "deliveries",
            &[BringTime, Pick(2, *b"7595")],
            &[Boot, BringTime, Deliver(1), Deliver(2), Stored(*b"7595"), Deliver(2), Deliver(3)],
        ),
    ]
}

/// Steps that fill the log.
fn full_ring() -> Vec<Step> {
    [Step::BringTime].into_iter().chain((0..253).map(|index| Step::Open(index % 5))).collect()
}

fn page_turns() -> Scenario {
    use Step::{Boot, BringTime, OneDayCode, Open, Refused, Revocations, WrongCode};
    let steps: Vec<Step> = [Boot, BringTime]
        .into_iter()
        .chain((1..=8).map(Revocations))
        .chain([Open(1), WrongCode, Refused(2)])
        .chain((9..=18).map(Revocations))
        .chain([OneDayCode(0), Open(3)])
        .collect();
    scenario("two page turns", &full_ring(), &steps)
}

/// As [`page_turns`], but somebody comes only every hour: the page turns while nobody is there.
fn page_turn_alone() -> Scenario {
    use Step::{Boot, BringTime, Hours, OneDayCode, Open, Revocations};
    let steps: Vec<Step> = [Boot, BringTime]
        .into_iter()
        .chain((1..=9).flat_map(|version| [Revocations(version), Hours(1)]))
        .chain([OneDayCode(0), Open(3)])
        .collect();
    scenario("a page turn with nobody there", &full_ring(), &steps)
}

fn scenarios() -> Vec<Scenario> {
    use Step::{
        BackUp, Boot, BringTime, ContractorCode, Hours, LowerBound, OneDayCode, Open, OpenInEpoch, Refused,
        Repair, Retry, Revocations, Settings, WrongCode,
    };
    vec![
        scenario("opens", &[], &[Boot, BringTime, Open(1), Retry, Open(2), OneDayCode(1), ContractorCode]),
        scenario(
            "refusals",
            &[],
            &[Boot, Refused(1), BringTime, Refused(1), Refused(2), OpenInEpoch(2), Refused(3)],
        ),
        page_turns(),
        page_turn_alone(),
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
            &full_ring(),
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
    for scenario in scenarios().into_iter().chain(keypad_scenarios()).chain(more_keypad_scenarios()) {
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
fn the_scenarios_of_page_turns_turn_the_page() {
    for (scenario, turns) in [(page_turns(), 2), (page_turn_alone(), 1)] {
        let before = scenario.flash.erases();
        let turned = uncut(&scenario).erases() - before;
        assert!(turned >= turns, "{}: the page turned {turned} times", scenario.name);
    }
}

#[test]
fn a_battery_pulled_in_the_factory_leaves_a_lock_or_a_blank_one() {
    for operation in 0..20 {
        for cut in Cut::ALL {
            let provisioning = backend().provisioning(Settings::default(), NOW);
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
