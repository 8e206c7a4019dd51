//! What benches and tests need and no caller of the API may do: a database of their own, many accesses at once, one
//! change. `cargo xtask bench` runs the benches.

pub mod bare;
pub mod log;

use std::sync::OnceLock;

use sqlx::Connection as _;
use uuid::Uuid;

use crate::{
    refusal::{Answer, Refusal},
    server::Running,
    service::{App, fault},
    store::{
        Id, accounts, credentials, devices,
        grants::{self, GrantKind, GrantRow},
        lockboxes,
    },
};
use sentri_wire::credential::Access;

/// How the names of databases begin that are made here.
const PREFIX: &str = "sentri_";

/// Makes a fresh database on the PostgreSQL server at `postgres://role@host:port`, and says its URL.
pub async fn add_database(server: &str) -> Answer<String> {
    sqlx::any::install_default_drivers();
    create(server, "").await
}

/// Copies such a database, which nobody may be using, and says the copy's URL.
pub async fn copy_database(original: &str) -> Answer<String> {
    let (server, name) = split(original)?;
    create(server, &format!(" TEMPLATE {name}")).await
}

/// Deletes such a database, whoever is using it.
pub async fn drop_database(url: &str) -> Answer<()> {
    let (server, name) = split(url)?;
    at(server, format!("DROP DATABASE {name} WITH (FORCE)")).await
}

async fn create(server: &str, how: &str) -> Answer<String> {
    let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
    at(server, format!("CREATE DATABASE {name}{how}")).await?;
    Ok(format!("{server}/{name}"))
}

/// Server and name of a database that was made here: only hexadecimal digits are in its name.
fn split(url: &str) -> Answer<(&str, &str)> {
    let is_ours = |name: &str| {
        name.strip_prefix(PREFIX).is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_hexdigit()))
    };
    url.rsplit_once('/')
        .filter(|(_, name)| is_ours(name))
        .ok_or_else(|| fault("a database of somebody else's"))
}

async fn at(server: &str, statement: String) -> Answer<()> {
    let mut connection = crate::store::Connection::connect(&format!("{server}/postgres")).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

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
        let listing = lockbox.listing_id.ok_or_else(Refusal::not_found)?;
        let window = (starts_at, starts_at + 3600);
        let row = GrantRow {
            grantee_id: Some(holder.id),
            email: holder.email.clone(),
            email_key: holder.email_key.clone(),
            ..GrantRow::new(app.new_id(), GrantKind::Access, &lockbox, listing, window, app.now())
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

/// Any lockbox, looked up once in each database: the ceiling of an insert does not pay for finding one.
async fn any_lockbox(app: &App, found: &OnceLock<Id>) -> Answer<Id> {
    if let Some(id) = found.get() {
        return Ok(*id);
    }
    let mut conn = app.store.read().await?;
    let id: Id = sqlx::query_scalar("SELECT id FROM lockboxes LIMIT 1").fetch_one(&mut *conn).await?;
    Ok(*found.get_or_init(|| id))
}

/// Makes one access a change for its holder.
pub async fn touch_access(running: &Running, holder: Uuid, access: Uuid) -> Answer<()> {
    let mut tx = running.app().store.write().await?;
    tx.touch::<Access>(Id(holder), access);
    Ok(tx.commit().await?)
}
