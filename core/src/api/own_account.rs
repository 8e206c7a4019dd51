//! One's own account: what can be changed, taken along, and deleted. [ACC-10, ACC-11]

use std::sync::Arc;

use sentri_wire::{
    Secret,
    identity::{EmailChange, PasswordChange, PhoneChange, ProfileChange},
};

use super::{
    contractor::OpenAttempt,
    core_object::SentriCore,
    error::CoreError,
    parse_id,
    signup::{QuestionAndAnswer, to_wire},
    types::Profile,
};
use crate::{
    flows::{
        changes::{self, Pending},
        leave,
    },
    http::Call,
    open::{self, PhoneChecks},
    session::Session,
};

/// A change that waits for the code that was sent.
#[derive(uniffi::Object)]
pub struct PendingChange {
    session: Arc<Session>,
    pending: Pending,
}

/// A key that may still be out after its account was deleted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct KeyToReturn {
    /// Names it for `return_key`.
    pub id: String,
    /// Serial number of the box.
    pub lockbox: String,
    /// First second that is too late, in seconds since 1970-01-01 UTC.
    pub until: i64,
}

#[uniffi::export]
impl SentriCore {
    /// Changes name and role; contractors and residents, whose `role` is none. Needs network. [ACC-10]
    ///
    /// `WrongCredentials`; `InvalidField` names the field; `Forbidden` for an agent, whose name is the association's.
    pub async fn change_profile(
        &self,
        password: String,
        first_name: String,
        last_name: String,
        role: Option<String>,
    ) -> Result<Profile, CoreError> {
        let session = self.session().await?;
        let change = ProfileChange { password: Secret::new(password), first_name, last_name, role };
        Ok(changes::change_profile(&session, change).await?.into())
    }

    /// Changes the password; all other phones of the account log in again. Needs network. [ACC-10]
    ///
    /// `WrongCredentials`; `InvalidField` where the new one breaks the rule. [ACC-9]
    pub async fn change_password(&self, password: String, new_password: String) -> Result<(), CoreError> {
        let change =
            PasswordChange { password: Secret::new(password), new_password: Secret::new(new_password) };
        Ok(changes::change_password(&*self.session().await?, change).await?)
    }

    /// Changes the security questions: these, one to five, take the place of those so far. Needs network. [ACC-8]
    ///
    /// `WrongCredentials`; `InvalidField` names the field.
    pub async fn change_security_questions(
        &self,
        password: String,
        security_questions: Vec<QuestionAndAnswer>,
    ) -> Result<(), CoreError> {
        let (session, password) = (self.session().await?, Secret::new(password));
        let questions = security_questions.into_iter().map(to_wire).collect();
        Ok(changes::change_questions(&session, password, questions).await?)
    }

    /// Begins to change the cell phone number, typed twice: a four-digit code goes to the new one. Needs network.
    /// [ACC-10]
    ///
    /// `WrongCredentials`; `InvalidField` names the field; `TooManyTries` where the number got too many texts.
    pub async fn change_phone(
        &self,
        password: String,
        phone: String,
        phone_again: String,
    ) -> Result<Arc<PendingChange>, CoreError> {
        let session = self.session().await?;
        let change = PhoneChange { password: Secret::new(password), phone, phone_again };
        let pending = changes::change_phone(&session, change).await?;
        Ok(Arc::new(PendingChange { session, pending }))
    }

    /// Begins to change the email, typed twice: a six-digit code goes to the new one, and the old one is told. Needs
    /// network. [ACC-10]
    ///
    /// `WrongCredentials`; `InvalidField` names the field.
    pub async fn change_email(
        &self,
        password: String,
        email: String,
        email_again: String,
    ) -> Result<Arc<PendingChange>, CoreError> {
        let session = self.session().await?;
        let change = EmailChange { password: Secret::new(password), email, email_again };
        let pending = changes::change_email(&session, change).await?;
        Ok(Arc::new(PendingChange { session, pending }))
    }

    /// All that the service stores about the account, as a JSON document for the user to keep. Needs network.
    pub async fn export_personal_data(&self) -> Result<String, CoreError> {
        // As it comes: what a newer service adds is the user's as well.
        let data: serde_json::Value = self.session().await?.call(&Call::get("/v1/me/export")).await?;
        serde_json::to_string_pretty(&data).map_err(|_| CoreError::DeviceTrouble)
    }

    /// Settings, Delete Account, Confirm: deletes the account in use at once, on the server and on this phone. Needs
    /// network. Where a key may still be out, `keys_to_return` tells it from then on. [ACC-11]
    ///
    /// `WrongCredentials`; `Forbidden` for an agent, whose account is the association's. `DeviceRemoved` where the
    /// account is deleted already.
    pub async fn delete_account(&self, password: String) -> Result<(), CoreError> {
        let deleted = self.core.delete_account(Secret::new(password)).await;
        self.accounts.note();
        deleted
    }

    /// The keys that may still be out from accounts that were deleted on this phone. Needs no network, and nobody to
    /// be logged in. [ACC-11]
    pub async fn keys_to_return(&self) -> Result<Vec<KeyToReturn>, CoreError> {
        let mut keys = Vec::new();
        for (returning, session) in self.core.returning().await? {
            let of_store = |it: leave::KeyToReturn| KeyToReturn {
                id: returning.store.to_string(),
                lockbox: it.lockbox,
                until: it.until,
            };
            keys.extend(leave::keys_to_return(&session).await?.into_iter().map(of_store));
        }
        Ok(keys)
    }

    /// Listens for a press of ENT and opens the box that was pressed once, to return its key; as `open_on_ent`, without an account and
    /// without network. [ACC-11]
    ///
    /// `NotFound` where there is no such key to return.
    pub async fn return_key(&self, id: String) -> Result<Arc<OpenAttempt>, CoreError> {
        let store = parse_id("id", &id)?;
        let returning = self.core.returning().await?.into_iter().find(|(it, _)| it.store == store);
        let (_, session) = returning.ok_or(CoreError::NotFound)?;
        let (ports, hub) = (&self.core.ports, &self.core.hub);
        let attempt = open::start(session, ports, hub, PhoneChecks::Enforced, None)?;
        Ok(Arc::new(OpenAttempt::of(attempt)))
    }
}

#[uniffi::export]
impl PendingChange {
    /// When the code stops working, in seconds since 1970-01-01 UTC.
    pub fn code_expires_at(&self) -> i64 {
        self.pending.code_expires_at
    }

    /// Shows the code; makes the change, and gives the profile with it. Needs network.
    ///
    /// `WrongCode`; `TooManyTries` and `LinkExpired` ask for a new start; `AgentAccount` where the address or number
    /// turns out to be an agent's.
    pub async fn verify(&self, code: String) -> Result<Profile, CoreError> {
        Ok(self.pending.verify(&self.session, Secret::new(code)).await?.into())
    }
}
