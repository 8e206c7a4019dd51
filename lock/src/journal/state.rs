//! All that a lock must not forget, and the changes that make it up.

use alloc::vec::Vec;
use core::fmt;

use sentri_protocol::{
    Malformed, Seed, Time,
    audit::{ChainTag, Record},
    bytes::Reader,
    card::CardSerial,
    codes::{
        kind::Profile,
        one_day::FirstUse,
        smac::{Slot, Use},
        smart_pin::LockId,
    },
    revocation::RevocationList,
    settings::Settings,
    ticket::{CredentialId, Epoch},
};

use super::{
    ring::{AuditRing, RingStart},
    tables::{CardTries, HeldCode, HeldPin, Tables},
};
use crate::lockout::{CodeKind, WrongTries};

/// The time as it is stored with each write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The running clock.
    pub time: Time,
    /// The highest time proved so far.
    pub floor: Time,
}

/// Who opened last by a ticket, for the right to return the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastOpen {
    /// Its credential.
    pub credential: CredentialId,
    /// The right is used up.
    pub returned: bool,
}

/// First uses that a lock remembers: those of at least the four newest days on which codes were used.
pub const FIRST_USES_MOST: usize = 16;

/// All that a lock must not forget.
#[derive(Clone, Debug)]
pub struct State {
    /// What all keys come from.
    pub seed: Seed,
    /// Which lock it is.
    pub id: LockId,
    /// What sort of lock.
    pub profile: Profile,
    /// How often the lock has booted.
    pub boots: u32,
    /// The clock as of the last write.
    pub stamp: Stamp,
    /// What the owner set.
    pub settings: Settings,
    /// What is revoked.
    pub revocations: RevocationList,
    /// Who opened last.
    pub last_open: Option<LastOpen>,
    /// Wrong codes.
    pub wrong_tries: WrongTries,
    /// Codes that are running or used up.
    pub first_uses: Vec<FirstUse>,
    /// Codes in the lock's own table, and what became of others.
    pub tables: Tables,
    /// Version of the codes that were delivered; 0 before the first.
    pub codes_version: u32,
    /// Whose cards it takes: an association's public key, compressed SEC 1.
    pub association: Option<[u8; 33]>,
    /// When the owner last ended a wait.
    pub waits_ended: Option<Time>,
    /// Flash lost something in the middle: what was used, blocked or counted may be forgotten, so that nothing that
    /// is bound to time opens before a new generation.
    pub damaged: bool,
    /// Records that wait for their acknowledgement.
    pub audit: AuditRing,
}

/// One change of the state. Those of one write happen together or not at all.
#[derive(Clone)]
pub enum Change {
    /// The lock was provisioned.
    Provisioned(Seed),
    /// The lock is this one, of this sort. The journals of the first firmware have no such change: theirs are
    /// lockboxes, and know no SmartPINs.
    Made(LockId, Profile),
    /// It takes the cards of this association.
    Association([u8; 33]),
    /// Contractor mode was switched at the keypad.
    ContractorMode(bool),
    /// A code is in the table.
    Held(HeldCode),
    /// The code with this id is out of it.
    Dropped(u8),
    /// A SmartPIN, and the short PIN made from it, opens no more.
    Blocked(HeldPin),
    /// A SmartPIN was used in time.
    PinUsed(HeldPin),
    /// A SMAC opened.
    SmacUsed(Use),
    /// So many wrong PINs of a card count now.
    CardTries(CardTries),
    /// The owner ended the waits.
    WaitsEnded(Time),
    /// Codes of this version were delivered.
    CodesVersion(u32),
    /// Flash was found damaged.
    Damaged,
    /// The lock booted for this time.
    Booted(u32),
    /// The owner's settings.
    Settings(Settings),
    /// A revocation list.
    Revocations(RevocationList),
    /// The epoch floor rose.
    EpochFloor(Epoch),
    /// A ticket opened.
    LastOpen(LastOpen),
    /// So many wrong codes of a kind count now.
    WrongTries(CodeKind, u16),
    /// A one day code was used for the first time.
    FirstUse(FirstUse),
    /// The ring begins here.
    RingStart(RingStart),
    /// A record joins the ring.
    Record(Record),
    /// So many failures wait to be written as one.
    Merged(u32),
    /// Records up to this one are backed up.
    Acknowledged(u32),
}

