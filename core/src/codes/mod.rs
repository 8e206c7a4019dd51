//! Codes for keypads, as the phone of a lockbox's owner has them made, makes and keeps them.
//!
//! What the backend gave is on the phone, and shown without network; when a code works follows from it and from the
//! property's zone ([`times`]). SmartPINs are made with no network only by their owner's choice ([`offline`]).

pub mod offline;
pub mod times;
pub mod wall;

use sentri_protocol::{
    Time,
    codes::smac::{DRIFT_STEPS, DayKey, STEP, Slot},
    keys::Key,
    time::DAY,
};
use sentri_wire::{
    Secret, Timestamp,
    codes::{IssuedCode, Keypad, KeypadChange, OneDayRequest, RotateRequest, SmacKey, SmartPinRequest},
};
use uuid::Uuid;

use crate::{
    CoreError,
    http::{Call, percent},
    ports::random_uuid,
    session::{Session, SessionError},
    store::PinMade,
};

fn path(lockbox: &str, action: &str) -> String {
    format!("/v1/lockboxes/{}/{action}", percent(lockbox.trim()))
}

/// The keypad of a lockbox: from the phone, or from the backend where the phone has none yet.
pub async fn keypad(session: &Session, lockbox: &str) -> Result<Keypad, CoreError> {
    let serial = lockbox.trim().to_owned();
    if let Some(kept) = session.read(move |rows| rows.get::<Keypad>(&serial)).await? {
        return Ok(kept);
    }
    let keypad = session.call(&Call::get(&path(lockbox, "keypad"))).await?;
    keep_keypad(session, keypad).await
}

/// Switches something at a lock, which is Pending until a phone has brought it.
pub async fn set(session: &Session, lockbox: &str, change: KeypadChange) -> Result<Keypad, CoreError> {
    let path = path(lockbox, "keypad");
    let keypad = session.call(&Call::post(&path, &change)?.repeatable()).await?;
    keep_keypad(session, keypad).await
}

/// Has a contractor code made anew.
pub async fn rotate(session: &Session, lockbox: &str, slot: u8) -> Result<Keypad, CoreError> {
    let path = path(lockbox, "contractor-codes");
    let call = Call::post(&path, &RotateRequest { slot })?.once(session.api.fresh_key()?);
    let keypad = session.call(&call).await?;
    keep_keypad(session, keypad).await
}

async fn keep_keypad(session: &Session, keypad: Keypad) -> Result<Keypad, CoreError> {
    let kept = keypad.clone();
    session.write("keypad", move |rows| rows.put(&kept)).await?;
    Ok(keypad)
}

/// Has a one day code made.
pub async fn make_one_day(session: &Session, lockbox: &str, day: String) -> Result<IssuedCode, CoreError> {
    let path = path(lockbox, "one-day-codes");
    let call = Call::post(&path, &OneDayRequest { day })?.once(session.api.fresh_key()?);
    let code = session.call(&call).await?;
    keep_code(session, code).await
}

async fn keep_code(session: &Session, code: IssuedCode) -> Result<IssuedCode, CoreError> {
    let kept = code.clone();
    session.write("code", move |rows| rows.put(&kept)).await?;
    Ok(code)
}

