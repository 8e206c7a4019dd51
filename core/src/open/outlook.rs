//! "Will it open?": one answer before the trip, from all that the phone holds. [NEW-2]

use std::sync::Arc;

use sentri_protocol::time::Time;
use sentri_wire::{Timestamp, credential::Access};
use uuid::Uuid;

use super::{checks, held::Held, hub::LinkHub, radio::Adapter};
use crate::{
    CoreError, Ports,
    api::ports::{LinkError, LockLink},
    session::Session,
};

/// What the phone foresees for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The moment: the one asked for, else now, or the start of an access that has not begun.
    pub at: Timestamp,
    /// Why access and credential would not open the box then; nothing where they would.
    pub refusal: Option<CoreError>,
    /// Whoever granted it is not in good standing.
    pub on_hold: bool,
    /// What is wrong with the radio now.
    pub radio: Option<LinkError>,
    /// Percent, as the box last reported it.
    pub battery_percent: Option<u8>,
    /// When the phone last heard of changes.
    pub synced_at: Option<Timestamp>,
}

/// Looks ahead for one access. The radio is asked by beginning a search, unless an open uses it: then it works.
pub async fn outlook(
    session: &Session,
    ports: &Ports,
    hub: &Arc<LinkHub>,
    access: Uuid,
    at: Option<Timestamp>,
) -> Result<Outlook, CoreError> {
    let held = session.read(Held::read).await?;
    let access = held.access(access).ok_or(CoreError::NotFound)?;
    let at = at.unwrap_or_else(|| session.now().max(access.starts_at));
    let radio = if hub.is_listened_to() { None } else { try_radio(ports).await.err() };
    Ok(Outlook {
        at,
        refusal: foreseen(&held, access, at),
        on_hold: access.on_hold,
        radio,
        battery_percent: access.battery_percent,
        synced_at: session.sync_mark().await?.finished_at,
    })
}

/// What the phone would say on ENT then.
fn foreseen(held: &Held, access: &Access, at: Timestamp) -> Option<CoreError> {
    let time = Time::from_unix(at).unwrap_or(Time(u32::MAX));
    checks::pick(held, &access.lockbox, Some(access.id), time).err()
}

async fn try_radio(ports: &Ports) -> Result<(), LinkError> {
    let adapter = Adapter::new(ports);
    adapter.command(Box::new(LockLink::start_scan)).await?;
    // A search that does not end costs battery, nothing else.
    let _ = adapter.command(Box::new(LockLink::stop_scan)).await;
    Ok(())
}