impl State {
    /// The state of a lock that has just got its seed.
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            id: LockId([0; 16]),
            profile: Profile::Lockbox,
            boots: 0,
            stamp: Stamp::default(),
            settings: Settings::default(),
            revocations: RevocationList::default(),
            last_open: None,
            wrong_tries: WrongTries::default(),
            first_uses: Vec::with_capacity(FIRST_USES_MOST),
            tables: Tables::default(),
            codes_version: 0,
            association: None,
            waits_ended: None,
            damaged: false,
            audit: AuditRing::default(),
        }
    }

    /// Makes a change that is in flash.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Provisioned(seed) => self.seed = seed.clone(),
            Change::Made(id, profile) => (self.id, self.profile) = (*id, *profile),
            Change::Association(key) => self.association = Some(*key),
            Change::ContractorMode(on) => self.settings.switches.contractor_mode = *on,
            Change::Held(_)
            | Change::Dropped(_)
            | Change::Blocked(_)
            | Change::PinUsed(_)
            | Change::SmacUsed(_)
            | Change::CardTries(_) => self.tables.change(change, self.stamp.floor),
            Change::WaitsEnded(time) => self.waits_ended = Some(*time),
            Change::CodesVersion(version) => self.codes_version = *version,
            Change::Damaged => self.damaged = true,
            Change::Booted(boots) => self.boots = *boots,
            Change::Settings(settings) => self.apply_settings(*settings),
            Change::Revocations(list) => self.revocations = list.clone(),
            Change::EpochFloor(floor) => self.revocations.epoch_floor = *floor,
            Change::LastOpen(last) => self.last_open = Some(*last),
            Change::WrongTries(kind, count) => self.wrong_tries.set(*kind, *count),
            Change::FirstUse(first_use) => self.remember_first_use(*first_use),
            Change::RingStart(start) => self.audit.restart(*start),
            Change::Record(record) => self.audit.push(*record),
            Change::Merged(count) => self.audit.set_merged(*count),
            Change::Acknowledged(up_to) => self.audit.free_up_to(*up_to),
        }
    }

    /// A new generation has other codes and credentials: what the old ones did stands in the log alone.
    fn apply_settings(&mut self, settings: Settings) {
        if settings.generation != self.settings.generation {
            self.first_uses.clear();
            self.tables.forget_derived();
            self.damaged = false;
            self.last_open = None;
        }
        self.settings = settings;
    }

    /// A lock that nobody has told the time for long can't drop by its floor; then the oldest day goes.
    fn remember_first_use(&mut self, first_use: FirstUse) {
        let proved_day = self.settings.zone.local(self.stamp.floor).day;
        self.first_uses.retain(|it| it.day.saturating_add(2) > proved_day);
        if self.first_uses.len() >= FIRST_USES_MOST {
            let oldest = self.first_uses.iter().enumerate().min_by_key(|(_, it)| it.day);
            if let Some((index, _)) = oldest {
                self.first_uses.remove(index);
            }
        }
        self.first_uses.push(first_use);
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({})", self.tag())
    }
}

impl Change {
    fn tag(&self) -> u8 {
        match self {
            Self::Provisioned(_) => 1,
            Self::Booted(_) => 2,
            Self::Settings(_) => 3,
            Self::Revocations(_) => 4,
            Self::EpochFloor(_) => 5,
            Self::LastOpen(_) => 6,
            Self::WrongTries(..) => 7,
            Self::FirstUse(_) => 8,
            Self::RingStart(_) => 9,
            Self::Record(_) => 10,
            Self::Merged(_) => 11,
            Self::Acknowledged(_) => 12,
            Self::Made(..) => 13,
            Self::Association(_) => 14,
            Self::ContractorMode(_) => 15,
            Self::Held(_) => 16,
            Self::Dropped(_) => 17,
            Self::Blocked(_) => 18,
            Self::PinUsed(_) => 19,
            Self::SmacUsed(_) => 20,
            Self::CardTries(_) => 21,
            Self::WaitsEnded(_) => 22,
            Self::Damaged => 23,
            Self::CodesVersion(_) => 24,
        }
    }

