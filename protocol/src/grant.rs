//! The window of a grant: what can be said against it without looking anything up. [GRT-2]
//!
//! The app calls it while the form is being filled in, the backend when the grant is made.

use thiserror::Error;

use crate::time::{DAY, Time, Window};

/// How long ago a window may begin, in seconds: the form was being filled in.
const LATE_FORM: i64 = 600;
/// How far ahead a window may begin, in seconds.
const FURTHEST_START: i64 = 366 * DAY as i64;

/// Why a window is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}", self.reason())]
pub enum GrantRefusal {
    /// More than a year ahead, or no instant at all.
    StartTooFar,
    /// Past what an instant can tell.
    EndTooFar,
    /// Reversed or empty.
    EndBeforeStart,
    /// Nothing of it is left.
    EndInPast,
    /// It would have begun before it was granted.
    StartInPast,
}

impl GrantRefusal {
    /// In words for the granter.
    pub fn reason(self) -> &'static str {
        match self {
            Self::StartTooFar => "The start is too far away.",
            Self::EndTooFar => "The end is too far away.",
            Self::EndBeforeStart => "The end must come after the start.",
            Self::EndInPast => "The end is in the past.",
            Self::StartInPast => "The start is in the past.",
        }
    }

    /// The field of the form that is wrong, as the API names it.
    pub fn field(self) -> &'static str {
        match self {
            Self::StartTooFar | Self::StartInPast => "starts_at",
            Self::EndTooFar | Self::EndBeforeStart | Self::EndInPast => "ends_at",
        }
    }
}

/// The window of a grant that is made at `now`; all in seconds since 1970-01-01 UTC. How long it may be is the
/// association's policy and is the backend's to say.
pub fn window(now: i64, starts_at: i64, ends_at: i64) -> Result<Window, GrantRefusal> {
    let start = Time::from_unix(starts_at)
        .filter(|_| starts_at <= now.saturating_add(FURTHEST_START))
        .ok_or(GrantRefusal::StartTooFar)?;
    let end = Time::from_unix(ends_at).ok_or(GrantRefusal::EndTooFar)?;
    let window = Window::new(start, end).ok_or(GrantRefusal::EndBeforeStart)?;
    if ends_at <= now {
        return Err(GrantRefusal::EndInPast);
    }
    if starts_at < now.saturating_sub(LATE_FORM) {
        return Err(GrantRefusal::StartInPast);
    }
    Ok(window)
}
