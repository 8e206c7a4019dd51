//! Many rows in one, as JSON arrays. SQLite's driver hands each row from its thread to ours by itself: for a page of a
//! hundred that costs more than the query.

use serde::de::DeserializeOwned;
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, query::QueryScalar, query_scalar};

use super::Connection;

/// A query that is still to be given its arguments.
pub type Gathering = QueryScalar<'static, Any, String, AnyArguments>;

/// These columns of each row, in no order. `rows` is what comes after `FROM`.
pub async fn gather<T: DeserializeOwned>(
    conn: &mut Connection,
    columns: &str,
    rows: &str,
    bind: impl FnOnce(Gathering) -> Gathering,
) -> sqlx::Result<Vec<T>> {
    let arrays = if conn.backend_name() == "SQLite" {
        format!("json_group_array(json_array({columns}))")
    } else {
        format!("CAST(COALESCE(json_agg(json_build_array({columns})), '[]') AS TEXT)")
    };
    let sql = format!("SELECT {arrays} FROM {rows}");
    let text = bind(query_scalar(AssertSqlSafe(sql))).fetch_one(conn).await?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))
}
