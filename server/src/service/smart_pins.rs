//! SmartPINs for guests, and the phones that make them with no network. [PIN-0 to PIN-4, PIN-7]

use sentri_protocol::codes::smart_pin::{
    Rules, SmartPinKey as LockKey, Variant,
    window::{PinWindow, WindowRefusal},
};
use sentri_wire::{
    Binary,
    codes::{
        CodeKind, IssuedCode, LONGEST_GUEST, MadeOffline, OfflinePinsRequest, SmartPinKey, SmartPinRequest,
    },
    device::DeviceKeyKind,
};

use super::{
    App, Caller, credentials, fault, grants,
    issued_codes::{self, Maker},
    lock_settings,
    lockboxes::held,
    once::Once,
    zones,
};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Id, Writing,
        codes::{self, IssuedRow},
        devices,
        lockboxes::{self, LockboxRow},
    },
};

/// How long a phone whose device has a key in secure hardware makes SmartPINs by itself, in seconds.
const OFFLINE: i64 = 72 * 3600;
/// Any other phone.
const OFFLINE_WITHOUT_HARDWARE_KEY: i64 = 24 * 3600;

const SWITCHED_OFF: &str =
    "SmartPINs are switched off at this lockbox. Switch them on in its settings first.";
const NONE_LEFT: &str = "Every SmartPIN of this window is given to somebody. Choose an hour more or less, or have the \
                         lockbox take more of one window in its settings.";

/// Makes a SmartPIN for a guest at one of the caller's lockboxes, or takes note of one that their phone has made.
pub async fn make(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &SmartPinRequest,
) -> Answer<IssuedCode> {
    caller.agent()?;
    let guest = rules::text(&request.guest, LONGEST_GUEST, "guest")?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let lockbox = held(&mut tx, caller, serial).await?;
    let settings = credentials::settings(&lockbox)?;
    let window = wall(app, &lockbox, settings.smart_pin_rules, request)?;
    let maker = Maker { account: caller.account, is_support: false };
    let row = issued_codes::new_row(app, &lockbox, CodeKind::SmartPin, window, maker);
    let row = IssuedRow { guest: Some(guest), ..row };
    let row = match known(&mut tx, &row, request).await? {
        Known::This(known) => return issued_codes::to_wire(app, tx.conn(), &lockbox, &known).await,
        Known::No(id) => IssuedRow { id: id.unwrap_or(row.id), ..row },
    };
    let made = if let Some(made) = request.made {
        note(app, &mut tx, caller, &lockbox, row, made).await?
    } else {
        if request.ends_at <= app.now() {
            return Err(Refusal::invalid("ends_at", "This time is over."));
        }
        give(app, &mut tx, &lockbox, row).await?
    };
    once.keep(app, &mut tx, caller, &made).await?;
    tx.commit().await?;
    Ok(made)
}

/// Whether a request came before.
enum Known {
    This(Box<IssuedRow>),
    /// It is new, under this id, or under any.
    No(Option<Id>),
}

async fn known(tx: &mut Writing, row: &IssuedRow, request: &SmartPinRequest) -> Answer<Known> {
    let Some(id) = request.id.map(Id) else { return Ok(Known::No(None)) };
    let Some(known) = codes::by_id(tx.conn(), id).await? else { return Ok(Known::No(Some(id))) };
    let place = |it: &IssuedRow| (it.lockbox_id, it.key_generation, it.first_hour, it.hours);
    if place(&known) != place(row) {
        return Err(Refusal::conflict("Another code has this id.").field("id"));
    }
    // The answer was lost, and the phone went on by itself: where it took another number, both PINs are out.
    let is_other = request.made.is_some_and(|made| i64::from(made.number) != known.number);
    Ok(if is_other { Known::No(None) } else { Known::This(Box::new(known)) })
}

/// Gives out the first that nobody has. [PIN-7]
async fn give(app: &App, tx: &mut Writing, lockbox: &LockboxRow, row: IssuedRow) -> Answer<IssuedCode> {
    let settings = credentials::settings(lockbox)?;
    if !settings.switches.smart_pins {
        return Err(Refusal::conflict(SWITCHED_OFF));
    }
    let count = settings.smart_pin_rules.variants.number() + 1;
    let number = issued_codes::free_number(tx.conn(), &row, count, NONE_LEFT).await?;
    issued_codes::issue(app, tx, lockbox, &IssuedRow { number, ..row }).await
}

