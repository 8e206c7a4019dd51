//! Settings of lockboxes: default and custom, Pending until the lock itself was heard to have them. [LST-4, LST-6]

use chrono_tz::Tz;
use sentri_protocol::{
    hours::{AccessHours, Span},
    settings::Settings,
};
use sentri_wire::settings::{BoxSettings, DayHours, LockboxSettings, SettingsChoice, Weekday};

use super::{
    App, Caller, credentials,
    forbidden::Forbidden,
    lock_settings::{self, tell},
    lockboxes::held,
    once::Once,
    protocol_time, zones,
};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Connection, Writing, box_settings, listings,
        lockboxes::{self, LockboxRow},
    },
};

/// Minutes of the steps in which hours can be set.
const STEP: u16 = 15;

/// The caller's default settings.
pub async fn defaults(app: &App, caller: &Caller) -> Answer<BoxSettings> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    defaults_of(&mut conn, caller).await
}

/// Sets the caller's default settings, for all boxes that follow them.
pub async fn set_defaults(
    app: &App,
    caller: &Caller,
    once: &Once,
    wanted: &BoxSettings,
) -> Answer<BoxSettings> {
    caller.agent()?;
    let wanted = Wanted::parse(wanted)?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    wanted.check(tx.conn(), caller).await?;
    let set = wanted.to_wire();
    box_settings::set_default(tx.conn(), caller.account, &set).await?;
    for lockbox in lockboxes::all_owned(tx.conn(), caller.account).await? {
        // Held before it is looked at: just now it may be told to follow.
        let lockbox = held(&mut tx, caller, &lockbox.serial).await?;
        if lockbox.follows_default != 0 {
            apply(app, &mut tx, &lockbox, &wanted).await?;
        }
    }
    once.keep(app, &mut tx, caller, &set).await?;
    tx.commit().await?;
    Ok(set)
}

/// The settings of one of the caller's boxes.
pub async fn of(app: &App, caller: &Caller, serial: &str) -> Answer<LockboxSettings> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let lockbox =
        lockboxes::owned(&mut conn, caller.account, serial).await?.ok_or_else(Refusal::not_found)?;
    page(&mut conn, &lockbox).await
}

/// Gives one of the caller's boxes settings of its own, or the default ones.
pub async fn set(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    choice: &SettingsChoice,
) -> Answer<LockboxSettings> {
    caller.agent()?;
    let custom = choice.custom.as_ref().map(Wanted::parse).transpose()?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let lockbox = held(&mut tx, caller, serial).await?;
    lockboxes::set_follows_default(tx.conn(), lockbox.id, custom.is_none()).await?;
    let wanted = match custom {
        Some(custom) => {
            custom.check(tx.conn(), caller).await?;
            custom
        }
        None => Wanted::parse(&defaults_of(tx.conn(), caller).await?)?,
    };
    apply(app, &mut tx, &lockbox, &wanted).await?;
    let lockbox = held(&mut tx, caller, serial).await?;
    let page = page(tx.conn(), &lockbox).await?;
    once.keep(app, &mut tx, caller, &page).await?;
    tx.commit().await?;
    Ok(page)
}

/// Has the lock told of the zone in which it hangs now: hours are meant by the clock of the property.
pub async fn follow_zone(app: &App, tx: &mut Writing, lockbox: &LockboxRow, time_zone: &str) -> Answer<()> {
    if lockbox.time_zone == time_zone {
        return Ok(());
    }
    let zone = rules::time_zone(time_zone, "time_zone")?;
    let settings = credentials::settings(lockbox)?;
    let settings = Settings { zone: zones::around(zone, protocol_time(app.now())?), ..settings };
    tell(app, tx, lockbox, settings, zone).await
}

async fn apply(app: &App, tx: &mut Writing, lockbox: &LockboxRow, wanted: &Wanted) -> Answer<()> {
    let listing = match lockbox.listing_id {
        Some(id) => listings::by_id(tx.conn(), id).await?,
        None => None,
    };
    let of_place = listing.map_or_else(|| lockbox.time_zone.clone(), |listing| listing.time_zone);
    let zone = wanted.zone.map_or_else(|| rules::time_zone(&of_place, "time_zone"), Ok)?;
    let known = credentials::settings(lockbox)?;
    let mut settings = Settings { access_hours: wanted.access_hours, ..known };
    settings.switches.contractor_mode = wanted.contractor_mode;
    if zone.name() != lockbox.time_zone {
        settings.zone = zones::around(zone, protocol_time(app.now())?);
    }
    tell(app, tx, lockbox, settings, zone).await
}

