//! Accounts and profiles.

use sentri_wire as wire;

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
