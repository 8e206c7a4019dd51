//! Importing many at once from one document: an association's members, their boxes, a community's residents. [OPS-1]

use std::collections::BTreeMap;

use sentri_wire::{agent::LockboxGeneration, problem::ProblemCode};
use serde::{Deserialize, Serialize};

use super::{NewAssociation, NewCommunity, NewLockbox, NewPerson, Operator, Permission, Provisioned};
use crate::refusal::{Answer, Refusal};

/// A document to import. Each kind may be left out; they are made in this order, so that later ones find earlier ones.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// Associations.
    pub associations: Vec<NewAssociation>,
    /// Brokerages.
    pub brokerages: Vec<NewBrokerage>,
    /// Agents.
    pub agents: Vec<Member>,
    /// Lockboxes.
    pub lockboxes: Vec<BoxToProvision>,
    /// Communities.
    pub communities: Vec<NewCommunity>,
    /// Residents.
    pub residents: Vec<NewResident>,
    /// Hubs.
    pub hubs: Vec<NewHub>,
    /// Support users.
    pub support_users: Vec<NewSupportUser>,
}

/// A brokerage to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBrokerage {
    /// Name of the association.
    pub association: String,
    /// Its name.
    pub name: String,
}

/// An agent to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name of the association.
    pub association: String,
    /// Name of the brokerage, if any.
    #[serde(default)]
    pub brokerage: Option<String>,
    /// Nine digits.
    pub sentrikey_id: String,
    /// Who it is.
    pub person: NewPerson,
}

/// A lockbox to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxToProvision {
    /// What is printed on the box.
    pub serial: String,
    /// What it can talk.
    pub generation: LockboxGeneration,
    /// SentriKey ID of the owner.
    pub owner: String,
    /// IANA zone of the property.
    pub time_zone: String,
    /// `08:00-20:00`, or `always`.
    #[serde(default = "always")]
    pub access_hours: String,
}

fn always() -> String {
    "always".into()
}

/// A resident to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewResident {
    /// Name of the community.
    pub community: String,
    /// Which unit.
    pub unit: String,
    /// Who it is.
    pub person: NewPerson,
}

/// A hub to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHub {
    /// What is printed on it.
    pub serial: String,
    /// Name of the community.
    pub community: String,
}

/// A support user to import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSupportUser {
    /// What they may.
    pub permission: Permission,
    /// Who it is.
    pub person: NewPerson,
}

/// What became of an import. Run again with the same document, it adds only what was refused before.
#[derive(Debug, Default, Serialize)]
pub struct Imported {
    /// How many were made, by kind.
    pub added: BTreeMap<&'static str, usize>,
    /// How many were there already, by kind.
    pub known: BTreeMap<&'static str, usize>,
    /// What could not be made, and why.
    pub refused: Vec<NotImported>,
    /// What the factory writes into the new lockboxes: their seeds are told here once.
    pub provisioned: Vec<Provisioned>,
}

/// An entry that could not be made.
#[derive(Debug, Serialize)]
pub struct NotImported {
    /// Which: `agents[3]`, counted from 0.
    pub entry: String,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why.
    pub why: String,
}

impl Imported {
    /// Notes what became of an entry. `key` is the field that names it: a collision there is no news.
    fn note<T>(&mut self, kind: &'static str, index: usize, key: &str, made: Answer<T>) -> Answer<Option<T>> {
        match made {
            Ok(made) => {
                *self.added.entry(kind).or_default() += 1;
                Ok(Some(made))
            }
            Err(Refusal::Problem(problem))
                if problem.code == ProblemCode::Conflict && problem.field.as_deref() == Some(key) =>
            {
                *self.known.entry(kind).or_default() += 1;
                Ok(None)
            }
            Err(Refusal::Problem(problem)) => {
                let field = problem.field.clone();
                let why = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
                self.refused.push(NotImported { entry: format!("{kind}[{index}]"), field, why });
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Operator<'_> {
    /// Makes all that a document names, each entry by itself: one that is refused leaves the others.
    pub async fn import(&self, document: &Import) -> Answer<Imported> {
        let mut done = Imported::default();
        self.import_members(document, &mut done).await?;
        self.import_communities(document, &mut done).await?;
        for (index, it) in document.support_users.iter().enumerate() {
            let made = self.add_support_user(it.permission, &it.person).await;
            done.note("support_users", index, "email", made)?;
        }
        Ok(done)
    }

    async fn import_members(&self, document: &Import, done: &mut Imported) -> Answer<()> {
        for (index, it) in document.associations.iter().enumerate() {
            done.note("associations", index, "name", self.add_association(it).await)?;
        }
        for (index, it) in document.brokerages.iter().enumerate() {
            done.note("brokerages", index, "name", self.add_brokerage(&it.association, &it.name).await)?;
        }
        for (index, it) in document.agents.iter().enumerate() {
            let brokerage = it.brokerage.as_deref();
            let made = self.add_member(&it.association, brokerage, &it.sentrikey_id, &it.person).await;
            done.note("agents", index, "sentrikey_id", made)?;
        }
        for (index, it) in document.lockboxes.iter().enumerate() {
            let new = NewLockbox {
                serial: it.serial.clone(),
                generation: it.generation,
                owner: it.owner.clone(),
                time_zone: it.time_zone.clone(),
                access_hours: it.access_hours.clone(),
            };
            let made = done.note("lockboxes", index, "serial", self.provision_lockbox(&new).await)?;
            done.provisioned.extend(made);
        }
        Ok(())
    }

    async fn import_communities(&self, document: &Import, done: &mut Imported) -> Answer<()> {
        for (index, it) in document.communities.iter().enumerate() {
            done.note("communities", index, "name", self.add_community(it).await)?;
        }
        for (index, it) in document.residents.iter().enumerate() {
            let made = self.add_resident(&it.community, &it.unit, &it.person).await;
            done.note("residents", index, "email", made)?;
        }
        for (index, it) in document.hubs.iter().enumerate() {
            done.note("hubs", index, "serial", self.add_hub(&it.serial, &it.community).await)?;
        }
        Ok(())
    }
}