    /// Appends the bytes in flash.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        match self {
            Self::Provisioned(seed) => out.extend_from_slice(seed.expose()),
            Self::Booted(count)
            | Self::Merged(count)
            | Self::Acknowledged(count)
            | Self::CodesVersion(count) => {
                out.extend_from_slice(&count.to_be_bytes());
            }
            Self::Made(id, profile) => {
                out.extend_from_slice(&id.0);
                out.push(match profile {
                    Profile::Lockbox => 0,
                    Profile::Residential => 1,
                });
            }
            Self::Association(key) => out.extend_from_slice(key),
            Self::ContractorMode(on) => out.push(u8::from(*on)),
            Self::Held(code) => code.encode(out),
            Self::Dropped(id) => out.push(*id),
            Self::Blocked(pin) | Self::PinUsed(pin) => pin.encode(out),
            Self::SmacUsed(smac) => {
                out.extend_from_slice(&smac.slot.number().to_be_bytes());
                out.extend_from_slice(&smac.step.to_be_bytes());
            }
            Self::CardTries(tries) => {
                out.extend_from_slice(&tries.serial.0);
                out.extend_from_slice(&tries.wrong.to_be_bytes());
            }
            Self::WaitsEnded(time) => out.extend_from_slice(&time.to_bytes()),
            Self::Damaged => {}
            Self::Settings(settings) => out.extend_from_slice(&settings.encode()),
            Self::Revocations(list) => {
                let list = list.encode();
                out.extend_from_slice(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend_from_slice(&list);
            }
            Self::EpochFloor(epoch) => out.extend_from_slice(&epoch.0.to_be_bytes()),
            Self::LastOpen(last) => {
                out.extend_from_slice(&last.credential.0);
                out.push(u8::from(last.returned));
            }
            Self::WrongTries(kind, count) => {
                out.push(kind.number());
                out.extend_from_slice(&count.to_be_bytes());
            }
            Self::FirstUse(it) => {
                out.extend_from_slice(&it.day.to_be_bytes());
                out.push(it.index);
                out.extend_from_slice(&it.at.to_bytes());
            }
            Self::RingStart(start) => {
                out.extend_from_slice(&start.first.to_be_bytes());
                out.extend_from_slice(&start.previous);
                out.extend_from_slice(&start.lost.to_be_bytes());
                out.extend_from_slice(&start.merged.to_be_bytes());
            }
            Self::Record(record) => out.extend_from_slice(record.as_bytes()),
        }
    }

    /// Takes a change off the front.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            1 => Self::Provisioned(Seed::new(reader.array()?)),
            2 => Self::Booted(reader.u32()?),
            3 => Self::Settings(Settings::read(reader)?),
            4 => {
                let length = reader.u16()?;
                Self::Revocations(RevocationList::decode(reader.slice(usize::from(length))?)?)
            }
            5 => Self::EpochFloor(Epoch(reader.u16()?)),
            6 => Self::LastOpen(LastOpen {
                credential: CredentialId(reader.array()?),
                returned: reader.u8()? != 0,
            }),
            7 => {
                let kind = CodeKind::from_number(reader.u8()?).ok_or(reader.malformed())?;
                Self::WrongTries(kind, reader.u16()?)
            }
            8 => {
                Self::FirstUse(FirstUse { day: reader.u32()?, index: reader.u8()?, at: Time(reader.u32()?) })
            }
            9 => Self::RingStart(RingStart {
                first: reader.u32()?,
                previous: reader.array::<{ size_of::<ChainTag>() }>()?,
                lost: reader.u32()?,
                merged: reader.u32()?,
            }),
            10 => Self::Record(Record::from_bytes(reader.array()?)),
            11 => Self::Merged(reader.u32()?),
            12 => Self::Acknowledged(reader.u32()?),
            14 => Self::Association(reader.array()?),
            15 => Self::ContractorMode(reader.u8()? != 0),
            16 => Self::Held(HeldCode::read(reader)?),
            17 => Self::Dropped(reader.u8()?),
            18 => Self::Blocked(HeldPin::read(reader)?),
            19 => Self::PinUsed(HeldPin::read(reader)?),
            20 => {
                let slot = Slot::new(reader.u16()?).ok_or(reader.malformed())?;
                Self::SmacUsed(Use { slot, step: reader.u32()? })
            }
            21 => Self::CardTries(CardTries { serial: CardSerial(reader.array()?), wrong: reader.u16()? }),
            22 => Self::WaitsEnded(Time(reader.u32()?)),
            23 => Self::Damaged,
            24 => Self::CodesVersion(reader.u32()?),
            13 => {
                let id = LockId(reader.array()?);
                let profile = match reader.u8()? {
                    0 => Profile::Lockbox,
                    1 => Profile::Residential,
                    _ => return Err(reader.malformed()),
                };
                Self::Made(id, profile)
            }
            _ => return Err(reader.malformed()),
        })
    }
}
