//! Reading the feeds by itself: each when it is due, by one instance at a time.

use std::{sync::Arc, time::Duration};

use super::{ListingsImported, Source, Wanted, import};
use crate::{
    refusal::{Answer, Refusal},
    service::App,
    store::{associations, feeds},
};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(20);

/// Reads what is due, for as long as the server runs.
pub async fn run(app: Arc<App>) {
    loop {
        if let Err(error) = import_due(&app).await {
            tracing::error!(%error, "listings can't be imported");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads each feed that is due now and in nobody else's hands. Says what came of it.
pub async fn import_due(app: &App) -> Answer<Vec<ListingsImported>> {
    let mut done = Vec::new();
    for source in app.sources.all() {
        if !is_due(app, source).await? {
            continue;
        }
        let wanted = Wanted { only_if_due: true, ..Wanted::default() };
        match import(app, source, &app.config.instance, wanted).await {
            Ok(report) => done.push(report),
            // Another instance is at it, was quicker, or has taken over.
            Err(Refusal::Problem(problem)) => {
                tracing::debug!(association = source.association, code = ?problem.code, "not imported");
            }
            Err(fault) => {
                tracing::error!(association = source.association, %fault, "listings can't be imported");
            }
        }
    }
    Ok(done)
}

async fn is_due(app: &App, source: &Source) -> Answer<bool> {
    let mut conn = app.store.read().await?;
    let Some(association) = associations::by_name(&mut conn, &source.association).await? else {
        tracing::warn!(
            association = source.association,
            "a listings feed of an association that is not there"
        );
        return Ok(false);
    };
    let state = feeds::of(&mut conn, association.id).await?;
    Ok(state.is_none_or(|state| state.due_at <= app.now()))
}
