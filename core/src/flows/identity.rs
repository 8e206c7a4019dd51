//! Proving who one is, with the password and then an emailed code, and what that allows. [ACC-3, ACC-5, ACC-9]

use sentri_wire::{
    Secret, Timestamp,
    account::LoginName,
    device::OwnDevices,
    identity::{ForgotPassword, IdentityRequest, IdentityStarted, IdentityVerify, NewPin, ResetPassword},
};
use uuid::Uuid;

use crate::http::{Api, ApiError, Call};

/// A proof that is begun. Once the code was entered it holds for ten minutes.
pub struct Proof {
    api: Api,
    /// What the calls are made with.
    identity: Secret,
    /// Where the code went, with most of it hidden.
    pub sent_to: String,
    /// When the code stops working.
    pub code_expires_at: Timestamp,
}

impl Proof {
    /// Shows the password; a code goes out by mail.
    /// `install_id` is this installation, as a login would name it.
    pub async fn begin(
        api: Api,
        login: LoginName,
        password: Secret,
        install_id: Option<Uuid>,
    ) -> Result<Self, ApiError> {
        let request = IdentityRequest { login, password, install_id };
        let started: IdentityStarted = api.call(&Call::post("/v1/identity", &request)?, None).await?;
        let IdentityStarted { identity, sent_to, code_expires_at } = started;
        Ok(Self { api, identity, sent_to, code_expires_at })
    }

    /// Shows the code from the mail.
    pub async fn verify(&self, code: Secret) -> Result<(), ApiError> {
        let request = IdentityVerify { identity: self.identity.clone(), code };
        self.api.tell(&Call::post("/v1/identity/verify", &request)?, None).await
    }

    /// The account's devices.
    pub async fn devices(&self) -> Result<OwnDevices, ApiError> {
        self.api.call(&Call::get("/v1/identity/devices"), Some(&self.identity)).await
    }

    /// Removes one of them.
    pub async fn remove(&self, device: Uuid) -> Result<(), ApiError> {
        let path = format!("/v1/identity/devices/{device}");
        self.api.tell(&Call::delete(&path), Some(&self.identity)).await
    }

    /// Sets a new granting PIN.
    pub async fn set_pin(&self, pin: Secret) -> Result<(), ApiError> {
        let call = Call::post("/v1/identity/pin", &NewPin { pin })?.repeatable();
        self.api.tell(&call, Some(&self.identity)).await
    }
}

/// Asks for the mail with the link.
pub async fn forgot_password(api: &Api, login: LoginName) -> Result<(), ApiError> {
    api.tell(&Call::post("/v1/password/forgot", &ForgotPassword { login })?, None).await
}

/// Sets the password with what the link holds. `install_id` is the installation that logs in next.
pub async fn reset_password(
    api: &Api,
    token: Secret,
    password: Secret,
    install_id: Option<Uuid>,
) -> Result<(), ApiError> {
    let request = ResetPassword { token, password, install_id };
    api.tell(&Call::post("/v1/password/reset", &request)?, None).await
}

/// The token in a link, wherever it was pasted from: what follows `#`, or all of it.
pub fn token_in(link: &str) -> Secret {
    let link = link.trim();
    Secret::new(link.rsplit_once('#').map_or(link, |(_, token)| token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_a_link_and_alone() {
        for pasted in ["https://connect.sentri.example/reset#abc-1", " abc-1 ", "#abc-1"] {
            assert_eq!(token_in(pasted).expose(), "abc-1");
        }
    }
}
