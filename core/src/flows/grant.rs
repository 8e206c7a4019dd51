//! Granting access: from a listing to a grant, or to the offer of a one day code. [GRT-1, GRT-2]
//!
//! No rule of this lives in a shell: it shows the step it is given and hands back what the user entered.

use sentri_protocol::{email, grant};
use sentri_wire::{
    Timestamp,
    agent::{Grant, GrantRequest, GrantResponse, Invitee, Listing, Lockbox, LockboxGeneration},
    problem::ProblemCode,
};
use uuid::Uuid;

/// What the user does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put a lockbox on the listing.
    ChooseLockbox,
    /// The box has no Bluetooth: make a one day code instead.
    OfferOneDayCode {
        /// Its serial number.
        lockbox: String,
    },
    /// Enter whom and when.
    Form {
        /// The box's serial number.
        lockbox: String,
    },
    /// Enter the PIN.
    Authenticate,
    /// The access is granted.
    Done {
        /// As it now stands.
        grant: Grant,
        /// Whether the person was known.
        invitee: Invitee,
    },
}

/// Whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The person's address.
    pub email: String,
    /// First second of the window.
    pub starts_at: Timestamp,
    /// First second after the window.
    pub ends_at: Timestamp,
}

/// A value in the form is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadForm {
    /// Which.
    pub field: &'static str,
    /// What is wrong with it, for a realtor.
    pub reason: &'static str,
}

/// What the user did is not what the flow waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongStep;

impl Form {
    fn checked(self, now: Timestamp) -> Result<Self, BadForm> {
        let address = self.email.trim().to_owned();
        if !email::is_plausible(&address) {
            return Err(BadForm { field: "email", reason: email::NO_ADDRESS });
        }
        grant::window(now, self.starts_at, self.ends_at)
            .map_err(|refusal| BadForm { field: refusal.field(), reason: refusal.reason() })?;
        Ok(Self { email: address, ..self })
    }
}

/// The way to one grant.
#[derive(Clone, Debug)]
pub struct GrantFlow {
    listing: Listing,
    step: Step,
    filled: Option<(Form, Uuid)>,
}

impl GrantFlow {
    /// Begins with a listing and what is known of the box that hangs there.
    pub fn new(listing: Listing, assigned: Option<&Lockbox>) -> Self {
        let step = match (&listing.lockbox, assigned) {
            (None, _) => Step::ChooseLockbox,
            (Some(_), Some(lockbox)) => Self::step_with(lockbox),
            // Not synced yet: the backend says it where the box has no Bluetooth.
            (Some(serial), None) => Step::Form { lockbox: serial.clone() },
        };
        Self { listing, step, filled: None }
    }

    /// What the user does next.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The listing that access is granted for.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The backend has put the box on the listing.
    pub fn assigned(&mut self, lockbox: &Lockbox) {
        self.listing.lockbox = Some(lockbox.serial.clone());
        self.step = Self::step_with(lockbox);
    }

    /// The user filled the form, or filled it again. `key` makes the grant happen once.
    pub fn fill(&mut self, form: Form, now: Timestamp, key: Uuid) -> Result<Result<(), BadForm>, WrongStep> {
        if !matches!(self.step, Step::Form { .. } | Step::Authenticate) {
            return Err(WrongStep);
        }
        Ok(form.checked(now).map(|form| {
            self.filled = Some((form, key));
            self.step = Step::Authenticate;
        }))
    }

    /// What to ask of the backend, and under which key.
    /// The approval is for the caller to add: a PIN, or the device's signature.
    pub fn request(&self) -> Result<(GrantRequest, Uuid), WrongStep> {
        let (Step::Authenticate, Some((form, key))) = (&self.step, &self.filled) else {
            return Err(WrongStep);
        };
        let request = GrantRequest {
            listing_id: self.listing.id,
            email: form.email.clone(),
            starts_at: form.starts_at,
            ends_at: form.ends_at,
            pin: None,
            presence: None,
        };
        Ok((request, *key))
    }

    /// The backend has granted.
    pub fn granted(&mut self, response: GrantResponse) {
        self.step = Step::Done { grant: response.grant, invitee: response.invitee };
    }

    /// The backend has refused: where another step is the way out, the flow goes there. `next_key` serves the
    /// next try, which is another action: another PIN, another form.
    pub fn refused(&mut self, code: ProblemCode, next_key: Uuid) {
        if let Some((_, key)) = &mut self.filled {
            *key = next_key;
        }
        match (code, &self.listing.lockbox) {
            (ProblemCode::LockboxWithoutBluetooth, Some(serial)) => {
                self.step = Step::OfferOneDayCode { lockbox: serial.clone() };
            }
            (ProblemCode::NoLockboxAssigned, _) => {
                self.listing.lockbox = None;
                self.step = Step::ChooseLockbox;
            }
            (ProblemCode::Invalid, Some(serial)) => self.step = Step::Form { lockbox: serial.clone() },
            _ => {}
        }
    }

