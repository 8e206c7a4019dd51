//! OPS-1: a backend is set up by commands alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn run(folder: &Path, input: &str, args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sentri-server"))
        .args(["--json", "--config"])
        .arg(folder.join("sentri.toml"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone before it is written to.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_backend_is_set_up_by_commands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = format!(
        "database = \"sqlite://{0}/sentri.db\"\nmaster_key_file = \"{0}/master.key\"\n",
        path.display()
    );
    std::fs::write(path.join("sentri.toml"), config).unwrap();
    let refused = run(path, "", &["association", "list"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("master key"), "{refused:?}");

    assert!(run(path, "", &["key", "create"]).status.success());
    let association =
        json(&run(path, "", &["association", "add", "--name", "Cascade", "--device-limit", "2"]));
    assert_eq!(association["device_limit"], 2);
    json(&run(path, "", &["brokerage", "add", "--association", "Cascade", "--name", "Oak Street Homes"]));
    let add = "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
               --email dana@realty.example --phone 503-555-0101";
    let add: Vec<&str> = add.split_whitespace().collect();
    let no_secrets = run(path, "", &add);
    assert!(!no_secrets.status.success());
    let agent = json(&run(path, "Abcdef1\n2580\n", &add));
    assert_eq!((&agent["sentrikey_id"], &agent["active"]), (&"123456789".into(), &true.into()));
    assert!(!agent.to_string().contains("Abcdef1"));

    let provision = "lockbox provision --serial BLE-0001 --generation ble --owner 123456789 \
                     --time-zone America/Los_Angeles --access-hours 08:00-20:00";
    let lockbox = json(&run(path, "", &provision.split_whitespace().collect::<Vec<_>>()));
    assert_eq!(lockbox["seed"].as_str().unwrap().len(), 44);
    let listed = json(&run(path, "", &["lockbox", "list", "--owner", "123456789"]));
    assert_eq!(listed[0]["serial"], "BLE-0001");
    assert!(listed[0].get("seed").is_none());

    assert_eq!(json(&run(path, "", &["agent", "suspend", "123456789"]))["active"], false);
    assert_eq!(json(&run(path, "", &["agent", "list", "--association", "Cascade"]))[0]["active"], false);
    let export = json(&run(path, "", &["account", "export", "dana@realty.example"]));
    assert_eq!(export["account"]["sentrikey_id"], "123456789");
    assert!(!export.to_string().contains("argon2"), "{export}");
    let pruned = json(&run(path, "", &["log", "prune"]));
    assert_eq!(pruned, serde_json::json!({ "log_entries": 0, "events": 0 }));
    let unknown = run(path, "", &["agent", "suspend", "000000000"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("sentrikey_id"), "{unknown:?}");
}
