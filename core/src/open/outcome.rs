//! What a lock's verdict means: for the access log, and for the user.

use sentri_protocol::{hours::next_allowed, open::Verdict, status::Status, time::Time};
use sentri_wire::event::Outcome;

use super::held::Usable;
use crate::{CoreError, api::error::Judge};

/// As the access log has it.
pub(crate) fn of_verdict(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Opened => Outcome::Opened,
        Verdict::NotYet => Outcome::TooEarly,
        Verdict::Expired => Outcome::TooLate,
        Verdict::OutsideHours => Outcome::OutsideHours,
        Verdict::Revoked => Outcome::Revoked,
        Verdict::ClockLost => Outcome::ClockLost,
        Verdict::Served
        | Verdict::NoRight
        | Verdict::AlreadyOpened
        | Verdict::MotorFailed
        | Verdict::UnknownCaveat
        | Verdict::FlashFailed => Outcome::Refused,
    }
}

/// A refusal by the phone, as the access log has it.
pub(crate) fn of_error(error: &CoreError) -> Outcome {
    match error {
        CoreError::NotYetValid { .. } => Outcome::TooEarly,
        CoreError::Expired { .. } => Outcome::TooLate,
        CoreError::OutsideHours { .. } => Outcome::OutsideHours,
        CoreError::Revoked { .. } => Outcome::Revoked,
        CoreError::WrongBox { .. } => Outcome::WrongBox,
        CoreError::ClockUntrusted => Outcome::ClockLost,
        CoreError::NoAnswer => Outcome::Unanswered,
        _ => Outcome::Refused,
    }
}

/// As the user is told; nothing where the bin opened.
pub(crate) fn refusal(status: &Status, usable: &Usable) -> Option<CoreError> {
    let by = Judge::Lock;
    let window = usable.ticket.window;
    Some(match status.verdict {
        Verdict::Opened => return None,
        Verdict::NotYet => CoreError::NotYetValid { from: window.not_before().unix(), by },
        Verdict::Expired => {
            let since = window.not_after().unix();
            CoreError::Expired { since: (since <= status.clock.unix()).then_some(since), by }
        }
        Verdict::OutsideHours => {
            let next = next_allowed(&[&usable.ticket.schedule, &usable.hours], usable.zone, status.clock);
            CoreError::OutsideHours { next: next.map(Time::unix), by }
        }
        Verdict::Revoked => CoreError::Revoked { by },
        Verdict::ClockLost => CoreError::ClockUntrusted,
        Verdict::NoRight | Verdict::UnknownCaveat | Verdict::Served => CoreError::NoRight,
        Verdict::AlreadyOpened => CoreError::PressEntAgain,
        Verdict::MotorFailed | Verdict::FlashFailed => CoreError::LockboxDefect,
    })
}
