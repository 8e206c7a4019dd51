//! The database: SQLite inside the process, or PostgreSQL, by the URL. One module for each aggregate holds
//! its SQL; transactions that write begin in one place, [`Store::write`].

pub mod access_log;
pub mod accesses;
pub mod accounts;
pub mod associations;
pub mod box_settings;
pub mod brokerages;
pub mod changes;
pub mod codes;
pub mod columns;
pub mod communities;
pub mod credentials;
pub mod devices;
pub mod door_codes;
pub mod doors;
pub mod erasure;
pub mod events;
pub mod export;
pub mod feed_listings;
pub mod feeds;
pub mod gather;
pub mod grants;
mod group;
pub mod hubs;
pub mod idempotency;
pub mod invitations;
pub mod listings;
pub mod lockboxes;
pub mod messages;
pub mod meta;
pub mod outbox;
pub mod proofs;
pub mod restore;
pub mod retention;
pub mod schema;
pub mod sealed;
pub mod sessions;
pub mod standing;
pub mod support_log;
pub mod support_users;
pub mod tries;
pub mod writing;

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use columns::{Corrupt, Id, Json, Named};
use group::Writer;
use sqlx::{
    Any, AnyPool, Connection as _, Row, any::AnyPoolOptions, migrate::MigrateError, pool::PoolConnection,
};
use tokio::sync::Notify;
use writing::Held;
pub use writing::Writing;

use crate::ports::{Clock, Crashes, NeverCrashes, SystemClock};

/// A connection, inside a transaction or not.
pub type Connection = sqlx::AnyConnection;

/// Connections that read at once; SQLite answers from its page cache, so a few are enough.
const READERS: u32 = 8;

/// The database.
pub struct Store {
    readers: AnyPool,
    writers: Writers,
    posted: Arc<Notify>,
    rows_read: AtomicU64,
    clock: Arc<dyn Clock>,
    crashes: Arc<dyn Crashes>,
}

/// Who writes.
enum Writers {
    /// SQLite: one connection, so that no writer ever meets another, and one commit for all that wait for it.
    One(Writer),
    /// PostgreSQL: as many as connect; it makes commits durable together by itself.
    Many(AnyPool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// By the URL's scheme.
    fn of(url: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            Err(StoreError::UnknownDatabase)
        }
    }
}

/// Why the database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Neither of the two.
    #[error("the database URL begins with neither sqlite: nor postgres:")]
    UnknownDatabase,
    /// Made by a newer version of the server.
    #[error("the database has schema {0}, which is newer than this server: run a newer server")]
    FutureSchema(i64),
    /// Made by an older version of the server, and not to be changed by this start.
    #[error(
        "the database has schema {has}, and this server needs {needs}: run `sentri-server database migrate`, or set \
         migrate = true"
    )]
    Behind {
        /// What it has; 0 where it is empty.
        has: i64,
        /// What this server needs.
        needs: i64,
    },
    /// A migration failed half way, or a released one was changed.
    #[error("the database's schema can't be brought up to date: {0}")]
    Migration(MigrateError),
    /// It can't be opened, or not written to.
    #[error("the database can't be used: {0}")]
    Unusable(#[from] sqlx::Error),
}

impl Store {
    /// Opens the database and, where `migrate` says so, brings its schema up to date. `incarnation` names a database
    /// that is new.
    pub async fn open(url: &str, incarnation: &str, migrate: bool) -> Result<Self, StoreError> {
        let dialect = Dialect::of(url)?;
        if !migrate {
            schema::Schema::read(url).await?.check()?;
        }
        let (readers, writers) = match dialect {
            Dialect::Sqlite => open_sqlite(url).await?,
            Dialect::Postgres => {
                probe(url).await?;
                let pool = pool(READERS, "").connect(url).await?;
                bring_up(&mut *pool.acquire().await?).await?;
                (pool.clone(), Writers::Many(pool))
            }
        };
        let (posted, rows_read) = Default::default();
        let (clock, crashes) = (Arc::new(SystemClock), Arc::new(NeverCrashes));
        let store = Self { readers, writers, posted, rows_read, clock, crashes };
        let mut tx = store.write().await?;
        meta::keep_first(tx.conn(), meta::INCARNATION, incarnation).await?;
        tx.commit().await?;
        Ok(store)
    }

