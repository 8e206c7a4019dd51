//! Many rows in one, as JSON. SQLite's driver hands each row from its thread to ours by itself: for a page of a hundred
//! that costs more than the query.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, query::QueryScalar, query_scalar};

use super::{Connection, columns::is_sqlite};

/// A query that is still to be given its arguments.
pub type Gathering = QueryScalar<'static, Any, String, AnyArguments>;

/// Records that the database has put together, by their ids: ready to be sent, and so never taken apart.
pub type Records = HashMap<String, Box<RawValue>>;

/// A member of a JSON object: its name, and its value in SQL.
pub enum Member {
    /// A text or a number.
    Value(&'static str, &'static str),
    /// What is true or false.
    Flag(&'static str, &'static str),
}

/// These columns of each row, in no order. `rows` is what comes after `FROM`.
pub async fn gather<T: DeserializeOwned>(
    conn: &mut Connection,
    columns: &str,
    rows: &str,
    bind: impl FnOnce(Gathering) -> Gathering,
) -> sqlx::Result<Vec<T>> {
    let arrays = if is_sqlite(conn) {
        format!("json_group_array(json_array({columns}))")
    } else {
        format!("COALESCE(json_agg(json_build_array({columns})), '[]')")
    };
    fetch(conn, &arrays, rows, bind).await
}

/// An object of each row, under an id. `rows` is what comes after `FROM`.
pub async fn records(
    conn: &mut Connection,
    id: &str,
    members: &[Member],
    rows: &str,
    bind: impl FnOnce(Gathering) -> Gathering,
) -> sqlx::Result<Records> {
    let object = object(conn, members);
    let objects = if is_sqlite(conn) {
        format!("json_group_object({id}, {object})")
    } else {
        format!("COALESCE(json_object_agg({id}, {object}), '{{}}')")
    };
    fetch(conn, &objects, rows, bind).await
}

async fn fetch<T: DeserializeOwned>(
    conn: &mut Connection,
    what: &str,
    rows: &str,
    bind: impl FnOnce(Gathering) -> Gathering,
) -> sqlx::Result<T> {
    let sql = format!("SELECT CAST({what} AS TEXT) FROM {rows}");
    let text = bind(query_scalar(AssertSqlSafe(sql))).fetch_one(conn).await?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A JSON object, in SQL.
pub fn object(conn: &Connection, members: &[Member]) -> String {
    let is_sqlite = is_sqlite(conn);
    let members: Vec<String> = members
        .iter()
        .map(|member| match member {
            // Its own truth is a number.
            Member::Flag(name, sql) if is_sqlite => {
                format!("'{name}', json(CASE WHEN {sql} THEN 'true' ELSE 'false' END)")
            }
            Member::Flag(name, sql) | Member::Value(name, sql) => format!("'{name}', {sql}"),
        })
        .collect();
    let function = if is_sqlite { "json_object" } else { "json_build_object" };
    format!("{function}({})", members.join(", "))
}

/// A table whose column `value` holds the texts of a JSON array, which is one argument of the query: as many arguments as
/// there are texts would cost more than finding their rows.
pub fn listed(conn: &Connection, argument: usize, name: &str) -> String {
    if is_sqlite(conn) {
        format!("json_each(${argument}) AS {name}")
    } else {
        format!("json_array_elements_text(CAST(${argument} AS json)) AS {name}(value)")
    }
}
