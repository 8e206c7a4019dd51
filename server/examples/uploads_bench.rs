//! Uploads of single events, each durable before its answer, against a bare insert with the same token check and the
//! same writer: on SQLite, and on the PostgreSQL server at `SENTRI_BENCH_POSTGRES`.
#![allow(clippy::indexing_slicing, reason = "a bench that can't go on ends by it")]

#[path = "load/mod.rs"]
mod load;

use load::{Failure, Row, SERIAL, Stage};
use serde_json::json;
use uuid::Uuid;

const CONNECTIONS: usize = 256;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let postgres = std::env::var("SENTRI_BENCH_POSTGRES")?;
    let rows =
        [measure("SQLite", None, 13_400.0).await?, measure("PostgreSQL", Some(&postgres), 5_000.0).await?];
    let report = json!({
        "title": "Uploads of single events, against a bare insert",
        "columns": load::columns(),
        "rows": rows.iter().map(Row::cells).collect::<Vec<_>>(),
        "notes": [
            format!("Over HTTP on {CONNECTIONS} connections, the callers on the same cores; SQLite with synchronous = FULL, PostgreSQL with fsync."),
            "The ceiling has the same listener, token check, connections and writer, and inserts the event's row alone.",
            "An event is what a phone reports without the lock's word: checked against box and access, stored once, put into the log.",
        ],
        "passed": rows.iter().all(Row::passed),
    });
    println!("{report}");
    Ok(())
}

async fn measure(database: &str, postgres: Option<&str>, known: f64) -> Result<Row, Failure> {
    let stage = Stage::set(postgres).await?;
    let bare = load::post("/bare/insert", Some(&stage.token), "0123456789abcdef");
    let (token, access) = (stage.token.clone(), stage.access);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let upload = move || {
        let event = json!({ "id": Uuid::new_v4(), "at": now, "lockbox": SERIAL, "access_id": access, "outcome": "refused" });
        load::post("/v1/events", Some(&token), &json!({ "events": [event] }).to_string())
    };
    let ceiling: load::Side = (stage.bare, Box::new(move || bare.clone()));
    let product: load::Side = (stage.server.addr(), Box::new(upload));
    let (ceiling, product) = load::rates(CONNECTIONS, ceiling, product).await?;
    stage.server.stop().await;
    Ok(Row { what: database.into(), ceiling, product, needed: 0.6, least: 0.0, known })
}
