//! SentriConnect access: grant, review, revoke. [GRT-1 to GRT-5, ACC-12]

use sentri_protocol::grant;
use sentri_wire::{
    Secret,
    account::{AccountKind, GrantApproval},
    agent::{Grant, GrantRequest, GrantResponse, GrantState, Grants, Invitee, LockboxGeneration},
    credential::Access,
    device::Presence,
    problem::ProblemCode,
};

use super::{
    App, Caller, devices, fault,
    guessing::Limit,
    messages::{self, About},
    once::Once,
    revocations,
};
use crate::{
    catalog::{self, Visit},
    outbox::Post,
    refusal::{Answer, Refusal},
    rules::{self, Email},
    store::{
        self, Id, Named, Writing,
        accounts::{self, AccountRow},
        credentials,
        grants::{self, GrantKind, GrantRow},
        invitations::{self, InvitationRow},
        listings::{self, ListingRow},
        lockboxes::{self, LockboxRow},
    },
};

const INVITATION_SECONDS: i64 = 30 * 86_400;
const HISTORY: i64 = 200;
const PIN_LIMIT: Limit = Limit { purpose: "pin", free: 5, first_wait: 300, longest_wait: 86_400 };

/// Gives a person access to a listing's lockbox.
///
/// An agent's address is answered like an unknown one: the granter is not told whose it is, only the mail
/// to that address says so. (`docs/adr/0014`)
pub async fn grant(app: &App, caller: &Caller, once: &Once, request: &GrantRequest) -> Answer<GrantResponse> {
    let association = caller.agent()?;
    let email = Email::parse(&request.email, "email")?;
    check_window(app, request)?;
    let presence = approve(app, caller, request).await?;

    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    if let Some(presence) = presence {
        devices::spend_presence(app, &mut tx, caller, presence).await?;
    }
    let policy = app.policy(tx.conn(), Some(association)).await?;
    if request.ends_at - request.starts_at > i64::from(policy.longest_grant_seconds) {
        let days = policy.longest_grant_seconds / 86_400;
        return Err(Refusal::invalid("ends_at", format!("An access lasts at most {days} days.")).limit(days));
    }
    let (listing, lockbox) = place(&mut tx, caller, request).await?;
    let known = accounts::by_email(tx.conn(), &email.key()).await?;
    let holder = known
        .as_ref()
        .filter(|account| matches!(account.kind.0, AccountKind::Contractor | AccountKind::Resident));
    let window = (request.starts_at, request.ends_at);
    let row = GrantRow {
        grantee_id: holder.map(|account| account.id),
        email: email.as_str().to_owned(),
        email_key: email.key(),
        state: Named(if holder.is_some() { GrantState::Granted } else { GrantState::Invited }),
        ..GrantRow::new(app.new_id(), GrantKind::Access, &lockbox, listing.id, window, app.now())
    };
    let visit = visit(&listing, &row)?;
    let granter = granter(&mut tx, &row).await?;
    if let Some(standing) = grants::same(tx.conn(), &row).await? {
        // Asked for once more: whoever has not come yet gets the mail again, nobody gets a second access.
        let is_new = standing.state.0 == GrantState::Invited;
        if is_new {
            invite(app, &mut tx, &email, &visit, &granter, known.is_some()).await?;
        }
        let invitee = if is_new { Invitee::New } else { Invitee::Existing };
        return answer(app, tx, caller, once, GrantResponse { grant: standing.to_wire(), invitee }).await;
    }
    grants::insert(tx.conn(), &row).await?;
    tx.touch::<Grant>(caller.account, row.id);
    let about = About { access: row.id, topic: sentri_wire::sync::MessageTopic::AccessGranted };
    let told = catalog::granted(&visit, email.as_str(), holder.is_none());
    messages::add(app, &mut tx, caller.account, &about, &told).await?;
    let invitee = if let Some(holder) = holder {
        hand_over(app, &mut tx, holder.id, &row, policy.lead_seconds).await?;
        let text = catalog::received(&visit, &granter.full_name());
        messages::add_with_push(app, &mut tx, holder.id, &about, &text).await?;
        Invitee::Existing
    } else {
        invite(app, &mut tx, &email, &visit, &granter, known.is_some()).await?;
        Invitee::New
    };
    answer(app, tx, caller, once, GrantResponse { grant: row.to_wire(), invitee }).await
}

