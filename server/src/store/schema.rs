//! The schema's versions: which one a database has, and which one this server needs.

use serde::Serialize;
use sqlx::{Connection as _, Row, migrate::Migrator};

use super::{Connection, Dialect, StoreError};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Which migrations a database has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// Version of the newest migration in the database; 0 where it is empty.
    pub has: i64,
    /// Version of the newest migration of this server.
    pub needs: i64,
    /// What is still to be done, in its order.
    pub pending: Vec<i64>,
}

impl Schema {
    /// Looks at a database, and changes nothing.
    pub async fn read(url: &str) -> Result<Self, StoreError> {
        let applied = match Dialect::of(url)? {
            Dialect::Sqlite => applied(&rwc(url), "SELECT 1 FROM sqlite_master WHERE name = $1").await?,
            Dialect::Postgres => {
                applied(url, "SELECT 1 FROM information_schema.tables WHERE table_name = $1").await?
            }
        };
        let known = || MIGRATIONS.iter().map(|migration| migration.version);
        Ok(Self {
            has: applied.iter().copied().max().unwrap_or(0),
            needs: known().max().unwrap_or(0),
            pending: known().filter(|version| !applied.contains(version)).collect(),
        })
    }

    /// Refuses a database that is behind.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            Ok(())
        } else {
            Err(StoreError::Behind { has: self.has, needs: self.needs })
        }
    }
}

/// The URL of a SQLite file that may not be there yet.
pub(super) fn rwc(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}mode=rwc")
}

async fn applied(url: &str, is_there: &'static str) -> Result<Vec<i64>, StoreError> {
    const TABLE: &str = "_sqlx_migrations";
    let mut conn = Connection::connect(url).await?;
    let mut versions = Vec::new();
    if sqlx::query(is_there).bind(TABLE).fetch_optional(&mut conn).await?.is_some() {
        let rows =
            sqlx::query("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(&mut conn).await?;
        versions = rows.iter().map(|row| row.try_get("version")).collect::<Result<_, _>>()?;
    }
    conn.close().await?;
    Ok(versions)
}
