//! Import of 10,000 listings out of a feed, over HTTP: listings a second, and whether memory stays flat. On SQLite, and
//! on the PostgreSQL server at `SENTRI_BENCH_POSTGRES`. The feed is this program too, in a process of its own.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use peak_alloc::PeakAlloc;
use sentri_feed::{Feed, property};
use sentri_server::{
    Config, Mailbox, Ports, Running, Server, Vault, bench,
    operator::{ListingsImported, NewAgent, NewAssociation, Wanted},
    ports::{SystemClock, SystemRandomness},
};
use sentri_wire::Secret;
use serde_json::json;
use tempfile::TempDir;

type Failure = Box<dyn std::error::Error>;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const TOKEN: &str = "token";
/// Few pages, and many.
const SIZES: [u32; 2] = [FEW, MANY];
const FEW: u32 = 1_000;
const MANY: u32 = 10_000;
const PAGE: usize = 500;
/// Listings a second, at least.
const LEAST: u128 = 2_000;
/// How much more memory the larger import may take at its peak, in percent.
const MOST_MORE: usize = 25;

/// What imports of so many listings came to, each into a new backend; together all of a size read as many pages.
struct Measured {
    database: &'static str,
    listings: u32,
    first: Duration,
    again: Duration,
    /// Of the import that took the most: above what was there before it.
    peak: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match std::env::args().nth(1) {
        Some(listings) => offer(listings.parse()?).await,
        None => compare().await,
    }
}

/// A feed of so many listings: tells its address, and lasts until standard input ends.
async fn offer(listings: u32) -> Result<(), Failure> {
    let feed = Feed::start(TOKEN).await?;
    feed.set_largest_page(PAGE);
    for number in 0..listings {
        let agent = format!("{:09}", 100_000_000 + number % AGENTS);
        feed.put(property(usize::try_from(number)?, &agent, 1_700_000_000 + i64::from(number)));
    }
    println!("{}", feed.url());
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// The feed, as the backend sees it. It ends with this.
struct Offered {
    url: String,
    process: Child,
}

impl Offered {
    fn of(listings: u32) -> Result<Self, Failure> {
        let mut program = Command::new(std::env::current_exe()?);
        program.arg(listings.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut offered = Self { url: String::new(), process: program.spawn()? };
        let output = offered.process.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut offered.url)?;
        offered.url.truncate(offered.url.trim_end().len());
        Ok(offered)
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

async fn compare() -> Result<(), Failure> {
    let mut measured = Vec::new();
    for (database, url) in [("SQLite", None), ("PostgreSQL", std::env::var("SENTRI_BENCH_POSTGRES").ok())] {
        if database == "SQLite" || url.is_some() {
            for listings in SIZES {
                measured.push(measure(database, url.as_deref(), listings).await?);
            }
        }
    }
    let rate = |time: Duration| u128::from(MANY) * 1_000_000 / time.as_micros().max(1);
    let flat = |pair: &[Measured]| match pair {
        [few, many] => many.peak * 100 <= few.peak * (100 + MOST_MORE),
        _ => false,
    };
    let rows = measured.iter().map(|it| {
        let (first, again) = (rate(it.first), rate(it.again));
        json!([it.database, it.listings, first, again, it.peak / 1024])
    });
    let fast = measured.iter().all(|it| it.listings < MANY || rate(it.first) >= LEAST);
    let report = json!({
        "title": "Listings out of a RESO feed",
        "columns": ["database", "listings", "new, 1/s", "unchanged, 1/s", "peak of the heap, KiB"],
        "rows": rows.collect::<Vec<_>>(),
        "notes": [
            format!("Over HTTP from a feed in a process of its own, on the same cores, {PAGE} listings a page, each page durable."),
            format!("At least {LEAST} new listings a second; the peak of many at most {MOST_MORE} % above that of few."),
            format!("The few are imported {} times, each into a new backend: a peak is the highest of as many pages.", MANY / FEW),
            "The peak is what Rust allocates in the backend's process above what was there before.",
        ],
        "passed": fast && measured.chunks(SIZES.len()).all(flat),
    });
    println!("{report}");
    Ok(())
}

async fn measure(database: &'static str, url: Option<&str>, listings: u32) -> Result<Measured, Failure> {
    let mut sum = Measured { database, listings, first: Duration::ZERO, again: Duration::ZERO, peak: 0 };
    for _ in 0..MANY / listings {
        sum.add_import(url).await?;
    }
    Ok(sum)
}

impl Measured {
    async fn add_import(&mut self, url: Option<&str>) -> Result<(), Failure> {
        let feed = Offered::of(self.listings)?;
        let (server, _folder) = backend(&feed.url, url).await?;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let (first, report) = import(&server).await?;
        self.peak = self.peak.max(HEAP.peak_usage().saturating_sub(before));
        assert_eq!(report.added, u64::from(self.listings), "{report:?}");
        let (again, report) = import(&server).await?;
        assert_eq!(report.unchanged, u64::from(self.listings), "{report:?}");
        server.stop().await;
        self.first += first;
        self.again += again;
        Ok(())
    }
}

async fn import(server: &Running) -> Result<(Duration, ListingsImported), Failure> {
    let begun = Instant::now();
    let wanted = Wanted { whole: true, ..Wanted::default() };
    let report = server.operator().import_listings("Cascade", wanted).await?;
    Ok((begun.elapsed(), report))
}

const AGENTS: u32 = 20;

/// A backend whose association has the feed's agents.
async fn backend(feed: &str, url: Option<&str>) -> Result<(Running, TempDir), Failure> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::in_folder(folder.path());
    // Nothing else of the server's is at work, or in memory.
    (config.import_listings, config.deliver) = (false, false);
    config.listings_feed = vec![toml::from_str(&format!(
        "association = \"Cascade\"\nurl = {feed:?}\nbearer = {TOKEN:?}\ntime_zone = \"America/Los_Angeles\"\npage = {PAGE}"
    ))?];
    if let Some(url) = url {
        config.database = bench::add_database(url).await?;
    }
    Vault::create_file(&folder.path().join("master.key"), &SystemRandomness)?;
    let ports = Ports::with_mailbox(Arc::new(SystemClock), &Mailbox::new());
    let server = Server::start(config, ports).await?;
    let operator = server.operator();
    operator.add_association(&NewAssociation { name: "Cascade".into(), ..NewAssociation::default() }).await?;
    for number in 0..AGENTS {
        operator
            .add_agent(&NewAgent {
                association: "Cascade".into(),
                brokerage: None,
                sentrikey_id: format!("{:09}", 100_000_000 + number),
                first_name: "Dana".into(),
                last_name: "Reyes".into(),
                email: format!("agent{number}@realty.example"),
                phone: format!("503-555-{number:04}"),
                password: Secret::new("Abcdef1"),
                pin: Secret::new("2580"),
            })
            .await?;
    }
    Ok((server, folder))
}
