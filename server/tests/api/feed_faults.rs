//! Whatever a feed gets wrong is counted, named and left out; nothing of it stops the import. [LST-1]

use chrono::DateTime;
use sentri_feed::{Fault, Feed, property};
use serde_json::{Value, json};

use crate::{
    feed::{import, keys, listings, start, whole},
    world::{DANA, DAY, NOW, World},
};

/// A feed of nine listings, three pages.
async fn nine() -> (World, Feed) {
    let (world, feed) = start().await;
    for number in 1..=9 {
        feed.put(property(number, DANA, NOW - DAY + i64::try_from(number).unwrap()));
    }
    (world, feed)
}

/// A record of its own for each lie, among records that are right.
#[tokio::test]
async fn lst_1_a_record_that_lies_is_left_out_and_named() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    let lies = [
        ("ListPrice", json!("450000"), "wrong_type"),
        ("ListPrice", json!(-1), "not_allowed"),
        ("ListPrice", json!(1e300), "not_allowed"),
        ("ListPrice", json!({ "amount": 1 }), "wrong_type"),
        ("PostalCode", json!(97_201), "wrong_type"),
        ("PostalCode", json!("<script>"), "not_allowed"),
        ("StateOrProvince", json!("Oregon"), "not_allowed"),
        ("StateOrProvince", json!(null), "missing"),
        ("City", json!(""), "not_allowed"),
        ("City", json!(["Portland"]), "wrong_type"),
        ("UnparsedAddress", json!("x".repeat(10_000)), "not_allowed"),
        ("UnparsedAddress", json!("12 Oak St\u{0}"), "not_allowed"),
        ("UnparsedAddress", json!(null), "missing"),
        ("StandardStatus", json!("Sold"), "not_allowed"),
        ("StandardStatus", json!(true), "wrong_type"),
        ("ModificationTimestamp", json!("last week"), "not_allowed"),
        ("ModificationTimestamp", json!("2100-01-01T00:00:00Z"), "in_the_future"),
        ("ListAgentMlsId", json!(123_456_789), "wrong_type"),
        ("ListAgentMlsId", json!("000000000"), "unknown_agent"),
        ("ListingKey", json!(7), "wrong_type"),
        ("ListingKey", json!(""), "not_allowed"),
    ];
    for (number, (field, value, reason)) in (1..).zip(&lies) {
        let mut record = property(number, DANA, NOW - DAY);
        record[*field] = value.clone();
        feed.fail([Fault::Adds(record)]);
        feed.put(property(100 + number, DANA, NOW - DAY));
        let report = import(&world).await;
        let named: Vec<_> = report.examples.iter().map(|it| (it.field, it.reason)).collect();
        assert_eq!((named, report.added), (vec![(*field, *reason)], 1), "{value}: {report:?}");
        assert_eq!(report.skipped, [(*reason, 1)].into());
        let text = serde_json::to_string(&report).unwrap();
        assert!(!text.contains("xxxx") && !text.contains("script"), "what it said is not quoted");
    }
    for nothing in [json!({}), json!(null), json!("a record"), json!([1])] {
        feed.fail([Fault::Adds(nothing)]);
        assert_eq!(import(&world).await.skipped.values().sum::<u64>(), 1);
    }
    assert_eq!(keys(&world, &dana).await.len(), lies.len());
    // Nobody's clock but ours: a time to come has not moved the mark past what comes next.
    feed.put(property(500, DANA, NOW - 60));
    assert_eq!(import(&world).await.added, 1);
}

/// A listing that was right and is wrong now stays as it was.
#[tokio::test]
async fn a_listing_that_goes_wrong_stays_as_it_was() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    feed.put(property(1, DANA, NOW - DAY));
    import(&world).await;
    feed.change("OR-000001", "UnparsedAddress", json!("x".repeat(10_000)), NOW);
    import(&world).await;
    let report = whole(&world).await;
    assert_eq!((report.gone, report.skipped["not_allowed"]), (0, 1), "{report:?}");
    assert_eq!(listings(&world, &dana).await[0].unparsed_address, "101 Oak Street");
}

/// An address is written as its country writes it.
#[tokio::test]
async fn an_address_may_be_in_any_script() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    let addresses = [
        "東京都千代田区千代田1-1",
        "شارع الملك فهد ١٢",
        "ул. Ленина, д. 5",
        "12 Rue de l’Église",
        "🏠 5 Elm",
    ];
    for (number, address) in (1..).zip(addresses) {
        let mut record = property(number, DANA, NOW - DAY);
        record["UnparsedAddress"] = json!(address);
        feed.put(record);
    }
    import(&world).await;
    let seen: Vec<_> = listings(&world, &dana).await.into_iter().map(|it| it.unparsed_address).collect();
    assert_eq!(seen, addresses);
}

/// Repeated, skipped and reordered records: in the end each listing is there once, as it is now.
#[tokio::test]
async fn lst_1_a_feed_that_repeats_skips_and_reorders_ends_right() {
    for faults in [
        vec![Fault::None, Fault::Repeats, Fault::Repeats],
        vec![Fault::Reorders, Fault::Reorders, Fault::Reorders],
        vec![Fault::Skips(1), Fault::Skips(3), Fault::None],
        vec![Fault::Reorders, Fault::Repeats, Fault::Skips(2)],
    ] {
        let (world, feed) = nine().await;
        let dana = world.agent(DANA).await;
        feed.fail(faults.clone());
        let first = import(&world).await;
        let missing: u64 =
            faults.iter().map(|it| if let Fault::Skips(count) = it { *count as u64 } else { 0 }).sum();
        assert_eq!((first.finished, first.added), (true, 9 - missing), "{faults:?}: {first:?}");
        whole(&world).await;
        let all: Vec<String> = (1..=9).map(|number| format!("OR-{number:06}")).collect();
        assert_eq!(keys(&world, &dana).await, all, "{faults:?}");
    }
}