async fn answer(
    app: &App,
    mut tx: Writing,
    caller: &Caller,
    once: &Once,
    response: GrantResponse,
) -> Answer<GrantResponse> {
    once.keep(app, &mut tx, caller, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The SentriConnect history of one of the caller's listings. [GRT-5]
pub async fn history(app: &App, caller: &Caller, listing: Id) -> Answer<Grants> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    listings::owned(&mut conn, caller.account, listing).await?.ok_or_else(Refusal::not_found)?;
    let rows = grants::of_listing(&mut conn, listing, HISTORY).await?;
    Ok(Grants { grants: rows.iter().map(GrantRow::to_wire).collect() })
}

/// Takes one of the caller's grants back, where it has not begun. Once more changes nothing. [GRT-4]
pub async fn revoke(app: &App, caller: &Caller, once: &Once, id: Id) -> Answer<Grant> {
    caller.agent()?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let revoked = grants::revoke(tx.conn(), caller.account, id, app.now()).await?;
    let given = grants::given(tx.conn(), caller.account, id).await?;
    let mut grant = given.filter(|it| it.kind.0 == GrantKind::Access).ok_or_else(Refusal::not_found)?;
    if revoked {
        take_back(app, &mut tx, &grant).await?;
        grant = grants::by_id(tx.conn(), id).await?.ok_or_else(Refusal::not_found)?;
    } else if grant.state.0 != GrantState::Revoked {
        return Err(Refusal::new(ProblemCode::AlreadyBegun)
            .at(grant.starts_at)
            .detail("The key may be out. It ends by itself."));
    }
    let answer = grant.to_wire();
    once.keep(app, &mut tx, caller, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Ends everything that is granted at a lockbox, begun or not: it changes hands, or goes out of use. [OPS-2]
pub async fn end_at(app: &App, tx: &mut Writing, lockbox: Id) -> Answer<usize> {
    let open = grants::open_at(tx.conn(), lockbox, app.now()).await?;
    for grant in &open {
        grants::set_revoked(tx.conn(), grant.id, app.now()).await?;
        take_back(app, tx, grant).await?;
    }
    Ok(open.len())
}

/// Whoever is not in good standing lets nobody in: what they granted and has not begun is taken from the phones, and
/// nothing is renewed. What has begun lasts until its tickets end, since the key may be out. (`docs/adr/0065`)
pub async fn hold(app: &App, tx: &mut Writing, granter: Id) -> Answer<()> {
    for grant in grants::open_given_by(tx.conn(), granter, app.now()).await? {
        if grant.starts_at > app.now() {
            revocations::withdraw(app, tx, &grant).await?;
        }
        if let Some(holder) = grant.grantee_id {
            tx.touch::<Access>(holder, grant.id);
        }
    }
    Ok(())
}

/// In good standing again: what they granted goes on.
pub async fn resume(app: &App, tx: &mut Writing, granter: &AccountRow) -> Answer<()> {
    let policy = app.policy(tx.conn(), granter.association_id).await?;
    for grant in grants::open_given_by(tx.conn(), granter.id, app.now()).await? {
        if let Some(holder) = grant.grantee_id {
            hand_over(app, tx, holder, &grant, policy.lead_seconds).await?;
        }
    }
    Ok(())
}

/// Takes a grant back that is revoked now, and tells both.
pub async fn take_back(app: &App, tx: &mut Writing, grant: &GrantRow) -> Answer<()> {
    revocations::take_back(app, tx, grant).await?;
    if grant.kind.0 == GrantKind::Visit {
        // Nobody gave it, so nobody is told.
        grant.grantee_id.into_iter().for_each(|member| tx.touch::<Access>(member, grant.id));
        return Ok(());
    }
    tx.touch::<Grant>(grant.granter_id, grant.id);

    let listing = listings::by_id(tx.conn(), grant.listing_id)
        .await?
        .ok_or_else(|| fault("a grant without its listing"))?;
    let visit = visit(&listing, grant)?;
    let about = About { access: grant.id, topic: sentri_wire::sync::MessageTopic::AccessRevoked };
    let text = catalog::revoked(&visit, &grant.email);
    messages::add(app, tx, grant.granter_id, &about, &text).await?;
    if let Some(holder) = grant.grantee_id {
        tx.touch::<Access>(holder, grant.id);
        return messages::add_with_push(app, tx, holder, &about, &text).await;
    }
    let granter = granter(tx, grant).await?;
    let mail = catalog::revoked_mail(&visit, &granter.full_name());
    Post::mail(&grant.email, &mail).put(app, tx).await
}

/// What can be said against a window without looking anything up. [GRT-2]
fn check_window(app: &App, request: &GrantRequest) -> Answer<()> {
    grant::window(app.now(), request.starts_at, request.ends_at)
        .map(drop)
        .map_err(|refusal| Refusal::invalid(refusal.field(), refusal.reason()))
}

/// Listing and lockbox of a grant: the caller's own, assigned, with Bluetooth. [GRT-1]
async fn place(
    tx: &mut Writing,
    caller: &Caller,
    request: &GrantRequest,
) -> Answer<(ListingRow, LockboxRow)> {
    let listing = listings::owned(tx.conn(), caller.account, Id(request.listing_id))
        .await?
        .ok_or_else(|| Refusal::not_found().field("listing_id"))?;
    if let Some(serial) = &listing.lockbox {
        // Two who grant the same at one moment: the second finds the first one's.
        lockboxes::hold(tx.conn(), serial).await?;
    }
    let lockbox = lockboxes::at_listing(tx.conn(), listing.id)
        .await?
        .filter(|lockbox| lockbox.owner_id == caller.account)
        .ok_or_else(|| {
            Refusal::new(ProblemCode::NoLockboxAssigned).detail("Choose a lockbox and assign it first.")
        })?;
    if lockbox.generation.0 == LockboxGeneration::NonBle {
        return Err(
            Refusal::new(ProblemCode::LockboxWithoutBluetooth).detail("Offer a one day code instead.")
        );
    }
    if let Some(since) = lockbox.on_listing_since.filter(|since| request.ends_at <= *since) {
        return Err(Refusal::invalid("ends_at", "The lockbox hangs there only later.").at(since));
    }
    Ok((listing, lockbox))
}

/// The granter's PIN, or in its place, where the association allows it, the signature of their device's hardware key,
/// which is still to be used up. [ACC-12]
async fn approve<'a>(app: &App, caller: &Caller, request: &'a GrantRequest) -> Answer<Option<&'a Presence>> {
    match (&request.pin, &request.presence) {
        (Some(pin), None) => check_pin(app, caller, pin).await.map(|()| None),
        (None, Some(presence)) => {
            let mut conn = app.store.read().await?;
            let policy = app.policy(&mut conn, caller.association).await?;
            drop(conn);
            if policy.grant_approval == GrantApproval::Pin {
                return Err(
                    Refusal::new(ProblemCode::PinRequired).detail("Your association asks for the PIN.")
                );
            }
            devices::check_presence(app, caller, request, presence).await.map(|()| Some(presence))
        }
        _ => Err(Refusal::invalid("pin", "Enter your PIN, or confirm on your phone: one of the two.")),
    }
}

/// Forgets an account's wrong PINs, and ends their wait.
pub async fn forget_wrong_pins(tx: &mut Writing, account: Id) -> Answer<()> {
    Ok(store::tries::clear(tx.conn(), PIN_LIMIT.purpose, &account.to_string()).await?)
}

/// Checks the caller's PIN. [ACC-12]
pub async fn check_pin(app: &App, caller: &Caller, pin: &Secret) -> Answer<()> {
    let subject = caller.account.to_string();
    let _turn = app.turns.take(&subject).await;
    PIN_LIMIT.count(app, &subject).await.map_err(|refusal| refusal.field("pin"))?;
    let mut conn = app.store.read().await?;
    let account = accounts::by_id(&mut conn, caller.account).await?;
    drop(conn);
    let hash = account.as_ref().map(|account| account.pin.as_str());
    if !app.passwords.verify(pin, hash).await? {
        return Err(Refusal::new(ProblemCode::WrongCode).field("pin"));
    }
    PIN_LIMIT.clear(app, &subject).await
}

/// What the texts about a grant are made of.
pub fn visit<'a>(listing: &'a ListingRow, grant: &GrantRow) -> Answer<Visit<'a>> {
    Ok(Visit {
        address: &listing.address,
        zone: rules::time_zone(&listing.time_zone, "time_zone")?,
        starts_at: grant.starts_at,
        ends_at: grant.ends_at,
    })
}