    /// With other ports than the machine's.
    #[must_use]
    pub fn with_ports(self, clock: Arc<dyn Clock>, crashes: Arc<dyn Crashes>) -> Self {
        Self { clock, crashes, ..self }
    }

    fn refuse_when_dead(&self) -> sqlx::Result<()> {
        if self.crashes.is_dead() { Err(sqlx::Error::PoolClosed) } else { Ok(()) }
    }

    /// A connection to read with.
    pub async fn read(&self) -> sqlx::Result<PoolConnection<Any>> {
        self.refuse_when_dead()?;
        self.readers.acquire().await
    }

    /// Begins a transaction that writes. Dropped without [`Writing::commit`], it changes nothing.
    pub async fn write(&self) -> sqlx::Result<Writing> {
        self.refuse_when_dead()?;
        let held = match &self.writers {
            Writers::One(writer) => Held::Together(writer.turn().await?),
            Writers::Many(pool) => Held::Alone(pool.begin().await?),
        };
        Ok(Writing::new(held, self.posted.clone(), self.clock.clone(), self.crashes.clone()))
    }

    /// Told after each commit that put something into the outbox.
    pub fn posted(&self) -> Arc<Notify> {
        self.posted.clone()
    }

    /// Counts rows that a sync has read, for the bench.
    pub fn count_rows(&self, rows: usize) {
        self.rows_read.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Rows that syncs have read so far.
    pub fn rows_read(&self) -> u64 {
        self.rows_read.load(Ordering::Relaxed)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> sqlx::Result<()> {
        let mut conn = self.read().await?;
        sqlx::query("SELECT 1").execute(&mut *conn).await.map(drop)
    }

    /// How SQLite finds the rows of a sync page.
    pub async fn explain_page(&self) -> sqlx::Result<Vec<String>> {
        let mut conn = self.read().await?;
        let sql = format!("EXPLAIN QUERY PLAN {}", changes::PAGE);
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind("")
            .bind(0i64)
            .bind("")
            .bind(1i64)
            .fetch_all(&mut *conn)
            .await?;
        rows.iter().map(|row| row.try_get("detail")).collect()
    }

    /// Writes a whole and consistent copy of a SQLite database into a new file, while everybody goes on. False where
    /// the database is no file.
    pub async fn copy_to(&self, path: &str) -> sqlx::Result<bool> {
        match &self.writers {
            Writers::One(writer) => writer.alone("VACUUM INTO $1", path).await.map(|()| true),
            Writers::Many(_) => Ok(false),
        }
    }

    /// Waits for open transactions and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        match &self.writers {
            Writers::One(writer) => writer.close().await,
            Writers::Many(pool) => pool.close().await,
        }
    }
}

/// The writer has 16 MiB for pages, which hold what one commit of many uploads touches; the log grows to 32 MiB before it is
/// worked into the file, so that a page that changes often goes there once; and what a savepoint would bring back is kept
/// in memory: it never outlives the process.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                             PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; \
                             PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8192; PRAGMA temp_store = MEMORY;";
const SQLITE_READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;";

/// The one connection that writes, and a pool that reads.
async fn open_sqlite(url: &str) -> Result<(AnyPool, Writers), StoreError> {
    let mut conn = Connection::connect(&schema::rwc(url)).await?;
    sqlx::raw_sql(SQLITE_WRITER).execute(&mut conn).await?;
    bring_up(&mut conn).await?;
    let readers = pool(READERS, SQLITE_READER).connect(url).await?;
    Ok((readers, Writers::One(Writer::new(conn))))
}

/// Brings the schema up to date.
async fn bring_up(conn: &mut Connection) -> Result<(), StoreError> {
    schema::MIGRATIONS.run_direct(None, conn, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::FutureSchema(version),
        MigrateError::Execute(error) => StoreError::Unusable(error),
        other => StoreError::Migration(other),
    })
}

/// Connects once: a pool would go on trying until it times out, and not say why.
async fn probe(url: &str) -> sqlx::Result<()> {
    Connection::connect(url).await?.close().await
}

/// A pool whose connections begin with this statement.
fn pool(connections: u32, first: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if !first.is_empty() {
                    sqlx::raw_sql(first).execute(connection).await?;
                }
                Ok(())
            })
        })
}
