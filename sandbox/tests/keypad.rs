//! The terminal keypad, as a reader of the pages uses it: lines in, lights out. [COD-4, PIN-5, PIN-6, RES-2, RES-5]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use sentri_protocol::{Time, codes::kind::Profile};

/// Plays lines at a lock; whether all were understood, and what was printed.
fn play(profile: &str, lines: &str) -> (bool, String) {
    start(&["keypad", "--profile", profile], lines)
}

fn start(arguments: &[impl AsRef<std::ffi::OsStr>], lines: &str) -> (bool, String) {
    let mut keypad = Command::new(env!("CARGO_BIN_EXE_sentri"))
        .args(arguments)
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

/// The sh blocks of README that run the keypad: what is typed into each, and for which lock.
fn readme_examples() -> Vec<(Vec<String>, String)> {
    let readme = include_str!("../../README.md");
    let commands = readme.lines().filter(|line| line.contains("cargo run -- keypad"));
    let example = |line: &str| {
        let (typed, command) = line.split_once("| ").unwrap_or(("", line));
        let command = command.split('#').next().unwrap_or_default();
        let arguments = command.split("cargo run --").nth(1).unwrap_or_default().split_whitespace();
        let typed = typed.trim().strip_prefix("printf '").and_then(|it| it.strip_suffix('\'')).unwrap_or("");
        (arguments.map(str::to_owned).collect(), typed.replace("\\n", "\n"))
    };
    commands.map(example).collect()
}

/// COD-4, PIN-5: README's examples do what they are there to show.
#[test]
fn the_examples_of_readme_run_and_open() {
    let examples = readme_examples();
    assert!(examples.len() >= 3, "{examples:?}");
    assert!(examples.iter().any(|(_, typed)| typed.contains("FUNC 6 1")), "{examples:?}");
    for (arguments, typed) in examples {
        let shown_how = !typed.is_empty();
        let lines = if shown_how { typed } else { "help\ncodes\nsmartpin ENT\n".to_owned() };
        let (fine, printed) = start(&arguments, &lines);
        assert!(fine, "{arguments:?}: {printed}");
        assert!(printed.ends_with("  [green] open\n  the motor runs\n"), "{arguments:?}: {printed}");
    }
}

/// What help names can be typed: at both locks every name is a code, and every command does something.
#[test]
fn everything_that_help_names_works_at_both_locks() {
    for (profile, names, commands) in [
        (
            "lockbox",
            &["contractor", "oneday", "smac", "smartpin", "program", "pin"][..],
            &["card owner", "card agent", "card out"][..],
        ),
        (
            "residential",
            &["resident", "guest", "temporary", "recurring", "delivery", "smartpin", "program"],
            &["pick 5182", "deliver"],
        ),
    ] {
        let (_, help) = play(profile, "help\n");
        let typed: Vec<String> = names.iter().map(|name| format!("{name} ENT CLR CLR")).collect();
        let common = [
            "wait 10s",
            "wait 5m",
            "wait 2h",
            "wait 3d",
            "battery 9",
            "battery out",
            "battery in",
            "clock",
            "time",
            "block",
            "log",
            "codes",
            "0 1 # CLR FUNC 6 2 ENT",
        ];
        let lines = typed.join("\n") + "\n" + &[commands, &common].concat().join("\n") + "\n";
        let (fine, printed) = play(profile, &lines);
        assert!(fine, "{profile}: {printed}");
        for words in names.iter().chain(commands).chain(&common[..common.len() - 1]) {
            let first = words.split(' ').next().unwrap_or_default();
            assert!(help.contains(first), "{profile}: help lacks {words}");
        }
    }
    for (profile, line) in
        [("lockbox", "pick 5182"), ("residential", "contractor ENT"), ("lockbox", "resident ENT")]
    {
        assert!(!play(profile, &format!("{line}\n")).0, "{profile} has no {line}");
    }
}

/// RES-2, RES-5: a resident's pick is refused by its rule, else pending until a phone delivers it.
#[test]
fn a_pick_is_refused_by_its_rule_and_pending_until_delivered() {
    let (fine, printed) = play("residential", "pick 1111\npick 8901\npick 51827\ndeliver\nbattery 200\n");
    assert!(!fine);
    for told in ["don't repeat one digit", "don't use digits in sequence", "wrong number of digits"] {
        assert!(printed.contains(told), "{printed}");
    }
    assert!(printed.contains("nothing waits") && printed.contains("\"200\" is no charge"), "{printed}");
}

/// At a terminal: help first, a prompt for each line, and a slip of the finger is told and forgiven.
#[test]
fn a_person_at_a_terminal_gets_help_and_a_prompt() {
    for profile in [Profile::Lockbox, Profile::Residential] {
        let mut out = Vec::new();
        let input = b"smartpin ENT\nsesame\nclock\nquit\n1 ENT\n";
        let fine = sentri_sandbox::keypad::run(profile, Time(1_790_000_000), &input[..], &mut out, true);
        assert!(fine.expect("memory takes what is printed"));
        let out = String::from_utf8(out).expect("text");
        let (help, rest) = out.split_once("help | quit\n").expect("help first");
        assert!(help.contains("digits, ENT or #, FUNC, CLR"), "{help}");
        let shown = "> \
            [green] open\n  the motor runs\n> \"sesame\" is no key and no command: try help\n> \
            the lock believes that it is Monday 2026-09-21 14:13:20 UTC\n> ";
        assert_eq!(rest.replace(">   ", "> "), shown);
    }
}
