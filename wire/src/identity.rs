//! Proving who one is: forgotten passwords, the proof by password and emailed code, and what may be changed
//! with it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Secret, Timestamp,
    account::{LoginName, SecurityQuestion},
    credential::Credential,
};

/// `POST /v1/password/forgot`: asks for a link by mail. The answer is the same whether or not there is such an
/// account. [ACC-3]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForgotPassword {
    /// The SentriKey ID of an agent, the address of anyone else.
    pub login: LoginName,
}

/// `POST /v1/password/reset`: sets a new password with the token of the mailed link. Ends all sessions of the
/// account; its phones log in again. [ACC-3]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetPassword {
    /// What follows `#` in the link. It works once, for an hour, and only until a newer one is asked for.
    pub token: Secret,
    /// The new password, by the account's rule.
    pub password: Secret,
    /// The installation that will log in next. For an hour nobody else's wrong passwords make it wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_id: Option<Uuid>,
}

/// `POST /v1/identity`: proves who one is, with the password and then a code by mail. Needs no login, so that
/// somebody whose registrations are all used can free one. [ACC-5, ACC-9]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityRequest {
    /// Who.
    pub login: LoginName,
    /// The account's password.
    pub password: Secret,
    /// The installation that asks: on a registered one, nobody else's wrong passwords make its owner wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_id: Option<Uuid>,
}

/// Answer to [`IdentityRequest`]: a six-digit code is on its way to the account's address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityStarted {
    /// Sent as `Authorization: Bearer …` to `/v1/identity/…` once the code was entered.
    pub identity: Secret,
    /// The address, with most of it hidden: `d•••@realty.example`.
    pub sent_to: String,
    /// When the code stops working: ten minutes.
    pub code_expires_at: Timestamp,
}

/// `POST /v1/identity/verify`: the code from the mail; three tries. Proven for the next ten minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityVerify {
    /// From [`IdentityStarted`].
    pub identity: Secret,
    /// Six digits.
    pub code: Secret,
}

/// `POST /v1/identity/pin`, with a proven identity as the bearer: a new granting PIN. Ends a wait after wrong
/// ones. [ACC-9]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPin {
    /// Four digits, not all equal, not a run.
    pub pin: Secret,
}

/// `POST /v1/me/profile`: a new name and role. Contractors and residents; an agent's are the association's.
/// [ACC-10]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileChange {
    /// The account's password.
    pub password: Secret,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// "Plumber", "Appraiser", …; contractors only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// `POST /v1/me/password`: a new password. Ends all other sessions of the account. [ACC-10]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The password so far.
    pub password: Secret,
    /// The new one, by the account's rule.
    pub new_password: Secret,
}

/// `POST /v1/me/security-questions`: takes the place of those so far. [ACC-8]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityQuestionsChange {
    /// The account's password.
    pub password: Secret,
    /// One to five.
    pub security_questions: Vec<SecurityQuestion>,
}

/// `POST /v1/me/phone`: a new cell phone number; a four-digit code goes to it. [ACC-10]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneChange {
    /// The account's password.
    pub password: Secret,
    /// Cell phone number.
    pub phone: String,
    /// The same again, as typed.
    pub phone_again: String,
}

/// `POST /v1/me/email`: a new address; a six-digit code goes to it, and the old one is told. [ACC-10]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailChange {
    /// The account's password.
    pub password: Secret,
    /// The new address.
    pub email: String,
    /// The same again, as typed.
    pub email_again: String,
}

/// Answer to [`PhoneChange`] and [`EmailChange`]: a code is on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeStarted {
    /// Names this change in the next step; unguessable.
    pub change: Secret,
    /// When the code stops working: ten minutes.
    pub code_expires_at: Timestamp,
}

/// `POST /v1/me/phone/verify` and `POST /v1/me/email/verify`: the code; three tries. Makes the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeVerify {
    /// From [`ChangeStarted`].
    pub change: Secret,
    /// Four digits for a number, six for an address.
    pub code: Secret,
}

/// `POST /v1/me/delete`: deletes the account at once, after the user confirmed. Contractors and residents; an
/// agent's account is the association's. [ACC-11]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteAccount {
    /// The account's password.
    pub password: Secret,
}

/// The account is gone. The tokens are good for uploading events, and for asking for this answer again within a day,
/// under the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountDeleted {
    /// For keys that may still be out: one credential for each begun access that was used, ended as of now, so that
    /// its lock takes it once more, within four hours, to return the key. Without a name; not renewed. Everything
    /// else that the phone holds is wiped.
    pub returns: Vec<Credential>,
}
