//! The access log by time, listing, lockbox and person; pages that cost the same wherever they are; and as CSV.

use std::collections::BTreeSet;

use sentri_server::bench::log::{Cast, Filter, explain_log, fill_log};
use sentri_wire::{
    agent::{Listing, Lockbox},
    event::{LogEntry, LogPage},
};
use serde_json::Value;
use uuid::Uuid;

use crate::world::{ARI, ARIS_BOX, BLE, DANA, HOUR, NON_BLE, NOW, Phone, Ready, World, assignment};

const LINES: usize = 330;

/// Dana's log: Bo and Ari by turns, at two boxes by turns, three lines in each second.
struct Log {
    world: World,
    ready: Ready,
    ari: Phone,
    other: Listing,
}

async fn filled() -> Log {
    let world = World::new().await;
    let ready = world.ready().await;
    let ari = world.agent(ARI).await;
    let other = world.listing(&ready.dana).await;
    let path = format!("/v1/lockboxes/{NON_BLE}/assign");
    world.post(&ready.dana, &path, &assignment(&other)).await.ok::<Value>();
    let people = [ready.bo.account.id, ready.bo.account.id, ari.account.id];
    let boxes = [BLE.to_owned(), NON_BLE.to_owned()];
    fill_log(&world.server, &Cast { people: &people, boxes: &boxes }, LINES, 3, NOW).await.unwrap();
    Log { world, ready, ari, other }
}

impl Log {
    /// All pages of a question.
    async fn all(&self, question: &str) -> Vec<LogEntry> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/access-log?{question}{after}");
            let page: LogPage = self.world.get(&self.ready.dana, &path).await.ok();
            assert!(page.entries.len() <= 50);
            all.extend(page.entries);
            match page.next {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    }
}

/// GRT-5, CON-3: the pages together are the whole log, each line once, the newest first, with three in each second.
#[tokio::test]
async fn grt_5_pages_together_are_the_log() {
    let log = filled().await;
    let all = log.all("").await;
    assert_eq!(all.len(), LINES);
    assert_eq!(all.iter().map(|line| line.id).collect::<BTreeSet<_>>().len(), LINES);
    assert!(all.is_sorted_by(|one, next| (one.at, one.id) > (next.at, next.id)));
    assert_eq!((all[0].at, all[LINES - 1].at), (NOW, NOW - 109));

    // By time: from its first second, up to the first second after.
    let some = log.all(&format!("from={}&to={}", NOW - 20, NOW - 10)).await;
    assert_eq!(some, all[33..63]);
    assert!(log.all(&format!("from={}", NOW + 1)).await.is_empty());
    // A page after one that is out of the time begins with the time.
    let after = format!("from={}&to={}&after={}.{}", NOW - 20, NOW - 10, all[0].at, all[0].id);
    assert_eq!(log.all(&after).await, some);
}

/// GRT-5: by listing, lockbox and person, alone and together.
#[tokio::test]
async fn grt_5_the_log_is_filtered_by_listing_lockbox_and_person() {
    let log = filled().await;
    let all = log.all("").await;
    let (bo, ari) = (log.ready.bo.account.id, log.ari.account.id);
    let other = log.other.id;
    let is_other = |line: &LogEntry| line.listing_id == Some(other);
    let is = |person: Uuid| move |line: &LogEntry| line.person_id == Some(person);
    let expect =
        |fits: &dyn Fn(&LogEntry) -> bool| all.iter().filter(|it| fits(it)).cloned().collect::<Vec<_>>();
    for (question, expected) in [
        (format!("listing_id={other}"), expect(&is_other)),
        (format!("lockbox={NON_BLE}"), expect(&is_other)),
        (format!("lockbox={BLE}"), expect(&|line| !is_other(line))),
        (format!("person_id={bo}"), expect(&is(bo))),
        (format!("person_id={ari}&lockbox={BLE}"), expect(&|line| is(ari)(line) && !is_other(line))),
        (format!("person_id={ari}&listing_id={other}"), expect(&|line| is(ari)(line) && is_other(line))),
        (format!("lockbox={BLE}&listing_id={other}"), Vec::new()),
        (format!("person_id={}", Uuid::nil()), Vec::new()),
        (
            format!("person_id={bo}&lockbox={NON_BLE}&listing_id={other}&from={}", NOW - 30),
            expect(&|line| is(bo)(line) && is_other(line) && line.at >= NOW - 30),
        ),
    ] {
        assert_eq!(log.all(&question).await, expected, "{question}");
    }
    assert!(all.iter().filter(|line| is(ari)(line)).all(|line| line.who == "Ari Reyes"));
}

