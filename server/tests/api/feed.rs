//! Listings come out of an MLS's feed: what is new, what changed, what is gone, and whose they are. [LST-1]

use std::collections::BTreeSet;

use sentri_feed::{Feed, property, timestamp};
use sentri_server::{
    Config,
    config::ListingsFeed,
    operator::{ListingsImported, Wanted},
};
use sentri_wire::agent::{Listing, Listings};
use serde_json::{Value, json};

use crate::world::{ARI, BLE, DANA, DAY, HOUR, NOW, Phone, World, assignment, new_agent, records};

pub const CASCADE: &str = "Cascade Realtors";
const TOKEN: &str = "token of the feed";

/// As the configuration names the feed.
pub fn configured(url: &str) -> ListingsFeed {
    let text = format!(
        "association = {CASCADE:?}\nurl = {url:?}\nbearer = {TOKEN:?}\ntime_zone = \"America/Los_Angeles\"\n\
         state_time_zones = {{ ID = \"America/Boise\" }}\npage = 3"
    );
    toml::from_str(&text).unwrap()
}

pub async fn start() -> (World, Feed) {
    start_with(|_| {}).await
}

/// A world whose association has a feed.
pub async fn start_with(change: impl FnOnce(&mut Config)) -> (World, Feed) {
    let feed = Feed::start(TOKEN).await.unwrap();
    let url = feed.url();
    let world = World::with(|config| {
        config.listings_feed = vec![configured(&url)];
        config.import_listings = false;
        change(config);
    })
    .await;
    (world, feed)
}

pub async fn import(world: &World) -> ListingsImported {
    import_as(world, Wanted::default()).await
}

pub async fn whole(world: &World) -> ListingsImported {
    import_as(world, Wanted { whole: true, ..Wanted::default() }).await
}

pub async fn import_as(world: &World, wanted: Wanted) -> ListingsImported {
    world.server.operator().import_listings(CASCADE, wanted).await.unwrap()
}

pub async fn listings(world: &World, phone: &Phone) -> Vec<Listing> {
    let mut all = world.get(phone, "/v1/listings").await.ok::<Listings>().listings;
    all.sort_by(|one, other| one.listing_key.cmp(&other.listing_key));
    all
}

pub async fn keys(world: &World, phone: &Phone) -> Vec<String> {
    listings(world, phone).await.into_iter().map(|it| it.listing_key).collect()
}

/// New, unchanged, changed, gone: told by the listings themselves and by the phones' syncs.
#[tokio::test]
async fn lst_1_what_the_feed_has_is_among_my_listings() {
    let (world, feed) = start().await;
    let (dana, ari) = (world.agent(DANA).await, world.agent(ARI).await);
    for number in 1..=7 {
        let agent = if number == 4 { ARI } else { DANA };
        feed.put(property(number, agent, NOW - DAY + i64::try_from(number).unwrap()));
    }
    let report = import(&world).await;
    assert_eq!((report.added, report.pages, report.whole, report.finished), (7, 3, true, true), "{report:?}");
    let mine = listings(&world, &dana).await;
    assert_eq!(mine.len(), 6);
    let first = json!({ "id": mine[0].id, "ListingKey": "OR-000001", "UnparsedAddress": "101 Oak Street", "City": "Portland",
        "StateOrProvince": "OR", "PostalCode": "97201", "ListPrice": 400_001, "StandardStatus": "Active",
        "time_zone": "America/Los_Angeles" });
    assert_eq!(serde_json::to_value(&mine[0]).unwrap(), first);
    assert_eq!(keys(&world, &ari).await, ["OR-000004"]);
    let (changes, cursor) = world.sync(&dana, None).await;
    assert_eq!(records::<Listing>(&changes).len(), 6);

    // A page again, a changed price, a listing under contract, one that is sold.
    feed.take_requests();
    feed.change("OR-000001", "ListPrice", json!(399_999.99), NOW);
    feed.change("OR-000002", "StandardStatus", json!("ActiveUnderContract"), NOW + 1);
    feed.change("OR-000003", "StandardStatus", json!("Closed"), NOW + 2);
    let report = import(&world).await;
    assert_eq!((report.added, report.changed, report.gone, report.whole), (0, 2, 1, false), "{report:?}");
    let asked = feed.take_requests();
    // What changed within five minutes of the mark is asked for again.
    let after = timestamp(NOW - DAY + 7 - 300);
    assert!(asked[0].contains(&format!("$filter=ModificationTimestamp%20gt%20{after}")), "{asked:?}");
    assert!(
        asked[0].contains("$orderby=ModificationTimestamp%20asc") && asked[0].contains("$top=3"),
        "{asked:?}"
    );
    let (changes, cursor) = world.sync(&dana, Some(&cursor)).await;
    let told: Vec<_> =
        records::<Listing>(&changes).into_iter().map(|it| (it.list_price, it.standard_status)).collect();
    let expected =
        [(Some(399_999), "Active".to_owned()), (Some(400_002), "Active Under Contract".to_owned())];
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    let gone: Vec<_> = changes.iter().filter(|it| it.record.is_none()).map(|it| it.id.clone()).collect();
    assert_eq!(gone, [mine[2].id.to_string()]);
    assert!(!keys(&world, &dana).await.contains(&"OR-000003".to_owned()));

    // Nothing is told twice, and what comes back on the market is the same listing.
    import(&world).await;
    assert!(world.sync(&dana, Some(&cursor)).await.0.is_empty());
    feed.change("OR-000003", "StandardStatus", json!("Active"), NOW + 3);
    assert_eq!(import(&world).await.changed, 1);
    assert!(listings(&world, &dana).await.iter().any(|it| it.id == mine[2].id));
}

