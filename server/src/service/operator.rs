//! What an operator does: associations, brokerages, agents, lockboxes. [OPS-1, OPS-2]

mod communities;
mod doors;
mod hubs;
mod import;
mod listings;
mod people;
mod phone_support;
mod policy;
mod standing;
mod transfers;

use sentri_protocol::{
    Generation,
    hours::{AccessHours, Span},
    settings::Settings,
};
use sentri_wire::{
    Binary, Secret,
    account::Account,
    agent::{Lockbox, LockboxGeneration},
    codes::Keypad,
    export::PersonalData,
    problem::{ProblemCode, SupportContact},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    communities::{Community, CommunityChange, NewCommunity},
    doors::{DoorSummary, NewDoor, ProvisionedDoor},
    hubs::{Hub, HubKey},
    import::{
        BoxToProvision, Import, Imported, Member, NewBrokerage, NewHub, NewResident, NewSupportUser,
        NotImported,
    },
    listings::{ListingsImported, MlsMember, SkippedListing, Wanted},
    people::{NewPerson, Resident, SupportUser},
    phone_support::OwnersCall,
    policy::CodePolicy,
    standing::GroupStanding,
    transfers::{Retired, Transferred},
};
use super::{
    App, cards, credentials, export, forbidden::Forbidden, master_keys, protocol_time, restore, retention,
    zones,
};
pub use super::{association_rules::AssociationRules, master_keys::KeyUse, retention::Pruned};
pub use crate::store::support_users::Permission;
use crate::{
    refusal::{Answer, Refusal},
    rules::{self, Email, SentrikeyId},
    store::{
        Connection, Json, Named,
        accounts::{self, AccountRow, Status},
        associations::{self, AssociationRow},
        brokerages::{self, BrokerageRow},
        columns::number,
        lockboxes::{self, LockboxRow},
    },
};

/// A new association. What is left out takes the deployment's rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewAssociation {
    /// Its name, unique.
    pub name: String,
    /// Devices an account may register.
    pub device_limit: Option<u32>,
    /// How long before its start an access's ticket can be fetched, in hours.
    pub lead_hours: Option<u32>,
    /// Longest window of an access, in days.
    pub longest_grant_days: Option<u32>,
    /// Whom its members call.
    pub support: Option<SupportContact>,
}

/// An association.
#[derive(Clone, Debug, Serialize)]
pub struct Association {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Devices an account may register.
    pub device_limit: u32,
    /// How long before its start an access's ticket can be fetched, in seconds.
    pub lead_seconds: u32,
    /// Whom its members call.
    pub support: SupportContact,
    /// In good standing.
    pub active: bool,
}

/// A brokerage.
#[derive(Clone, Debug, Serialize)]
pub struct Brokerage {
    /// Its id.
    pub id: Uuid,
    /// Its association's name.
    pub association: String,
    /// Its name.
    pub name: String,
    /// In good standing.
    pub active: bool,
    /// Whether its agents' lockboxes take one day codes.
    pub one_day_codes: bool,
    /// Whether they take contractor codes.
    pub contractor_codes: bool,
}

/// A new agent.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Name of the association.
    pub association: String,
    /// Name of the brokerage, if any.
    pub brokerage: Option<String>,
    /// Nine digits.
    pub sentrikey_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Address.
    pub email: String,
    /// Cell phone number.
    pub phone: String,
    /// First password.
    pub password: Secret,
    /// First PIN.
    pub pin: Secret,
}

/// An agent.
#[derive(Clone, Debug, Serialize)]
pub struct Agent {
    /// The profile.
    #[serde(flatten)]
    pub account: Account,
    /// In good standing.
    pub active: bool,
}

/// A new lockbox.
#[derive(Clone, Debug)]
pub struct NewLockbox {
    /// What is printed on the box: 4 to 16 digits, capital letters and dashes.
    pub serial: String,
    /// What it can talk.
    pub generation: LockboxGeneration,
    /// SentriKey ID of the owner.
    pub owner: String,
    /// IANA zone of the property.
    pub time_zone: String,
    /// `08:00-20:00`, on quarter hours, every day; `always` for all day.
    pub access_hours: String,
}

