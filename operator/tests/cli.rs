//! OPS-1, OPS-2: a backend is set up and run by commands alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod deployment;

use deployment::Deployment;
use serde_json::json;

/// OPS-1: the first things that every operator does, and what they are told when one is missing.
#[tokio::test]
async fn a_backend_is_set_up_by_commands() {
    let ours = Deployment::with("").await;
    std::fs::remove_file(ours.path("master.key")).unwrap();
    assert!(ours.refused(&["association", "list"]).contains("master key"));
    ours.json(&["key", "create"]);

    let association = ours.line("association add --name Cascade --device-limit 2", &[]);
    assert_eq!((&association["device_limit"], &association["active"]), (&json!(2), &json!(true)));
    ours.line("brokerage add --association Cascade --name", &["Oak Street Homes"]);
    let add = "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
               --email dana@realty.example --phone 503-555-0101";
    let arguments: Vec<&str> = add.split_whitespace().collect();
    assert!(ours.refused(&arguments).contains("standard input"));
    let agent = ours.line(add, &[]);
    assert_eq!((&agent["sentrikey_id"], &agent["active"]), (&json!("123456789"), &json!(true)));
    assert!(!agent.to_string().contains(deployment::PASSWORD));

    let lockbox = ours.line(
        "lockbox provision --serial BLE-0001 --generation ble --owner 123456789 \
         --time-zone America/Los_Angeles --access-hours 08:00-20:00",
        &[],
    );
    assert_eq!(lockbox["seed"].as_str().unwrap().len(), 44);
    let listed = ours.line("lockbox list --owner 123456789", &[]);
    assert_eq!(listed[0]["serial"], "BLE-0001");
    assert!(listed[0].get("seed").is_none());

    let export = ours.json(&["account", "export", "dana@realty.example"]);
    assert_eq!(export["account"]["sentrikey_id"], "123456789");
    assert!(!export.to_string().contains("argon2"), "{export}");
    assert_eq!(ours.json(&["log", "prune"]), json!({ "log_entries": 0, "events": 0, "others": 0 }));
    assert!(ours.refused(&["agent", "suspend", "000000000"]).contains("sentrikey_id"));
}

/// A deployment with two associations, a brokerage and an agent in the first.
async fn populated() -> Deployment {
    let ours = Deployment::with("").await;
    ours.line("association add --name Cascade", &[]);
    ours.line("association add --name Prairie", &[]);
    ours.line("brokerage add --association Cascade --name", &["Oak Street Homes"]);
    ours.line(
        "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
         --email dana@realty.example --phone 503-555-0101 --brokerage",
        &["Oak Street Homes"],
    );
    ours
}

/// OPS-1, ACC-7: whoever is suspended with a group comes back with it, unless they were suspended by themselves.
#[tokio::test]
async fn groups_are_suspended_and_reinstated() {
    let ours = populated().await;
    let is_active = || ours.line("agent list --association Cascade", &[])[0]["active"].as_bool().unwrap();
    assert_eq!(
        ours.line("association suspend Cascade", &[]),
        json!({ "name": "Cascade", "active": false, "accounts": 1 })
    );
    assert!(!is_active());
    assert!(!ours.line("association list", &[])[0]["active"].as_bool().unwrap());
    let oak = ["Oak Street Homes"];
    ours.line("brokerage suspend --association Cascade --name", &oak);
    ours.line("association reinstate Cascade", &[]);
    assert!(!is_active(), "the brokerage still is");
    ours.line("agent suspend 123456789", &[]);
    ours.line("brokerage reinstate --association Cascade --name", &oak);
    assert!(!is_active(), "by themselves");
    ours.line("agent reinstate 123456789", &[]);
    assert!(is_active());

    ours.line("association suspend Prairie", &[]);
    let refused = ours.refused(&[
        "agent",
        "add",
        "--association",
        "Prairie",
        "--sentrikey-id",
        "111111111",
        "--first-name",
        "Ari",
        "--last-name",
        "Ray",
        "--email",
        "ari@realty.example",
        "--phone",
        "503-555-0102",
        "--without-password",
    ]);
    assert!(refused.contains("suspended"), "{refused}");
}

