//! Flash that wears out at every operation of every sequence of the keypad, with an error or without a word: nothing
//! opens any more, nothing told is lost, the log can be fetched, and the lock says so.

use sentri_lock::{
    journal::Journal,
    ports::Indication,
    sim::{SimBoard, SimFlash, Wear},
};

use sentri_protocol::open::Verdict;

use crate::{
    Scenario, keypad_scenarios, more_keypad_scenarios, scenarios,
    support::audit,
    told::{Told, check_records, opens_after},
    world::{Step, World, long_lived},
};

/// Types and opens, so that a lock has every reason to say what is wrong with it.
const CODES: [Step; 4] =
    [Step::ContractorCode, Step::SmartPin(0), Step::Stored(*b"7595"), Step::OneDayCode(3)];

fn says_so(world: &World) -> bool {
    world.rig.board.take_indications().contains(&Indication::NeedsService)
}

fn told(world: &World) -> Told {
    Told::of_lock(world.rig.lock().expect("a lock"))
}

/// What a boot would find: the state in flash.
fn in_flash(world: &World) -> Told {
    let image = world.rig.board.with_flash(|flash| flash.image());
    let board = SimBoard::with(1, SimFlash::from_image(&image).expect("two areas"));
    let journal = Journal::open(&board).expect("a journal");
    Told::of(journal.state(), world.rig.board.drives())
}

fn check_same(told: &Told, stored: &Told, context: &str) {
    assert_eq!(told.tables, stored.tables, "{context}");
    assert_eq!((told.wrong_tries, &told.first_uses), (stored.wrong_tries, &stored.first_uses), "{context}");
    assert_eq!((told.settings, told.codes_version), (stored.settings, stored.codes_version), "{context}");
    assert_eq!(told.head, stored.head, "{context}");
    check_records(told, stored, 0, context);
}

/// Runs a scenario on flash that wears out at this operation.
fn wear_out_at(scenario: &Scenario, operation: u64, wear: Wear, context: &str) {
    let mut world = World::new(scenario.flash.clone());
    world.rig.board.with_flash(|flash| flash.wear_out_at(operation, wear));
    let mut said_so = false;
    for step in &scenario.steps {
        let before = world.rig.lock().map(|lock| (lock.board().drives(), lock.state().audit.head()));
        world.run(*step).unwrap_or_else(|halt| panic!("{context}, {step:?}: {halt}"));
        let now = told(&world);
        if let Some((drives, head)) = before {
            let driven = now.drives - drives;
            assert!(driven == 0 || !said_so, "{context}, {step:?}: opened on worn flash");
            let logged = opens_after(head, world.rig.lock().expect("a lock").state());
            assert!(logged >= driven, "{context}, {step:?}: an open without its record");
        }
        said_so |= says_so(&world);
        check_same(&now, &in_flash(&world), context);
    }
    let before = told(&world);
    check_closed(&mut world, context);
    world.run(Step::Boot).expect("it boots");
    assert!(says_so(&world), "{context}: a boot doesn't say so");
    check_closed(&mut world, context);
    check_same(&before, &told(&world), context);
}

/// Every code is refused with the light that says why, and the whole log can be fetched.
fn check_closed(world: &mut World, context: &str) {
    let (drives, count) = (world.rig.board.drives(), told(world).wrong_tries);
    for step in CODES {
        world.run(step).expect("power");
    }
    // The first of them may have met the last write that flash took.
    assert!(says_so(world), "{context}: nothing says so");
    let told = told(world);
    assert!(world.rig.board.drives() <= drives, "{context}: opened on worn flash");
    assert_eq!(told.wrong_tries, count, "{context}: counted what was not looked at");
    let status = world.rig.open(&mut long_lived(91)).expect("power").expect("a proved ticket");
    assert_eq!((status.verdict, status.flags.flash_worn), (Verdict::FlashFailed, true), "{context}");
    let entries = audit(&mut world.rig, &mut long_lived(90));
    assert_eq!(entries.len(), told.records.len(), "{context}: the log can't be fetched whole");
}

#[test]
fn flash_that_wears_out_at_any_write_opens_nothing_more_keeps_the_log_and_says_so() {
    let mut points = 0;
    let keypad = ["opens", "lockout", "one day codes", "two page turns", "a page turn with nobody there"];
    let others = scenarios().into_iter().filter(|it| keypad.contains(&it.name));
    for scenario in others.chain(keypad_scenarios()).chain(more_keypad_scenarios()) {
        let operations = crate::uncut(&scenario).operations();
        for operation in 0..operations {
            for wear in Wear::ALL {
                let context = format!("{}, worn at {operation}, {wear:?}", scenario.name);
                wear_out_at(&scenario, operation, wear, &context);
                points += 1;
            }
        }
        println!("{:>5} points worn in \"{}\"", 2 * operations, scenario.name);
    }
    println!("{points} points worn out");
    assert!(points >= 300, "only {points}");
}