async fn granter(tx: &mut Writing, grant: &GrantRow) -> Answer<AccountRow> {
    accounts::by_id(tx.conn(), grant.granter_id).await?.ok_or_else(|| fault("a grant without its granter"))
}

/// An account that exists gets the access at once, on each of its phones.
async fn hand_over(
    app: &App,
    tx: &mut Writing,
    holder: Id,
    grant: &GrantRow,
    lead_seconds: u32,
) -> Answer<()> {
    tx.touch::<Access>(holder, grant.id);
    let due_at = (grant.starts_at - i64::from(lead_seconds)).max(app.now());
    for device in store::devices::of_account(tx.conn(), holder).await? {
        credentials::set_due(tx.conn(), device, grant.id, due_at).await?;
    }
    Ok(())
}

/// An address without a contractor's account gets a mail with a link that works once.
async fn invite(
    app: &App,
    tx: &mut Writing,
    email: &Email,
    visit: &Visit<'_>,
    granter: &AccountRow,
    is_members: bool,
) -> Answer<()> {
    let token = app.new_token();
    let expires_at = visit.ends_at.max(app.now() + INVITATION_SECONDS);
    let row = InvitationRow {
        digest: token.digest,
        email: email.as_str().to_owned(),
        email_key: email.key(),
        expires_at,
        used_at: None,
    };
    invitations::insert(tx.conn(), &row).await?;
    let mail = if is_members {
        catalog::invitation_to_agent(visit, &granter.full_name())
    } else {
        // In the fragment, which browsers send to no server and write to no log.
        let link = format!("{}/join#{}", app.config.public_url.trim_end_matches('/'), token.secret.expose());
        catalog::invitation(visit, &granter.full_name(), &link)
    };
    Post::mail(email.as_str(), &mail).put(app, tx).await
}
