//! Syncs: with nothing new, and a full page of 100 changes, against the least that such an answer could cost.
#![allow(clippy::indexing_slicing, reason = "a bench that can't go on ends by it")]

#[path = "load/mod.rs"]
mod load;

use load::{Failure, Row, SERIAL, Stage};
use sentri_server::bench;
use serde_json::{Value, json};

const CONNECTIONS: usize = 32;
/// More than a page.
const ACCESSES: usize = 150;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let stage = Stage::set(None).await?;
    let (token, address) = (stage.token.as_str(), stage.server.addr());
    let far = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())?
        + 30 * 86_400;
    let cursor = newest(&stage).await?;
    let idle = rates(&stage, load::get("/bare/sync", token), &format!("/v1/sync?cursor={cursor}")).await?;

    bench::add_accesses(&stage.server, stage.account, SERIAL, far, ACCESSES).await?;
    let first: Value = serde_json::from_slice(&load::call(address, &load::get("/v1/sync", token)).await?)?;
    assert_eq!(first["more"], true, "a full page");
    let page = format!("/v1/sync?cursor={cursor}");
    let full: Value = serde_json::from_slice(&load::call(address, &load::get(&page, token)).await?)?;
    assert_eq!(full["changes"].as_array().map(Vec::len), Some(100));
    let full = rates(&stage, load::get("/bare/page", token), &page).await?;

    let row = |what: &str, (ceiling, product), needed, least, known| Row {
        what: what.into(),
        ceiling,
        product,
        needed,
        least,
        known,
    };
    let rows =
        [row("nothing new", idle, 0.5, 8_000.0, 17_000.0), row("100 changes", full, 0.6, 0.0, 6_300.0)];
    let report = json!({
        "title": "Syncs, against the bare query",
        "columns": load::columns(),
        "rows": rows.iter().map(Row::cells).collect::<Vec<_>>(),
        "notes": [
            format!("Over HTTP on {CONNECTIONS} connections, the callers on the same cores; SQLite."),
            "The ceilings have the same listener, token check and connections: the newest change's number; a page's changes, their objects, and their text.",
            "With nothing new, at least 8,000 a second whatever the ceiling is.",
        ],
        "passed": rows.iter().all(Row::passed),
    });
    println!("{report}");
    stage.server.stop().await;
    Ok(())
}

async fn rates(stage: &Stage, bare: Vec<u8>, path: &str) -> Result<(f64, f64), Failure> {
    let request = load::get(path, &stage.token);
    let ceiling: load::Side = (stage.bare, Box::new(move || bare.clone()));
    let product: load::Side = (stage.server.addr(), Box::new(move || request.clone()));
    load::rates(CONNECTIONS, ceiling, product).await
}

/// The cursor of somebody who has everything.
async fn newest(stage: &Stage) -> Result<String, Failure> {
    let mut path = "/v1/sync".to_owned();
    loop {
        let answer = load::call(stage.server.addr(), &load::get(&path, &stage.token)).await?;
        let page: Value = serde_json::from_slice(&answer)?;
        let cursor = page["cursor"].as_str().ok_or("no cursor")?.to_owned();
        if page["more"] == false {
            return Ok(cursor);
        }
        path = format!("/v1/sync?cursor={cursor}");
    }
}