/// COD-6, COD-7: what a brokerage forbids, new keys for a lockbox, and a call that can't be believed.
#[tokio::test]
async fn codes_are_forbidden_and_phone_support_is_called() {
    let ours = populated().await;
    ours.line(
        "lockbox provision --serial BLE-0001 --generation ble --owner 123456789 --time-zone America/Chicago",
        &[],
    );
    let oak = ["Oak Street Homes"];
    let brokerage = ours.line("brokerage set --association Cascade --one-day-codes forbid --name", &oak);
    assert_eq!((&brokerage["one_day_codes"], &brokerage["contractor_codes"]), (&json!(false), &json!(true)));
    let renewed = ours.line("lockbox renew-keys BLE-0001", &[]);
    assert_eq!(renewed["key_generation"], 2);

    let sam = "support add --permission support --first-name Sam --last-name Ortiz --email sam@support.example \
               --phone 503-555-0190";
    ours.line(sam, &[]);
    let call = "support contractor-codes --as sam@support.example --owner 123456789 --lockbox BLE-0001";
    let call: Vec<&str> = call.split_whitespace().collect();
    assert!(ours.refused(&call).contains("no answer on standard input"));
    let believed = ours.run("Elm Street\n", &call);
    assert!(!believed.status.success());
    assert!(String::from_utf8(believed.stderr).unwrap().contains("no security questions"));
}

/// OPS-1: agents and brokerages change their association, with the boxes, and stand as their new one stands.
#[tokio::test]
async fn members_are_transferred() {
    let ours = populated().await;
    ours.line(
        "lockbox provision --serial BLE-0001 --generation ble --owner 123456789 --time-zone America/Chicago",
        &[],
    );
    ours.line("association suspend Cascade", &[]);
    let moved = ours.line("agent transfer 123456789 --association Prairie", &[]);
    assert_eq!(moved["active"], true, "the former association's suspension stays behind: {moved}");
    assert_eq!(ours.line("agent list --association Prairie", &[])[0]["sentrikey_id"], "123456789");
    assert_eq!(ours.line("agent list --association Cascade", &[]), json!([]));
    assert_eq!(ours.line("lockbox list --owner 123456789", &[])[0]["serial"], "BLE-0001");

    ours.line("association reinstate Cascade", &[]);
    ours.line("agent transfer 123456789 --association Cascade --brokerage", &["Oak Street Homes"]);
    let brokerage =
        ours.line("brokerage transfer --association Cascade --to Prairie --name", &["Oak Street Homes"]);
    assert_eq!((&brokerage["association"], &brokerage["active"]), (&json!("Prairie"), &json!(true)));
    assert_eq!(ours.line("agent list --association Prairie", &[])[0]["sentrikey_id"], "123456789");
    assert_eq!(ours.line("brokerage list --association Cascade", &[]), json!([]));
}

