//! A member at a box of their association: the ticket for it is fetched when ENT is pressed. [AGT-1]

use sentri_protocol::{KeyTree, advert::Advert, time::Week};
use sentri_wire::credential::{Access, Visit, VisitRequest};

use super::{App, Caller, credentials, fault, grants as granting};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Id, Writing, accesses, accounts,
        grants::{self, GrantKind, GrantRow},
        lockboxes::{self, LockboxRow},
    },
};

/// How long a visit lasts, in seconds: long enough to show a house, and short, since standing can be lost. The key can be
/// returned after it.
const VISIT_SECONDS: i64 = 3600;
/// A running visit with so much left is the answer to a second ENT; one with less is followed by another.
const LEFT: i64 = VISIT_SECONDS / 2;
/// Boxes that are looked at before others have their turn on this thread.
const AT_ONCE: usize = 64;

/// Finds the box that sent the advert among those that the caller may open, and gives a ticket for it. Whether it opens at
/// this hour is the lock's to judge.
pub async fn visit(app: &App, caller: &Caller, request: &VisitRequest) -> Answer<Visit> {
    let association = caller.agent()?;
    let advert = Advert::decode(request.advert.as_ref())
        .map_err(|_| Refusal::invalid("advert", "The 18 bytes that a lockbox sends after ENT."))?;
    let mut conn = app.store.read().await?;
    let open_to_members =
        lockboxes::open_to_members(&mut conn, association, caller.account, app.now()).await?;
    drop(conn);
    let lockbox = sender(app, &advert, open_to_members).await?.ok_or_else(Refusal::not_found)?;

    let mut tx = app.store.write().await?;
    // Two at one moment: the second finds the first one's visit.
    lockboxes::hold(tx.conn(), &lockbox.serial).await?;
    let now = lockboxes::by_id(tx.conn(), lockbox.id).await?;
    let lockbox = now.filter(|now| now.listing_id == lockbox.listing_id && now.owner_id == lockbox.owner_id);
    let lockbox = lockbox.ok_or_else(Refusal::not_found)?;
    let running = grants::visit_at(tx.conn(), caller.account, lockbox.id, app.now() + LEFT).await?;
    let grant = match running {
        Some(running) => running,
        None => begin(app, &mut tx, caller, &lockbox).await?,
    };
    let time = app.signing_time(&mut tx).await?;
    let credential = credentials::issue(app, &mut tx, caller, &grant, time).await?;
    let credential = credentials::to_wire(app, &credential, &lockbox)?;
    let access = shown(&mut tx, caller, grant.id).await?;
    tx.commit().await?;
    Ok(Visit { access, credential })
}

/// Nobody may be at the box any more by a visit: it is taken off its listing.
pub async fn end_at(app: &App, tx: &mut Writing, lockbox: Id) -> Answer<()> {
    for visit in grants::open_at(tx.conn(), lockbox, app.now()).await? {
        if visit.kind.0 == GrantKind::Visit {
            grants::set_revoked(tx.conn(), visit.id, app.now()).await?;
            granting::take_back(app, tx, &visit).await?;
        }
    }
    Ok(())
}

/// The box whose key made the advert's tag. A stranger's advert is nobody's.
async fn sender(app: &App, advert: &Advert, boxes: Vec<LockboxRow>) -> Answer<Option<LockboxRow>> {
    let week = super::protocol_time(app.now())?.week();
    for some in boxes.chunks(AT_ONCE) {
        for lockbox in some {
            if is_from(advert, &app.keys(lockbox)?, week) {
                return Ok(Some(lockbox.clone()));
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(None)
}

/// A lock's clock drifts: about the turn of a week its key may be another one than ours.
fn is_from(advert: &Advert, keys: &KeyTree, Week(week): Week) -> bool {
    if advert.flags.clock_lost {
        return advert.is_from(&keys.advert_key_lost());
    }
    (week.saturating_sub(1)..=week + 1).any(|week| advert.is_from(&keys.advert_key(Week(week))))
}

async fn begin(app: &App, tx: &mut Writing, caller: &Caller, lockbox: &LockboxRow) -> Answer<GrantRow> {
    let listing_id = lockbox.listing_id.ok_or_else(|| fault("a box that hangs nowhere"))?;
    let member = accounts::by_id(tx.conn(), caller.account).await?.ok_or_else(Refusal::not_found)?;
    let window = (app.now(), app.now() + VISIT_SECONDS);
    let row = GrantRow {
        grantee_id: Some(member.id),
        email_key: member.email_key,
        email: member.email,
        ..GrantRow::new(app.new_id(), GrantKind::Visit, lockbox, listing_id, window, app.now())
    };
    grants::insert(tx.conn(), &row).await?;
    tx.touch::<Access>(member.id, row.id);
    Ok(row)
}

async fn shown(tx: &mut Writing, caller: &Caller, grant: Id) -> Answer<Access> {
    let id = grant.to_string();
    let records = accesses::held_among(tx.conn(), caller.account, &[&id]).await?;
    let record = records.get(&id).ok_or_else(|| fault("a visit that vanished"))?;
    Ok(serde_json::from_str(record.get())?)
}
