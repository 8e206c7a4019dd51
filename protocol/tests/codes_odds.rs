//! The odds that `docs/codes.md` states are the ones computed. [PIN-7]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]
#![allow(clippy::float_cmp, reason = "whole numbers, exact as floats")]

#[path = "../examples/code_odds/odds.rs"]
mod odds;

use odds::{any, daily_windows, hourly_windows, locks, most_tries, smart_pin_first_use, tables, targets};

#[test]
fn the_document_states_what_is_computed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/codes.md");
    let document = std::fs::read_to_string(path).expect("docs/codes.md");
    for line in tables() {
        assert!(document.lines().any(|it| it == line), "docs/codes.md lacks this line:\n{line}");
    }
}

#[test]
fn smart_pin_arithmetic_is_the_designs() {
    assert_eq!((hourly_windows(), daily_windows()), (295_296.0, 66_267.0));
    let one_in = |name: &str| {
        let target = targets().into_iter().find(|it| it.name == name).expect("a kind of the table");
        (1.0 / target.chance()).floor()
    };
    assert_eq!(one_in("SmartPIN, one variant"), 27_657.0);
    assert_eq!(one_in("SmartPIN, three variants"), 9_219.0);
    assert_eq!((1.0 / smart_pin_first_use().chance() / 1000.0).round(), 541.0);
}

/// The search for the cleverest schedule against one that tries whenever it may, and one that rests each day.
#[test]
fn no_simple_schedule_gets_more_tries_than_the_search_found() {
    use sentri_protocol::codes::lockout::{after_quiet, wait_after};
    let greedy = |days: u32, rest_at: u16| {
        let (mut at, mut count, mut tries) = (0, 0, 0);
        while at <= days * 86_400 {
            tries += 1;
            count += 1;
            let gap = if count >= rest_at { wait_after(count).max(86_400) } else { wait_after(count) };
            count = after_quiet(count, gap);
            at += gap;
        }
        tries
    };
    for days in [1, 7, 30, 365] {
        let most = most_tries(days);
        for rest_at in 1..=50 {
            assert!(greedy(days, rest_at) <= most, "{days} days, resting at {rest_at}");
        }
        assert!(most > 0 && any(&locks()[0].1, most) < 0.01);
    }
}
