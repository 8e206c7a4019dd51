//! Reading the access log: keyed pages, each one range of an index, so that any page costs the same. [GRT-5, CON-3]

use sentri_wire::event::{LogEntry, Method, Outcome};
use sqlx::{FromRow, Row};

use super::{Connection, Id, Named, columns::is_sqlite};

/// A line, with what a reader wants to know beside it.
#[derive(FromRow)]
pub struct LogRow {
    pub id: Id,
    pub at: i64,
    pub serial: String,
    /// IANA zone of the box.
    pub time_zone: String,
    pub listing_id: Option<Id>,
    pub account_id: Option<Id>,
    /// Of the listing.
    pub address: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    label: Option<String>,
    pub method: Named<Method>,
    pub outcome: Named<Outcome>,
    confirmed: i64,
}

impl LogRow {
    /// As an agent reads it.
    pub fn to_wire(&self) -> LogEntry {
        let who = match (&self.first_name, &self.last_name) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            // Where the account is gone, the line stays, without a name. [ACC-11]
            _ => self.label.clone().unwrap_or_else(|| "Former user".to_owned()),
        };
        LogEntry {
            id: self.id.0,
            at: self.at,
            lockbox: self.serial.clone(),
            listing_id: self.listing_id.map(|id| id.0),
            person_id: self.account_id.map(|id| id.0),
            who,
            method: self.method.0,
            outcome: self.outcome.0,
            confirmed_by_lock: self.confirmed != 0,
        }
    }
}

const COLUMNS: &str = "SELECT e.id, e.at, b.serial, b.time_zone, e.listing_id, e.account_id, l.address, a.first_name, \
                       a.last_name, e.label, e.method, e.outcome, e.confirmed";
const NEWEST_FIRST: &str = "ORDER BY e.at DESC, e.id DESC";
const JOIN: &str = "JOIN lockboxes b ON b.id = e.lockbox_id LEFT JOIN listings l ON l.id = e.listing_id \
                    LEFT JOIN accounts a ON a.id = e.account_id";

/// All lines that tell what one account did, oldest first.
pub async fn of_account(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<LogEntry>> {
    let sql = format!("{COLUMNS} FROM access_log e {JOIN} WHERE e.account_id = $1 ORDER BY e.at, e.id");
    let rows: Vec<LogRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account).fetch_all(conn).await?;
    Ok(rows.iter().map(LogRow::to_wire).collect())
}

/// Which lines to read.
#[derive(Clone, Debug)]
pub struct LogQuery {
    pub owner: Id,
    /// First second.
    pub from: i64,
    /// Lines older than this one; with an empty id, than this second.
    pub before: (i64, String),
    pub person: Option<Id>,
    pub lockbox: Option<Id>,
    pub listing: Option<Id>,
    pub limit: i64,
}

impl LogQuery {
    /// What is asked for: column, index that has its lines in their order, id. The first is the one by which the
    /// fewest lines are found.
    fn filters(&self) -> impl Iterator<Item = (&'static str, &'static str, Id)> {
        let all = [
            ("account_id", "access_log_by_person", self.person),
            ("lockbox_id", "access_log_by_lockbox", self.lockbox),
            ("listing_id", "access_log_by_listing", self.listing),
        ];
        all.into_iter().filter_map(|(column, index, id)| Some((column, index, id?)))
    }

    /// The statement. SQLite, which keeps no statistics here, is told which index to take. PostgreSQL is to find the lines
    /// first: where it takes them for few, it would lay all that there are beside people and boxes, and sort them then.
    fn sql(&self, conn: &Connection) -> String {
        use std::fmt::Write;
        let mut which = String::from("e.owner_id = $1 AND e.at >= $2 AND (e.at, e.id) < ($3, $4)");
        for (place, (column, ..)) in (6..).zip(self.filters()) {
            // Writing to a String can't fail.
            let _ = write!(which, " AND e.{column} = ${place}");
        }
        if is_sqlite(conn) {
            let index = self.filters().next().map_or("access_log_by_owner", |(_, index, _)| index);
            return format!(
                "{COLUMNS} FROM access_log e INDEXED BY {index} {JOIN} WHERE {which} {NEWEST_FIRST} LIMIT $5"
            );
        }
        let lines = format!("SELECT * FROM access_log e WHERE {which} {NEWEST_FIRST} LIMIT $5");
        format!("{COLUMNS} FROM ({lines}) e {JOIN} {NEWEST_FIRST}")
    }
}

/// A page of the log, newest first.
pub async fn page(conn: &mut Connection, query: &LogQuery) -> sqlx::Result<Vec<LogRow>> {
    let mut statement = sqlx::query_as(sqlx::AssertSqlSafe(query.sql(conn)))
        .bind(query.owner)
        .bind(query.from)
        .bind(query.before.0)
        .bind(query.before.1.as_str())
        .bind(query.limit);
    for (.., id) in query.filters() {
        statement = statement.bind(id);
    }
    statement.fetch_all(conn).await
}

/// How SQLite finds the lines of a page.
pub async fn explain(conn: &mut Connection, query: &LogQuery) -> sqlx::Result<Vec<String>> {
    let mut statement = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql(conn))))
        .bind(query.owner)
        .bind(query.from)
        .bind(query.before.0)
        .bind(query.before.1.as_str())
        .bind(query.limit);
    for (.., id) in query.filters() {
        statement = statement.bind(id);
    }
    statement.fetch_all(conn).await?.iter().map(|row| row.try_get("detail")).collect()
}

/// Whether an agent's log has any line of a box, which may be another's by now.
pub async fn names_lockbox(conn: &mut Connection, owner: Id, lockbox: Id) -> sqlx::Result<bool> {
    let found: Option<Id> =
        sqlx::query_scalar("SELECT id FROM access_log WHERE owner_id = $1 AND lockbox_id = $2 LIMIT 1")
            .bind(owner)
            .bind(lockbox)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}