/// What is not the caller's, or is nothing at all, is not found; a box that was theirs is, for what happened then.
#[tokio::test]
async fn grt_5_what_is_anothers_is_not_found() {
    let log = filled().await;
    let dana = &log.ready.dana;
    let ask = async |phone: &Phone, question: &str| {
        log.world.get(phone, &format!("/v1/access-log?{question}")).await
    };
    ask(dana, &format!("lockbox={ARIS_BOX}")).await.refused("not-found", Some("lockbox"));
    ask(dana, "lockbox=NONE-1").await.refused("not-found", Some("lockbox"));
    ask(dana, &format!("listing_id={}", Uuid::new_v4())).await.refused("not-found", None);
    ask(dana, "person_id=bo").await.refused("invalid", Some("person_id"));
    ask(dana, "after=1.x").await.refused("invalid", Some("after"));
    ask(&log.ari, &format!("lockbox={BLE}")).await.refused("not-found", Some("lockbox"));
    // What Ari did at Dana's box is in Dana's log alone.
    let page: LogPage = ask(&log.ari, &format!("person_id={}", log.ari.account.id)).await.ok();
    assert!(page.entries.is_empty());

    log.world.server.operator().transfer_lockbox(NON_BLE, ARI).await.unwrap();
    assert_eq!(log.all(&format!("lockbox={NON_BLE}")).await.len(), LINES / 2);
    let page: LogPage = ask(&log.ari, &format!("lockbox={NON_BLE}")).await.ok();
    assert!(page.entries.is_empty(), "her log of it begins now");
}

/// GRT-5: page 1 and page 1,000 cost the same: each is one range of an index that has the lines in their order.
#[tokio::test]
async fn grt_5_a_page_is_one_range_of_an_index() {
    let log = filled().await;
    if !log.world.config.database.starts_with("sqlite") {
        return;
    }
    let (dana, bo) = (log.ready.dana.account.id, log.ready.bo.account.id);
    let lockbox: Lockbox = log.world.get(&log.ready.dana, &format!("/v1/lockboxes/{BLE}")).await.ok();
    let (person, lockbox, listing) = (Some(bo), Some(lockbox.id), Some(log.other.id));
    let none = Filter::default();
    for (filter, index, by) in [
        (none, "owner", ""),
        (Filter { person, ..none }, "person", " AND account_id=?"),
        (Filter { lockbox, ..none }, "lockbox", " AND lockbox_id=?"),
        (Filter { listing, ..none }, "listing", " AND listing_id=?"),
        (Filter { person, lockbox, ..none }, "person", " AND account_id=?"),
        (Filter { lockbox, listing, ..none }, "lockbox", " AND lockbox_id=?"),
        (Filter { person, lockbox, listing }, "person", " AND account_id=?"),
    ] {
        let plan = explain_log(&log.world.server, dana, filter).await.unwrap();
        let range =
            format!("SEARCH e USING INDEX access_log_by_{index} (owner_id=?{by} AND at>? AND (at,id)<(?,?))");
        assert!(plan.contains(&range), "{filter:?}: {plan:?}");
        let is_sought = |step: &String| step.starts_with("SEARCH ") && !step.contains("SCAN");
        assert!(plan.iter().all(is_sought), "nothing is sorted, nothing is read through: {plan:?}");
    }
}

/// GRT-5: the same lines as a document for spreadsheets, whole, with times in the property's zone.
#[tokio::test]
async fn grt_5_the_log_as_csv() {
    let log = filled().await;
    let dana = &log.ready.dana;
    let reply = log.world.get(dana, "/v1/access-log.csv").await;
    assert_eq!((reply.status, reply.content_type.as_str()), (200, "text/csv; charset=utf-8; header=present"));
    let text = String::from_utf8(reply.bytes).unwrap();
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some("time,lockbox,address,who,how,outcome,confirmed_by_lock,id"));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let all = log.all("").await;
    assert_eq!(
        lines.iter().map(|line| line[7].to_owned()).collect::<Vec<_>>(),
        all.iter().map(|it| it.id.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(lines[0][0], "2026-11-20T09:00:00-08:00");
    assert_eq!(lines[0][2..7], ["12 Oak St", &all[0].who, "ble", "opened", "yes"]);

    let path = format!("/v1/access-log.csv?person_id={}&from={}", log.ari.account.id, NOW - 3);
    let some = String::from_utf8(log.world.get(dana, &path).await.bytes).unwrap();
    assert_eq!(some.lines().count(), 1 + 4);
    let none = log.world.get(&log.ari, "/v1/access-log.csv").await;
    assert_eq!(String::from_utf8(none.bytes).unwrap().lines().count(), 1, "nobody else's");
    log.world
        .get(&log.ari, &format!("/v1/access-log.csv?lockbox={BLE}"))
        .await
        .refused("not-found", Some("lockbox"));
    log.world.get(dana, "/v1/access-log.csv?after=1").await.refused("malformed", Some("after"));
    log.world.get(&log.ready.bo, "/v1/access-log.csv").await.refused("forbidden", None);
}

/// GRT-5: a log of more lines than are read at once comes whole, each line once.
#[tokio::test]
async fn grt_5_a_long_csv_comes_whole() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.place(&dana, BLE).await;
    let cast = Cast { people: &[dana.account.id], boxes: &[BLE.to_owned()] };
    for count in [1_000, 234] {
        fill_log(&world.server, &cast, count, 7, NOW - HOUR).await.unwrap();
        let text = String::from_utf8(world.get(&dana, "/v1/access-log.csv").await.bytes).unwrap();
        let ids: Vec<&str> = text.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
        let expected = if count == 1_000 { 1_000 } else { 1_234 };
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (expected, expected));
    }
}
