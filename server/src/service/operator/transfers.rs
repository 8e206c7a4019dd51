//! What changes hands: agents and brokerages between associations, residents between units, lockboxes between
//! agents; and what goes out of use. [OPS-1, OPS-2]

use sentri_protocol::Generation;
use sentri_wire::{
    Binary,
    account::{Account, AccountKind},
    agent::{Listing, Lockbox},
    codes::{IssuedCode, Keypad},
    credential::LockSettings,
};
use serde::Serialize;

use super::{
    Agent, Brokerage, Operator, agent_of, brokerage_of,
    communities::find_community,
    find_agent, find_association, find_brokerage,
    people::{Resident, find_person, resident_of},
    standing::move_reason,
};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    service::{
        cards, credentials, fault,
        forbidden::{self, Forbidden},
        grants, residence,
    },
    store::{
        Connection, Writing,
        accounts::{self, AccountRow},
        associations::AssociationRow,
        box_settings,
        brokerages::{self, BrokerageRow},
        codes,
        columns::number,
        communities,
        lockboxes::{self, LockboxRow},
        standing::Group,
    },
};

/// What is to be loaded into a lockbox that changes hands.
#[derive(Clone, Debug, Serialize)]
pub struct Transferred {
    /// The lockbox, as its new owner sees it.
    #[serde(flatten)]
    pub lockbox: Lockbox,
    /// Generation of its keys from now on.
    pub key_generation: u32,
    /// Its new settings, signed for the generation that it has now, as base64.
    pub settings: Binary,
}

/// A lockbox that is out of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retired {
    /// Its serial number, which stays taken.
    pub serial: String,
    /// Accesses that were taken back.
    pub accesses_ended: usize,
}