/// What the factory writes into a lock. The seed is its secret: whoever has it can open the box.
#[derive(Clone, Debug, Serialize)]
pub struct Provisioned {
    /// The lockbox.
    #[serde(flatten)]
    pub lockbox: Lockbox,
    /// 32 bytes, as base64.
    pub seed: Binary,
    /// Generation of its keys.
    pub key_generation: u32,
    /// Its first settings, signed, as base64.
    pub settings: Binary,
    /// Whose cards it takes: the association's P-256 key, 33 bytes, as base64.
    pub card_key: Binary,
}

/// The operator's commands. Whoever can make one of these may do everything.
pub struct Operator<'a> {
    app: &'a App,
}

impl<'a> Operator<'a> {
    /// For a backend.
    pub(crate) fn new(app: &'a App) -> Self {
        Self { app }
    }

    /// Makes an association.
    pub async fn add_association(&self, new: &NewAssociation) -> Answer<Association> {
        let policy = &self.app.config.policy;
        let hours = new.lead_hours.map(|hours| hours.saturating_mul(3600));
        let days = new.longest_grant_days.map(|days| days.saturating_mul(86_400));
        let row = AssociationRow {
            id: self.app.new_id(),
            name: rules::text(&new.name, 100, "name")?,
            device_limit: new.device_limit.unwrap_or(policy.device_limit).into(),
            lead_seconds: hours.unwrap_or(policy.lead_seconds).into(),
            ticket_seconds: policy.ticket_seconds.into(),
            longest_grant_seconds: days.unwrap_or(policy.longest_grant_seconds).into(),
            support: Json(new.support.clone().unwrap_or_else(|| policy.support.clone())),
            suspended_at: None,
            created_at: self.app.now(),
            grant_approval: Named(policy.grant_approval),
            password_rule: Named(policy.password_rule),
        };
        if row.device_limit == 0 {
            return Err(Refusal::invalid("device_limit", "At least one device."));
        }
        let mut tx = self.app.store.write().await?;
        if associations::by_name(tx.conn(), &row.name).await?.is_some() {
            return Err(Refusal::conflict("There is an association of this name.").field("name"));
        }
        associations::insert(tx.conn(), &row).await?;
        tx.commit().await?;
        association_of(row)
    }

    /// Changes the rules of an association. Its agents' phones hear of it with their next sync.
    pub async fn set_rules(&self, association: &str, rules: &AssociationRules) -> Answer<Association> {
        let mut tx = self.app.store.write().await?;
        let mut row = find_association(tx.conn(), association).await?;
        rules.apply(&mut row);
        if row.device_limit == 0 {
            return Err(Refusal::invalid("device_limit", "At least one device."));
        }
        if !(3600..=72 * 3600).contains(&row.ticket_seconds) {
            return Err(Refusal::invalid("ticket_hours", "From 1 to 72 hours."));
        }
        associations::set_rules(tx.conn(), &row).await?;
        for agent in accounts::agents_of(tx.conn(), row.id).await? {
            tx.touch::<Account>(agent.id, agent.id);
        }
        tx.commit().await?;
        association_of(row)
    }

    /// Makes a brokerage.
    pub async fn add_brokerage(&self, association: &str, name: &str) -> Answer<Brokerage> {
        let name = rules::text(name, 100, "name")?;
        let mut tx = self.app.store.write().await?;
        let owner = find_association(tx.conn(), association).await?;
        if brokerages::by_name(tx.conn(), owner.id, &name).await?.is_some() {
            return Err(Refusal::conflict("The association has a brokerage of this name.").field("name"));
        }
        let id = self.app.new_id();
        associations::insert_brokerage(tx.conn(), id, owner.id, &name, self.app.now()).await?;
        tx.commit().await?;
        let row = BrokerageRow { id, name, suspended_at: None, forbids_one_day: 0, forbids_contractor: 0 };
        Ok(brokerage_of(row, &owner.name))
    }

    /// An association's brokerages.
    pub async fn brokerages(&self, association: &str) -> Answer<Vec<Brokerage>> {
        let mut conn = self.app.store.read().await?;
        let association = find_association(&mut conn, association).await?;
        let rows = brokerages::of_association(&mut conn, association.id).await?;
        Ok(rows.into_iter().map(|row| brokerage_of(row, &association.name)).collect())
    }

