//! Incremental sync: what changed for this account and device since a cursor. [SYN-2]

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    Timestamp,
    account::Account,
    agent::{Grant, Listing, Lockbox},
    codes::{CodeDelivery, IssuedCode, Keypad, SmacKey, SmartPinKey},
    credential::{Access, Credential, LockSettings, RevocationList},
    residence::{Door, DoorCode},
};

/// `GET /v1/sync?limit=…&cursor=…`: one page of changes, oldest first. Without a cursor, or with one of another
/// incarnation of the database, the answer starts over and says so by `restart`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncPage {
    /// Where to go on: opaque, kept only once the page is stored.
    pub cursor: String,
    /// The phone drops all that it had before it stores this page.
    pub restart: bool,
    /// More pages follow.
    pub more: bool,
    /// The backend's clock, for the phone's own estimate.
    pub server_time: Timestamp,
    /// What changed. Applying a page twice changes nothing.
    pub changes: Vec<Change>,
}

/// One object that changed or went away. A kind that the phone does not know is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// `account`, `listing`, `lockbox`, `grant`, `access`, `credential`, `message`, `revocations`, `settings`,
    /// `keypad`, `code`, `code_delivery`, `door`, `door_code`.
    pub kind: String,
    /// The object's id: a UUID, the serial number of a lockbox, or the id of a credential.
    pub id: String,
    /// The object as it now is; absent where it went away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<serde_json::Value>,
}

/// A record that travels in a [`Change`], or that a phone keeps like one: what a phone asks for by itself goes as well when
/// it starts over.
pub trait Record: Serialize + DeserializeOwned {
    /// Its `kind`.
    const KIND: &'static str;

    /// Its `id`.
    fn id(&self) -> String;
}

impl Change {
    /// The change that carries a record.
    pub fn upsert<R: Record>(record: &R) -> Self {
        Self {
            kind: R::KIND.into(),
            id: record.id(),
            // Our own records hold only text, numbers and lists: they always have a JSON form.
            record: serde_json::to_value(record).ok(),
        }
    }

    /// The change that tells a record went away.
    pub fn gone<R: Record>(id: impl Into<String>) -> Self {
        Self { kind: R::KIND.into(), id: id.into(), record: None }
    }

    /// The record, where the change carries one of this kind.
    pub fn parse<R: Record>(&self) -> Option<Result<R, serde_json::Error>> {
        (self.kind == R::KIND).then_some(self.record.clone()).flatten().map(serde_json::from_value)
    }
}

/// A message in the Message Center. [CON-5, GRT-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// The message's id.
    pub id: Uuid,
    /// When it was made.
    pub at: Timestamp,
    /// What it tells of; a shell localises by it.
    pub topic: MessageTopic,
    /// "SentriConnect Access Granted", …
    pub title: String,
    /// The text, in English.
    pub body: String,
    /// The grant or access that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_id: Option<Uuid>,
    /// Whether it was opened.
    pub read: bool,
}

/// What a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageTopic {
    /// An access was granted.
    AccessGranted,
    /// An access was revoked.
    AccessRevoked,
    /// An access was used.
    AccessUsed,
    /// Something that this client does not know yet.
    #[serde(other)]
    Other,
}

macro_rules! record {
    ($($record:ty, $kind:literal, |$it:ident| $id:expr;)*) => {
        $(impl Record for $record {
            const KIND: &'static str = $kind;
            fn id(&self) -> String {
                let $it = self;
                $id
            }
        })*
    };
}

record! {
    Account, "account", |it| it.id.to_string();
    Listing, "listing", |it| it.id.to_string();
    Lockbox, "lockbox", |it| it.serial.clone();
    Grant, "grant", |it| it.id.to_string();
    Access, "access", |it| it.id.to_string();
    Credential, "credential", |it| it.id.clone();
    Message, "message", |it| it.id.to_string();
    RevocationList, "revocations", |it| it.lockbox.clone();
    LockSettings, "settings", |it| it.lockbox.clone();
    Keypad, "keypad", |it| it.lockbox.clone();
    IssuedCode, "code", |it| it.id.to_string();
    SmacKey, "smac", |it| it.lockbox.clone();
    SmartPinKey, "smart-pin-key", |it| it.lockbox.clone();
    Door, "door", |it| it.lock.clone();
    DoorCode, "door_code", |it| it.id.clone();
    CodeDelivery, "code_delivery", |it| it.lock.clone();
}