/// A feed that takes a listing out without a word: a whole pass notices, once a day by itself.
#[tokio::test]
async fn lst_1_what_is_in_the_feed_no_more_goes_with_the_next_whole_pass() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    feed.put_all((1..=5).map(|number| property(number, DANA, NOW - DAY)));
    import(&world).await;
    feed.remove("OR-000005");
    assert_eq!((import(&world).await.gone, keys(&world, &dana).await.len()), (0, 5));
    world.clock.advance(DAY);
    let dana = world.again(&dana).await;
    let report = import(&world).await;
    assert_eq!((report.whole, report.gone), (true, 1), "{report:?}");
    assert_eq!(keys(&world, &dana).await.len(), 4);
}

/// A feed that shows nothing, or next to nothing, is not believed before an operator says so.
#[tokio::test]
async fn a_feed_that_lost_most_of_its_listings_takes_none_away() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    let all: Vec<Value> = (1..=50).map(|number| property(number, DANA, NOW - DAY)).collect();
    feed.put_all(all.clone());
    import(&world).await;
    for left in [0, 1, 24] {
        for number in 1..=50 {
            feed.remove(&format!("OR-{number:06}"));
        }
        feed.put_all(all.iter().take(left).cloned());
        let report = whole(&world).await;
        assert_eq!((report.withheld, report.gone), (50 - left as u64, 0), "{left}: {report:?}");
        assert_eq!(keys(&world, &dana).await.len(), 50);
    }
    // All are there, and by keys of another kind: none is seen.
    for number in 1..=50 {
        feed.change(&format!("OR-{number:06}"), "ListingKey", json!(number), NOW);
    }
    assert_eq!(whole(&world).await.withheld, 50);
    feed.put_all(all.iter().take(24).cloned());
    let report = import_as(&world, Wanted { whole: true, accept_removals: true, ..Wanted::default() }).await;
    assert_eq!((report.withheld, report.gone), (0, 26));
    assert_eq!(keys(&world, &dana).await.len(), 24);
}