    /// Makes a lockbox, with a fresh seed, and says what the factory writes into it.
    pub async fn provision_lockbox(&self, new: &NewLockbox) -> Answer<Provisioned> {
        let serial = serial_number(&new.serial)?;
        let zone = rules::time_zone(&new.time_zone, "time_zone")?;
        let mut settings = Settings {
            version: 1,
            zone: zones::around(zone, protocol_time(self.app.now())?),
            access_hours: access_hours(&new.access_hours)?,
            ..Settings::default()
        };
        let mut tx = self.app.store.write().await?;
        let owner = find_agent(tx.conn(), &new.owner).await?;
        if lockboxes::by_serial(tx.conn(), &serial).await?.is_some()
            || crate::store::doors::by_serial(tx.conn(), &serial).await?.is_some()
        {
            return Err(Refusal::conflict("There is a lockbox with this serial number.").field("serial"));
        }
        Forbidden::to(tx.conn(), owner.id).await?.apply(&mut settings);
        settings.owner = cards::number_of(&owner);
        let association = owner.association_id.ok_or_else(Refusal::not_found)?;
        let card_key = cards::public_key(self.app, &mut tx, association).await?;
        let seed = zeroize::Zeroizing::new(self.app.random::<32>());
        let id = self.app.new_id();
        let row = LockboxRow {
            id,
            serial,
            generation: Named(new.generation),
            association_id: association,
            owner_id: owner.id,
            listing_id: None,
            on_listing_since: None,
            region: None,
            time_zone: zone.name().to_owned(),
            settings: hex::encode(settings.encode()),
            seed: self.app.vault.seal("seed", &id.to_string(), seed.as_ref())?,
            key_generation: Generation::FIRST.0.into(),
            epoch: 1,
            revocation_version: 0,
            heard_revocation_version: 0,
            heard_settings_version: 0,
            battery_percent: None,
            last_heard_at: None,
            audit_number: 0,
            audit_tag: hex::encode([0; 12]),
            audit_lost: 0,
            codes_version: 0,
            heard_codes_version: 0,
            retired_at: None,
            created_at: self.app.now(),
            follows_default: 0,
        };
        lockboxes::insert(tx.conn(), &row).await?;
        tx.touch::<Lockbox>(owner.id, &row.serial);
        tx.touch::<Keypad>(owner.id, &row.serial);
        tx.commit().await?;
        Ok(Provisioned {
            lockbox: row.to_wire(),
            seed: Binary::from(*seed),
            key_generation: Generation::FIRST.0,
            settings: credentials::signed_settings(self.app, &row)?.settings.clone(),
            card_key,
        })
    }

    /// All associations.
    pub async fn associations(&self) -> Answer<Vec<Association>> {
        let mut conn = self.app.store.read().await?;
        associations::all(&mut conn).await?.into_iter().map(association_of).collect()
    }

    /// An association's agents.
    pub async fn agents(&self, association: &str) -> Answer<Vec<Agent>> {
        let mut conn = self.app.store.read().await?;
        let association = find_association(&mut conn, association).await?;
        Ok(accounts::agents_of(&mut conn, association.id).await?.iter().map(agent_of).collect())
    }

    /// An agent's lockboxes.
    pub async fn lockboxes(&self, owner: &str) -> Answer<Vec<Lockbox>> {
        let mut conn = self.app.store.read().await?;
        let owner = find_agent(&mut conn, owner).await?;
        Ok(lockboxes::all_owned(&mut conn, owner.id).await?.iter().map(LockboxRow::to_wire).collect())
    }

    /// Seals everything anew under the current master key. Says how many values. [OPS-3]
    pub async fn reseal(&self) -> Answer<usize> {
        master_keys::reseal(self.app).await
    }

    /// The master keys, and how much is sealed under each.
    pub async fn key_usage(&self) -> Answer<Vec<KeyUse>> {
        master_keys::usage(self.app).await
    }

    /// Deletes access log and events that are older than the deployment keeps them.
    pub async fn prune_log(&self) -> Answer<Pruned> {
        retention::prune(self.app).await
    }

    /// All that is stored about a person: for whoever asks for it and can't log in. `who` is nine digits or an
    /// email address.
    pub async fn export_account(&self, who: &str) -> Answer<PersonalData> {
        let mut conn = self.app.store.read().await?;
        let account = find_account(&mut conn, who).await?;
        export::of(self.app, &mut conn, account.id).await
    }

