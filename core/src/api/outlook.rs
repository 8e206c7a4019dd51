//! "Will it open?": one answer before the trip. [NEW-2]

use sentri_protocol::{status::BATTERY_LOW, time::Time};

use super::{core_object::SentriCore, error::CoreError, invalid, parse_id, ports::LinkError};
use crate::{
    open::{self, Outlook},
    sync::STALE_AFTER,
};

/// Whether an access will open its box, as far as the phone can tell. [NEW-2]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WillItOpen {
    /// The moment that this is about.
    pub at: i64,
    /// It will, with no network: nothing stands in the way.
    pub opens: bool,
    /// What stands in the way.
    pub obstacles: Vec<Obstacle>,
    /// What is good to know although it opens.
    pub cautions: Vec<Caution>,
}

/// What keeps a box shut, and what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Obstacle {
    /// The access begins later.
    NotBegun {
        /// First second.
        from: i64,
    },
    /// The access is over by then.
    Over {
        /// First second after it.
        since: i64,
    },
    /// It was taken back.
    Revoked,
    /// Whoever granted it is not in good standing at present: ask them.
    OnHold,
    /// The phone holds nothing that opens then: connect once, and ask again.
    ConnectOnce {
        /// From when on that helps.
        after: i64,
    },
    /// The lockbox does not open at that hour.
    OutsideHours {
        /// When it opens next, within a week.
        next: Option<i64>,
    },
    /// Bluetooth is off now: switch it on.
    BluetoothOff,
    /// The app may not use Bluetooth: allow it in the settings.
    BluetoothNotAllowed,
    /// The device's Bluetooth fails now.
    BluetoothTrouble,
}

/// What is good to know before the trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Caution {
    /// The lockbox's battery is low: tell the agent.
    BatteryLow {
        /// As the lockbox last reported it.
        percent: u8,
    },
    /// The phone has not heard of changes for a day or more, a revocation among them: connect.
    NotHeardSince {
        /// Last heard; absent where it never has.
        at: Option<i64>,
    },
}

#[uniffi::export]
impl SentriCore {
    /// Whether an access will open its box: by access and credential, hours, battery, and the phone's radio and
    /// permissions. `at` is when the person will be there, in seconds since 1970-01-01 UTC; without it, it is now, or the
    /// start of an access that has not begun. Needs no network. [NEW-2]
    ///
    /// `NotFound` where the phone has no such access; `InvalidField` names `at`.
    pub async fn will_it_open(&self, access_id: String, at: Option<i64>) -> Result<WillItOpen, CoreError> {
        let access = parse_id("access_id", &access_id)?;
        if at.is_some_and(|at| Time::from_unix(at).is_none()) {
            return Err(invalid("at", "This is no time of this century."));
        }
        let session = self.session().await?;
        let outlook = open::outlook(&session, &self.core.ports, &self.core.hub, access, at).await?;
        Ok(told(&outlook, session.now()))
    }
}

fn told(outlook: &Outlook, now: i64) -> WillItOpen {
    let by_access = outlook.refusal.as_ref().map(|refusal| obstacle(refusal, outlook));
    let by_radio = outlook.radio.map(|error| match error {
        LinkError::PoweredOff => Obstacle::BluetoothOff,
        LinkError::NotAllowed => Obstacle::BluetoothNotAllowed,
        LinkError::Unsupported | LinkError::Failed => Obstacle::BluetoothTrouble,
    });
    let obstacles: Vec<_> = by_access.into_iter().chain(by_radio).collect();
    let low = outlook.battery_percent.filter(|percent| *percent <= BATTERY_LOW);
    let unheard = outlook.synced_at.is_none_or(|at| now - at >= STALE_AFTER);
    let cautions = [
        low.map(|percent| Caution::BatteryLow { percent }),
        unheard.then_some(Caution::NotHeardSince { at: outlook.synced_at }),
    ];
    WillItOpen {
        at: outlook.at,
        opens: obstacles.is_empty(),
        obstacles,
        cautions: cautions.into_iter().flatten().collect(),
    }
}

/// What the phone would say on ENT, as what to do about it now.
fn obstacle(refusal: &CoreError, outlook: &Outlook) -> Obstacle {
    match refusal {
        CoreError::NotYetValid { from, .. } => Obstacle::NotBegun { from: *from },
        CoreError::Expired { since, .. } => Obstacle::Over { since: since.unwrap_or(outlook.at) },
        CoreError::Revoked { .. } => Obstacle::Revoked,
        CoreError::OutsideHours { next, .. } => Obstacle::OutsideHours { next: *next },
        _ if outlook.on_hold => Obstacle::OnHold,
        CoreError::NotReady { connect_after: Some(after) } => Obstacle::ConnectOnce { after: *after },
        _ => Obstacle::ConnectOnce { after: outlook.at },
    }
}
