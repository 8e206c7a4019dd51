//! Brings what changed, takes up what happened, and tells how fresh the phone is. [SYN-1, SYN-2, SYN-3]

pub mod plan;
pub mod pushes;
mod reassert;
pub mod register;
mod status;
mod upload;

use std::time::Duration;

use sentri_wire::{
    codes::{SmacKey, SmartPinKey},
    credential::Credential,
    problem::ProblemCode,
    residence::{Door, DoorCode},
    sync::SyncPage,
};

use status::GoingOn;
pub use status::{Freshness, LastSync, STALE_AFTER, Status, freshness, status};
use upload::upload;

use crate::{
    CoreError, codes,
    http::Call,
    session::{Session, SessionError},
    store::StoreError,
};

/// A page has at least one change, so that more pages than this are a loop.
const MAX_PAGES: u32 = 10_000;
/// How long an upload outside of a sync may take.
const REPORT: Duration = Duration::from_secs(5);

/// Uploads what waits, then fetches all that changed since the last time. One at a time; a second caller waits
/// for the first and then finds little to do.
pub async fn run(session: &Session) -> Result<(), CoreError> {
    let _one_at_a_time = session.syncing.lock().await;
    let going_on = GoingOn::begin(session);
    let done = exchange(session).await;
    if let Err(SessionError::Api(error)) = &done
        && let Some(ProblemCode::AccountNotActive | ProblemCode::NotLoggedIn | ProblemCode::DeviceRemoved) =
            error.code()
    {
        disarm(session).await?;
    }
    let done = done.map_err(CoreError::from);
    going_on.end(LastSync::of(&done));
    done
}

/// Uploads what waits, and nothing else. Gives up after a while: the next sync does it.
pub async fn report(session: &Session) {
    let _one_at_a_time = session.syncing.lock().await;
    // How it went is no one's concern yet: nothing is lost.
    tokio::select! {
        _ = upload(session) => {}
        () = session.api.clock.sleep(REPORT) => {}
    }
}

async fn exchange(session: &Session) -> Result<(), SessionError> {
    upload(session).await?;
    codes::forget_old(session).await?;
    // This may not keep the credentials from arriving, nor may the pushes below; the next sync tries again.
    let _ = register::register_quietly(session).await;
    reassert::reassert(session).await?;
    fetch(session).await?;
    // What the last pages brought to light is told at once, and what follows from it is fetched.
    if reassert::reassert(session).await? {
        fetch(session).await?;
    }
    let _ = pushes::tell(session).await;
    Ok(())
}

async fn fetch(session: &Session) -> Result<(), SessionError> {
    for _ in 0..MAX_PAGES {
        let cursor = session.vault.run(|store| Ok(store.read().sync_mark()?.cursor)).await?;
        let page: SyncPage = session.call(&Call::get(&crate::http::sync_path(cursor.as_deref()))).await?;
        let more = page.more;
        match apply(session, cursor, page).await {
            // The store was recovered meanwhile: it asks again from where it is now.
            Err(SessionError::Store(StoreError::OutOfTurn)) => {}
            applied => {
                applied?;
                if !more {
                    return Ok(());
                }
            }
        }
    }
    Err(StoreError::Unreadable.into())
}

/// Stores a page with its cursor in one transaction, then raises the mark in the key store: a kill in between
/// leaves the store ahead of the mark, which is fine; a store behind it is an old copy.
async fn apply(session: &Session, asked: Option<String>, page: SyncPage) -> Result<(), SessionError> {
    let now = session.api.clock.now();
    session.time.hear(page.server_time);
    let mark = session
        .vault
        .run(move |store| store.write("sync.page", |rows| rows.apply_page(asked.as_deref(), &page, now)))
        .await?;
    session.changes.note();
    // A locked key store must not keep the credentials from arriving; the next page raises the mark as well.
    let _ = session.keys.raise_high_water(session.account, mark).await;
    Ok(())
}

/// An ended session or a suspended account: no working credential stays on the phone. [ACC-7]
async fn disarm(session: &Session) -> Result<(), CoreError> {
    session
        .write("sync.disarm", |rows| {
            rows.remove_all::<Credential>()?;
            rows.remove_all::<SmacKey>()?;
            rows.remove_all::<SmartPinKey>()?;
            rows.remove_all::<Door>()?;
            rows.remove_all::<DoorCode>()?;
            let high_water = rows.sync_mark()?.high_water;
            rows.force_full_sync(high_water)
        })
        .await
}
