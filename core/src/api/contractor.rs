//! What a contractor sees and does: accesses, and the open on ENT. [CON-1, CON-2]

use std::sync::Arc;

use sentri_wire::credential as wire;

use super::{
    core_object::SentriCore,
    error::CoreError,
    parse_id,
    types::{Access, AccessState, Readiness},
};
use crate::{
    home::Home,
    open::{self, Attempt, Figures},
};

/// The key bin opened.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OpenReport {
    /// Serial number of the box.
    pub lockbox: String,
    /// The access that was used.
    pub access_id: String,
    /// When, by the phone's clock, in seconds since 1970-01-01 UTC.
    pub at: i64,
    /// Percent, as the lock told.
    pub battery_percent: u8,
    /// What went over the air.
    pub figures: OpenFigures,
}

/// What went over the air for an open, for diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OpenFigures {
    /// Bytes of the message that opened, before frames.
    pub m1_bytes: u32,
    /// Bytes of the answer, before frames.
    pub m2_bytes: u32,
    /// Frames sent for the message.
    pub m1_frames: u32,
    /// Frames received for the answer, repeats included.
    pub m2_frames: u32,
    /// The agreed ATT MTU.
    pub mtu: u16,
    /// Connections that it took.
    pub tries: u32,
}

/// A try at a lockbox that is going on, or over.
#[derive(uniffi::Object)]
pub struct OpenAttempt {
    attempt: Attempt,
}

#[uniffi::export]
impl SentriCore {
    /// The accesses of this account: the ones that can be used first, then the coming ones, then the past. From
    /// what the phone holds. [CON-1]
    pub async fn accesses(&self) -> Result<Vec<Access>, CoreError> {
        let session = self.session().await?;
        let home = session.home().await?;
        let now = session.now();
        Ok(home.shown.at(now, || (listed(&home, now), next_change(&home, now))))
    }

    /// Listens for up to a minute for a press of ENT and opens the box that was pressed, with no network needed.
    /// From an access's page pass its id: other boxes that are awake are passed over. From anywhere else none: the only
    /// box that would open is opened, and `SeveralLockboxes` asks back where more than one is awake. [CON-2]
    ///
    /// `AlreadyOpening` where another try goes on, or waits. One that has told its result, or was cancelled, makes way
    /// for this one within some seconds. All else is told by the handle.
    pub async fn open_on_ent(&self, access_id: Option<String>) -> Result<Arc<OpenAttempt>, CoreError> {
        let wanted = access_id.map(|id| parse_id("access_id", &id)).transpose()?;
        let session = self.session().await?;
        let core = &self.core;
        let attempt = open::start(session, &core.ports, &core.hub, core.settings.checks, wanted)?;
        Ok(Arc::new(OpenAttempt::of(attempt)))
    }
}

impl OpenAttempt {
    pub(super) fn of(attempt: Attempt) -> Self {
        Self { attempt }
    }
}

#[uniffi::export]
impl OpenAttempt {
    /// Waits until the bin is open, or why it is not; what is told is in the phone's log already.
    ///
    /// `NotYetValid`, `Expired`, `OutsideHours`, `Revoked`, `WrongBox`, `NotReady`, `ClockUntrusted`, `NoRight`,
    /// `PressEntAgain`, `LockboxDefect`, `NoLockboxHeard`, `SeveralLockboxes`, `NoAnswer`, `BluetoothOff`, `BluetoothNotAllowed`,
    /// `BluetoothTrouble`, `Cancelled`; `NotFound` where the phone has no such access.
    pub async fn result(&self) -> Result<OpenReport, CoreError> {
        self.attempt.result().await.map(Into::into)
    }

    /// Waits until all is done: records taken, lists handed over, link ended, and, where there is network, what
    /// happened uploaded. Neither the user nor the next open need wait for it; the app should stay alive until then
    /// if it can.
    pub async fn finished(&self) {
        self.attempt.over().await;
    }

    /// Ends the try as long as nothing was sent to a lock; later it has no effect.
    pub fn cancel(&self) {
        self.attempt.cancel();
    }
}

impl From<open::OpenReport> for OpenReport {
    fn from(it: open::OpenReport) -> Self {
        Self {
            lockbox: it.lockbox,
            access_id: it.access_id.to_string(),
            at: it.at,
            battery_percent: it.battery_percent,
            figures: it.figures.into(),
        }
    }
}

impl From<Figures> for OpenFigures {
    fn from(it: Figures) -> Self {
        Self {
            m1_bytes: it.m1_bytes,
            m2_bytes: it.m2_bytes,
            m1_frames: it.m1_frames,
            m2_frames: it.m2_frames,
            mtu: it.mtu,
            tries: it.tries,
        }
    }
}

/// The ones that can be used come first.
const SHOWN_FIRST: [AccessState; 4] =
    [AccessState::Active, AccessState::Upcoming, AccessState::Past, AccessState::Revoked];

fn listed(home: &Home, now: i64) -> Vec<Access> {
    let mut list = Vec::with_capacity(home.accesses.len());
    for state in SHOWN_FIRST {
        let in_state = home.accesses.iter().filter(|it| state_of(it, now) == state);
        list.extend(in_state.map(|it| seen(it, home, now)));
    }
    list
}

/// When the list changes just because time passes: an access begins or ends, or a credential opens no more.
fn next_change(home: &Home, now: i64) -> i64 {
    let sooner = |next: i64, at: i64| if at > now { next.min(at) } else { next };
    let of_access = |next, it: &wire::Access| sooner(sooner(next, it.starts_at), it.ends_at);
    let next = home.accesses.iter().fold(i64::MAX, of_access);
    home.windows().iter().fold(next, |next, opens| sooner(next, opens.until))
}

fn state_of(access: &wire::Access, now: i64) -> AccessState {
    if access.revoked {
        AccessState::Revoked
    } else if now < access.starts_at {
        AccessState::Upcoming
    } else if now < access.ends_at {
        AccessState::Active
    } else {
        AccessState::Past
    }
}

fn seen(access: &wire::Access, home: &Home, now: i64) -> Access {
    let state = state_of(access, now);
    Access {
        id: access.id.to_string(),
        lockbox: access.lockbox.clone(),
        address: access.address.clone(),
        locality: access.locality.clone(),
        time_zone: access.time_zone.clone(),
        granted_by: access.granted_by.clone(),
        starts_at: access.starts_at,
        ends_at: access.ends_at,
        readiness: readiness(access, home, state, now),
        state,
    }
}

fn readiness(access: &wire::Access, home: &Home, state: AccessState, now: i64) -> Readiness {
    if matches!(state, AccessState::Past | AccessState::Revoked) {
        return Readiness::Never;
    }
    let left = home.opens_for(access.id).iter().filter(|opens| opens.until > now);
    match left.max_by_key(|opens| opens.until) {
        Some(opens) => Readiness::Ready { from: opens.from, until: opens.until },
        None if access.on_hold => Readiness::OnHold,
        None => Readiness::ConnectAfter { at: access.ready_from },
    }
}
