//! The database: SQLite inside the process, or PostgreSQL, by the URL. One module for each aggregate holds
//! its SQL; transactions that write begin in one place, [`Store::write`].

pub mod accounts;
pub mod associations;
pub mod changes;
pub mod columns;
pub mod credentials;
pub mod devices;
pub mod erasure;
pub mod events;
pub mod export;
pub mod grants;
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
pub mod sessions;
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
use sqlx::{
    Any, AnyPool, Connection as _, Row,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
};
use tokio::sync::Notify;
pub use writing::Writing;

use crate::ports::{Clock, Crashes, NeverCrashes, SystemClock};

/// A connection, inside a transaction or not.
pub type Connection = sqlx::AnyConnection;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections that read at once; SQLite answers from its page cache, so a few are enough.
const READERS: u32 = 8;

/// The database.
pub struct Store {
    readers: AnyPool,
    /// SQLite: the one connection that writes, so that no writer ever meets another. PostgreSQL: a pool.
    writers: AnyPool,
    dialect: Dialect,
    posted: Arc<Notify>,
    rows_read: AtomicU64,
    clock: Arc<dyn Clock>,
    crashes: Arc<dyn Crashes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
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
    /// A migration failed half way, or a released one was changed.
    #[error("the database's schema can't be brought up to date: {0}")]
    Migration(MigrateError),
    /// It can't be opened, or not written to.
    #[error("the database can't be used: {0}")]
    Unusable(#[from] sqlx::Error),
}

impl Store {
    /// Opens the database and brings its schema up to date. `incarnation` names a database that is new.
    pub async fn open(url: &str, incarnation: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let dialect = if url.starts_with("sqlite:") {
            Dialect::Sqlite
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Dialect::Postgres
        } else {
            return Err(StoreError::UnknownDatabase);
        };
        let writers = match dialect {
            Dialect::Sqlite => {
                let separator = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{separator}mode=rwc");
                probe(&url, SQLITE_WRITER).await?;
                pool(1, SQLITE_WRITER).connect(&url).await?
            }
            Dialect::Postgres => {
                probe(url, "SELECT 1").await?;
                pool(READERS, "").connect(url).await?
            }
        };
        MIGRATIONS.run(&writers).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::FutureSchema(version),
            MigrateError::Execute(error) => StoreError::Unusable(error),
            other => StoreError::Migration(other),
        })?;
        let readers = match dialect {
            Dialect::Sqlite => pool(READERS, SQLITE_READER).connect(url).await?,
            Dialect::Postgres => writers.clone(),
        };
        let store = Self {
            readers,
            writers,
            dialect,
            posted: Arc::new(Notify::new()),
            rows_read: AtomicU64::new(0),
            clock: Arc::new(SystemClock),
            crashes: Arc::new(NeverCrashes),
        };
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
    ///
    /// SQLite: takes the write lock at once, since a transaction that reads first and writes later fails
    /// BUSY when another wrote in between.
    pub async fn write(&self) -> sqlx::Result<Writing> {
        self.refuse_when_dead()?;
        let transaction = match self.dialect {
            Dialect::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.writers.begin().await?,
        };
        Ok(Writing::new(transaction, self.posted.clone(), self.clock.clone(), self.crashes.clone()))
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

    /// Whether this process alone has the database.
    pub fn is_embedded(&self) -> bool {
        self.dialect == Dialect::Sqlite
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

    /// Waits for open transactions and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                             PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;";
const SQLITE_READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;";

/// Connects once: a pool would go on trying until it times out, and not say why.
async fn probe(url: &str, first: &'static str) -> sqlx::Result<()> {
    let mut connection = Connection::connect(url).await?;
    sqlx::raw_sql(first).execute(&mut connection).await?;
    connection.close().await
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