    fn step_with(lockbox: &Lockbox) -> Step {
        let lockbox_serial = lockbox.serial.clone();
        match lockbox.generation {
            LockboxGeneration::Ble => Step::Form { lockbox: lockbox_serial },
            LockboxGeneration::NonBle => Step::OfferOneDayCode { lockbox: lockbox_serial },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_800_000_000;

    fn listing(lockbox: Option<&str>) -> Listing {
        Listing {
            id: Uuid::nil(),
            listing_key: "L1".into(),
            unparsed_address: "12 Oak Street".into(),
            city: "Cary".into(),
            state_or_province: "NC".into(),
            postal_code: "27511".into(),
            list_price: None,
            standard_status: "Active".into(),
            time_zone: "America/New_York".into(),
            lockbox: lockbox.map(Into::into),
        }
    }

    fn lockbox(generation: LockboxGeneration) -> Lockbox {
        Lockbox {
            id: Uuid::nil(),
            serial: "B1".into(),
            generation,
            battery_percent: None,
            listing_id: None,
            on_listing_since: None,
            region: None,
            last_heard_at: None,
            settings_pending: false,
        }
    }

    fn form() -> Form {
        Form { email: " sam@example.com ".into(), starts_at: NOW, ends_at: NOW + 3600 }
    }

    /// GRT-1: the box decides the first step.
    #[test]
    fn the_first_step_follows_from_the_box() {
        let flow = GrantFlow::new(listing(None), None);
        assert_eq!(flow.step(), &Step::ChooseLockbox);
        let flow = GrantFlow::new(listing(Some("B1")), Some(&lockbox(LockboxGeneration::Ble)));
        assert_eq!(flow.step(), &Step::Form { lockbox: "B1".into() });
        let flow = GrantFlow::new(listing(Some("B1")), Some(&lockbox(LockboxGeneration::NonBle)));
        assert_eq!(flow.step(), &Step::OfferOneDayCode { lockbox: "B1".into() });
    }

    /// GRT-1: assigning leads on to the form, or to the offer.
    #[test]
    fn assigning_leads_on() {
        let mut flow = GrantFlow::new(listing(None), None);
        assert_eq!(flow.fill(form(), NOW, Uuid::nil()), Err(WrongStep));
        flow.assigned(&lockbox(LockboxGeneration::Ble));
        assert_eq!(flow.step(), &Step::Form { lockbox: "B1".into() });
        assert_eq!(flow.fill(form(), NOW, Uuid::nil()), Ok(Ok(())));
        assert_eq!(flow.step(), &Step::Authenticate);
        let (request, _) = flow.request().unwrap();
        assert_eq!(request.email, "sam@example.com");
    }

    /// GRT-2: bad windows and addresses are refused with the field named.
    #[test]
    fn bad_forms_name_their_field() {
        let cases = [
            (Form { ends_at: NOW, ..form() }, "ends_at"),
            (Form { ends_at: NOW - 1, ..form() }, "ends_at"),
            (Form { starts_at: NOW - 7200, ends_at: NOW - 3600, ..form() }, "ends_at"),
            (Form { starts_at: NOW - 601, ..form() }, "starts_at"),
            (Form { email: "sam".into(), ..form() }, "email"),
            (Form { email: "a@b@c".into(), ..form() }, "email"),
            (Form { email: "a b@c".into(), ..form() }, "email"),
            (Form { email: format!("{}@c", "a".repeat(260)), ..form() }, "email"),
        ];
        for (form, field) in cases {
            let mut flow = GrantFlow::new(listing(Some("B1")), None);
            let refused = flow.fill(form, NOW, Uuid::nil()).unwrap().unwrap_err();
            assert_eq!(refused.field, field);
            assert!(matches!(flow.step(), Step::Form { .. }));
        }
    }

    /// GRT-1: what the backend knows better moves the flow too.
    #[test]
    fn refusals_move_the_flow() {
        let filled = || {
            let mut flow = GrantFlow::new(listing(Some("B1")), None);
            flow.fill(form(), NOW, Uuid::nil()).unwrap().unwrap();
            flow
        };
        let mut flow = filled();
        flow.refused(ProblemCode::WrongCode, Uuid::max());
        assert_eq!(flow.step(), &Step::Authenticate);
        assert_eq!(flow.request().unwrap().1, Uuid::max(), "another try is another action");
        flow.refused(ProblemCode::LockboxWithoutBluetooth, Uuid::nil());
        assert_eq!(flow.step(), &Step::OfferOneDayCode { lockbox: "B1".into() });
        let mut flow = filled();
        flow.refused(ProblemCode::NoLockboxAssigned, Uuid::nil());
        assert_eq!(flow.step(), &Step::ChooseLockbox);
        let mut flow = filled();
        flow.refused(ProblemCode::Invalid, Uuid::nil());
        assert!(matches!(flow.step(), Step::Form { .. }));
    }
}
