//! Codes that were made for somebody: kept by their windows, with the digits worked out of the lock's seed. [COD-2, PIN-0]

use chrono::{NaiveDate, TimeDelta};
use sentri_protocol::{
    Time,
    codes::{
        one_day,
        smart_pin::{
            LockId, SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
    },
    zone::Zone,
};
use sentri_wire::{
    Secret,
    codes::{Blocked, CodeKind, IssuedCode, OneDayRequest},
};

use super::{App, Caller, fault, forbidden::Forbidden, lockboxes::held, once::Once, protocol_time, zones};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Connection, Id, Named, Writing,
        codes::{self, IssuedRow},
        columns::number,
        lockboxes::LockboxRow,
    },
};

/// How many days ahead a one day code can be made. [COD-2]
const DAYS_AHEAD: u32 = 14;
const HOURS: u32 = 24;

/// Who makes a code.
#[derive(Clone, Copy)]
pub struct Maker {
    pub account: Id,
    /// For a verified owner, at the phone. [COD-7]
    pub is_support: bool,
}

/// Makes a one day code for one of the caller's lockboxes.
pub async fn make_one_day(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &OneDayRequest,
) -> Answer<IssuedCode> {
    caller.agent()?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let lockbox = held(&mut tx, caller, serial).await?;
    let maker = Maker { account: caller.account, is_support: false };
    let made = one_day(app, &mut tx, &lockbox, &request.day, maker).await?;
    once.keep(app, &mut tx, caller, &made).await?;
    tx.commit().await?;
    Ok(made)
}

/// Makes a one day code, where the lock is held and the maker may.
pub async fn one_day(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    day: &str,
    maker: Maker,
) -> Answer<IssuedCode> {
    Forbidden::to(tx.conn(), lockbox.owner_id).await?.check_one_day()?;
    let today = zone_now(app, lockbox)?.local(protocol_time(app.now())?).day;
    let day = day_of(day)?;
    if day < today {
        return Err(Refusal::invalid("day", "This day is over at the property."));
    }
    if day > today + DAYS_AHEAD {
        let why = "A one day code can be made for today and for two weeks ahead.";
        return Err(Refusal::invalid("day", why).limit(DAYS_AHEAD));
    }
    let row = new_row(app, lockbox, CodeKind::OneDay, (day * HOURS, HOURS), maker);
    let spent = "All four one day codes of this day are made. Choose another day, or hand out one of them.";
    let row = IssuedRow { number: free_number(tx.conn(), &row, one_day::INDICES, spent).await?, ..row };
    issue(app, tx, lockbox, &row).await
}

/// A code that is not made yet: the first of its window.
pub fn new_row(
    app: &App,
    lockbox: &LockboxRow,
    kind: CodeKind,
    (first_hour, hours): (u32, u32),
    maker: Maker,
) -> IssuedRow {
    IssuedRow {
        id: app.new_id(),
        lockbox_id: lockbox.id,
        key_generation: lockbox.key_generation,
        kind: Named(kind),
        first_hour: first_hour.into(),
        hours: hours.into(),
        number: 0,
        guest: None,
        made_by: maker.account,
        by_support: maker.is_support.into(),
        made_at: app.now(),
        blocked_in: None,
    }
}

/// The first of so many numbers that nobody has in that window.
pub async fn free_number(conn: &mut Connection, like: &IssuedRow, count: u8, spent: &str) -> Answer<i64> {
    let taken: Vec<i64> = codes::of_window(conn, like).await?.iter().map(|row| row.number).collect();
    (0..i64::from(count)).find(|number| !taken.contains(number)).ok_or_else(|| Refusal::conflict(spent))
}

/// Stores it, and tells the owner's phones.
pub async fn issue(app: &App, tx: &mut Writing, lockbox: &LockboxRow, row: &IssuedRow) -> Answer<IssuedCode> {
    codes::insert(tx.conn(), row).await?;
    // One that was made before with the same digits is now shared.
    for like in codes::of_window(tx.conn(), row).await? {
        tx.touch::<IssuedCode>(lockbox.owner_id, like.id);
    }
    to_wire(app, tx.conn(), lockbox, row).await
}

/// A code as its owner's phones get it. It follows from the row and the lock's seed.
pub async fn to_wire(
    app: &App,
    conn: &mut Connection,
    lockbox: &LockboxRow,
    row: &IssuedRow,
) -> Answer<IssuedCode> {
    let keys = app.keys(&LockboxRow { key_generation: row.key_generation, ..lockbox.clone() })?;
    let number: u8 = number(row.number, "code's number")?;
    let first_hour: u32 = crate::store::columns::number(row.first_hour, "code's first hour")?;
    let code = match row.kind.0 {
        CodeKind::OneDay => Secret::new(one_day::code(&keys, first_hour / HOURS, number).as_str()),
        CodeKind::SmartPin => {
            let variant = Variant::new(number).ok_or_else(|| fault("a variant that is none"))?;
            let key = SmartPinKey::of(&keys, LockId(lockbox.id.0.into_bytes()));
            Secret::new(key.generate(window(row)?, variant).digits().as_str())
        }
    };
    let zone = zone_now(app, lockbox)?;
    let alike = codes::of_window(conn, row).await?;
    Ok(IssuedCode {
        id: row.id.0,
        lockbox: lockbox.serial.clone(),
        kind: row.kind.0,
        code,
        guest: row.guest.clone(),
        starts_at: zone.first_instant(row.first_hour * 3600).unix(),
        ends_at: zone.first_instant((row.first_hour + row.hours) * 3600).unix(),
        time_zone: lockbox.time_zone.clone(),
        zone: zones::to_wire(zone),
        number,
        shared: alike.iter().any(|it| it.id != row.id && it.number == row.number),
        by_support: row.by_support != 0,
        blocked: match row.blocked_in {
            None => Blocked::No,
            Some(version) if version > lockbox.heard_codes_version => Blocked::Pending,
            Some(_) => Blocked::AtLock,
        },
        made_at: row.made_at,
    })
}

/// The window of a SmartPIN, as it was made.
fn window(row: &IssuedRow) -> Answer<PinWindow> {
    let first: u32 = number(row.first_hour, "code's first hour")?;
    let first = u8::try_from(first % HOURS).ok().and_then(|hour| LocalHour::new(first / HOURS, hour));
    first
        .zip(number(row.hours, "code's hours").ok())
        .and_then(|(first, hours)| PinWindow::from_wall(first, hours).ok())
        .ok_or_else(|| fault("a SmartPIN without a window"))
}

/// The property's zone as it is around now.
pub fn zone_now(app: &App, lockbox: &LockboxRow) -> Answer<Zone> {
    let zone = rules::time_zone(&lockbox.time_zone, "time_zone")?;
    Ok(zones::around(zone, protocol_time(app.now())?))
}

/// Days since 1970-01-01 of a day like `2026-11-23`.
fn day_of(text: &str) -> Answer<u32> {
    let days = text.parse().ok().map(|day: NaiveDate| day - NaiveDate::default());
    days.as_ref()
        .map(TimeDelta::num_days)
        .and_then(|days| u32::try_from(days).ok())
        .filter(|days| text.len() == 10 && Time::from_unix(i64::from(*days) * 86_400).is_some())
        .ok_or_else(|| Refusal::invalid("day", "A day is written like 2026-11-23."))
}
