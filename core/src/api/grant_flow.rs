//! Grant access, step by step. [GRT-1]

use std::sync::{Arc, Mutex, PoisonError};

use sentri_wire::{
    Secret,
    agent::{self as wire, AssignRequest, GrantRequest, GrantResponse},
};
use uuid::Uuid;

use super::{
    agent::assign,
    core_object::SentriCore,
    error::CoreError,
    parse_id,
    types::{Grant, Invitee, Lockbox},
};
use crate::{
    flows::grant::{Form, GrantFlow as Flow, Step, WrongStep},
    http::Call,
    order::ordered,
    session::Session,
};

/// What to show next.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GrantStep {
    /// The listing has no lockbox: pick or find one, enter since when it hangs there and the region; then
    /// `choose_lockbox`.
    ChooseLockbox {
        /// The agent's boxes that hang nowhere yet.
        lockboxes: Vec<Lockbox>,
    },
    /// The box has no Bluetooth: offer to make a one day code instead.
    OfferOneDayCode {
        /// Serial number of the box.
        lockbox: String,
    },
    /// Enter email, start and end; then `fill_form`.
    Form {
        /// Serial number of the box.
        lockbox: String,
    },
    /// Ask for the PIN; then `authenticate`.
    Authenticate,
    /// The access is granted: show the green panel.
    Done {
        /// The grant as it now stands.
        grant: Grant,
        /// Whether the person was invited or notified.
        invitee: Invitee,
    },
}

/// The way to one grant. Show what `step` says, call what it names, show what comes back. After an error the
/// flow is at a good step too: show `step` again.
#[derive(uniffi::Object)]
pub struct GrantFlow {
    session: Arc<Session>,
    flow: Mutex<Flow>,
    free: Vec<Lockbox>,
}

#[uniffi::export]
impl SentriCore {
    /// Begins to grant access to a listing of the agent's. [GRT-1]
    ///
    /// `NotFound` where the phone knows no such listing.
    pub async fn start_grant(&self, listing_id: String) -> Result<Arc<GrantFlow>, CoreError> {
        let session = self.session().await?;
        let id = parse_id("listing_id", &listing_id)?.to_string();
        let (listing, boxes) = session
            .read(move |rows| Ok((rows.get::<wire::Listing>(&id)?, rows.all::<wire::Lockbox>()?)))
            .await?;
        let listing = listing.ok_or(CoreError::NotFound)?;
        let assigned = boxes.iter().find(|it| Some(&it.serial) == listing.lockbox.as_ref());
        let flow = Mutex::new(Flow::new(listing.clone(), assigned));
        let free = boxes.into_iter().filter(|it| it.listing_id.is_none()).map(Into::into).collect();
        let free: Vec<Lockbox> = ordered(free, |a: &Lockbox, b| a.serial.cmp(&b.serial));
        Ok(Arc::new(GrantFlow { session, flow, free }))
    }
}

#[uniffi::export]
impl GrantFlow {
    /// What to show now.
    pub fn step(&self) -> GrantStep {
        self.told()
    }

    /// Puts a box on the listing. `on_listing_since` is in seconds since 1970-01-01 UTC. Needs network. [LST-3]
    ///
    /// `NotFound` where no such box is yours; `Conflict` where it hangs elsewhere.
    pub async fn choose_lockbox(
        &self,
        serial: String,
        on_listing_since: i64,
        region: String,
    ) -> Result<GrantStep, CoreError> {
        let listing_id = self.at(|flow| match flow.step() {
            Step::ChooseLockbox => Ok(flow.listing().id),
            _ => Err(CoreError::WrongStep),
        })?;
        let request = AssignRequest { listing_id, on_listing_since, region };
        let lockbox = assign(&self.session, &serial, request).await?;
        self.at(|flow| flow.assigned(&lockbox));
        Ok(self.told())
    }

    /// Takes whom and when; times are in seconds since 1970-01-01 UTC. May be called again to correct them. [GRT-2]
    ///
    /// `InvalidField` names `email`, `starts_at` or `ends_at`.
    pub fn fill_form(&self, email: String, starts_at: i64, ends_at: i64) -> Result<GrantStep, CoreError> {
        let key = self.session.api.fresh_key()?;
        let now = self.session.now();
        self.at(|flow| flow.fill(Form { email, starts_at, ends_at }, now, key))??;
        Ok(self.told())
    }

    /// Grants, with the agent's PIN, which the backend checks and counts. Needs network. [ACC-12]
    ///
    /// `WrongCode`, `TooManyTries`; `InvalidField` where the backend's rules are stricter than the form's.
    pub async fn authenticate(&self, pin: String) -> Result<GrantStep, CoreError> {
        let pin = Secret::new(pin);
        let (request, key) = self.unapproved()?;
        self.grant(GrantRequest { pin: Some(pin), ..request }, key).await
    }
}

impl GrantFlow {
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The request as the form has it, and the key that makes it happen once.
    pub(super) fn unapproved(&self) -> Result<(GrantRequest, Uuid), CoreError> {
        Ok(self.at(|flow| flow.request())?)
    }

    pub(super) async fn grant(&self, request: GrantRequest, key: Uuid) -> Result<GrantStep, CoreError> {
        let call = Call::post("/v1/grants", &request)?.once(key);
        match self.session.call::<GrantResponse>(&call).await {
            Ok(granted) => {
                let kept = granted.grant.clone();
                self.at(|flow| flow.granted(granted));
                self.session.write("grant", move |rows| rows.put(&kept)).await?;
                Ok(self.told())
            }
            Err(error) => {
                if let Some(code) = error.code() {
                    let next_key = self.session.api.fresh_key()?;
                    self.at(|flow| flow.refused(code, next_key));
                }
                Err(error.into())
            }
        }
    }

    fn at<T>(&self, what: impl FnOnce(&mut Flow) -> T) -> T {
        what(&mut self.flow.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn told(&self) -> GrantStep {
        match self.at(|flow| flow.step().clone()) {
            Step::ChooseLockbox => GrantStep::ChooseLockbox { lockboxes: self.free.clone() },
            Step::OfferOneDayCode { lockbox } => GrantStep::OfferOneDayCode { lockbox },
            Step::Form { lockbox } => GrantStep::Form { lockbox },
            Step::Authenticate => GrantStep::Authenticate,
            Step::Done { grant, invitee } => GrantStep::Done { grant: grant.into(), invitee: invitee.into() },
        }
    }
}

impl From<WrongStep> for CoreError {
    fn from(_: WrongStep) -> Self {
        Self::WrongStep
    }
}
