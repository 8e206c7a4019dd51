//! What a proved request is worth: one pure function, in the order of `docs/protocol.md`, section 7.

use sentri_protocol::{
    Time,
    clock::RETURN_WITHIN,
    hours::next_allowed,
    open::{Operation, Request, Verdict},
    revocation::{RevocationList, Revoked},
    settings::Settings,
    ticket::{Caveat, Ticket},
    time::{Moment, Window},
};

use crate::{clock::Now, journal::state::LastOpen};

/// All that a judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What is asked, and on what ground.
    pub request: &'a Request,
    /// By the lock's clock.
    pub now: Now,
    /// What the owner set.
    pub settings: &'a Settings,
    /// What is revoked.
    pub revocations: &'a RevocationList,
    /// Who opened last.
    pub last_open: Option<LastOpen>,
    /// This press of ENT has opened already.
    pub opened_in_wake: bool,
    /// Nothing can be written down any more.
    pub flash_worn: bool,
}

/// A judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The first of the reasons that fits, or that it opens.
    pub verdict: Verdict,
    /// Seconds until the same could succeed; 0 unknown, 65535 that or longer.
    pub retry_after: u16,
    /// It opens by the right to return the key.
    pub returns: bool,
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, retry_after: 0, returns: false }
    }
}

/// Judges.
pub fn judge(case: &Case<'_>) -> Judgement {
    let Request { ticket, caveats, operation, .. } = case.request;
    let may = match operation {
        Operation::OpenKeyBin => ticket.rights.may_open(),
        Operation::Service => ticket.rights.may_service(),
    };
    if case.flash_worn {
        Verdict::FlashFailed.into()
    } else if !may {
        Verdict::NoRight.into()
    } else if caveats.iter().any(|caveat| caveat.kind != Caveat::WORKER) {
        Verdict::UnknownCaveat.into()
    } else if is_revoked(case.revocations, ticket, caveats) {
        Verdict::Revoked.into()
    } else if *operation == Operation::Service {
        Verdict::Served.into()
    } else {
        let judgement = judge_time(case);
        if judgement.verdict == Verdict::Opened && case.opened_in_wake {
            return Verdict::AlreadyOpened.into();
        }
        judgement
    }
}

fn is_revoked(list: &RevocationList, ticket: &Ticket, caveats: &[Caveat]) -> bool {
    let worker_revoked = |caveat: &Caveat| {
        list.entries().iter().any(
            |entry| matches!(entry.what, Revoked::Worker([0, 0, 0, 0, 0, id @ ..]) if id == caveat.worker),
        )
    };
    list.revokes(ticket.credential, ticket.epoch) || caveats.iter().any(worker_revoked)
}

fn judge_time(case: &Case<'_>) -> Judgement {
    let Request { ticket, caveats, .. } = case.request;
    let Some(window) = narrowed(ticket.window, caveats) else { return Verdict::Expired.into() };
    let may_return = case.settings.switches.returns
        && case.last_open.is_some_and(|last| last.credential == ticket.credential && !last.returned);
    if case.now.is_lost() {
        return without_clock(case.now, window, may_return).into();
    }

    let time = case.now.time;
    let in_hours = [&ticket.schedule as &dyn sentri_protocol::hours::Weekly, &case.settings.access_hours]
        .iter()
        .all(|rule| rule.allows(case.settings.zone.local(time)));
    match window.judge(time, case.now.tolerance()) {
        Moment::Early(_) => refused_until(Verdict::NotYet, case, ticket, window),
        Moment::Within if in_hours => Verdict::Opened.into(),
        _ if may_return && is_time_to_return(time, window) => {
            Judgement { returns: true, ..Verdict::Opened.into() }
        }
        Moment::Within => refused_until(Verdict::OutsideHours, case, ticket, window),
        Moment::Late(_) => Verdict::Expired.into(),
    }
}

/// The conjunction of a ticket's window with those of its caveats.
fn narrowed(window: Window, caveats: &[Caveat]) -> Option<Window> {
    caveats.iter().try_fold(window, |window, caveat| {
        Window::new(caveat.not_before, caveat.not_after).and_then(|narrower| window.and(narrower))
    })
}

/// From the window's very end, tolerance or not, so that hours that end with it don't keep the key out.
fn is_time_to_return(time: Time, window: Window) -> bool {
    time >= window.not_after() && time < window.not_after().plus(RETURN_WITHIN)
}

/// A lost clock is a lower bound: it can tell that a window is over, and nothing else.
fn without_clock(now: Now, window: Window, may_return: bool) -> Verdict {
    let grace = if may_return { RETURN_WITHIN.max(now.tolerance()) } else { now.tolerance() };
    if now.time >= window.not_after().plus(grace) { Verdict::Expired } else { Verdict::ClockLost }
}

/// A refusal that ends when window and hours next agree, if they do before the window is over.
fn refused_until(verdict: Verdict, case: &Case<'_>, ticket: &Ticket, window: Window) -> Judgement {
    let (now, tolerance) = (case.now.time, case.now.tolerance());
    let from = now.max(window.not_before().minus(tolerance));
    let retry_after =
        next_allowed(&[&ticket.schedule, &case.settings.access_hours], case.settings.zone, from)
            .filter(|next| *next < window.not_after().plus(tolerance))
            .map_or(0, |next| u16::try_from(next.since(now)).unwrap_or(u16::MAX));
    Judgement { retry_after, ..verdict.into() }
}
