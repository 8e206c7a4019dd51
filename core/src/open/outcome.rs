//! What a refusal means: the phone's for the access log, and the lock's for the user.

use sentri_protocol::{hours::next_allowed, open::Verdict, status::Status, time::Time};
use sentri_wire::event::Outcome;

use super::held::Usable;
use crate::{CoreError, api::error::Judge};

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
