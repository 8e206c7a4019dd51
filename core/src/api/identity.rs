//! Proving who one is without being logged in: forgotten passwords, one's own devices, a forgotten PIN.
//! [ACC-3, ACC-5, ACC-9]

use std::sync::Arc;

use sentri_wire::{Secret, account::LoginName, device as wire};

use super::{
    core_object::SentriCore,
    error::CoreError,
    login_name::{by_email, by_sentrikey_id},
    parse_id,
    types::Platform,
};
use crate::{
    flows::identity::{self, Proof},
    session::Session,
    store::ThisDevice,
};

/// A registered device of one's own.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OwnDevice {
    /// The registration's id.
    pub device_id: String,
    /// As it named itself.
    pub name: String,
    /// Which system it runs.
    pub platform: Platform,
    /// When it was registered, in seconds since 1970-01-01 UTC.
    pub registered_at: i64,
    /// When it last logged in or renewed its session, in seconds since 1970-01-01 UTC.
    pub last_seen_at: i64,
    /// Whether it is this very device, as far as the phone knows.
    pub this_one: bool,
}

/// One's own devices.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OwnDevices {
    /// How many the account may register.
    pub limit: u32,
    /// The devices, oldest first.
    pub devices: Vec<OwnDevice>,
}

/// A proof of who one is. Begun by the password, it holds for ten minutes once the emailed code was entered.
#[derive(uniffi::Object)]
pub struct IdentityProof {
    proof: Proof,
    /// This device, where the account is the one in use.
    this_device: Option<ThisDevice>,
}

#[uniffi::export]
impl SentriCore {
    /// Forgot password, for an agent: a mail with a link goes out, if there is such an account; the answer never
    /// tells. Needs network. [ACC-3]
    ///
    /// `InvalidField`, `TooManyTries`, `Offline`.
    pub async fn forgot_agent_password(&self, sentrikey_id: String) -> Result<(), CoreError> {
        Ok(identity::forgot_password(&self.core.api, by_sentrikey_id(&sentrikey_id)?).await?)
    }

    /// Forgot password, for a contractor or resident: as `forgot_agent_password`, with the email. [ACC-3]
    pub async fn forgot_password(&self, email: String) -> Result<(), CoreError> {
        Ok(identity::forgot_password(&self.core.api, by_email(&email)?).await?)
    }

    /// Sets a new password with the mailed link, or with what follows `#` in it. All sessions of the account end: its
    /// phones log in again. For an hour, wrong passwords that others try keep nobody waiting on this phone. Needs
    /// network. [ACC-3]
    ///
    /// `LinkExpired` where the link was used, is over an hour old, or a newer one was asked for; `InvalidField` where
    /// the password breaks the rule. [ACC-9]
    pub async fn reset_password(&self, link: String, new_password: String) -> Result<(), CoreError> {
        let (token, password) = (identity::token_in(&link), Secret::new(new_password));
        let install_id = self.core.keys.install_id().await?;
        Ok(identity::reset_password(&self.core.api, token, password, Some(install_id)).await?)
    }

    /// Begins to prove who one is, for an agent: after the password a six-digit code goes out by mail. Nobody needs
    /// to be logged in, so that a lost phone's registration can be freed. Needs network. [ACC-5]
    ///
    /// `WrongCredentials`, `TooManyTries`, `AccountNotActive`.
    pub async fn prove_agent_identity(
        &self,
        sentrikey_id: String,
        password: String,
    ) -> Result<Arc<IdentityProof>, CoreError> {
        self.prove(by_sentrikey_id(&sentrikey_id)?, Secret::new(password)).await
    }

    /// Begins to prove who one is, for a contractor or resident: as `prove_agent_identity`, with the email. [ACC-5]
    pub async fn prove_identity(
        &self,
        email: String,
        password: String,
    ) -> Result<Arc<IdentityProof>, CoreError> {
        self.prove(by_email(&email)?, Secret::new(password)).await
    }

    /// Begins to prove who one is, for the account in use. [ACC-5, ACC-9]
    pub async fn prove_own_identity(&self, password: String) -> Result<Arc<IdentityProof>, CoreError> {
        let profile = self.session().await?.profile().await?;
        let login = match profile.sentrikey_id {
            Some(id) => LoginName::SentrikeyId(id),
            None => LoginName::Email(profile.email),
        };
        self.prove(login, Secret::new(password)).await
    }
}

impl SentriCore {
    async fn prove(&self, login: LoginName, password: Secret) -> Result<Arc<IdentityProof>, CoreError> {
        let install_id = self.core.keys.install_id().await?;
        let proof = Proof::begin(self.core.api.clone(), login, password, Some(install_id)).await?;
        let this_device = match self.session().await {
            Ok(session) => this_device(&session).await?,
            Err(_) => None,
        };
        Ok(Arc::new(IdentityProof { proof, this_device }))
    }
}

async fn this_device(session: &Session) -> Result<Option<ThisDevice>, CoreError> {
    session.read(|rows| rows.meta::<ThisDevice>(ThisDevice::NAME)).await
}

#[uniffi::export]
impl IdentityProof {
    /// Where the code went, with most of it hidden: to be shown.
    pub fn sent_to(&self) -> String {
        self.proof.sent_to.clone()
    }

    /// When the code stops working, in seconds since 1970-01-01 UTC.
    pub fn code_expires_at(&self) -> i64 {
        self.proof.code_expires_at
    }

    /// Shows the six digits from the mail. Needs network.
    ///
    /// `WrongCode`; `TooManyTries` and `LinkExpired` ask for a new proof.
    pub async fn verify(&self, code: String) -> Result<(), CoreError> {
        Ok(self.proof.verify(Secret::new(code)).await?)
    }

    /// The account's devices. Needs network, and the code before. [ACC-5]
    ///
    /// `NotSignedIn` where the code was not entered, or its ten minutes are over.
    pub async fn devices(&self) -> Result<OwnDevices, CoreError> {
        let wire::OwnDevices { limit, devices } = self.proof.devices().await?;
        let devices = devices.into_iter().map(|it| self.shown(it)).collect();
        Ok(OwnDevices { limit, devices })
    }

    /// Removes a device: its sessions and credentials end, its registration is free. Ask for a confirmation before;
    /// the device itself finds out at its next sync. Needs network, and the code before. [ACC-5]
    ///
    /// `NotFound` where there is no such device; `NotSignedIn` as `devices`.
    pub async fn remove_device(&self, device_id: String) -> Result<(), CoreError> {
        Ok(self.proof.remove(parse_id("device_id", &device_id)?).await?)
    }

    /// Sets a new granting PIN, and ends a wait after wrong ones. Needs network, and the code before. [ACC-9]
    ///
    /// `InvalidField` where the PIN breaks the rule, as `check_pin` tells beforehand; `NotSignedIn` as `devices`.
    pub async fn set_pin(&self, pin: String) -> Result<(), CoreError> {
        Ok(self.proof.set_pin(Secret::new(pin)).await?)
    }
}

impl IdentityProof {
    fn shown(&self, device: wire::OwnDevice) -> OwnDevice {
        OwnDevice {
            this_one: self.this_device.is_some_and(|this| this.id == device.id),
            device_id: device.id.to_string(),
            name: device.name,
            platform: device.platform.into(),
            registered_at: device.registered_at,
            last_seen_at: device.last_seen_at,
        }
    }
}
