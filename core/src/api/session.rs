//! Log in, log out, profile, and the accounts on this phone. [ACC-1, ACC-2, ACC-6]

use sentri_wire::Secret;

use super::{
    core_object::SentriCore,
    error::CoreError,
    login_name::{by_email, by_sentrikey_id},
    parse_id,
    types::{AccountOnPhone, Profile, SignedIn},
};
use crate::app::LoggedIn;

#[uniffi::export]
impl SentriCore {
    /// Logs an agent in by the nine-digit SentriKey ID; spaces and dashes in it are fine. Registers the device
    /// where it is new. [ACC-1, ACC-4]
    ///
    /// `WrongCredentials`, `DeviceLimitReached`, `AccountNotActive`, `TooManyTries`, `Offline`.
    pub async fn login_agent(&self, sentrikey_id: String, password: String) -> Result<SignedIn, CoreError> {
        let password = Secret::new(password);
        let signed_in = self.core.log_in(by_sentrikey_id(&sentrikey_id)?, password).await?;
        self.accounts.note();
        Ok(signed_in.into())
    }

    /// Logs a contractor or resident in by email. Registers the device where it is new. [ACC-1, ACC-4]
    ///
    /// `WrongCredentials`, `DeviceLimitReached`, `AccountNotActive`, `TooManyTries`, `Offline`.
    pub async fn login_contractor(&self, email: String, password: String) -> Result<SignedIn, CoreError> {
        let password = Secret::new(password);
        let signed_in = self.core.log_in(by_email(&email)?, password).await?;
        self.accounts.note();
        Ok(signed_in.into())
    }

    /// Logs out: what came by sync is gone from the phone. Works without network too; access events that could
    /// not be uploaded then wait, sealed, for the next login of the same account.
    pub async fn logout(&self) -> Result<(), CoreError> {
        let left = self.core.log_out().await;
        self.accounts.note();
        left
    }

    /// The profile page, from what the phone holds. [ACC-2]
    ///
    /// `NotSignedIn` where nobody is logged in, `SignInAgain` where the phone's key is lost.
    pub async fn profile(&self) -> Result<Profile, CoreError> {
        Ok(self.session().await?.profile().await?.into())
    }

    /// The accounts that were in use on this phone. [ACC-6]
    pub async fn accounts(&self) -> Result<Vec<AccountOnPhone>, CoreError> {
        let index = self.core.accounts().await?;
        let on_phone = |it: crate::keys::KnownAccount| AccountOnPhone {
            account_id: it.id.to_string(),
            kind: it.kind.into(),
            active: index.active == Some(it.id),
            name: it.name,
            signed_in: it.signed_in,
        };
        Ok(index.accounts.into_iter().map(on_phone).collect())
    }

    /// Puts another account of this phone in use. [ACC-6]
    ///
    /// `NotSignedIn` where it must log in first, `NotFound` where it is not on this phone.
    pub async fn switch_account(&self, account_id: String) -> Result<Profile, CoreError> {
        let account = parse_id("account_id", &account_id)?;
        let session = self.core.switch_to(account).await?;
        self.accounts.note();
        Ok(session.profile().await?.into())
    }
}

impl From<LoggedIn> for SignedIn {
    fn from(it: LoggedIn) -> Self {
        Self { profile: it.account.into(), events_lost: it.events_lost }
    }
}
