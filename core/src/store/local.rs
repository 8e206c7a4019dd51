//! Records of the phone's own, which no sync brings or drops.

use sentri_wire::{
    Binary, Secret, Timestamp,
    account::Tokens,
    codes::IssuedCode,
    credential::{AdvertKey, Credential, Zone},
    sync::Record,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far the sync has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMark {
    /// Where to go on; absent for a full sync.
    pub cursor: Option<String>,
    /// Rises with each page; the key store keeps the highest.
    pub high_water: u64,
    /// When the last sync ended well, by the backend's clock.
    pub finished_at: Option<Timestamp>,
    /// The backend's clock minus the phone's, in seconds, at the last page.
    pub skew: i64,
}

/// The session's tokens, and the key under which their refresh is asked for, however often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedTokens {
    /// Sent with each call.
    pub access: Secret,
    /// Sent to refresh.
    pub refresh: Secret,
    /// Makes a refresh whose answer was lost repeatable.
    pub refresh_key: Uuid,
}

impl SavedTokens {
    /// Where it is kept.
    pub const NAME: &'static str = "tokens";

    /// What came from the backend, with a fresh key.
    pub fn new(tokens: Tokens, refresh_key: Uuid) -> Self {
        Self { access: tokens.access, refresh: tokens.refresh, refresh_key }
    }
}

/// Grants that were known as revoked when the backend turned out to be an old copy of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Their ids.
    pub grants: Vec<Uuid>,
}

impl Revoked {
    /// Where it is kept.
    pub const NAME: &'static str = "revoked";
}

/// Which of the account's devices this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThisDevice {
    /// The registration's id.
    pub id: Uuid,
}

impl ThisDevice {
    /// Where it is kept.
    pub const NAME: &'static str = "device";
}

/// What recognises a lock's advert after its ticket is gone, so that the phone can say why it does not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBox {
    /// The box.
    pub lockbox: String,
    /// Recognise its adverts.
    pub advert_keys: Vec<AdvertKey>,
    /// Its zone.
    pub zone: Zone,
    /// Its access hours.
    pub access_hours: Binary,
}

impl KnownBox {
    /// What to keep of a credential.
    pub fn of(credential: &Credential) -> Self {
        Self {
            lockbox: credential.lockbox.clone(),
            advert_keys: credential.advert_keys.clone(),
            zone: credential.zone,
            access_hours: credential.access_hours.clone(),
        }
    }
}

impl Record for KnownBox {
    const KIND: &'static str = "local/box";

    fn id(&self) -> String {
        self.lockbox.clone()
    }
}

/// When an access last opened its box, for the right to return the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// The access.
    pub access_id: Uuid,
    /// The phone's time.
    pub at: Timestamp,
}

impl Record for LastUse {
    const KIND: &'static str = "local/use";

    fn id(&self) -> String {
        self.access_id.to_string()
    }
}

/// Audit records on their way from a lock to the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditBatch {
    /// Names the batch on this phone.
    pub id: Uuid,
    /// The box.
    pub lockbox: String,
    /// As the lock gave it out.
    pub batch: Binary,
}

impl Record for AuditBatch {
    const KIND: &'static str = "local/audit";

    fn id(&self) -> String {
        self.id.to_string()
    }
}

/// What a lock is told at the next meeting: up to where its records are backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// The box.
    pub lockbox: String,
    /// Authenticated by the backend, for the lock.
    pub acknowledgement: Binary,
}

impl Record for BackedUp {
    const KIND: &'static str = "local/ack";

    fn id(&self) -> String {
        self.lockbox.clone()
    }
}

/// A SmartPIN that the phone made with no network, and that the backend has not heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinMade {
    /// The PIN.
    pub code: IssuedCode,
}

impl Record for PinMade {
    const KIND: &'static str = "local/pin";

    fn id(&self) -> String {
        self.code.id.to_string()
    }
}
