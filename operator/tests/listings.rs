//! LST-1, OPS-1: listings are imported out of a feed by command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod deployment;

use deployment::Deployment;
use sentri_feed::{Fault, Feed, property};
use serde_json::json;

const IMPORT: &str = "listings import --association Cascade";
/// 2023-11-14: before any clock that a test runs on.
const AT: i64 = 1_700_000_000;

/// A deployment whose one association has this feed.
async fn with(feed: &Feed) -> Deployment {
    let ours = Deployment::with("").await;
    let bearer = ours.path("feed.bearer");
    std::fs::write(&bearer, "secret of the feed\n").unwrap();
    ours.configure(&format!(
        "[[listings_feed]]\nassociation = \"Cascade\"\nurl = {:?}\nbearer_file = \"{}\"\n\
         time_zone = \"America/Los_Angeles\"\n",
        feed.url(),
        bearer.display()
    ));
    ours
}

/// The whole of an operator's work: token in a file, member id, import, what was left out, what is withheld.
#[tokio::test(flavor = "multi_thread")]
async fn listings_are_imported_by_command() {
    let feed = Feed::start("secret of the feed").await.unwrap();
    let ours = with(&feed).await;
    ours.line("association add --name Cascade", &[]);
    ours.line(
        "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
         --email dana@realty.example --phone 503-555-0101",
        &[],
    );
    let named = ours.line("agent set-mls-id 123456789 --mls-id M-77", &[]);
    assert_eq!(named, json!({ "sentrikey_id": "123456789", "mls_id": "M-77" }));
    for number in 1..=30 {
        feed.put(property(number, "M-77", AT));
    }
    let mut wrong = property(31, "M-77", AT);
    wrong["ListPrice"] = json!("a lot");
    feed.put(wrong);

    // Asked less often by the feed: the command waits, and goes on.
    feed.fail([Fault::TooManyRequests("1".into())]);
    let report = ours.line(IMPORT, &[]);
    assert_eq!((&report["added"], &report["finished"]), (&json!(30), &json!(true)), "{report}");
    assert_eq!(report["skipped"], json!({ "wrong_type": 1 }));
    let example = &report["examples"][0];
    assert_eq!((&example["listing"], &example["field"]), (&json!("OR-000031"), &json!("ListPrice")));

    feed.fail([Fault::Status(500)]);
    let failed = ours.refused(&IMPORT.split_whitespace().collect::<Vec<_>>());
    assert!(failed.contains("500") && failed.contains("goes on where it stopped"), "{failed}");
    for number in 2..=31 {
        feed.remove(&format!("OR-{number:06}"));
    }
    ours.line(IMPORT, &[]);
    assert_eq!(ours.line(&format!("{IMPORT} --whole"), &[])["withheld"], 29);
    assert_eq!(ours.line(&format!("{IMPORT} --whole --accept-removals"), &[])["gone"], 29);
    let other = ours.refused(&["listings", "import", "--association", "Prairie"]);
    assert!(other.contains("listings_feed"), "{other}");
}

/// What can't be meant is told before anything runs, and the token is in no message.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_can_not_be_meant_is_told() {
    let feed = "[[listings_feed]]\nassociation = \"Cascade\"\nbearer = \"secret of the feed\"\n";
    let ours = Deployment::with("").await;
    for (rest, told) in [
        ("url = \"http://feed.example/Property\"\ntime_zone = \"UTC\"\n", "listings_feed.url"),
        ("url = \"https://feed.example/Property\"\ntime_zone = \"Oregon\"\n", "listings_feed.time_zone"),
        ("url = \"https://feed.example/Property\"\ntime_zone = \"UTC\"\npage = 0\n", "listings_feed.page"),
        ("url = \"https://feed.example/Property\"\ntime_zone = \"UTC\"\nbearer_file = \"x\"\n", "both set"),
        ("url = \"https://feed.example/Property\"\ntime_zone = \"UTC\"\ncolour = \"red\"\n", "colour"),
    ] {
        ours.configure(&format!("{feed}{rest}"));
        let refused = ours.refused(&["config", "check"]);
        assert!(refused.contains(told) && !refused.contains("secret of"), "{rest}: {refused}");
    }
    let one = format!("{feed}url = \"https://feed.example/Property\"\ntime_zone = \"UTC\"\n");
    ours.configure(&format!("{one}{one}"));
    assert!(ours.refused(&["config", "check"]).contains("twice"));
}