    /// Writes a copy of the database into a new file, while the server runs: SQLite only. [OPS-3]
    pub async fn back_up(&self, path: &str) -> Answer<()> {
        if std::path::Path::new(path).exists() {
            return Err(Refusal::conflict("The file is there already.").field("file"));
        }
        if self.app.store.copy_to(path).await? {
            Ok(())
        } else {
            Err(Refusal::conflict("PostgreSQL is backed up by pg_dump, or by its own archiving."))
        }
    }

    /// Makes a database safe that was restored from a backup: no number that it gave out since is given out again,
    /// everybody logs in again, and nothing that was revoked since comes back. [OPS-3]
    pub async fn renew_incarnation(&self) -> Answer<()> {
        restore::told(self.app).await
    }
}

fn association_of(row: AssociationRow) -> Answer<Association> {
    Ok(Association {
        id: row.id.0,
        name: row.name,
        device_limit: number(row.device_limit, "device limit")?,
        lead_seconds: number(row.lead_seconds, "lead time")?,
        support: row.support.0,
        active: row.suspended_at.is_none(),
    })
}

fn brokerage_of(row: BrokerageRow, association: &str) -> Brokerage {
    Brokerage {
        id: row.id.0,
        association: association.to_owned(),
        name: row.name,
        active: row.suspended_at.is_none(),
        one_day_codes: row.forbids_one_day == 0,
        contractor_codes: row.forbids_contractor == 0,
    }
}

fn agent_of(row: &AccountRow) -> Agent {
    Agent { account: row.to_wire(), active: row.status.0 == Status::Active }
}

async fn find_association(conn: &mut Connection, name: &str) -> Answer<AssociationRow> {
    associations::by_name(conn, name.trim()).await?.ok_or_else(|| {
        Refusal::new(ProblemCode::NotFound)
            .field("association")
            .detail("There is no association of this name.")
    })
}

async fn find_brokerage(
    conn: &mut Connection,
    association: &AssociationRow,
    name: &str,
) -> Answer<BrokerageRow> {
    brokerages::by_name(conn, association.id, name.trim()).await?.ok_or_else(|| {
        Refusal::not_found().field("brokerage").detail("The association has no brokerage of this name.")
    })
}

async fn find_agent(conn: &mut Connection, sentrikey_id: &str) -> Answer<AccountRow> {
    let id = SentrikeyId::parse(sentrikey_id, "sentrikey_id")?;
    accounts::by_sentrikey_id(conn, id.as_str()).await?.ok_or_else(|| {
        Refusal::new(ProblemCode::NotFound)
            .field("sentrikey_id")
            .detail("There is no agent with this SentriKey ID.")
    })
}

/// The account of nine digits or of an address.
async fn find_account(conn: &mut Connection, who: &str) -> Answer<AccountRow> {
    let found = if who.contains('@') {
        accounts::by_email(conn, &Email::parse(who, "account")?.key()).await?
    } else {
        accounts::by_sentrikey_id(conn, SentrikeyId::parse(who, "account")?.as_str()).await?
    };
    found.ok_or_else(|| Refusal::not_found().field("account").detail("There is no such account."))
}

fn serial_number(text: &str) -> Answer<String> {
    let good = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-';
    if (4..=16).contains(&text.len()) && text.bytes().all(good) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid("serial", "4 to 16 digits, capital letters and dashes."))
    }
}

/// `always`, or `08:00-20:00` on quarter hours.
fn access_hours(text: &str) -> Answer<AccessHours> {
    if text == "always" {
        return Ok(AccessHours::ALWAYS);
    }
    let quarter = |clock: &str| {
        let (hours, minutes) = clock.split_once(':')?;
        let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours <= 24 && minutes < 60 && minutes.is_multiple_of(15)).then_some(hours * 4 + minutes / 15)
    };
    text.split_once('-')
        .and_then(|(from, to)| Span::new(quarter(from)?, quarter(to)?))
        .map(AccessHours::daily)
        .ok_or_else(|| Refusal::invalid("access_hours", "Like 08:00-20:00, on quarter hours; or always."))
}