/// Has a SmartPIN made; with no network the phone makes it, where it may.
pub async fn make_smart_pin(
    session: &Session,
    lockbox: &str,
    guest: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Result<IssuedCode, CoreError> {
    let id = random_uuid(&*session.api.random)?;
    let request = SmartPinRequest { id: Some(id), guest, starts_at, ends_at, made: None };
    let path = path(lockbox, "smart-pins");
    match session.call(&Call::post(&path, &request)?.once(session.api.fresh_key()?)).await {
        Ok(made) => keep_code(session, made).await,
        Err(error) => match CoreError::from(error) {
            // An answer that was lost: the backend knows the PIN by its id, and takes it once.
            CoreError::Offline => offline::make(session, lockbox, id, request).await,
            error => Err(error),
        },
    }
}

/// Blocks a SmartPIN, which opens until a phone has told the lock. [PIN-7]
pub async fn block(session: &Session, id: Uuid) -> Result<IssuedCode, CoreError> {
    // One that the phone made by itself is unknown to the backend until it is told.
    offline::upload(session).await?;
    let blocked = session.call(&Call::ask(&format!("/v1/codes/{id}/block"))).await?;
    keep_code(session, blocked).await
}

/// All codes of a lockbox that the phone knows of, what it made by itself included; the latest window first.
pub async fn issued(session: &Session, lockbox: &str) -> Result<Vec<IssuedCode>, CoreError> {
    let serial = lockbox.trim().to_owned();
    let (codes, made) = session.read(|rows| Ok((rows.all::<IssuedCode>()?, rows.all::<PinMade>()?))).await?;
    let made = made.into_iter().map(|it| it.code);
    let codes = codes.into_iter().chain(made).filter(|it| it.lockbox == serial).collect();
    Ok(crate::order::ordered(codes, |a: &IssuedCode, b: &IssuedCode| {
        (b.starts_at, a.made_at, a.id).cmp(&(a.starts_at, b.made_at, b.id))
    }))
}

/// A mobile access code, and until when it can be typed.
pub struct Smac {
    /// Its digits.
    pub code: Secret,
    /// First second at which the lock takes it no more, by a good clock.
    pub until: Timestamp,
}

/// The mobile access code of this moment; the key of the day is fetched where the phone has none. [COD-1]
pub async fn smac(session: &Session, lockbox: &str) -> Result<Smac, CoreError> {
    let now = Time::from_unix(session.now()).ok_or(CoreError::DeviceTrouble)?;
    let serial = lockbox.trim().to_owned();
    let kept = session.read(move |rows| rows.get::<SmacKey>(&serial)).await?;
    let key = match kept.filter(|key| key.day == now.0 / DAY) {
        Some(key) => key,
        None => fetch_smac(session, lockbox).await?,
    };
    let trouble = CoreError::ServiceTrouble { retry_after: None, support: None };
    let (Some(bytes), Some(slot)) = (key.key.array(), Slot::new(key.slot)) else { return Err(trouble) };
    let code = DayKey::from_parts(Key::new(bytes), key.day, slot).code(now).map_err(|_| trouble)?;
    let until = Time((now.0 / STEP + 1 + DRIFT_STEPS) * STEP).unix();
    Ok(Smac { code: Secret::new(code.as_str()), until })
}

async fn fetch_smac(session: &Session, lockbox: &str) -> Result<SmacKey, CoreError> {
    let key: SmacKey = session.call(&Call::ask(&path(lockbox, "smac"))).await?;
    let kept = key.clone();
    session.write("smac", move |rows| rows.put(&kept)).await?;
    Ok(key)
}

/// Forgets keys whose time is over.
pub async fn forget_old(session: &Session) -> Result<(), SessionError> {
    let now = session.now();
    session
        .vault
        .run(move |store| {
            let smacs: Vec<SmacKey> = store.read().all()?;
            let pins: Vec<sentri_wire::codes::SmartPinKey> = store.read().all()?;
            let over = |day: u32| (i64::from(day) + 1) * i64::from(DAY) <= now;
            let smacs: Vec<_> = smacs.into_iter().filter(|it| over(it.day)).collect();
            let pins: Vec<_> = pins.into_iter().filter(|it| it.until <= now).collect();
            if smacs.is_empty() && pins.is_empty() {
                return Ok(());
            }
            store.write("codes.forget", |rows| {
                smacs.iter().try_for_each(|it| rows.remove::<SmacKey>(&it.lockbox))?;
                let remove = |it: &sentri_wire::codes::SmartPinKey| {
                    rows.remove::<sentri_wire::codes::SmartPinKey>(&it.lockbox)
                };
                pins.iter().try_for_each(remove)
            })
        })
        .await?;
    Ok(())
}
