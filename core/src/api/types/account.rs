//! Accounts and profiles.

use sentri_wire::{self as wire, account::GrantApproval};

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccountKind {
    /// A realtor.
    Agent,
    /// A contractor, service provider or non-member agent.
    Contractor,
    /// A resident.
    Resident,
    /// Works the support portal.
    Support,
}

impl From<wire::account::AccountKind> for AccountKind {
    fn from(kind: wire::account::AccountKind) -> Self {
        match kind {
            wire::account::AccountKind::Agent => Self::Agent,
            wire::account::AccountKind::Contractor => Self::Contractor,
            wire::account::AccountKind::Resident => Self::Resident,
            wire::account::AccountKind::Support => Self::Support,
        }
    }
}

/// Whether an account may be used, and if not, whom to call. [ACC-7]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Standing {
    /// In good standing.
    Active,
    /// Suspended by the association: call the association or MLS.
    Suspended,
    /// Unpaid: call the support line, with the SentriKey ID at hand.
    Lapsed,
    /// Locked by support, after something suspicious: call the support line.
    Locked,
    /// Something that this app does not know yet: call whom the error names.
    Other,
}

impl From<wire::account::Standing> for Standing {
    fn from(standing: wire::account::Standing) -> Self {
        match standing {
            wire::account::Standing::Active => Self::Active,
            wire::account::Standing::Suspended => Self::Suspended,
            wire::account::Standing::Lapsed => Self::Lapsed,
            wire::account::Standing::Locked => Self::Locked,
            wire::account::Standing::Unknown => Self::Other,
        }
    }
}

/// Which passwords an account may have, for the hint beside the field. The service decides. [ACC-9]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PasswordRule {
    /// 6 to 20 characters, at least one upper case, one lower case, one digit.
    Standard,
    /// 8 to 64 characters of any kind, none of those that everybody tries first; no security questions.
    Strict,
}

impl From<wire::account::PasswordRule> for PasswordRule {
    fn from(rule: wire::account::PasswordRule) -> Self {
        match rule {
            wire::account::PasswordRule::Standard => Self::Standard,
            wire::account::PasswordRule::Strict => Self::Strict,
        }
    }
}

/// The profile page.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Profile {
    /// The account's id.
    pub account_id: String,
    /// Its kind.
    pub kind: AccountKind,
    /// The nine-digit SentriKey ID; agents only.
    pub sentrikey_id: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
    /// Cell phone number.
    pub phone: String,
    /// "Plumber", "Appraiser", …; contractors only.
    pub role: Option<String>,
    /// Whether the account may be used, as of the last sync.
    pub standing: Standing,
    /// Whether a grant may be approved by the device's hardware key; where not, the PIN is asked for. Agents only.
    pub device_key_approves: bool,
    /// Which passwords the account may have.
    pub password_rule: PasswordRule,
}

impl From<wire::account::Account> for Profile {
    fn from(it: wire::account::Account) -> Self {
        Self {
            account_id: it.id.to_string(),
            kind: it.kind.into(),
            sentrikey_id: it.sentrikey_id,
            first_name: it.first_name,
            last_name: it.last_name,
            email: it.email,
            phone: it.phone,
            role: it.role,
            standing: it.standing.into(),
            password_rule: it.password_rule.into(),
            device_key_approves: it.grant_approval == Some(GrantApproval::PinOrPresence),
        }
    }
}

/// What a login leads to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SignedIn {
    /// Who logged in.
    pub profile: Profile,
    /// Access events of this account that waited on this phone and can't be read any more, since the phone's
    /// key was lost. Tell the user where it is not 0.
    pub events_lost: u32,
}

/// An account on this phone, for the list on the profile page.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountOnPhone {
    /// The account's id.
    pub account_id: String,
    /// Its kind.
    pub kind: AccountKind,
    /// First and last name.
    pub name: String,
    /// Whether it is the one in use.
    pub active: bool,
    /// Whether it is logged in; else picking it asks for the password.
    pub signed_in: bool,
}
