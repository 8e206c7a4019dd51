//! The command line as its user meets it: the binary itself, its output and exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};

use serde_json::Value;

fn sentri(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentri")).args(args).env_remove("NO_COLOR").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Without a terminal: plain text, every step passed, exit status 0.
#[test]
fn the_story_is_told_without_a_terminal() {
    let output = sentri(&[]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    assert!(!told.contains('\u{1b}') && !told.contains('✗'));
    for step in ["ENT: the key bin opens", "Refused: taken back", "All 23 steps did what they say"] {
        assert!(told.contains(step), "{step} is not in:\n{told}");
    }
}

/// What README shows of the story is what it tells: titles, facts and all that has no time of day in it.
#[test]
fn readme_shows_what_is_told() {
    let readme = include_str!("../../README.md");
    let (_, shown) = readme.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("\n```").unwrap();
    let told = text(&sentri(&[]).stdout);
    let without_wraps = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut checked = 0;
    for line in shown.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "…") {
        // The date behind a title, and the milliseconds at the end, are another run's.
        let line = line.split("  ").next().unwrap();
        let line = line.rsplit_once(", ").filter(|(_, rest)| rest.ends_with("ms).")).map_or(line, |it| it.0);
        if line.contains(" AM") || line.contains(" PM") {
            continue;
        }
        assert!(without_wraps.contains(line), "README shows what is not told: {line}");
        checked += 1;
    }
    assert!(checked > 25, "{checked}");
}

#[test]
fn the_story_is_told_as_data() {
    let output = sentri(&["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(told["passed"], true);
    let steps = told["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 23);
    assert!(steps.iter().all(|step| step["passed"] == true && !step["facts"].as_array().unwrap().is_empty()));
}

/// The reader's own input goes through the story.
#[test]
fn the_readers_own_input_is_played() {
    let output = sentri(&["--email", "lee@roofing.example", "--address", "7 Elm Street"]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("lee@roofing.example") && told.contains("7 Elm Street"));
}

/// GRT-2 and the rest: bad input is named by its option, with exit status 2.
#[test]
fn bad_input_is_named_and_ends_with_status_2() {
    let in_days = |days: i64| {
        let day = chrono::Local::now().date_naive() + chrono::Duration::days(days);
        format!("{day} 10:00")
    };
    let (sooner, later) = (in_days(5), in_days(6));
    let cases: [(&[&str], &str); 10] = [
        (&["--email", "nobody"], "--email"),
        (&["--json", "--email", "nobody"], "--email"),
        (&["--email", "dana.reyes@harbor-realty.example"], "--email"),
        (&["--address", " "], "--address"),
        (&["--start", "yesterday"], "--start"),
        (&["--start", "2001-01-01 09:00"], "--start"),
        (&["--start", "2040-05-01 09:00"], "--start"),
        (&["--end", "2001-01-01 09:00"], "--end"),
        (&["--start", &later, "--end", &sooner], "--end"),
        (&["--start", "2027-03-14 02:30"], "--start"),
    ];
    for (args, option) in cases {
        let output = sentri(args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(option), "{args:?}: {error}");
        assert_eq!(text(&output.stdout), "", "{args:?}: nothing is told before the input is right");
    }
}

#[test]
fn help_says_what_there_is() {
    let output = sentri(&["--help"]);
    let help = text(&output.stdout);
    assert!(output.status.success());
    for word in ["serve", "--email", "--address", "--start", "--end", "--json", "Exit status"] {
        assert!(help.contains(word), "{word} is not in the help");
    }
    assert_eq!(sentri(&["--frobnicate"]).status.code(), Some(2));
}

/// A port in use is told, with the option that helps.
#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port", "--control-port"] {
        let output = sentri(&["serve", option, &port]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(&port) && error.contains(option), "{error}");
    }
}

/// A folder that can't be one is told, with the option that helps.
#[test]
fn an_unusable_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "in the way").unwrap();
    let output = sentri(&["serve", "--data", file.join("data").to_str().unwrap()]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("a-file") && error.contains("--data"), "{error}");
}
