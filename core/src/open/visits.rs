//! A member at a box that the phone holds nothing for: the ticket is fetched while the box is awake. [AGT-1]

use std::time::Duration;

use sentri_protocol::{advert::Advert, time::Time};
use sentri_wire::{
    Binary,
    account::AccountKind,
    credential::{Visit, VisitRequest},
    problem::ProblemCode,
};

use super::{checks, held::Usable};
use crate::{
    CoreError,
    api::error::Judge,
    http::Call,
    session::{Session, SessionError},
    store::KnownBox,
};

/// How long the backend may take: the box stays awake for half a minute, and is asked after that.
const FETCH: Duration = Duration::from_secs(8);

/// Whether the account is a member's.
pub(super) async fn are_possible(session: &Session) -> bool {
    session.profile().await.is_ok_and(|account| account.kind == AccountKind::Agent)
}

/// Fetches what opens the box, where a member asks and `why` is something that a ticket changes; else gives `why` back, or
/// what the backend said.
pub(super) async fn fetch(session: &Session, advert: &Advert, why: CoreError) -> Result<Usable, CoreError> {
    // Hours are the box's own: another ticket does not change them.
    if matches!(why, CoreError::OutsideHours { .. }) || !are_possible(session).await {
        return Err(why);
    }
    let request = VisitRequest { advert: Binary::from(advert.encode()) };
    let call = Call::post("/v1/visits", &request)?.repeatable();
    let visit = tokio::select! {
        visit = session.call::<Visit>(&call) => visit.map_err(|error| told(error, why))?,
        () = session.api.clock.sleep(FETCH) => return Err(CoreError::Offline),
    };
    let Some(usable) = Usable::parse(&visit.credential) else {
        return Err(CoreError::ServiceTrouble { retry_after: None, support: None });
    };
    let now = Time::from_unix(session.now()).unwrap_or_default();
    let judged = checks::judge(Some(&visit.access), &usable, None, now);
    session
        .write("visit", move |rows| {
            rows.put(&visit.access)?;
            rows.put(&KnownBox::of(&visit.credential))?;
            rows.put(&visit.credential)
        })
        .await?;
    judged.map(|()| usable)
}

/// What the member is told: a box that is none of the association's, or on no active listing, is not theirs to open.
fn told(error: SessionError, why: CoreError) -> CoreError {
    match error.code() {
        Some(ProblemCode::NotFound) if matches!(why, CoreError::NotReady { .. }) => {
            CoreError::WrongBox { by: Judge::Phone }
        }
        Some(ProblemCode::NotFound) => why,
        _ => error.into(),
    }
}
