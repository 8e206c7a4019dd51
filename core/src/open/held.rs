//! What the phone holds at the moment of ENT, in the form that an open needs.

use sentri_protocol::{
    advert::Advert,
    clock::LowerBound,
    hours::AccessHours,
    keys::Key,
    ticket::{Ticket, TicketSecret},
    time::Time,
    zone::Zone,
};
use sentri_wire::{
    codes::CodeDelivery,
    credential::{Access, AdvertKey, Credential, LockSettings, RevocationList},
};
use uuid::Uuid;

use crate::{
    codes::wall,
    order::ordered,
    store::{BackedUp, KnownBox, LastUse, Rows, StoreError},
};

/// A credential, parsed.
#[derive(Clone, Debug)]
pub struct Usable {
    /// The access that it serves.
    pub access_id: Uuid,
    /// The box.
    pub lockbox: String,
    /// What it allows.
    pub ticket: Ticket,
    /// What proves it.
    pub secret: TicketSecret,
    /// The lock's static public key.
    pub lock_public_key: [u8; 32],
    /// For a lock that lost its clock.
    pub lower_bound: Option<LowerBound>,
    /// The lock's zone.
    pub zone: Zone,
    /// The lock's hours.
    pub hours: AccessHours,
}

impl Usable {
    /// From what came by sync; nothing where a part is not as the protocol says.
    pub fn parse(credential: &Credential) -> Option<Self> {
        Some(Self {
            access_id: credential.access_id,
            lockbox: credential.lockbox.clone(),
            ticket: Ticket::decode(credential.ticket.as_ref()).ok()?,
            secret: TicketSecret::new(credential.secret.array()?),
            lock_public_key: credential.lock_public_key.array()?,
            lower_bound: LowerBound::decode(credential.lower_bound.as_ref()).ok(),
            zone: wall::zone(&credential.zone)?,
            hours: AccessHours::decode(&credential.access_hours.array()?).ok()?,
        })
    }
}

/// All that the phone holds.
#[derive(Debug, Default)]
pub struct Held {
    /// The accesses, as the contractor sees them.
    pub accesses: Vec<Access>,
    /// The credentials, earliest first.
    pub usable: Vec<Usable>,
    /// Boxes that the phone recognises.
    boxes: Vec<(String, Vec<Key>)>,
    uses: Vec<LastUse>,
}

impl Held {
    /// Reads it from the store.
    pub fn read(rows: &Rows<'_>) -> Result<Self, StoreError> {
        let credentials: Vec<Credential> = rows.all()?;
        let usable = credentials.iter().filter_map(Usable::parse).collect();
        let begins = |it: &Usable| it.ticket.window.not_before();
        let usable = ordered(usable, |a, b| begins(a).cmp(&begins(b)));
        let known: Vec<KnownBox> = rows.all()?;
        let boxes = known.into_iter().map(|it| (it.lockbox, it.advert_keys.iter().filter_map(key).collect()));
        Ok(Self { accesses: rows.all()?, usable, boxes: boxes.collect(), uses: rows.all()? })
    }

    /// The box that sent the advert, where it is one of ours.
    pub fn recognise(&self, advert: &Advert) -> Option<&str> {
        let from = |keys: &[Key]| keys.iter().any(|key| advert.is_from(key));
        self.boxes.iter().find(|(_, keys)| from(keys)).map(|(lockbox, _)| lockbox.as_str())
    }

    /// Whether the phone could recognise that box.
    pub fn knows(&self, lockbox: &str) -> bool {
        self.boxes.iter().any(|(known, _)| known == lockbox)
    }

    /// The access with that id.
    pub fn access(&self, id: Uuid) -> Option<&Access> {
        self.accesses.iter().find(|access| access.id == id)
    }

    /// When the access last opened its box.
    pub fn last_use(&self, access: Uuid) -> Option<Time> {
        self.uses.iter().find(|it| it.access_id == access).and_then(|it| Time::from_unix(it.at))
    }
}

pub(super) fn key(advert: &AdvertKey) -> Option<Key> {
    advert.key.array().map(Key::new)
}

/// What is to be handed over to one lock.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) revocations: Option<RevocationList>,
    pub(crate) settings: Option<LockSettings>,
    pub(crate) codes: Option<CodeDelivery>,
    pub(crate) backed_up: Option<BackedUp>,
}

impl Parcel {
    pub(crate) fn read(rows: &Rows<'_>, lockbox: &str) -> Result<Self, StoreError> {
        Ok(Self {
            revocations: rows.get(lockbox)?,
            settings: rows.get(lockbox)?,
            codes: rows.get(lockbox)?,
            backed_up: rows.get(lockbox)?,
        })
    }
}
