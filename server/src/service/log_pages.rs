//! Reading the access log: by time, listing, lockbox and person; as pages, and whole as CSV. [GRT-5, CON-3, WEB-4]

use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat};
use futures_util::{Stream, stream};
use sentri_wire::event::LogPage;

use super::{App, Caller};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id,
        access_log::{self, LogQuery, LogRow},
        listings, lockboxes,
    },
};

/// Lines of a page.
const PAGE: usize = 50;
/// Lines of the CSV that are read at once.
const CSV_PAGE: usize = 500;
/// The CSV's first line.
const HEADINGS: &str = "time,lockbox,address,who,how,outcome,confirmed_by_lock,id\r\n";

/// Which lines of the access log are asked for.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// First second.
    pub from: Option<i64>,
    /// First second after.
    pub to: Option<i64>,
    /// Of this listing only.
    pub listing: Option<Id>,
    /// Of the lockbox with this serial number only.
    pub lockbox: Option<String>,
    /// Of what this account did only.
    pub person: Option<Id>,
    /// Those that follow this one.
    pub after: Option<String>,
}

/// A page of the log of the caller's lockboxes, newest first.
pub async fn page(app: &App, caller: &Caller, request: &LogRequest) -> Answer<LogPage> {
    let mut conn = app.store.read().await?;
    let query = query(&mut conn, caller, request, PAGE + 1).await?;
    let rows = access_log::page(&mut conn, &query).await?;
    let next = (rows.len() > PAGE).then(|| rows.get(PAGE - 1)).flatten();
    let next = next.map(|row| format!("{}.{}", row.at, row.id));
    Ok(LogPage { entries: rows.iter().take(PAGE).map(LogRow::to_wire).collect(), next })
}

/// All lines that are asked for, newest first, as the pieces of a CSV document. It is never in memory as a whole; where
/// the database fails on the way, it breaks off, so that nobody takes a part for the whole.
pub async fn csv(
    app: Arc<App>,
    caller: &Caller,
    request: &LogRequest,
) -> Answer<impl Stream<Item = Result<Bytes, Refusal>> + Send + use<>> {
    let mut conn = app.store.read().await?;
    let query = query(&mut conn, caller, request, CSV_PAGE).await?;
    drop(conn);
    let rest = stream::try_unfold(Some(query), move |query| {
        let app = app.clone();
        async move {
            let Some(mut query) = query else { return Ok(None) };
            let mut conn = app.store.read().await?;
            let rows = access_log::page(&mut conn, &query).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            query.before = (last.at, last.id.to_string());
            let lines: String = rows.iter().map(csv_line).collect();
            Ok(Some((Bytes::from(lines), (rows.len() == CSV_PAGE).then_some(query))))
        }
    });
    let headings = stream::once(async { Ok(Bytes::from_static(HEADINGS.as_bytes())) });
    Ok(stream::StreamExt::chain(headings, rest))
}

/// The query for a request, once what it names is known to be the caller's.
async fn query(
    conn: &mut Connection,
    caller: &Caller,
    request: &LogRequest,
    limit: usize,
) -> Answer<LogQuery> {
    caller.agent()?;
    let to = (request.to.unwrap_or(i64::MAX), String::new());
    let after = request.after.as_deref().map(parse_after).transpose()?;
    if let Some(listing) = request.listing {
        listings::owned(conn, caller.account, listing).await?.ok_or_else(Refusal::not_found)?;
    }
    let lockbox = match &request.lockbox {
        Some(serial) => Some(lockbox(conn, caller, serial).await?),
        None => None,
    };
    Ok(LogQuery {
        owner: caller.account,
        from: request.from.unwrap_or(0),
        before: after.map_or(to.clone(), |after| after.min(to)),
        person: request.person,
        lockbox,
        listing: request.listing,
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    })
}

/// A box that is the caller's, or was when something happened at it.
async fn lockbox(conn: &mut Connection, caller: &Caller, serial: &str) -> Answer<Id> {
    let refuse = || Refusal::not_found().field("lockbox");
    let row = lockboxes::by_serial(conn, serial).await?.ok_or_else(refuse)?;
    let is_theirs =
        row.owner_id == caller.account || access_log::names_lockbox(conn, caller.account, row.id).await?;
    if is_theirs { Ok(row.id) } else { Err(refuse()) }
}

fn parse_after(text: &str) -> Answer<(i64, String)> {
    text.split_once('.')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse::<uuid::Uuid>().ok()?.to_string())))
        .ok_or_else(|| Refusal::invalid("after", "Pass `next` of the page before, as it is."))
}

/// A line of the CSV; the time with its offset, in the property's zone.
fn csv_line(row: &LogRow) -> String {
    let entry = row.to_wire();
    let zone = row.time_zone.parse().unwrap_or(chrono_tz::UTC);
    let time = DateTime::from_timestamp(row.at, 0)
        .map(|time| time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true));
    let name = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let fields = [
        time.unwrap_or_default(),
        entry.lockbox,
        row.address.clone().unwrap_or_default(),
        entry.who,
        name(serde_json::to_value(entry.method)),
        name(serde_json::to_value(entry.outcome)),
        if entry.confirmed_by_lock { "yes" } else { "no" }.to_owned(),
        entry.id.to_string(),
    ];
    fields.map(|field| csv_field(&field)).join(",") + "\r\n"
}

/// A field, quoted as RFC 4180 has it. People choose their names, and feeds their addresses: a spreadsheet must not take
/// one for a formula, so that an apostrophe comes before what would begin one.
fn csv_field(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let guard = if is_formula { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n', ';', '\t']) || is_formula {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    /// GRT-5: what somebody calls themselves stays a name in a spreadsheet.
    #[test]
    fn a_field_is_never_a_formula_and_never_two_fields() {
        for (text, field) in [
            ("Bo Lindqvist", "Bo Lindqvist"),
            ("12 Oak St, Apt 4", "\"12 Oak St, Apt 4\""),
            ("the \"Bo\"", "\"the \"\"Bo\"\"\""),
            ("=HYPERLINK(\"http://evil.example\")", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            ("+1 503", "\"'+1 503\""),
            ("-2+3", "\"'-2+3\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
            ("a\r\n=1", "\"a\r\n=1\""),
            ("東京都", "東京都"),
            ("", ""),
        ] {
            assert_eq!(csv_field(text), field, "{text:?}");
        }
    }
}
