//! What was typed at a keypad, and which card was put in, as the lock's own records have it, in the access log: by whom, as
//! far as codes and cards name them. [AGT-1, COD-1, CON-3]

use sentri_protocol::{
    audit::{Entry, Kind},
    codes::contractor,
    open::Verdict,
};
use sentri_wire::{
    codes::CodeKind,
    event::{Method, Outcome},
};

use super::{App, fault, issued_codes};
use crate::{
    catalog,
    outbox::Post,
    refusal::Answer,
    store::{
        Id, Writing, accounts,
        codes::{self, IssuedRow},
        events::{self, NewLogEntry},
        lockboxes::LockboxRow,
    },
};

const DAY: i64 = 86_400;
/// A lock takes the time step before and the one after, too.
const STEP: i64 = 300;
/// What stands in a record in place of a slot, where nothing opened.
const NO_SLOT: u8 = 0xff;
/// Places of stored codes that locks give out by themselves.
const SHORT_PINS: std::ops::RangeInclusive<u8> = 65..=96;

/// Puts a code that was typed, or a card, into the log.
pub async fn record(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    number: i64,
    entry: &Entry,
) -> Answer<()> {
    let Some(verdict) = Verdict::from_code(entry.result) else { return Ok(()) };
    let (method, who) = if entry.kind == Kind::Card {
        (Method::Card, Some(card_holder(tx, entry).await?))
    } else {
        (Method::Code, who(app, tx, lockbox, entry).await?)
    };
    let Some(who) = who else { return Ok(()) };
    let outcome = Outcome::from(verdict);
    let line = NewLogEntry {
        id: app.next_id(),
        event: None,
        owner: lockbox.owner_id,
        at: if entry.clock_lost { app.now() } else { entry.time.unix().min(app.now()) },
        lockbox: lockbox.id,
        listing: lockbox.listing_id,
        account: who.account,
        grant: None,
        method,
        outcome,
        confirmed: true,
        operation: None,
        record: Some(number),
        label: who.label,
    };
    Ok(events::log(tx.conn(), &[line]).await?)
}

/// Whose code it was, or what to call it.
struct Who {
    account: Option<Id>,
    label: Option<String>,
}

impl Who {
    fn called(label: impl Into<String>) -> Self {
        Self { account: None, label: Some(label.into()) }
    }
}

/// The agent whose SentriKey ID the card says.
async fn card_holder(tx: &mut Writing, entry: &Entry) -> Answer<Who> {
    let number = u32::from_be_bytes(entry.operation).to_string();
    let holder = accounts::by_sentrikey_id(tx.conn(), &number).await?;
    Ok(holder.map_or_else(|| Who::called("Card"), |holder| Who { account: Some(holder.id), label: None }))
}

async fn who(app: &App, tx: &mut Writing, lockbox: &LockboxRow, entry: &Entry) -> Answer<Option<Who>> {
    let [kind, which, _, more @ ..] = entry.who;
    let opened = which != NO_SLOT;
    Ok(Some(match kind {
        1 if opened && which < contractor::SLOTS => Who::called(format!("Contractor code {}", which + 1)),
        1 => Who::called("Contractor code"),
        2 => Who::called("One day code"),
        3 if opened => agent(app, tx, lockbox, entry, [more[0], more[1]]).await?,
        3 => Who::called("Mobile access code"),
        4 if opened => guest(app, tx, lockbox, which, more).await?,
        4 => Who::called("SmartPIN"),
        5 if SHORT_PINS.contains(&which) => Who::called("Short PIN"),
        5 => Who::called("Stored code"),
        // The programming code opens nothing.
        _ => return Ok(None),
    }))
}

/// The agent of a SMAC's slot. One that nobody was given is somebody's who has the lock's keys: the owner hears of it.
async fn agent(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    entry: &Entry,
    slot: [u8; 2],
) -> Answer<Who> {
    let at = entry.time.unix();
    let days = ((at - STEP) / DAY, (at + STEP) / DAY);
    let slot = i64::from(u16::from_be_bytes(slot));
    let account = codes::holder_of_slot(tx.conn(), lockbox.id, slot, days).await?;
    if account.is_none() {
        tracing::error!(lockbox = lockbox.serial, "a mobile access code opened that was given to nobody");
        let owner = accounts::by_id(tx.conn(), lockbox.owner_id)
            .await?
            .ok_or_else(|| fault("a lockbox without its owner"))?;
        let policy = app.policy(tx.conn(), Some(lockbox.association_id)).await?;
        let text = catalog::unknown_code(&owner.first_name, &lockbox.serial, &policy.support);
        Post::mail(&owner.email, &text).put(app, tx).await?;
        return Ok(Who::called("Mobile access code of nobody"));
    }
    Ok(Who { account, label: None })
}

/// The guest of a SmartPIN, which its window and variant name.
async fn guest(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    variant: u8,
    window: [u8; 5],
) -> Answer<Who> {
    let [first @ .., hours, more_hours] = window;
    let first = first.iter().fold(0, |first, byte| first << 8 | u32::from(*byte));
    let window = (first, u32::from(u16::from_be_bytes([hours, more_hours])));
    let maker = issued_codes::Maker { account: lockbox.owner_id, is_support: false };
    let like = issued_codes::new_row(app, lockbox, CodeKind::SmartPin, window, maker);
    let known = codes::of_window(tx.conn(), &like).await?;
    let guests: Vec<&str> = known
        .iter()
        .filter(|row: &&IssuedRow| row.number == i64::from(variant))
        .filter_map(|row| row.guest.as_deref())
        .collect();
    Ok(Who::called(if guests.is_empty() { "SmartPIN".to_owned() } else { guests.join(" or ") }))
}
