//! The server is killed at each step of an import: nothing is lost, nothing comes twice, and at most one page is asked for
//! again. [LST-1]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use reqwest::Url;
use sentri_feed::{Feed, property};
use sentri_server::{
    operator::Wanted,
    ports::{Crashes, Fate},
    reso::{FeedError, FeedPage, FeedPort, HttpFeed},
};
use sentri_wire::{Secret, agent::Listing};
use tokio::sync::Notify;

use crate::{
    feed::{CASCADE, import, keys, listings, start},
    world::{DANA, DAY, NOW, World, records},
};

/// For how long a feed is left to a server that is at it, in seconds.
const LEASE: i64 = 120;

/// Dies at one commit.
pub struct Killer {
    at: u64,
    fate: Fate,
    commits: AtomicU64,
    is_dead: AtomicBool,
}

impl Killer {
    pub fn at(at: u64, fate: Fate) -> Arc<Self> {
        Arc::new(Self { at, fate, commits: AtomicU64::default(), is_dead: AtomicBool::default() })
    }

    pub fn has_killed(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }
}

impl Crashes for Killer {
    fn at_commit(&self) -> Fate {
        if self.commits.fetch_add(1, Ordering::SeqCst) == self.at {
            self.is_dead.store(true, Ordering::SeqCst);
            self.fate
        } else {
            Fate::Lives
        }
    }

    fn is_dead(&self) -> bool {
        self.has_killed()
    }
}

/// Four pages, of which the last has the changes, and one listing to be taken away.
fn offer(feed: &Feed) {
    for number in 1..=10 {
        feed.put(property(number, DANA, NOW - DAY + i64::try_from(number).unwrap()));
    }
}

/// Imports, and says whether the server has died of it.
async fn dies(world: &mut World, at: u64, fate: Fate) -> bool {
    let killer = Killer::at(at, fate);
    let ours = killer.clone();
    world
        .restart(|config, ports| {
            config.deliver = false;
            ports.crashes = ours;
        })
        .await;
    let died = world.server.operator().import_listings(CASCADE, Wanted::default()).await.is_err();
    assert_eq!(died, killer.has_killed());
    // Another process comes up, once the lease has ended.
    world.restart(|_, _| {}).await;
    world.clock.advance(LEASE);
    died
}

#[tokio::test]
async fn lst_1_an_import_that_is_killed_anywhere_ends_as_if_it_was_not() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        for at in 0.. {
            let (mut world, feed) = start().await;
            let dana = world.agent(DANA).await;
            feed.put(property(99, DANA, NOW - DAY));
            import(&world).await;
            let (_, cursor) = world.sync(&dana, None).await;
            feed.remove("OR-000099");
            offer(&feed);
            world.clock.advance(DAY);
            feed.take_requests();
            let died = dies(&mut world, at, fate).await;
            import(&world).await;
            let asked = feed.take_requests();
            let pages = asked.iter().filter(|query| !query.contains("$filter")).count();
            assert!((4..=5).contains(&pages), "{fate:?} {at}: one page again at most: {asked:?}");

            let dana = world.again(&dana).await;
            let expected: Vec<String> = (1..=10).map(|number| format!("OR-{number:06}")).collect();
            assert_eq!(keys(&world, &dana).await, expected, "{fate:?} {at}");
            let (changes, _) = world.sync(&dana, Some(&cursor)).await;
            assert_eq!(records::<Listing>(&changes).len(), 10, "{fate:?} {at}");
            assert_eq!(changes.iter().filter(|it| it.record.is_none()).count(), 1, "{fate:?} {at}");
            if !died {
                assert!(at >= 7, "lease, four pages, sweep, release: {at}");
                break;
            }
        }
    }
}

/// A way to the feed that waits before its second page.
struct Slow {
    feed: HttpFeed,
    asked: AtomicU64,
    is_waiting: Notify,
    goes_on: Notify,
}

#[async_trait]
impl FeedPort for Slow {
    async fn page(&self, url: &Url, bearer: Option<&Secret>, most: u32) -> Result<FeedPage, FeedError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 1 {
            self.is_waiting.notify_one();
            self.goes_on.notified().await;
        }
        self.feed.page(url, bearer, most).await
    }
}

/// A server that was only slow finds that another has taken over, and writes nothing more.
#[tokio::test]
async fn whoever_lost_the_lease_writes_nothing() {
    let (mut world, feed) = start().await;
    let dana = world.agent(DANA).await;
    offer(&feed);
    let (asked, is_waiting, goes_on) = Default::default();
    let slow = Arc::new(Slow { feed: HttpFeed::new().unwrap(), asked, is_waiting, goes_on });
    let port = slow.clone();
    world.restart(|_, ports| ports.feed = Some(port)).await;
    world.start_second().await;
    let second = world.second.as_ref().unwrap();
    let other = async {
        slow.is_waiting.notified().await;
        assert!(second.import_due().await.unwrap().is_empty(), "the first one is at it");
        world.clock.advance(LEASE);
        let report = second.import_due().await.unwrap().remove(0);
        let mut changed = property(5, DANA, NOW - DAY + 5);
        changed["ListPrice"] = 7.into();
        feed.put(changed);
        slow.goes_on.notify_one();
        report
    };
    let (here, there) = tokio::join!(world.server.import_due(), other);
    assert_eq!((there.added, there.finished), (7, true), "from the second page on: {there:?}");
    assert!(here.unwrap().is_empty(), "nothing of what it read counts");
    let prices = listings(&world, &dana).await;
    assert!(prices.len() == 10 && prices.iter().all(|it| it.list_price != Some(7)), "{prices:?}");
}
