//! Codes for guests, of four kinds: always generated, never picked. [RES-3]

use sentri_protocol::{
    codes::validity::Validity,
    hours::{Schedule, Span, Weekly},
    time::{Time, Window},
};
use sentri_wire::{
    Timestamp,
    residence::{CodeHolder, CodeValidity, DoorCode, GuestCode},
    settings::Weekday,
};

use super::{
    super::once::Once,
    App, Caller,
    codes::{self, New, Table},
    community, own_door,
};
use crate::{
    refusal::{Answer, Refusal},
    rules,
};

/// How far ahead a guest's code may begin, and how long it may last, in seconds.
const YEAR: i64 = 366 * 86_400;
const QUARTER: u16 = 15;
const DAY_MINUTES: u16 = 24 * 60;

/// A code for a guest.
pub async fn make(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &GuestCode,
) -> Answer<DoorCode> {
    let guest = rules::text(&request.guest, 64, "guest")?;
    let validity = read(&request.validity, app.now())?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let door = own_door(&mut tx, caller, serial).await?;
    let length = codes::length(&community(tx.conn(), &door).await?, request.digits)?;
    let table = Table::read(app, &mut tx, &door).await?;
    let (place, code) = (table.place(app)?, table.generate(app, length)?);
    let new = New { place, holder: CodeHolder::Guest, guest: Some(guest), code: &code, validity };
    let made = codes::put(app, &mut tx, caller, &door, &new).await?;
    once.keep(app, &mut tx, caller, &made).await?;
    tx.commit().await?;
    Ok(made)
}

/// When a code works, as its lock reads it. Each refusal names its field.
fn read(validity: &CodeValidity, now: Timestamp) -> Answer<Validity> {
    Ok(match validity {
        CodeValidity::Permanent => Validity::Permanent,
        CodeValidity::Temporary { starts_at, ends_at } => {
            Validity::Temporary(window(*starts_at, *ends_at, now)?)
        }
        CodeValidity::Recurring { weekdays, from_minute, to_minute } => {
            Validity::Recurring(schedule(weekdays, *from_minute, *to_minute)?, None)
        }
        CodeValidity::Delivery { starts_at } => {
            let start = starts(*starts_at, now)?;
            let Some(Validity::Delivery(window)) = Validity::delivery(start) else {
                return Err(Refusal::invalid("validity.starts_at", "This is too late."));
            };
            if window.not_after().unix() <= now {
                return Err(Refusal::invalid("validity.starts_at", "These two hours are over already."));
            }
            Validity::Delivery(window)
        }
    })
}

fn window(starts_at: Timestamp, ends_at: Timestamp, now: Timestamp) -> Answer<Window> {
    let refuse = |detail: &str| Err(Refusal::invalid("validity.ends_at", detail));
    let start = starts(starts_at, now)?;
    if ends_at <= starts_at {
        return refuse("The end is not after the start.");
    }
    if ends_at <= now {
        return refuse("This is over already.");
    }
    if ends_at - starts_at > YEAR {
        return refuse("At most a year. Make a permanent code for longer.");
    }
    match Time::from_unix(ends_at).and_then(|end| Window::new(start, end)) {
        Some(window) => Ok(window),
        None => refuse("This is too late."),
    }
}

fn starts(at: Timestamp, now: Timestamp) -> Answer<Time> {
    let start = Time::from_unix(at).filter(|_| at > 0 && at <= now + YEAR);
    start.ok_or_else(|| Refusal::invalid("validity.starts_at", "At most a year ahead."))
}

fn schedule(weekdays: &[Weekday], from: u16, to: u16) -> Answer<Schedule> {
    let days = (0_u8..).zip(Weekday::ALL).filter(|(_, day)| weekdays.contains(day));
    let bits = days.fold(0, |bits, (bit, _)| bits | 1 << bit);
    let span = Span::new(quarter(from, "validity.from_minute")?, quarter(to, "validity.to_minute")?)
        .ok_or_else(|| Refusal::invalid("validity.to_minute", "The end must differ from the start."))?;
    Schedule::new(bits, span).ok_or_else(|| Refusal::invalid("validity.weekdays", "Choose at least one day."))
}

fn quarter(minute: u16, field: &str) -> Answer<u8> {
    let quarter = u8::try_from(minute / QUARTER).ok();
    quarter
        .filter(|_| minute <= DAY_MINUTES && minute.is_multiple_of(QUARTER))
        .ok_or_else(|| Refusal::invalid(field, "A minute of the day, on a quarter hour: 0 to 1440."))
}

/// As its maker sees it.
pub fn to_wire(validity: Validity) -> CodeValidity {
    match validity {
        Validity::Permanent => CodeValidity::Permanent,
        Validity::Temporary(window) => CodeValidity::Temporary {
            starts_at: window.not_before().unix(),
            ends_at: window.not_after().unix(),
        },
        Validity::Recurring(schedule, _) => {
            let [_, from, to] = schedule.encode();
            let is_on = |(day, _): &(u8, Weekday)| schedule.span(*day).is_some();
            let weekdays = (0_u8..).zip(Weekday::ALL).filter(is_on).map(|(_, day)| day).collect();
            let minute = |quarter: u8| u16::from(quarter) * QUARTER;
            CodeValidity::Recurring { weekdays, from_minute: minute(from), to_minute: minute(to) }
        }
        Validity::Delivery(window) => CodeValidity::Delivery { starts_at: window.not_before().unix() },
    }
}

/// When a code is over, where it ends by itself.
pub fn end(validity: Validity) -> Option<Timestamp> {
    match validity {
        Validity::Permanent | Validity::Recurring(_, None) => None,
        Validity::Temporary(window) | Validity::Delivery(window) | Validity::Recurring(_, Some(window)) => {
            Some(window.not_after().unix())
        }
    }
}