/// OPS-2: provisioned, given to another agent with keys of a new generation, taken out of use.
#[tokio::test]
async fn a_lockbox_lives_from_the_factory_to_its_retirement() {
    use sentri_protocol::{Generation, KeyTree, Seed, settings::Settings};
    let ours = populated().await;
    ours.line(
        "agent add --association Prairie --sentrikey-id 222222222 --first-name Ari --last-name Ray \
         --email ari@realty.example --phone 503-555-0102 --without-password",
        &[],
    );
    let provision =
        "lockbox provision --serial BLE-0001 --generation ble --owner 123456789 --time-zone America/Chicago";
    let provisioned = ours.line(provision, &[]);
    let made: sentri_wire::Binary = serde_json::from_value(provisioned["seed"].clone()).unwrap();
    let moved = ours.line("lockbox transfer BLE-0001 --owner 222222222", &[]);
    assert_eq!(moved["key_generation"], 2);
    assert!(moved.get("seed").is_none());
    assert_eq!(ours.line("lockbox list --owner 123456789", &[]), json!([]));
    assert_eq!(ours.line("lockbox list --owner 222222222", &[])[0]["serial"], "BLE-0001");

    // The lock takes them under the keys that it has, and is of the new generation from then on.
    let signed: sentri_wire::Binary = serde_json::from_value(moved["settings"].clone()).unwrap();
    let seed = Seed::new(made.array().unwrap());
    let taken = Settings::open(&KeyTree::new(&seed, Generation::FIRST), signed.as_ref()).unwrap();
    assert_eq!((taken.generation, taken.version), (Generation(2), 2));
    assert!(Settings::open(&KeyTree::new(&seed, Generation(2)), signed.as_ref()).is_none());

    assert!(ours.refused(&["lockbox", "transfer", "BLE-0001", "--owner", "222222222"]).contains("owner"));
    assert_eq!(
        ours.line("lockbox retire BLE-0001", &[]),
        json!({ "serial": "BLE-0001", "accesses_ended": 0 })
    );
    assert_eq!(ours.line("lockbox list --owner 222222222", &[]), json!([]));
    assert!(ours.refused(&["lockbox", "retire", "BLE-0001"]).contains("serial"));
    let again: Vec<&str> = provision.split_whitespace().collect();
    assert!(ours.refused(&again).contains("serial"), "the number stays taken");
}

/// OPS-1, RES-0: communities with their residents and hubs.
#[tokio::test]
async fn communities_are_kept() {
    let ours = Deployment::with("").await;
    for name in ["Elm Court", "Lake View"] {
        ours.line(
            "community add --management Brook --time-zone America/Chicago --custom-codes --name",
            &[name],
        );
    }
    let set = ours.line("community set --six-digit-codes true --custom-codes false", &["Elm Court"]);
    assert_eq!((&set["six_digit_codes"], &set["custom_codes"]), (&json!(true), &json!(false)));
    assert_eq!(ours.line("community transfer --management Hill", &["Elm Court"])["management"], "Hill");

    let resident = ours.line(
        "resident add --unit 4B --first-name Rae --last-name Sol --email rae@home.example --phone 312-555-0104 \
         --community",
        &["Elm Court"],
    );
    assert_eq!((&resident["kind"], &resident["community"]), (&json!("resident"), &json!("Elm Court")));
    ours.line("hub add --serial HUB-0001 --community", &["Elm Court"]);
    ours.line("community suspend", &["Elm Court"]);
    assert_eq!(ours.line("resident list --community", &["Elm Court"])[0]["active"], false);
    let moved = ours.line("resident transfer rae@home.example --unit 7 --community", &["Lake View"]);
    assert_eq!((&moved["unit"], &moved["active"]), (&json!("7"), &json!(true)));
    assert_eq!(ours.line("resident suspend rae@home.example", &[])["active"], false);
    assert_eq!(ours.line("resident reinstate rae@home.example", &[])["active"], true);
    let hub = ours.line("hub transfer HUB-0001 --community", &["Lake View"]);
    assert_eq!(
        hub,
        json!({ "serial": "HUB-0001", "community": "Lake View", "active": true, "online": false })
    );
    assert_eq!(ours.line("hub suspend HUB-0001", &[])["active"], false);
    assert_eq!(ours.line("hub list --community", &["Lake View"])[0]["active"], false);
    assert!(
        ours.refused(&["hub", "add", "--serial", "HUB-0001", "--community", "Lake View"]).contains("serial")
    );
    ours.line("hub reinstate HUB-0001", &[]);
    let keys = [0, 1].map(|_| ours.line("hub renew-key HUB-0001", &[])["key"].as_str().unwrap().to_owned());
    assert!(keys[0] != keys[1] && keys[0].len() == 43);
    ours.line(
        "door provision --serial DOOR-0001 --kind unit --unit 7 --name Home --community",
        &["Lake View"],
    );
    ours.line("door reach DOOR-0001 --hub HUB-0001", &[]);
    assert!(ours.refused(&["hub", "transfer", "HUB-0001", "--community", "Elm Court"]).contains("doors"));
    ours.line("door reach DOOR-0001", &[]);
    ours.line("hub transfer HUB-0001 --community", &["Elm Court"]);
    assert!(ours.refused(&["door", "reach", "DOOR-0001", "--hub", "HUB-0001"]).contains("another community"));
    assert_eq!(ours.line("hub retire HUB-0001", &[])["active"], false);
    assert!(ours.refused(&["hub", "renew-key", "HUB-0001"]).contains("serial"));
}

