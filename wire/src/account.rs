//! Accounts: login, device registration, sign-up, profile.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Secret, Timestamp};

/// Who logs in: an agent by SentriKey ID, anyone else by email. [ACC-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoginName {
    /// The agent's nine digits.
    SentrikeyId(String),
    /// A contractor's or resident's address.
    Email(String),
}

/// `POST /v1/login`. Registers the device where it is new. [ACC-1, ACC-4]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// Who.
    pub login: LoginName,
    /// The account's password.
    pub password: Secret,
    /// The device that asks.
    pub device: DeviceDescription,
}

/// The device, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceDescription {
    /// Made once per installation and account, kept in the key store: what makes a device the same device.
    pub install_id: Uuid,
    /// For the user's own list: "Dana's iPhone". At most 64 characters.
    pub name: String,
    /// Which system it runs.
    pub platform: Platform,
}

/// Operating system of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// iPhone or iPad.
    Ios,
    /// Android.
    Android,
    /// Anything else: the sandbox, a test, a desktop.
    Desktop,
}

/// Answer to a login.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginResponse {
    /// Who logged in.
    pub account: Account,
    /// The device's registration.
    pub device_id: Uuid,
    /// Tokens for the calls that follow.
    pub tokens: Tokens,
}

/// A pair of opaque tokens. The refresh token works once; using an old one ends the whole family.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Sent as `Authorization: Bearer …`.
    pub access: Secret,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// Sent to `POST /v1/token/refresh`.
    pub refresh: Secret,
}

/// `POST /v1/token/refresh`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshRequest {
    /// The refresh token last received.
    pub refresh: Secret,
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A realtor, member of an association; agent app.
    Agent,
    /// A contractor, service provider or non-member agent; connect app.
    Contractor,
    /// A resident; connect app.
    Resident,
    /// Works the support portal.
    Support,
}

/// Whether an account may be used. [ACC-7]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In good standing.
    #[default]
    Active,
    /// Suspended by the association: call the association or MLS.
    Suspended,
    /// Unpaid: call the support line, with the SentriKey ID.
    Lapsed,
    /// Locked by support, after something suspicious: call the support line.
    Locked,
    /// One that this client does not know yet: call whom the problem names.
    #[serde(other)]
    Unknown,
}

/// What a grant asks of its granter. A setting of the association. [ACC-12]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantApproval {
    /// The PIN, or a signature of the device's hardware key.
    #[default]
    PinOrPresence,
    /// The PIN, always.
    Pin,
}

/// Which passwords an account may have. A setting of the association, or of the deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PasswordRule {
    /// 6 to 20 characters, an upper case, a lower case, a digit. [ACC-9]
    #[default]
    Standard,
    /// 8 to 64 characters of any kind, none of those that everybody tries first, and no security questions.
    Strict,
}

/// The profile page. [ACC-2]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// The account's id.
    pub id: Uuid,
    /// Its kind.
    pub kind: AccountKind,
    /// Nine digits; agents only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentrikey_id: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Proven address.
    pub email: String,
    /// Proven cell phone number, as typed.
    pub phone: String,
    /// "Plumber", "Appraiser", …; contractors only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it may be used.
    #[serde(default)]
    pub standing: Standing,
    /// What a grant asks of its granter; agents only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_approval: Option<GrantApproval>,
    /// Which passwords it may have.
    #[serde(default)]
    pub password_rule: PasswordRule,
}

/// `POST /v1/signup`: the first step of making a contractor's or a resident's account. [ACC-8]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignupRequest {
    /// The address that accesses are granted to.
    pub email: String,
    /// The same again, as typed.
    pub email_again: String,
    /// Cell phone number.
    pub phone: String,
    /// The same again, as typed.
    pub phone_again: String,
    /// The token of the invitation mail; it proves the address. Without one, a code is mailed to the address too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Secret>,
}

/// Answer to the first step: a code is on its way by text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignupStarted {
    /// Names this sign-up in the next steps; unguessable.
    pub signup: Secret,
    /// When the code or codes stop working.
    pub code_expires_at: Timestamp,
    /// A six-digit code was mailed as well, since no invitation proved the address: the next step takes both.
    #[serde(default)]
    pub email_code: bool,
}

/// `POST /v1/signup/verify`: the 4-digit code from the text, and the one from the mail where one was sent. Three
/// tries. Only now is it told that the address or the number belongs to an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignupVerify {
    /// From [`SignupStarted`].
    pub signup: Secret,
    /// Four digits, from the text.
    pub code: Secret,
    /// Six digits, from the mail; where [`SignupStarted::email_code`] says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_code: Option<Secret>,
}

/// `POST /v1/signup/complete`: who it is. Makes the account; the user logs in next.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignupComplete {
    /// From [`SignupStarted`].
    pub signup: Secret,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// "Plumber", "Appraiser", …; not kept for a resident.
    pub role: String,
    /// 6 to 20 characters, an upper case, a lower case, a digit. [ACC-9]
    pub password: Secret,
    /// Four digits, not all equal, not a run. [ACC-9]
    pub pin: Secret,
    /// Questions and answers that support may ask for; at least one.
    pub security_questions: Vec<SecurityQuestion>,
}

/// A question that support may ask to verify a caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityQuestion {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Secret,
}
