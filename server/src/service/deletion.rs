//! Deleting an account at once: what is personal goes, the owners' logs keep a pseudonym, and a key that is out can
//! still be returned. [ACC-11]

use sentri_protocol::{ticket::Ticket, time::Window};
use sentri_wire::{
    agent::{Grant, GrantState},
    credential::Credential,
    identity::{AccountDeleted, DeleteAccount},
    sync::{Message, MessageTopic},
};

use super::{
    App, Caller, credentials, devices, fault, grants as granting, login,
    messages::{self, About},
    once::Once,
    password, profile, protocol_time, residence, revocations,
};
use crate::{
    catalog,
    outbox::Post,
    refusal::Answer,
    store::{
        self, Writing,
        accounts::{self, AccountRow},
        credentials::CredentialRow,
        erasure,
        grants::{self, GrantRow},
        listings, lockboxes,
    },
};

/// For how long a phone that lost the answer can ask for it again, in seconds: it holds the right to return a key.
const REPEAT_SECONDS: i64 = 24 * 3600;

/// Deletes the caller's account. The phone that did it, whose answer was lost, gets the same answer again.
pub async fn delete(
    app: &App,
    caller: &Caller,
    once: &Once,
    request: &DeleteAccount,
) -> Answer<AccountDeleted> {
    if caller.is_removed {
        let mut tx = app.store.write().await?;
        return once.given_within(app, &mut tx, caller, REPEAT_SECONDS).await?.ok_or_else(login::removed);
    }
    profile::own_profile(caller)?;
    let account = password::again(app, caller, &request.password).await?;
    let mut tx = app.store.write().await?;
    let account = password::unchanged(tx.conn(), &account).await?;
    let pseudonym = Pseudonym::new(app);
    let mut returns = Vec::new();
    for grant in grants::all_of(tx.conn(), account.id).await? {
        returns.extend(end(app, &mut tx, caller, &grant, &pseudonym).await?);
    }
    residence::leave(app, &mut tx, account.id).await?;
    for device in store::devices::of_account(tx.conn(), account.id).await? {
        devices::remove(app, &mut tx, account.id, device).await?;
    }
    Post::mail(&account.email, &catalog::account_deleted()).put(app, &mut tx).await?;
    erase(&mut tx, &account, &pseudonym).await?;
    let answer = AccountDeleted { returns };
    once.take(app, &mut tx, caller).await?;
    once.keep(app, &mut tx, caller, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// What the owners' logs call somebody from now on: "Former user 3F2A", so that two of them can be told apart.
struct Pseudonym {
    last: String,
}

impl Pseudonym {
    const FIRST: &'static str = "Former";

    fn new(app: &App) -> Self {
        Self { last: format!("user {}", hex::encode_upper(app.random::<2>())) }
    }

    fn full(&self) -> String {
        format!("{} {}", Self::FIRST, self.last)
    }
}

/// Ends one access. One that has not begun is taken back; of one that has, and whose key may be out, the caller's
/// phone keeps the right to return it.
async fn end(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    grant: &GrantRow,
    pseudonym: &Pseudonym,
) -> Answer<Vec<Credential>> {
    let now = app.now();
    let mut returns = Vec::new();
    if grant.ends_at > now && grant.state.0 != GrantState::Revoked {
        let key_is_out = grant.starts_at < now && grant.last_used_at.is_some();
        if key_is_out {
            returns = return_rights(app, tx, caller, grant).await?;
        }
        if grant.starts_at > now {
            grants::set_revoked(tx.conn(), grant.id, now).await?;
        }
        tell_granter(app, tx, grant, pseudonym).await?;
    }
    // What the phone keeps for a return stays off the list; the rest of this access goes on it.
    revocations::take_back(app, tx, grant).await?;
    tx.touch::<Grant>(grant.granter_id, grant.id);
    Ok(returns)
}

/// The caller's tickets for a begun access, ended as of now, so that the lock takes the one that opened last once
/// more. Their ids are kept off the revocation list.
async fn return_rights(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    grant: &GrantRow,
) -> Answer<Vec<Credential>> {
    let lockbox = lockboxes::by_id(tx.conn(), grant.lockbox_id)
        .await?
        .ok_or_else(|| fault("a grant without its lockbox"))?;
    let kept = store::credentials::keep_for_return(tx.conn(), grant.id, caller.device, app.now()).await?;
    kept.iter().map(|row| credentials::to_wire(app, &ended(app, row)?, &lockbox)).collect()
}

/// The same ticket, with a window that ends now.
fn ended(app: &App, row: &CredentialRow) -> Answer<CredentialRow> {
    let bytes = hex::decode(&row.ticket).map_err(|_| fault("a ticket that is no hex"))?;
    let mut ticket = Ticket::decode(&bytes).map_err(|_| fault("a ticket that can't be read"))?;
    let now = app.now().max(row.not_before + 1);
    ticket.window = Window::new(protocol_time(row.not_before)?, protocol_time(now)?)
        .ok_or_else(|| fault("a return without a window"))?;
    Ok(CredentialRow { not_after: now, renew_at: now, ticket: hex::encode(ticket.encode()), ..row.clone() })
}

async fn tell_granter(app: &App, tx: &mut Writing, grant: &GrantRow, pseudonym: &Pseudonym) -> Answer<()> {
    let listing = listings::by_id(tx.conn(), grant.listing_id)
        .await?
        .ok_or_else(|| fault("a grant without its listing"))?;
    let text = catalog::holder_deleted(&granting::visit(&listing, grant)?, &pseudonym.full());
    let about = About { access: grant.id, topic: MessageTopic::AccessRevoked };
    messages::add_with_push(app, tx, grant.granter_id, &about, &text).await
}

/// Takes out everything personal, in others' messages too.
async fn erase(tx: &mut Writing, account: &AccountRow, pseudonym: &Pseudonym) -> Answer<()> {
    let full = pseudonym.full();
    let mut names = vec![account.email.clone(), account.full_name()];
    names.extend(erasure::other_names(tx.conn(), account.id).await?);
    for (owner, message) in erasure::messages_naming(tx.conn(), account.id).await? {
        erasure::rename_in(tx.conn(), message, &names, &full).await?;
        tx.touch::<Message>(owner, message);
    }
    erasure::grants(tx.conn(), account.id, &full).await?;
    erasure::belongings(tx.conn(), account.id, &account.email_key).await?;
    accounts::erase(tx.conn(), account.id, Pseudonym::FIRST, &pseudonym.last).await?;
    Ok(())
}