/// By the member id that the operator gave, else by the SentriKey ID; an agent who joins later gets theirs with the next
/// whole pass.
#[tokio::test]
async fn lst_1_the_feeds_agent_is_found_by_member_id_or_sentrikey_id() {
    let (world, feed) = start().await;
    let operator = world.server.operator();
    operator.set_mls_id(DANA, "M-77").await.unwrap();
    let taken = operator.set_mls_id(ARI, "M-77").await.unwrap_err();
    assert!(taken.to_string().contains("mls_id"), "{taken}");
    for (number, agent) in [(1, "M-77"), (2, DANA), (3, ARI), (4, "555555555"), (5, "M-78")] {
        let at = if number == 4 { NOW - DAY } else { NOW - HOUR };
        feed.put(property(number, agent, at));
    }
    let report = import(&world).await;
    assert_eq!((report.added, report.skipped["unknown_agent"]), (3, 2), "{report:?}");
    let dana = world.agent(DANA).await;
    assert_eq!(keys(&world, &dana).await, ["OR-000001", "OR-000002"]);

    let cy = new_agent("555555555", "Cy", "cy@realty.example", "503-555-0103");
    operator.add_agent(&cy).await.unwrap();
    assert_eq!(import(&world).await.added, 0, "nothing of theirs has changed");
    assert_eq!(whole(&world).await.added, 1);
    // A member id that changes takes the place of the former one.
    operator.set_mls_id(DANA, "M-78").await.unwrap();
    let report = whole(&world).await;
    assert_eq!((report.added, report.gone), (1, 1), "{report:?}");
    assert_eq!(keys(&world, &dana).await, ["OR-000002", "OR-000005"]);
}

/// An agent of another association is no agent of this feed; listings of another association are left out by its name.
#[tokio::test]
async fn a_feed_reaches_its_own_association_only() {
    let (world, feed) = start_with(|config| config.listings_feed[0].aor = Some(CASCADE.into())).await;
    let operator = world.server.operator();
    let prairie = sentri_server::operator::NewAssociation { name: "Prairie".into(), ..Default::default() };
    operator.add_association(&prairie).await.unwrap();
    operator.transfer_agent(ARI, "Prairie", None).await.unwrap();
    let mut other = property(3, DANA, NOW - DAY);
    other["ListAgentAOR"] = json!("Prairie");
    feed.put_all([property(1, DANA, NOW - DAY), property(2, ARI, NOW - DAY), other]);
    let report = import(&world).await;
    assert_eq!(
        (report.added, &report.skipped),
        (1, &[("other_association", 1), ("unknown_agent", 1)].into())
    );
    // Dana's goes to another association, as the feed says.
    feed.change("OR-000001", "ListAgentAOR", json!("Prairie"), NOW);
    assert_eq!(import(&world).await.gone, 1);
}

/// LST-5: a listing that another agent has now goes to them once the former agent's box is off and nobody is expected.
#[tokio::test]
async fn lst_5_a_listing_changes_hands_without_its_box() {
    let (world, feed) = start().await;
    let (dana, ari) = (world.agent(DANA).await, world.agent(ARI).await);
    feed.put(property(1, DANA, NOW - DAY));
    import(&world).await;
    let listing = listings(&world, &dana).await.remove(0);
    let assign = format!("/v1/lockboxes/{BLE}/assign");
    world.post(&dana, &assign, &assignment(&listing)).await.ok::<Value>();
    let granted = world.grant(&dana, &listing, "bo@plumbing.example", NOW + HOUR, NOW + 2 * HOUR).await;

    feed.change("OR-000001", "ListAgentMlsId", json!(ARI), NOW);
    let report = import(&world).await;
    assert_eq!((report.changed, report.skipped["in_use"]), (0, 1), "{report:?}");
    assert!(keys(&world, &ari).await.is_empty());
    // The box alone would still open for Bo.
    world.post(&dana, &format!("/v1/grants/{}/revoke", granted.id), &json!({})).await.ok::<Value>();
    assert_eq!(whole(&world).await.skipped["in_use"], 1);
    world.post(&dana, &format!("/v1/lockboxes/{BLE}/unassign"), &json!({})).await.ok::<Value>();
    let (_, cursor) = world.sync(&dana, None).await;
    assert_eq!(whole(&world).await.changed, 1);
    assert_eq!(keys(&world, &ari).await, ["OR-000001"]);
    assert!(keys(&world, &dana).await.is_empty());
    let (changes, _) = world.sync(&dana, Some(&cursor)).await;
    assert_eq!(
        changes.iter().map(|it| (it.id.clone(), it.record.is_none())).collect::<Vec<_>>(),
        [(listing.id.to_string(), true)]
    );
    world.post(&dana, &assign, &assignment(&listing)).await.refused("not-found", Some("listing_id"));
}

