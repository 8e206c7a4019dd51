//! Records that the exported calls take and give. Ids are UUIDs as text; times are whole seconds since
//! 1970-01-01 UTC.

use sentri_wire as wire;

/// Which of the two apps runs the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum App {
    /// For agents.
    Agent,
    /// For contractors and residents.
    Connect,
}

/// Operating system of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Platform {
    /// iPhone or iPad.
    Ios,
    /// Android.
    Android,
    /// Anything else.
    Desktop,
}

impl From<Platform> for wire::account::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Ios => Self::Ios,
            Platform::Android => Self::Android,
            Platform::Desktop => Self::Desktop,
        }
    }
}

/// What the core must know of the app that it runs in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CoreConfig {
    /// The service's address, `https://…`; `http://` only on this very device.
    pub base_url: String,
    /// A folder of the app's own that is in no backup.
    pub data_dir: String,
    /// Which app.
    pub app: App,
    /// The app's version, as `3.2.0`.
    pub app_version: String,
    /// For the user's own list of devices: "Dana's iPhone". At most 64 characters.
    pub device_name: String,
    /// Which system it runs.
    pub platform: Platform,
}

/// Whom a user calls.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SupportContact {
    /// Who answers.
    pub name: String,
    /// Phone numbers, as they are dialled.
    pub phones: Vec<String>,
    /// When they answer, in words.
    pub hours: String,
}

impl From<wire::problem::SupportContact> for SupportContact {
    fn from(it: wire::problem::SupportContact) -> Self {
        Self { name: it.name, phones: it.phones, hours: it.hours }
    }
}

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

/// What a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MessageTopic {
    /// An access was granted.
    AccessGranted,
    /// An access was revoked.
    AccessRevoked,
    /// An access was used.
    AccessUsed,
    /// Something that this app does not know yet: show title and body.
    Other,
}

/// A message in the Message Center. [CON-5]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: i64,
    /// What it tells of; localise by it.
    pub topic: MessageTopic,
    /// The title, in English.
    pub title: String,
    /// The text, in English.
    pub body: String,
    /// The grant or access that it is about.
    pub access_id: Option<String>,
    /// Whether it was opened.
    pub read: bool,
}

impl From<wire::sync::Message> for Message {
    fn from(it: wire::sync::Message) -> Self {
        Self {
            id: it.id.to_string(),
            at: it.at,
            topic: match it.topic {
                wire::sync::MessageTopic::AccessGranted => MessageTopic::AccessGranted,
                wire::sync::MessageTopic::AccessRevoked => MessageTopic::AccessRevoked,
                wire::sync::MessageTopic::AccessUsed => MessageTopic::AccessUsed,
                wire::sync::MessageTopic::Other => MessageTopic::Other,
            },
            title: it.title,
            body: it.body,
            access_id: it.access_id.map(|id| id.to_string()),
            read: it.read,
        }
    }
}

/// How a lockbox was asked to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessMethod {
    /// A phone, over Bluetooth.
    Ble,
    /// A code on the keypad.
    Code,
    /// A card.
    Card,
}

/// How a try at a lockbox went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessOutcome {
    /// The key bin opened.
    Opened,
    /// Refused: the access had not begun.
    TooEarly,
    /// Refused: the access was over.
    TooLate,
    /// Refused: outside the access hours.
    OutsideHours,
    /// Refused: no access for this box.
    WrongBox,
    /// Refused: revoked.
    Revoked,
    /// Refused: the lock had lost its clock.
    ClockLost,
    /// Refused for another reason.
    Refused,
    /// The link broke before an answer came.
    Unanswered,
}

impl From<wire::event::Outcome> for AccessOutcome {
    fn from(outcome: wire::event::Outcome) -> Self {
        match outcome {
            wire::event::Outcome::Opened => Self::Opened,
            wire::event::Outcome::TooEarly => Self::TooEarly,
            wire::event::Outcome::TooLate => Self::TooLate,
            wire::event::Outcome::OutsideHours => Self::OutsideHours,
            wire::event::Outcome::WrongBox => Self::WrongBox,
            wire::event::Outcome::Revoked => Self::Revoked,
            wire::event::Outcome::ClockLost => Self::ClockLost,
            wire::event::Outcome::Refused => Self::Refused,
            wire::event::Outcome::Unanswered => Self::Unanswered,
        }
    }
}

