//! Opens a key bin on ENT, with no network needed: hear the lock, judge, prove, and tell. [CON-2]
//!
//! The way of one open: `hub` hands in what the radio hears → `held` knows whose advert it is → `listening` finds the
//! box that is meant → `checks` refuses what the lock would refuse → `exchange` sends M1 and reads M2, in the last wake
//! that `wakes` heard → `attempt` writes down what happened before it tells the user → `errands` use the channel for time,
//! revocations, settings, records.

mod attempt;
mod checks;
mod door_visit;
mod errands;
mod exchange;
mod finding;
mod held;
mod hub;
mod listening;
mod nearby;
mod outcome;
mod outlook;
mod radio;
mod visits;
mod wakes;

pub use attempt::{Attempt, OpenReport, start};
pub use checks::judge;
pub use door_visit::{Visit, VisitReport, visit};
pub use errands::Handed;
pub use exchange::Figures;
pub use finding::Finding;
pub use held::{Held, Usable};
pub use hub::{LinkEvent, LinkHub, Overheard};
pub use nearby::{Near, Nearby};
pub use outlook::{Outlook, outlook};

/// Whether the phone judges an open before the lock does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhoneChecks {
    /// The phone refuses what it knows the lock would refuse. What ships.
    #[default]
    Enforced,
    /// Everything is put to the lock, so that its own refusals can be seen. For diagnosis and the sandbox; no
    /// exported call leads here.
    SkippedForDiagnosis,
}
