//! The phone's own judgement: what it knows the lock would refuse is not sent, and the user is told why.
//!
//! A courtesy, not a defence: the lock judges for itself. Where the two could differ at an edge, the phone is
//! the milder one.

use sentri_protocol::{
    clock::{RETURN_WITHIN, tolerance},
    hours::next_allowed,
    time::{Moment, Time},
};
use sentri_wire::credential::Access;
use uuid::Uuid;

use super::held::{Held, Usable};
use crate::{CoreError, api::error::Judge};

const BY: Judge = Judge::Phone;

/// Picks the credential to show to a box, or tells why there is none. `wanted` names one access.
pub fn pick<'h>(
    held: &'h Held,
    lockbox: &str,
    wanted: Option<Uuid>,
    now: Time,
) -> Result<&'h Usable, CoreError> {
    let of_box = |access: &&Access| access.lockbox == lockbox && wanted.is_none_or(|id| access.id == id);
    if let Some(id) = wanted
        && held.access(id).is_none_or(|access| access.lockbox != lockbox)
    {
        return Err(CoreError::WrongBox { by: BY });
    }
    let mut refusal = None;
    let fits = |it: &&Usable| it.lockbox == lockbox && wanted.is_none_or(|id| it.access_id == id);
    for usable in held.usable.iter().filter(fits) {
        match judge(held.access(usable.access_id), usable, held.last_use(usable.access_id), now) {
            Ok(()) => return Ok(usable),
            Err(error) => refusal = Some(error),
        }
    }
    let without =
        || held.accesses.iter().filter(of_box).map(|access| without_credential(access, now)).min_by_key(rank);
    Err(refusal.or_else(without).unwrap_or(CoreError::WrongBox { by: BY }))
}

/// Whether the lock would take this credential now, as far as the phone knows.
pub fn judge(
    access: Option<&Access>,
    usable: &Usable,
    last_use: Option<Time>,
    now: Time,
) -> Result<(), CoreError> {
    if access.is_some_and(|access| access.revoked) {
        return Err(CoreError::Revoked { by: BY });
    }
    let window = usable.ticket.window;
    match window.judge(now, tolerance(0)) {
        Moment::Within => {}
        Moment::Early(from) => {
            return Err(CoreError::NotYetValid { from: from.unix(), by: BY });
        }
        Moment::Late(_) if may_return(usable, last_use, now) => return Ok(()),
        Moment::Late(since) => return Err(late(access, since, now)),
    }
    let rules: [&dyn sentri_protocol::hours::Weekly; 2] = [&usable.ticket.schedule, &usable.hours];
    match next_allowed(&rules, usable.zone, now) {
        Some(next) if next == now => Ok(()),
        next => Err(CoreError::OutsideHours { next: next.map(Time::unix), by: BY }),
    }
}

/// The ticket is over; the access need not be: then a fresh ticket waits at the backend.
fn late(access: Option<&Access>, since: Time, now: Time) -> CoreError {
    match access {
        Some(access) if access.ends_at > now.unix() => {
            CoreError::NotReady { connect_after: Some(access.ready_from.min(now.unix())) }
        }
        _ => CoreError::Expired { since: Some(since.unix()), by: BY },
    }
}

/// Who opened within the window and has not come back since may open once more, to return the key.
fn may_return(usable: &Usable, last_use: Option<Time>, now: Time) -> bool {
    let window = usable.ticket.window;
    let used_within = last_use.is_some_and(|at| window.judge(at, tolerance(0)) == Moment::Within);
    used_within && now < window.not_after().plus(RETURN_WITHIN)
}

/// Why an access opens nothing for which the phone holds no credential.
pub(crate) fn without_credential(access: &Access, now: Time) -> CoreError {
    let now = now.unix();
    if access.revoked {
        CoreError::Revoked { by: BY }
    } else if now >= access.ends_at {
        CoreError::Expired { since: Some(access.ends_at), by: BY }
    } else if access.on_hold {
        // Connecting helps once the granter is in good standing again, and nobody knows when.
        CoreError::NotReady { connect_after: None }
    } else if now < access.ready_from {
        CoreError::NotYetValid { from: access.starts_at, by: BY }
    } else {
        CoreError::NotReady { connect_after: Some(access.ready_from) }
    }
}

/// Of several reasons the one that the user can do most about comes first.
fn rank(error: &CoreError) -> u8 {
    match error {
        CoreError::NotReady { .. } => 0,
        CoreError::NotYetValid { .. } => 1,
        CoreError::Revoked { .. } => 2,
        _ => 3,
    }
}
