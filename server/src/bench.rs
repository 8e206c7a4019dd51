//! What the sync bench needs and no caller of the API may do: many accesses at once, and one change.
//! `cargo run --release -p sentri-server --example sync_bench`

use uuid::Uuid;

use crate::{
    refusal::{Answer, Refusal},
    server::Running,
    service::App,
    store::{
        Id, Named, accounts, credentials, devices,
        grants::{self, GrantRow},
        lockboxes,
    },
};
use sentri_wire::{agent::GrantState, credential::Access};

/// Gives a contractor `count` accesses at a lockbox that hangs at a listing, from `starts_at` on, an hour
/// each. Says their ids.
pub async fn add_accesses(
    running: &Running,
    holder: Uuid,
    serial: &str,
    starts_at: i64,
    count: usize,
) -> Answer<Vec<Uuid>> {
    let app: &App = running.app();
    let mut tx = app.store.write().await?;
    let lockbox = lockboxes::by_serial(tx.conn(), serial).await?.ok_or_else(Refusal::not_found)?;
    let holder = accounts::by_id(tx.conn(), Id(holder)).await?.ok_or_else(Refusal::not_found)?;
    let registered = devices::of_account(tx.conn(), holder.id).await?;
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let row = GrantRow {
            id: app.new_id(),
            listing_id: lockbox.listing_id.ok_or_else(Refusal::not_found)?,
            lockbox_id: lockbox.id,
            granter_id: lockbox.owner_id,
            grantee_id: Some(holder.id),
            email: holder.email.clone(),
            email_key: holder.email_key.clone(),
            starts_at,
            ends_at: starts_at + 3600,
            state: Named(GrantState::Granted),
            phone_ready: 0,
            last_used_at: None,
            created_at: app.now(),
            serial: lockbox.serial.clone(),
        };
        grants::insert(tx.conn(), &row).await?;
        for device in &registered {
            credentials::set_due(tx.conn(), *device, row.id, starts_at - 86_400).await?;
        }
        tx.touch::<Access>(holder.id, row.id);
        ids.push(row.id.0);
    }
    tx.commit().await?;
    Ok(ids)
}

/// Makes one access a change for its holder.
pub async fn touch_access(running: &Running, holder: Uuid, access: Uuid) -> Answer<()> {
    let mut tx = running.app().store.write().await?;
    tx.touch::<Access>(Id(holder), access);
    Ok(tx.commit().await?)
}
