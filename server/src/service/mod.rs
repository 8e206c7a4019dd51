//! The rules, one module a flow. Every function that is called for somebody takes a [`Caller`] and checks
//! that the object is theirs; what is not is answered like what does not exist.

pub mod access_log;
pub mod association_rules;
pub mod blocks;
pub mod box_settings;
pub mod cards;
pub mod code_log;
pub mod codes;
pub mod credentials;
pub mod deletion;
pub mod devices;
pub mod events;
pub mod export;
pub mod forbidden;
pub mod grants;
pub mod guessing;
pub mod identity;
pub mod issued_codes;
pub mod keypad;
pub mod listings;
pub mod lock_settings;
pub mod lockboxes;
pub mod locks;
pub mod log_pages;
pub mod login;
pub mod master_keys;
pub mod messages;
pub mod once;
pub mod operator;
pub mod password;
pub mod profile;
pub mod proofs;
pub mod pushes;
pub mod residence;
pub mod reso;
pub mod restore;
pub mod retention;
pub mod revocations;
pub mod signup;
pub mod smacs;
pub mod smart_pins;
pub mod standing;
pub mod sync;
pub mod visits;
pub mod zones;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sentri_protocol::{Generation, KeyTree, Seed, Time};
use sentri_wire::{Secret, Timestamp, account::AccountKind, problem::ProblemCode};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    config::{Config, Policy},
    growing_ids::GrowingIds,
    passwords::Passwords,
    ports::{Clock, Randomness},
    refusal::{Answer, Refusal},
    store::{Connection, Id, Store, Writing, associations, columns::number, lockboxes::LockboxRow, meta},
    vault::Vault,
};

/// How far the clock may have gone back before nothing is signed any more, in seconds.
const CLOCK_SLACK: i64 = 300;

/// Everything that a rule needs.
pub struct App {
    pub store: Store,
    pub config: Config,
    pub vault: Vault,
    pub passwords: Passwords,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    /// Tries at passwords and PINs, one after the other for each.
    pub turns: guessing::Turns,
    /// Feeds of listings.
    pub sources: reso::Sources,
    /// Of the lines of the log.
    pub growing_ids: GrowingIds,
    /// What phones report at one moment is stored at once.
    pub uploads: Arc<events::Uploads>,
}

/// Who calls: an account on a registered device, in good standing unless the route says otherwise.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: Id,
    pub device: Id,
    pub session: Id,
    pub kind: AccountKind,
    pub association: Option<Id>,
    /// The device was removed, or its account deleted.
    pub is_removed: bool,
}

impl Caller {
    /// Refuses everyone but agents; says the agent's association.
    pub fn agent(&self) -> Answer<Id> {
        match (self.kind, self.association) {
            (AccountKind::Agent, Some(association)) => Ok(association),
            _ => Err(Refusal::new(ProblemCode::Forbidden).detail("This is for agents.")),
        }
    }
}

/// An opaque token, and the digest of it that is stored.
pub struct Token {
    pub secret: Secret,
    pub digest: String,
}

/// The digest under which a token is stored. Tokens are random, so a plain hash is enough.
pub fn digest(token: &Secret) -> String {
    hex::encode(Sha256::digest(token.expose().as_bytes()))
}

impl App {
    /// Now, by the injected clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.randomness.fill(&mut bytes);
        bytes
    }

    /// A new id.
    pub fn new_id(&self) -> Id {
        Id(uuid::Builder::from_random_bytes(self.random()).into_uuid())
    }

    /// A new id, for what is many and is read in the order of time.
    pub fn next_id(&self) -> Id {
        self.growing_ids.next(self.now(), self.random())
    }

    /// A new token of 256 bits.
    pub fn new_token(&self) -> Token {
        let bytes = Zeroizing::new(self.random::<32>());
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let digest = digest(&secret);
        Token { secret, digest }
    }

    /// The rules for an account: its association's, or the deployment's.
    pub async fn policy(&self, conn: &mut Connection, association: Option<Id>) -> Answer<Policy> {
        let Some(id) = association else { return Ok(self.config.policy.clone()) };
        let row = associations::by_id(conn, id)
            .await?
            .ok_or_else(|| fault("an account without its association"))?;
        Ok(Policy {
            device_limit: number(row.device_limit, "device limit")?,
            lead_seconds: number(row.lead_seconds, "lead time")?,
            ticket_seconds: number(row.ticket_seconds, "ticket life")?,
            longest_grant_seconds: number(row.longest_grant_seconds, "longest grant")?,
            grant_approval: row.grant_approval.0,
            password_rule: row.password_rule.0,
            support: row.support.0,
        })
    }

    /// The time to sign with. Refused where the clock has gone back since something was signed: a lock
    /// would be told a wrong time, or a ticket would begin before it was made.
    pub async fn signing_time(&self, tx: &mut Writing) -> Answer<Time> {
        let now = self.now();
        let highest = meta::get(tx.conn(), meta::HIGHEST_TIME).await?;
        let highest: i64 = highest.and_then(|text| text.parse().ok()).unwrap_or(0);
        if now < highest - CLOCK_SLACK {
            tracing::error!(behind = highest - now, "the clock has gone back: nothing is signed");
            return Err(
                Refusal::new(ProblemCode::ClockNotTrusted).support(self.config.policy.support.clone())
            );
        }
        if now > highest {
            meta::set(tx.conn(), meta::HIGHEST_TIME, &now.to_string()).await?;
        }
        Time::from_unix(now).ok_or_else(|| fault("the clock is outside of 1970 to 2106"))
    }

    /// The keys of a lock.
    pub fn keys(&self, lockbox: &LockboxRow) -> Answer<KeyTree> {
        let bytes = self.vault.open("seed", &lockbox.id.to_string(), &lockbox.seed)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| fault("a seed of a wrong length"))?;
        let generation = Generation(number(lockbox.key_generation, "generation")?);
        Ok(KeyTree::new(&Seed::new(bytes), generation))
    }
}

/// Something that can't be, told to the log.
pub fn fault(what: &str) -> Refusal {
    Refusal::Fault(what.to_owned())
}

/// A time as the protocol counts it.
pub fn protocol_time(at: i64) -> Answer<Time> {
    Time::from_unix(at).ok_or_else(|| fault("a time outside of 1970 to 2106"))
}

/// Reads an id out of a path: one that is none names nothing.
pub fn id_in_path(text: &str) -> Answer<Id> {
    text.parse::<Uuid>().map(Id).map_err(|_| Refusal::not_found())
}
