//! Listings, lockboxes, grants.

use sentri_wire as wire;

/// A listing. [LST-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Listing {
    /// Our id.
    pub id: String,
    /// The MLS's key; ours where the listing was added by hand.
    pub listing_key: String,
    /// Street address, one line.
    pub unparsed_address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state_or_province: String,
    /// ZIP code.
    pub postal_code: String,
    /// Whole US dollars.
    pub list_price: Option<i64>,
    /// "Active", "Pending", …
    pub standard_status: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// Serial number of the assigned lockbox.
    pub lockbox: Option<String>,
}

impl From<wire::agent::Listing> for Listing {
    fn from(it: wire::agent::Listing) -> Self {
        Self {
            id: it.id.to_string(),
            listing_key: it.listing_key,
            unparsed_address: it.unparsed_address,
            city: it.city,
            state_or_province: it.state_or_province,
            postal_code: it.postal_code,
            list_price: it.list_price,
            standard_status: it.standard_status,
            time_zone: it.time_zone,
            lockbox: it.lockbox,
        }
    }
}

/// A listing that is added by hand.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NewListing {
    /// Street address, one line; at most 200 characters.
    pub unparsed_address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state_or_province: String,
    /// ZIP code.
    pub postal_code: String,
    /// Whole US dollars.
    pub list_price: Option<i64>,
    /// IANA time zone of the property.
    pub time_zone: String,
}

impl From<NewListing> for wire::agent::NewListing {
    fn from(it: NewListing) -> Self {
        Self {
            unparsed_address: it.unparsed_address,
            city: it.city,
            state_or_province: it.state_or_province,
            postal_code: it.postal_code,
            list_price: it.list_price,
            time_zone: it.time_zone,
        }
    }
}

/// What a lockbox can talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LockboxGeneration {
    /// Bluetooth Low Energy, keypad and card.
    Ble,
    /// Keypad and card only.
    NonBle,
}

/// A lockbox of the agent's. [LST-2]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Lockbox {
    /// What is printed on the box.
    pub serial: String,
    /// What it can talk.
    pub generation: LockboxGeneration,
    /// Percent, as the box last reported it.
    pub battery_percent: Option<u8>,
    /// The listing that it hangs at.
    pub listing_id: Option<String>,
    /// Since when it hangs there.
    pub on_listing_since: Option<i64>,
    /// The region that it hangs in, in the association's words.
    pub region: Option<String>,
    /// Whether it was told of settings that it may not have yet: show Pending. [LST-6]
    pub settings_pending: bool,
    /// When a phone last brought word from the box.
    pub last_heard_at: Option<i64>,
}

impl From<wire::agent::Lockbox> for Lockbox {
    fn from(it: wire::agent::Lockbox) -> Self {
        Self {
            serial: it.serial,
            generation: match it.generation {
                wire::agent::LockboxGeneration::Ble => LockboxGeneration::Ble,
                wire::agent::LockboxGeneration::NonBle => LockboxGeneration::NonBle,
            },
            battery_percent: it.battery_percent,
            listing_id: it.listing_id.map(|id| id.to_string()),
            on_listing_since: it.on_listing_since,
            region: it.region,
            settings_pending: it.settings_pending,
            last_heard_at: it.last_heard_at,
        }
    }
}

/// Where a grant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GrantState {
    /// The person has no account yet.
    Invited,
    /// The person has an account.
    Granted,
    /// Taken back before it began.
    Revoked,
}

/// A grant, as its granter sees it. [GRT-5]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// The listing.
    pub listing_id: String,
    /// Serial number of the box.
    pub lockbox: String,
    /// Whom.
    pub email: String,
    /// First second of the window.
    pub starts_at: i64,
    /// First second after the window.
    pub ends_at: i64,
    /// Where it is in its life.
    pub state: GrantState,
    /// Whether a phone holds a credential for it: "ready".
    pub phone_ready: bool,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// When it was taken back, where it was.
    pub revoked_at: Option<i64>,
    /// How far that has come; absent where it stands.
    pub revocation: Option<Revocation>,
}

/// How far a revocation has come. A lockbox has no network: it hears of it from the next phone that passes. [GRT-6]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Revocation {
    /// No phone could open by this access: nothing is out.
    NothingOut,
    /// A phone could open by it, and the box has not said yet that it knows.
    OnItsWay {
        /// First second at which nothing opens any more, whether phone and box have heard of it or not.
        opens_until: i64,
    },
    /// The box knows, and refuses.
    AtTheBox,
}

impl Revocation {
    fn of(it: wire::agent::Revocation) -> Self {
        match (it.reach, it.opens_until) {
            (wire::agent::RevocationReach::OnItsWay, Some(opens_until)) => Self::OnItsWay { opens_until },
            (wire::agent::RevocationReach::AtTheBox, _) => Self::AtTheBox,
            _ => Self::NothingOut,
        }
    }
}

impl From<wire::agent::Grant> for Grant {
    fn from(it: wire::agent::Grant) -> Self {
        Self {
            id: it.id.to_string(),
            listing_id: it.listing_id.to_string(),
            lockbox: it.lockbox,
            email: it.email,
            starts_at: it.starts_at,
            ends_at: it.ends_at,
            state: match it.state {
                wire::agent::GrantState::Invited => GrantState::Invited,
                wire::agent::GrantState::Granted => GrantState::Granted,
                wire::agent::GrantState::Revoked => GrantState::Revoked,
            },
            phone_ready: it.phone_ready,
            last_used_at: it.last_used_at,
            revoked_at: it.revocation.and_then(|it| it.at),
            revocation: it.revocation.map(Revocation::of),
        }
    }
}

/// Whether the person was known. [GRT-3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Invitee {
    /// An invitation email goes out.
    New,
    /// A push and an in-app message go out.
    Existing,
}

impl From<wire::agent::Invitee> for Invitee {
    fn from(it: wire::agent::Invitee) -> Self {
        match it {
            wire::agent::Invitee::New => Self::New,
            wire::agent::Invitee::Existing => Self::Existing,
        }
    }
}