/// A line of the access log. [CON-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccessLogEntry {
    /// Its id.
    pub id: String,
    /// When: the lock's clock where its word is there, the phone's otherwise.
    pub at: i64,
    /// Serial number of the box.
    pub lockbox: String,
    /// The listing that it hung at.
    pub listing_id: Option<String>,
    /// Who, by name.
    pub who: String,
    /// How.
    pub method: AccessMethod,
    /// How it went.
    pub outcome: AccessOutcome,
    /// Whether the lock's own word confirms it.
    pub confirmed_by_lock: bool,
}

impl From<wire::event::LogEntry> for AccessLogEntry {
    fn from(it: wire::event::LogEntry) -> Self {
        Self {
            id: it.id.to_string(),
            at: it.at,
            lockbox: it.lockbox,
            listing_id: it.listing_id.map(|id| id.to_string()),
            who: it.who,
            method: match it.method {
                wire::event::Method::Ble => AccessMethod::Ble,
                wire::event::Method::Code => AccessMethod::Code,
                wire::event::Method::Card => AccessMethod::Card,
            },
            outcome: it.outcome.into(),
            confirmed_by_lock: it.confirmed_by_lock,
        }
    }
}

/// A page of the access log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccessLogPage {
    /// The entries.
    pub entries: Vec<AccessLogEntry>,
    /// Pass it as `after` for the next page; absent on the last.
    pub next: Option<String>,
}

impl From<wire::event::LogPage> for AccessLogPage {
    fn from(it: wire::event::LogPage) -> Self {
        Self { entries: it.entries.into_iter().map(Into::into).collect(), next: it.next }
    }
}

/// Where an access is in its life. [CON-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessState {
    /// Not begun.
    Upcoming,
    /// Begun and not over.
    Active,
    /// Over.
    Past,
    /// Taken back.
    Revoked,
}

/// Whether the phone can open the box without network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Readiness {
    /// It can, in that span.
    Ready {
        /// First second.
        from: i64,
        /// First second that is too late; connecting before then moves it on, up to the access's end.
        until: i64,
    },
    /// "Connect once after …".
    ConnectAfter {
        /// From when on a credential can be fetched.
        at: i64,
    },
    /// The access is over or revoked.
    Never,
}

/// An access, as the person who holds it sees it. [CON-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Access {
    /// Its id.
    pub id: String,
    /// Serial number of the box.
    pub lockbox: String,
    /// Street address, one line.
    pub address: String,
    /// City, state and ZIP code, one line.
    pub locality: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// Who granted it.
    pub granted_by: String,
    /// First second of the window.
    pub starts_at: i64,
    /// First second after the window.
    pub ends_at: i64,
    /// Where it is in its life.
    pub state: AccessState,
    /// Whether the phone can open the box without network.
    pub readiness: Readiness,
}

/// Why a sync can't succeed as things stand.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum BlockedWhy {
    /// The session has ended: log in again.
    SignInAgain,
    /// The account is suspended or unpaid.
    AccountNotActive {
        /// Whom to contact.
        support: Option<SupportContact>,
    },
    /// Update the app.
    UpgradeRequired,
    /// The device is full, locked, or its storage fails.
    DeviceTrouble,
    /// The service has a problem.
    ServiceTrouble,
}

/// How fresh the phone's data are. [SYN-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Green check mark.
    Current {
        /// When they came.
        at: i64,
    },
    /// A sync is going on.
    Syncing,
    /// Older than they should be: open the app with network.
    StaleSince {
        /// When they came; absent where they never did.
        at: Option<i64>,
    },
    /// The last try found no connection.
    Offline {
        /// When the data came; absent where they never did.
        at: Option<i64>,
    },
    /// A sync can't succeed until something is done.
    Blocked {
        /// What.
        why: BlockedWhy,
    },
}

/// The home page's status. [SYN-1, SYN-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// How fresh the data are.
    pub state: SyncState,
    /// From when on the phone opens something without network; absent where it holds no credential.
    pub opens_from: Option<i64>,
    /// Until when the last of its credentials lasts.
    pub opens_until: Option<i64>,
    /// Access events that wait to be uploaded.
    pub events_queued: u32,
}