/// An older word about a listing, after a newer one, changes nothing.
#[tokio::test]
async fn what_is_older_than_known_is_left_out() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    let mut newer = property(1, DANA, NOW - 10);
    newer["ListPrice"] = json!(2);
    feed.put(newer);
    import(&world).await;
    let mut older = property(1, DANA, NOW - 20);
    older["StandardStatus"] = json!("Closed");
    feed.fail([Fault::Adds(older)]);
    let report = import(&world).await;
    assert_eq!((report.gone, report.skipped["older"]), (0, 1), "{report:?}");
    assert_eq!(listings(&world, &dana).await[0].list_price, Some(2));
}

/// It breaks off, fails, or is no feed at all: what came is kept, and the next run goes on after it.
#[tokio::test]
async fn lst_1_a_feed_that_breaks_off_is_read_on_from_there() {
    let faults = [Fault::BreaksOff, Fault::Status(500), Fault::NoJson, Fault::NoPage, Fault::Status(401)];
    for fault in faults {
        let (world, feed) = nine().await;
        let dana = world.agent(DANA).await;
        feed.fail([Fault::None, fault.clone()]);
        let broken = import(&world).await;
        assert_eq!(
            (broken.finished, broken.added, broken.retry_after),
            (false, 3, Some(60)),
            "{fault:?}: {broken:?}"
        );
        assert!(world.server.import_due().await.unwrap().is_empty(), "not before a minute has passed");
        feed.take_requests();
        world.clock.advance(60);
        let rest = world.server.import_due().await.unwrap().remove(0);
        assert_eq!((rest.finished, rest.added, rest.unchanged), (true, 6, 0), "{fault:?}: {rest:?}");
        // Two pages, and, since the last one was full, whether more follows: the page that was taken is not asked for.
        assert_eq!(feed.take_requests().len(), 3, "{fault:?}");
        assert_eq!(keys(&world, &dana).await.len(), 9);
    }
}

/// Waits grow while it fails, and begin anew once it answers.
#[tokio::test]
async fn a_feed_that_fails_on_is_asked_less_often() {
    let (world, feed) = nine().await;
    let mut waits = Vec::new();
    for _ in 0..8 {
        feed.fail([Fault::Status(502)]);
        waits.push(import(&world).await.retry_after.unwrap());
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert!(import(&world).await.finished);
    feed.fail([Fault::Status(502)]);
    assert_eq!(import(&world).await.retry_after, Some(60));
}

/// 429: it is left alone for as long as it says, in seconds or until a date, and for a minute where it does not say.
#[tokio::test]
async fn lst_1_a_feed_is_left_alone_for_as_long_as_it_wants() {
    let date = DateTime::from_timestamp(NOW + 90, 0).unwrap().to_rfc2822();
    let far = "99999999".to_owned();
    for (said, waits) in
        [("7".to_owned(), 7), (date, 90), (String::new(), 60), ("-5".into(), 1), (far, 6 * 3600)]
    {
        let (world, feed) = nine().await;
        feed.fail([Fault::None, Fault::TooManyRequests(said.clone())]);
        let report = import(&world).await;
        assert_eq!((report.added, report.retry_after), (3, Some(waits)), "{said:?}: {report:?}");
        world.clock.advance(i64::try_from(waits).unwrap() - 1);
        assert!(world.server.import_due().await.unwrap().is_empty(), "{said:?}");
        world.clock.advance(1);
        assert_eq!(world.server.import_due().await.unwrap()[0].added, 6, "{said:?}");
    }
}

/// A link that leads to another host would take the bearer token there; links in a circle have no end.
#[tokio::test]
async fn a_link_that_leads_astray_is_not_followed() {
    let elsewhere = Feed::start("token of the feed").await.unwrap();
    let (world, feed) = nine().await;
    feed.fail([Fault::NextLink(elsewhere.url())]);
    let report = import(&world).await;
    assert!(report.stopped.unwrap().contains("another host"));
    assert!(elsewhere.take_requests().is_empty());

    for _ in 0..10 {
        feed.fail([Fault::NextLink("/odata/Property?$top=3".into())]);
    }
    let report = import(&world).await;
    assert!(report.stopped.as_ref().is_some_and(|why| why.contains("circle")), "{report:?}");
}

/// A feed that has forgotten its link is read from the mark on: what came in order is not asked for again.
#[tokio::test]
async fn lst_1_a_forgotten_link_begins_the_pass_anew() {
    for status in [400, 404, 410] {
        let (world, feed) = nine().await;
        let dana = world.agent(DANA).await;
        feed.fail([Fault::None, Fault::Status(500)]);
        assert!(!import(&world).await.finished);
        feed.fail([Fault::Status(status)]);
        let report = import(&world).await;
        assert_eq!((report.finished, report.added, report.unchanged), (true, 6, 3), "{status}: {report:?}");
        assert_eq!(keys(&world, &dana).await.len(), 9);
    }
}

/// A token that the feed refuses is named by where it stands, never by itself.
#[tokio::test]
async fn a_refused_token_is_not_told() {
    let (mut world, feed) = nine().await;
    let mut config = world.config.clone();
    config.listings_feed[0].bearer = Some(sentri_wire::Secret::new("an old token"));
    world.restart(|running, _| *running = config).await;
    let report = import(&world).await;
    let told = serde_json::to_string(&report).unwrap();
    assert!(told.contains("listings_feed.bearer_file") && !told.contains("an old token"), "{told}");
    assert!(!told.contains(&feed.url()));
    let shown: Value = json!(format!("{:?}", world.config.listings_feed));
    assert!(!shown.to_string().contains("token"), "{shown}");
}