impl Operator<'_> {
    /// Puts an agent under another association, and there under a brokerage. Their boxes go with them.
    pub async fn transfer_agent(
        &self,
        sentrikey_id: &str,
        association: &str,
        brokerage: Option<&str>,
    ) -> Answer<Agent> {
        let mut tx = self.app.store.write().await?;
        let agent = find_agent(tx.conn(), sentrikey_id).await?;
        let association = find_association(tx.conn(), association).await?;
        let brokerage = match brokerage {
            Some(name) => Some(find_brokerage(tx.conn(), &association, name).await?),
            None => None,
        };
        let agent = self.put_under(&mut tx, agent, &association, brokerage.as_ref()).await?;
        tx.commit().await?;
        Ok(agent_of(&agent))
    }

    /// Puts a brokerage with all its agents under another association.
    pub async fn transfer_brokerage(&self, from: &str, name: &str, to: &str) -> Answer<Brokerage> {
        let mut tx = self.app.store.write().await?;
        let from = find_association(tx.conn(), from).await?;
        let brokerage = find_brokerage(tx.conn(), &from, name).await?;
        let to = find_association(tx.conn(), to).await?;
        if brokerages::by_name(tx.conn(), to.id, &brokerage.name).await?.is_some() && to.id != from.id {
            return Err(Refusal::conflict("The association has a brokerage of this name.").field("to"));
        }
        brokerages::move_to(tx.conn(), brokerage.id, to.id).await?;
        for agent in brokerages::agents(tx.conn(), brokerage.id).await? {
            self.put_under(&mut tx, agent, &to, Some(&brokerage)).await?;
        }
        tx.commit().await?;
        Ok(brokerage_of(brokerage, &to.name))
    }

    /// An agent is suspended with the association and the brokerage that they are under now, not with the former.
    async fn put_under(
        &self,
        tx: &mut Writing,
        agent: AccountRow,
        association: &AssociationRow,
        brokerage: Option<&BrokerageRow>,
    ) -> Answer<AccountRow> {
        brokerages::move_agent(tx.conn(), agent.id, association.id, brokerage.map(|it| it.id)).await?;
        let former = (
            agent.association_id.map(|id| Group::Association.cause(id)).unwrap_or_default(),
            agent.brokerage_id.map(|id| Group::Brokerage.cause(id)).unwrap_or_default(),
        );
        let now = (
            association.suspended_at.map(|_| Group::Association.cause(association.id)),
            brokerage.filter(|it| it.suspended_at.is_some()).map(|it| Group::Brokerage.cause(it.id)),
        );
        let agent = AccountRow {
            association_id: Some(association.id),
            brokerage_id: brokerage.map(|it| it.id),
            ..agent
        };
        tx.touch::<Account>(agent.id, agent.id);
        forbidden::follow_brokerage(self.app, tx, agent.id).await?;
        let agent = move_reason(self.app, tx, agent, (&former.0, now.0.as_deref())).await?;
        move_reason(self.app, tx, agent, (&former.1, now.1.as_deref())).await
    }

    /// A resident moves to another unit, or to another community.
    pub async fn transfer_resident(&self, email: &str, community: &str, unit: &str) -> Answer<Resident> {
        let unit = rules::text(unit, 32, "unit")?;
        let mut tx = self.app.store.write().await?;
        let resident = find_person(tx.conn(), AccountKind::Resident, email).await?;
        let to = find_community(tx.conn(), community).await?;
        let home = communities::home(tx.conn(), resident.id).await?;
        let stays = home.as_ref().is_some_and(|home| home.community == to.name && home.unit == unit);
        let former = match home {
            Some(home) => Group::Community.cause(find_community(tx.conn(), &home.community).await?.id),
            None => String::new(),
        };
        if !stays {
            residence::leave(self.app, &mut tx, resident.id).await?;
        }
        communities::settle(tx.conn(), resident.id, to.id, &unit).await?;
        let now = to.suspended_at.map(|_| Group::Community.cause(to.id));
        let resident = move_reason(self.app, &mut tx, resident, (&former, now.as_deref())).await?;
        let moved = resident_of(tx.conn(), &resident).await?;
        tx.commit().await?;
        Ok(moved)
    }

    /// Gives a lockbox to another agent. Everything that was granted at it ends, it hangs nowhere, and its keys are of
    /// a new generation: what anybody holds from before is worth nothing once the box has the settings that this
    /// answers, which are signed for the generation that it has now. Load them before handing the box over. [OPS-2]
    pub async fn transfer_lockbox(&self, serial: &str, owner: &str) -> Answer<Transferred> {
        let mut tx = self.app.store.write().await?;
        let former = find_lockbox(tx.conn(), serial).await?;
        let owner = find_agent(tx.conn(), owner).await?;
        if owner.id == former.owner_id {
            return Err(Refusal::conflict("The lockbox is this agent's already.").field("owner"));
        }
        self.rekey(tx, former, owner).await
    }

    /// Has a lockbox's keys count no more: everything that was granted at it ends, and every code that was made for it. For
    /// when a phone that could make its SmartPINs is lost. Load the settings that this answers. [PIN-1]
    pub async fn renew_lockbox_keys(&self, serial: &str) -> Answer<Transferred> {
        let mut tx = self.app.store.write().await?;
        let former = find_lockbox(tx.conn(), serial).await?;
        let owner = accounts::by_id(tx.conn(), former.owner_id)
            .await?
            .ok_or_else(|| fault("a lockbox without its owner"))?;
        self.rekey(tx, former, owner).await
    }

    async fn rekey(&self, mut tx: Writing, former: LockboxRow, owner: AccountRow) -> Answer<Transferred> {
        grants::end_at(self.app, &mut tx, former.id).await?;
        let generation = Generation(number::<u32>(former.key_generation, "generation")? + 1);
        let mut settings = credentials::settings(&former)?;
        settings.version += 1;
        settings.generation = generation;
        settings.owner = cards::number_of(&owner);
        Forbidden::to(tx.conn(), owner.id).await?.apply(&mut settings);
        let row = LockboxRow {
            owner_id: owner.id,
            association_id: owner.association_id.ok_or_else(|| fault("an agent without an association"))?,
            key_generation: generation.0.into(),
            settings: hex::encode(settings.encode()),
            listing_id: None,
            on_listing_since: None,
            region: None,
            ..former.clone()
        };
        lockboxes::transfer(tx.conn(), &row).await?;
        // They are loaded here, by hand, and not brought by a phone.
        box_settings::forget_former(tx.conn(), row.id).await?;
        tell_owners(&mut tx, &former, &row).await?;
        tx.commit().await?;
        Ok(Transferred {
            lockbox: row.to_wire(),
            key_generation: generation.0,
            settings: Binary::from(settings.sign(&self.app.keys(&former)?)),
        })
    }

    /// Takes a lockbox out of use for good: everything that was granted at it ends. Its log stays. [OPS-2]
    pub async fn retire_lockbox(&self, serial: &str) -> Answer<Retired> {
        let mut tx = self.app.store.write().await?;
        let row = find_lockbox(tx.conn(), serial).await?;
        let accesses_ended = grants::end_at(self.app, &mut tx, row.id).await?;
        lockboxes::retire(tx.conn(), row.id, self.app.now()).await?;
        tell_owners(&mut tx, &row, &row).await?;
        tx.commit().await?;
        Ok(Retired { serial: row.serial, accesses_ended })
    }
}

async fn tell_owners(tx: &mut Writing, former: &LockboxRow, now: &LockboxRow) -> Answer<()> {
    let codes = codes::of_lockbox(tx.conn(), now.id).await?;
    for owner in [former.owner_id, now.owner_id] {
        tx.touch::<LockSettings>(owner, &now.serial);
        tx.touch::<Lockbox>(owner, &now.serial);
        tx.touch::<Keypad>(owner, &now.serial);
        for code in &codes {
            tx.touch::<IssuedCode>(owner, *code);
        }
    }
    if let Some(listing) = former.listing_id {
        tx.touch::<Listing>(former.owner_id, listing);
    }
    Ok(())
}

/// The lockbox with this serial number, where it is in use.
async fn find_lockbox(conn: &mut Connection, serial: &str) -> Answer<LockboxRow> {
    lockboxes::by_serial(conn, serial).await?.filter(|row| row.retired_at.is_none()).ok_or_else(|| {
        Refusal::not_found().field("serial").detail("There is no lockbox in use with this serial number.")
    })
}
