//! An access log of any length, and how the database finds its pages.

use std::fmt::Write;

use uuid::Uuid;

use crate::{
    refusal::{Answer, Refusal},
    server::Running,
    store::{
        Id,
        access_log::{self, LogQuery},
        lockboxes,
    },
};

/// Lines that one statement adds.
const BATCH: usize = 1_000;

/// What the lines of a log tell of, each line the next of each.
pub struct Cast<'a> {
    /// Who.
    pub people: &'a [Uuid],
    /// Serial numbers of boxes, all of one agent; where they hang is in the lines.
    pub boxes: &'a [String],
}

/// What a page is filtered by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Of what this account did.
    pub person: Option<Uuid>,
    /// Of this box, by its id.
    pub lockbox: Option<Uuid>,
    /// Of this listing.
    pub listing: Option<Uuid>,
}

/// Adds `count` lines, `every` of them within each second, the last one at `until`.
pub async fn fill_log(
    running: &Running,
    cast: &Cast<'_>,
    count: usize,
    every: usize,
    until: i64,
) -> Answer<()> {
    let app = running.app();
    let mut conn = app.store.read().await?;
    let mut boxes = Vec::with_capacity(cast.boxes.len());
    for serial in cast.boxes {
        boxes.push(lockboxes::by_serial(&mut conn, serial).await?.ok_or_else(Refusal::not_found)?);
    }
    drop(conn);
    let lines: Vec<usize> = (0..count).collect();
    for batch in lines.chunks(BATCH) {
        let rows =
            batch.iter().zip(boxes.iter().cycle().skip(batch.first().copied().unwrap_or(0) % boxes.len()));
        let mut sql = String::from(
            "INSERT INTO access_log (id, owner_id, at, lockbox_id, listing_id, account_id, method, outcome, confirmed) VALUES ",
        );
        for (place, (line, lockbox)) in rows.enumerate() {
            let seconds = i64::try_from((count - 1 - line) / every).unwrap_or(i64::MAX);
            let person = cast.people.get(line % cast.people.len()).copied().unwrap_or_default();
            let listing = lockbox.listing_id.map_or_else(|| "NULL".to_owned(), |id| format!("'{id}'"));
            let comma = if place == 0 { "" } else { "," };
            // Nothing but ids and numbers of our own.
            // Writing to a String can't fail.
            let _ = write!(
                sql,
                "{comma} ('{}', '{}', {}, '{}', {listing}, '{person}', 'ble', 'opened', 1)",
                app.next_id(),
                lockbox.owner_id,
                until - seconds,
                lockbox.id,
            );
        }
        let mut tx = app.store.write().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(tx.conn()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// How SQLite finds the lines of a page of an agent's log.
pub async fn explain_log(running: &Running, owner: Uuid, filter: Filter) -> Answer<Vec<String>> {
    let query = LogQuery {
        owner: Id(owner),
        from: 0,
        before: (i64::MAX, String::new()),
        person: filter.person.map(Id),
        lockbox: filter.lockbox.map(Id),
        listing: filter.listing.map(Id),
        limit: 51,
    };
    let mut conn = running.app().store.read().await?;
    Ok(access_log::explain(&mut conn, &query).await?)
}