/// First hour of a window on the property's wall, and how many it has. [PIN-2]
fn wall(app: &App, lockbox: &LockboxRow, rules: Rules, request: &SmartPinRequest) -> Answer<(u32, u32)> {
    let instant = |at: i64, field: &str| {
        sentri_protocol::Time::from_unix(at)
            .ok_or_else(|| Refusal::invalid(field, WindowRefusal::PastHorizon.to_string()))
    };
    let (start, end) = (instant(request.starts_at, "starts_at")?, instant(request.ends_at, "ends_at")?);
    let zone = issued_codes::zone_now(app, lockbox)?;
    let window = PinWindow::between(start, end, zone, rules.daily).map_err(|refusal| {
        Refusal::invalid(refusal.field(), format!("{}.", capital(&refusal.to_string())))
    })?;
    let (from, to) = window.wall(rules.daily);
    Ok((from.count(), to.count() - from.count()))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One that is out already: whatever is set now, the guest may have it.
async fn note(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    lockbox: &LockboxRow,
    row: IssuedRow,
    made: MadeOffline,
) -> Answer<IssuedCode> {
    if Variant::new(made.number).is_none() {
        return Err(Refusal::invalid("made.number", "From 0 to 2."));
    }
    if !codes::has_key(tx.conn(), lockbox.id, lockbox.key_generation, caller.device).await? {
        let why = "This phone has no key of this lockbox: what it made opens nothing.";
        return Err(Refusal::conflict(why).field("made"));
    }
    let made_at = made.at.clamp(0, app.now());
    let row = IssuedRow { number: made.number.into(), made_at, ..row };
    issued_codes::issue(app, tx, lockbox, &row).await
}

/// Gives the caller's phone what it makes SmartPINs of a lockbox with, for some days and against the owner's PIN.
pub async fn go_offline(
    app: &App,
    caller: &Caller,
    serial: &str,
    request: &OfflinePinsRequest,
) -> Answer<SmartPinKey> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    lockboxes::owned(&mut conn, caller.account, serial).await?.ok_or_else(Refusal::not_found)?;
    drop(conn);
    grants::check_pin(app, caller, &request.pin).await?;
    let mut tx = app.store.write().await?;
    let lockbox = held(&mut tx, caller, serial).await?;
    let settings = credentials::settings(&lockbox)?;
    if !settings.switches.smart_pins {
        return Err(Refusal::conflict(SWITCHED_OFF));
    }
    let hardware = devices::key(tx.conn(), caller.device)
        .await?
        .is_some_and(|key| key.kind.0 == DeviceKeyKind::Hardware);
    let until = app.now() + if hardware { OFFLINE } else { OFFLINE_WITHOUT_HARDWARE_KEY };
    codes::give_key(tx.conn(), lockbox.id, lockbox.key_generation, caller.device, until).await?;
    tx.commit().await?;
    // What the lock takes for sure, and not what is Pending still.
    let mut conn = app.store.read().await?;
    let at_lock = lock_settings::at_lock(&mut conn, &lockbox).await?;
    Ok(SmartPinKey {
        lockbox: lockbox.serial.clone(),
        lock_id: Binary::from(lockbox.id.0.into_bytes()),
        key: Binary::from(*LockKey::derive(&app.keys(&lockbox)?).expose()),
        time_zone: lockbox.time_zone.clone(),
        zone: zones::to_wire(issued_codes::zone_now(app, &lockbox)?),
        rules: Binary::from(at_lock.smart_pin_rules.encode()),
        until,
    })
}

/// The caller's phone has wiped the key.
pub async fn stay_online(app: &App, caller: &Caller, serial: &str) -> Answer<()> {
    caller.agent()?;
    let mut tx = app.store.write().await?;
    let lockbox = held(&mut tx, caller, serial).await?;
    codes::forget_key(tx.conn(), lockbox.id, lockbox.key_generation, caller.device).await?;
    Ok(tx.commit().await?)
}

/// A phone was removed from its account, perhaps since it was stolen: locks whose SmartPINs it could make take none any
/// more, from when they hear of it, until their keys are renewed.
pub async fn phone_lost(app: &App, tx: &mut Writing, device: Id) -> Answer<()> {
    for lockbox in codes::lose_keys(tx.conn(), device, app.now()).await? {
        let lockbox =
            lockboxes::by_id(tx.conn(), lockbox).await?.ok_or_else(|| fault("a key without its lockbox"))?;
        if codes::is_key_lost(tx.conn(), lockbox.id, lockbox.key_generation).await? {
            lock_settings::change(app, tx, lockbox, |settings| settings.switches.smart_pins = false).await?;
        }
    }
    Ok(())
}
