//! The terminal keypad, as a reader of the pages uses it: lines in, lights out. [COD-4, PIN-5, PIN-6]

use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Plays lines; whether all were understood, and what was printed.
fn play(profile: &str, lines: &str) -> (bool, String) {
    let mut keypad = Command::new(env!("CARGO_BIN_EXE_sentri"))
        .args(["keypad", "--profile", profile])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sandbox starts");
    keypad.stdin.take().expect("standard input").write_all(lines.as_bytes()).expect("it reads");
    let done = keypad.wait_with_output().expect("it ends");
    (done.status.success(), String::from_utf8(done.stdout).expect("text"))
}

/// Every example of `docs/keypad.md`: what is printed is what the page shows.
#[test]
fn the_examples_of_the_page_print_what_it_shows() {
    let page = include_str!("../../docs/keypad.md");
    let examples: Vec<&str> =
        page.split("```keypad ").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3, "{} examples", examples.len());
    for example in examples {
        let (profile, session) = example.split_once('\n').expect("a profile, then lines");
        let typed: String = session
            .lines()
            .filter_map(|line| line.strip_prefix("> "))
            .flat_map(|line| [line, "\n"])
            .collect();
        let (fine, printed) = play(profile, &typed);
        assert_eq!(printed, session, "keypad --profile {profile}");
        assert!(fine);
    }
}

#[test]
fn a_slip_is_told_and_ends_in_failure_and_nothing_works_without_a_battery() {
    let (fine, printed) = play("lockbox", "open sesame\nwait soon\nbattery out\n1 ENT\n");
    assert!(!fine);
    for told in ["\"open\" is no key", "\"soon\" is no time", "the battery is out"] {
        assert!(printed.contains(told), "{printed}");
    }
}