/// LST-3: a listing off the market is seen as long as a box hangs there, so that it can be taken off; none is hung there.
#[tokio::test]
async fn a_box_can_be_fetched_from_a_listing_that_is_gone() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    feed.put(property(1, DANA, NOW - DAY));
    import(&world).await;
    let listing = listings(&world, &dana).await.remove(0);
    let assign = format!("/v1/lockboxes/{BLE}/assign");
    world.post(&dana, &assign, &assignment(&listing)).await.ok::<Value>();
    feed.change("OR-000001", "StandardStatus", json!("Closed"), NOW);
    assert_eq!(import(&world).await.gone, 1);
    let seen = listings(&world, &dana).await.remove(0);
    assert_eq!((seen.standard_status.as_str(), seen.lockbox.as_deref()), ("Closed", Some(BLE)));
    world.post(&dana, &format!("/v1/lockboxes/{BLE}/unassign"), &json!({})).await.ok::<Value>();
    assert!(keys(&world, &dana).await.is_empty());
    world.post(&dana, &assign, &assignment(&listing)).await.refused("conflict", Some("listing_id"));
}

/// The Data Dictionary has no zone: the configuration's, and another for some states.
#[tokio::test]
async fn a_property_has_the_zone_of_its_state() {
    let (world, feed) = start().await;
    let dana = world.agent(DANA).await;
    let mut boise = property(1, DANA, NOW - DAY);
    boise["StateOrProvince"] = json!("id");
    feed.put_all([boise, property(2, DANA, NOW - DAY)]);
    import(&world).await;
    let zones: Vec<_> =
        listings(&world, &dana).await.into_iter().map(|it| (it.state_or_province, it.time_zone)).collect();
    let expected = [("ID", "America/Boise"), ("OR", "America/Los_Angeles")];
    assert_eq!(zones, expected.map(|(state, zone)| (state.to_owned(), zone.to_owned())));
}

/// Two instances on one database: one of them reads, the other leaves it alone.
#[tokio::test]
async fn one_of_two_instances_reads_a_feed() {
    let (mut world, feed) = start().await;
    feed.put_all((1..=20).map(|number| property(number, DANA, NOW - DAY)));
    world.start_second().await;
    let second = world.second.as_ref().unwrap();
    let (here, there) = tokio::join!(world.server.import_due(), second.import_due());
    let reports: Vec<_> = here.unwrap().into_iter().chain(there.unwrap()).collect();
    assert_eq!(reports.iter().map(|report| report.added).collect::<Vec<_>>(), [20]);
    assert_eq!(feed.take_requests().len(), 7);
    assert!(second.import_due().await.unwrap().is_empty(), "not due for a quarter of an hour");
    world.clock.advance(900);
    assert_eq!(second.import_due().await.unwrap().len(), 1);
}

/// A running server reads its feeds without being told.
#[tokio::test]
async fn a_server_reads_its_feeds_by_itself() {
    let (mut world, feed) = start().await;
    let dana = world.agent(DANA).await;
    feed.put(property(1, DANA, NOW - DAY));
    world.config.import_listings = true;
    world.start_second().await;
    while keys(&world, &dana).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Feeds that take `$top` for the whole answer, as the letter of OData has it, are read to their end too; also where the
/// last page is a full one.
#[tokio::test]
async fn a_feed_with_a_strict_top_is_read_to_its_end() {
    for count in [7_u64, 9] {
        let (world, feed) = start().await;
        feed.set_strict_top();
        feed.set_largest_page(2);
        // All of one moment, as after a bulk change.
        feed.put_all((1..=count).map(|number| property(usize::try_from(number).unwrap(), DANA, NOW - DAY)));
        assert_eq!(import(&world).await.added, count);
        assert_eq!(import(&world).await.added, 0);
    }
}

/// Whoever has no feed is told so.
#[tokio::test]
async fn an_association_without_a_feed_is_told() {
    let world = World::new().await;
    let refused = world.server.operator().import_listings(CASCADE, Wanted::default()).await.unwrap_err();
    assert!(refused.to_string().contains("listings_feed"), "{refused}");
}