/// Boxes are open at all hours, and to no contractor's code, until their owner says otherwise.
async fn defaults_of(conn: &mut Connection, caller: &Caller) -> Answer<BoxSettings> {
    let set = box_settings::default_of(conn, caller.account).await?;
    Ok(set.unwrap_or_else(|| BoxSettings {
        access_hours: hours_to_wire(AccessHours::ALWAYS),
        contractor_mode: false,
        time_zone: None,
    }))
}

async fn page(conn: &mut Connection, lockbox: &LockboxRow) -> Answer<LockboxSettings> {
    let set = shown(&lockbox.settings, &lockbox.time_zone)?;
    let pending = lockbox.has_pending_settings();
    let former = if pending {
        box_settings::former(conn, lockbox.id, lockbox.working_settings_version()).await?
    } else {
        None
    };
    let working = match former {
        Some(former) => shown(&former.settings, &former.time_zone)?,
        None => set.clone(),
    };
    let follows_default = lockbox.follows_default != 0;
    Ok(LockboxSettings { lockbox: lockbox.serial.clone(), follows_default, set, pending, working })
}

fn shown(encoded: &str, time_zone: &str) -> Answer<BoxSettings> {
    let settings = lock_settings::decode(encoded)?;
    Ok(BoxSettings {
        access_hours: hours_to_wire(settings.access_hours),
        contractor_mode: settings.switches.contractor_mode,
        time_zone: Some(time_zone.to_owned()),
    })
}

/// What an owner wants, with nothing in it that a lock could not do.
struct Wanted {
    access_hours: AccessHours,
    contractor_mode: bool,
    zone: Option<Tz>,
}

impl Wanted {
    fn parse(wanted: &BoxSettings) -> Answer<Self> {
        let zone = wanted.time_zone.as_deref().map(|name| rules::time_zone(name, "time_zone")).transpose()?;
        let access_hours = hours(&wanted.access_hours)?;
        Ok(Self { access_hours, contractor_mode: wanted.contractor_mode, zone })
    }

    /// Refuses what the caller's brokerage forbids.
    async fn check(&self, conn: &mut Connection, caller: &Caller) -> Answer<()> {
        if self.contractor_mode {
            Forbidden::to(conn, caller.account).await?.check_contractor()
        } else {
            Ok(())
        }
    }

    fn to_wire(&self) -> BoxSettings {
        BoxSettings {
            access_hours: hours_to_wire(self.access_hours),
            contractor_mode: self.contractor_mode,
            time_zone: self.zone.map(|zone| zone.name().to_owned()),
        }
    }
}

fn hours(days: &[DayHours]) -> Answer<AccessHours> {
    let refuse = |why| Err(Refusal::invalid("access_hours", why));
    let mut hours = AccessHours([None; 7]);
    for (day, slot) in Weekday::ALL.into_iter().zip(&mut hours.0) {
        let mut of_day = days.iter().filter(|it| it.weekday == day);
        let (first, second) = (of_day.next(), of_day.next());
        let Some(DayHours { from, to, .. }) = first else { continue };
        if second.is_some() {
            return refuse("A day is there twice.");
        }
        if from % STEP != 0 || to % STEP != 0 {
            return refuse("Hours begin and end on a quarter of an hour.");
        }
        let quarters = |minutes: &u16| u8::try_from(minutes / STEP).ok();
        let span = quarters(from).zip(quarters(to)).and_then(|(from, to)| Span::new(from, to));
        if span.is_none() {
            return refuse("Hours begin from 0:00 to 23:45, and end at another time, from 0:15 to 24:00.");
        }
        *slot = span;
    }
    Ok(hours)
}

fn hours_to_wire(hours: AccessHours) -> Vec<DayHours> {
    let minutes = |quarters: u8| u16::from(quarters) * STEP;
    let days = Weekday::ALL.into_iter().zip(hours.0);
    days.filter_map(|(weekday, span)| {
        let span = span?;
        Some(DayHours { weekday, from: minutes(span.from()), to: minutes(span.to()) })
    })
    .collect()
}