/// OPS-1, SUP-1: users of the support portal, and what they may.
#[tokio::test]
async fn support_users_are_kept() {
    let ours = Deployment::with("").await;
    let add = "support add --permission support --first-name Sam --last-name Poe --email sam@support.example \
               --phone 312-555-0105";
    assert_eq!(ours.line(add, &[])["permission"], "support");
    assert_eq!(
        ours.line("support set sam@support.example --permission sys-admin", &[])["permission"],
        "sys_admin"
    );
    assert_eq!(ours.line("support suspend sam@support.example", &[])["active"], false);
    let listed = ours.line("support list", &[]);
    assert_eq!((&listed[0]["permission"], &listed[0]["active"]), (&json!("sys_admin"), &json!(false)));
    assert_eq!(ours.line("support reinstate sam@support.example", &[])["active"], true);
    assert!(ours.refused(&["resident", "suspend", "sam@support.example"]).contains("email"));
}

/// OPS-1: many at once; again with the same document adds nothing; what is wrong is named and leaves the rest.
#[tokio::test]
async fn a_document_is_imported() {
    let ours = Deployment::with("").await;
    let person = |first: &str, email: &str| json!({ "first_name": first, "last_name": "Reyes", "email": email, "phone": "503-555-0101" });
    let mut document = json!({
        "associations": [{ "name": "Cascade", "device_limit": 2 }],
        "brokerages": [{ "association": "Cascade", "name": "Oak Street Homes" }],
        "agents": [
            { "association": "Cascade", "sentrikey_id": "123456789", "person": person("Dana", "dana@realty.example") },
            { "association": "Cascade", "sentrikey_id": "12345678", "person": person("Ari", "ari@realty.example") },
        ],
        "lockboxes": [{ "serial": "BLE-0001", "generation": "ble", "owner": "123456789", "time_zone": "America/Chicago" }],
        "communities": [{ "name": "Elm Court", "management": "Brook", "time_zone": "America/Chicago" }],
        "residents": [{ "community": "Elm Court", "unit": "4B", "person": person("Rae", "rae@home.example") }],
        "hubs": [{ "serial": "HUB-0001", "community": "Elm Court" }],
        "support_users": [{ "permission": "support", "person": person("Sam", "sam@support.example") }],
    });
    let first = ours.run(&document.to_string(), &["import", "-"]);
    assert!(!first.status.success(), "one entry is wrong");
    let told: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(told["refused"][0]["entry"], "agents[1]");
    assert_eq!(told["refused"][0]["field"], "sentrikey_id");
    assert_eq!(told["added"]["agents"], 1);
    assert_eq!(told["provisioned"][0]["seed"].as_str().unwrap().len(), 44);

    document["agents"][1]["sentrikey_id"] = json!("987654321");
    std::fs::write(ours.path("members.json"), document.to_string()).unwrap();
    let again = ours.json(&["import", ours.path("members.json").to_str().unwrap()]);
    assert_eq!(again["added"], json!({ "agents": 1 }));
    assert_eq!(again["known"].as_object().unwrap().len(), 8);
    assert_eq!((&again["refused"], &again["provisioned"]), (&json!([]), &json!([])));
    assert_eq!(ours.line("agent list --association Cascade", &[]).as_array().unwrap().len(), 2);

    let misspelt = ours.run(r#"{"agents": [{"asociation": "Cascade"}]}"#, &["import", "-"]);
    let told = String::from_utf8(misspelt.stderr).unwrap();
    assert!(told.contains("agents[0]") && told.contains("asociation"), "{told}");
}

/// One configuration file: the example names every key with its default, and a key that is unknown is named.
#[tokio::test]
async fn a_configuration_is_checked() {
    let ours = Deployment::with("").await;
    assert_eq!(ours.json(&["config", "check"]), json!({ "config": "ok" }));
    ours.configure("colour = \"red\"\n");
    let told = ours.refused(&["config", "check"]);
    assert!(told.contains("colour") && told.contains("sentri.toml"), "{told}");
    ours.configure("minimum_versions = { \"agent:nothing\" = \"1.0.0\" }\n");
    assert!(ours.refused(&["config", "check"]).contains("agent:nothing"));
    ours.configure("[smtp]\nhost = \"localhost\"\nuser = \"sentri\"\n");
    assert!(ours.refused(&["config", "check"]).contains("smtp.password"));

    let example = String::from_utf8(ours.run("", &["config", "example"]).stdout).unwrap();
    std::fs::write(ours.config(), &example).unwrap();
    let config = sentri_server::Config::read(&ours.config()).unwrap();
    let defaults = sentri_server::Config::default();
    assert_eq!(
        (config.bind, &config.database, config.log_seconds, config.body_limit, &config.log),
        (defaults.bind, &defaults.database, defaults.log_seconds, defaults.body_limit, &defaults.log)
    );
    assert_eq!(format!("{:?}", config.policy), format!("{:?}", defaults.policy));
}

/// The schema is looked at, brought up to date by command, and left alone by a start that may not.
#[tokio::test]
async fn the_schema_is_brought_up_to_date_by_command() {
    let ours = Deployment::with("migrate = false\n").await;
    if ours.database.starts_with("sqlite") {
        std::fs::write(ours.path("sentri.db"), "").unwrap();
    }
    let before = ours.json(&["database", "status"]);
    assert_eq!(before["has"], 0);
    assert!(!before["pending"].as_array().unwrap().is_empty());
    let told = ours.refused(&["association", "list"]);
    assert!(told.contains("database migrate"), "{told}");
    let migrated = ours.json(&["database", "migrate"]);
    assert_eq!((&migrated["has"], &migrated["done"]), (&before["needs"], &before["pending"]));
    assert_eq!(ours.json(&["database", "status"])["pending"], json!([]));
    assert_eq!(ours.json(&["association", "list"]), json!([]));
}

/// ACC-7, ACC-9: an association's rules are changed by command, and any one account's standing.
#[tokio::test]
async fn rules_and_standings_are_set() {
    let ours = populated().await;
    ours.line("association set Cascade --device-limit 5 --password-rule strict --grant-approval pin", &[]);
    let first = ours.line("association list", &[])[0].clone();
    assert_eq!((&first["name"], &first["device_limit"]), (&json!("Cascade"), &json!(5)));
    let weak = ours.run(
        "Abcdef1\n2580\n",
        &[
            "agent",
            "add",
            "--association",
            "Cascade",
            "--sentrikey-id",
            "111111111",
            "--first-name",
            "Ari",
            "--last-name",
            "Ray",
            "--email",
            "ari@realty.example",
            "--phone",
            "503-555-0102",
        ],
    );
    assert!(String::from_utf8(weak.stderr).unwrap().contains("password"), "too short for the strict rule");
    assert_eq!(ours.line("account standing dana@realty.example lapsed", &[])["standing"], "lapsed");
    ours.line("association suspend Cascade", &[]);
    assert_eq!(
        ours.line("account standing 123456789 active", &[])["standing"],
        "suspended",
        "with the association"
    );
    ours.line("association reinstate Cascade", &[]);
    let export = ours.json(&["account", "export", "123456789"]);
    assert_eq!(export["account"]["standing"], "active");
}
