//! Suspending and reinstating, one by one or with a whole group. [ACC-7]

use sentri_wire::account::{Account, AccountKind, Standing};
use serde::Serialize;

use super::{
    Agent, Operator, agent_of, communities::find_community, find_account, find_agent, find_association,
    find_brokerage, hubs::find_hub, people::find_person,
};
use crate::{
    refusal::Answer,
    service::{App, fault, standing},
    store::{
        Id, Writing,
        accounts::{self, AccountRow, Status},
        brokerages, communities,
        standing::{self as reasons, Group, OWN},
    },
};

/// A group after its standing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupStanding {
    /// Its name, or its serial number.
    pub name: String,
    /// In good standing.
    pub active: bool,
    /// Accounts that belong to it.
    pub accounts: usize,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Suspend,
    Reinstate,
}

impl Operator<'_> {
    /// Suspends an agent: what their phones hold is taken back. [ACC-7]
    pub async fn suspend_agent(&self, sentrikey_id: &str) -> Answer<Agent> {
        self.turn_agent(sentrikey_id, Turn::Suspend).await
    }

    /// Puts a suspended agent back into good standing, unless their brokerage or association is suspended too.
    pub async fn reinstate_agent(&self, sentrikey_id: &str) -> Answer<Agent> {
        self.turn_agent(sentrikey_id, Turn::Reinstate).await
    }

    async fn turn_agent(&self, sentrikey_id: &str, turn: Turn) -> Answer<Agent> {
        let mut tx = self.app.store.write().await?;
        let agent = find_agent(tx.conn(), sentrikey_id).await?;
        let agent = change(self.app, &mut tx, agent, OWN, turn).await?;
        tx.commit().await?;
        Ok(agent_of(&agent))
    }

    /// Sets whether any account may be used: suspended, unpaid, locked, or in good standing, unless a group of theirs is
    /// suspended. `who` is nine digits or an email address. [ACC-7]
    pub async fn set_account_standing(&self, who: &str, standing: Standing) -> Answer<Account> {
        let mut tx = self.app.store.write().await?;
        let account = find_account(tx.conn(), who).await?;
        match standing {
            Standing::Suspended => reasons::add(tx.conn(), account.id, OWN, self.app.now()).await?,
            _ => reasons::remove(tx.conn(), account.id, OWN).await?,
        }
        let account = set(self.app, &mut tx, account, standing).await?;
        let account = follow(self.app, &mut tx, account).await?;
        tx.commit().await?;
        Ok(account.to_wire())
    }

    /// Suspends a resident or a support user, named by their address.
    pub async fn suspend_person(&self, kind: AccountKind, email: &str) -> Answer<Agent> {
        self.turn_person(kind, email, Turn::Suspend).await
    }

    /// Puts a resident or a support user back into good standing, unless their community is suspended too.
    pub async fn reinstate_person(&self, kind: AccountKind, email: &str) -> Answer<Agent> {
        self.turn_person(kind, email, Turn::Reinstate).await
    }

    async fn turn_person(&self, kind: AccountKind, email: &str, turn: Turn) -> Answer<Agent> {
        let mut tx = self.app.store.write().await?;
        let person = find_person(tx.conn(), kind, email).await?;
        let person = change(self.app, &mut tx, person, OWN, turn).await?;
        tx.commit().await?;
        Ok(agent_of(&person))
    }

    /// Suspends an association with all its agents.
    pub async fn suspend_association(&self, name: &str) -> Answer<GroupStanding> {
        self.turn_association(name, Turn::Suspend).await
    }

    /// Puts an association back; agents who were suspended by themselves stay so.
    pub async fn reinstate_association(&self, name: &str) -> Answer<GroupStanding> {
        self.turn_association(name, Turn::Reinstate).await
    }

    async fn turn_association(&self, name: &str, turn: Turn) -> Answer<GroupStanding> {
        let mut tx = self.app.store.write().await?;
        let association = find_association(tx.conn(), name).await?;
        let agents = accounts::agents_of(tx.conn(), association.id).await?;
        self.turn_group(tx, (Group::Association, association.id, association.name), agents, turn).await
    }

    /// Suspends a brokerage with all its agents.
    pub async fn suspend_brokerage(&self, association: &str, name: &str) -> Answer<GroupStanding> {
        self.turn_brokerage(association, name, Turn::Suspend).await
    }

    /// Puts a brokerage back; agents who were suspended by themselves stay so.
    pub async fn reinstate_brokerage(&self, association: &str, name: &str) -> Answer<GroupStanding> {
        self.turn_brokerage(association, name, Turn::Reinstate).await
    }

    async fn turn_brokerage(&self, association: &str, name: &str, turn: Turn) -> Answer<GroupStanding> {
        let mut tx = self.app.store.write().await?;
        let association = find_association(tx.conn(), association).await?;
        let brokerage = find_brokerage(tx.conn(), &association, name).await?;
        let agents = brokerages::agents(tx.conn(), brokerage.id).await?;
        self.turn_group(tx, (Group::Brokerage, brokerage.id, brokerage.name), agents, turn).await
    }

    /// Suspends a community with all its residents.
    pub async fn suspend_community(&self, name: &str) -> Answer<GroupStanding> {
        self.turn_community(name, Turn::Suspend).await
    }

    /// Puts a community back; residents who were suspended by themselves stay so.
    pub async fn reinstate_community(&self, name: &str) -> Answer<GroupStanding> {
        self.turn_community(name, Turn::Reinstate).await
    }

    async fn turn_community(&self, name: &str, turn: Turn) -> Answer<GroupStanding> {
        let mut tx = self.app.store.write().await?;
        let community = find_community(tx.conn(), name).await?;
        let residents = communities::residents(tx.conn(), community.id).await?;
        self.turn_group(tx, (Group::Community, community.id, community.name), residents, turn).await
    }

    /// Takes a hub out of use for a while.
    pub async fn suspend_hub(&self, serial: &str) -> Answer<GroupStanding> {
        self.turn_hub(serial, Turn::Suspend).await
    }

    /// Puts a hub back.
    pub async fn reinstate_hub(&self, serial: &str) -> Answer<GroupStanding> {
        self.turn_hub(serial, Turn::Reinstate).await
    }

    async fn turn_hub(&self, serial: &str, turn: Turn) -> Answer<GroupStanding> {
        let mut tx = self.app.store.write().await?;
        let hub = find_hub(tx.conn(), serial).await?;
        self.turn_group(tx, (Group::Hub, hub.id, hub.serial), Vec::new(), turn).await
    }

    async fn turn_group(
        &self,
        mut tx: Writing,
        (group, id, name): (Group, Id, String),
        members: Vec<AccountRow>,
        turn: Turn,
    ) -> Answer<GroupStanding> {
        let since = (turn == Turn::Suspend).then(|| self.app.now());
        group.set_suspended(tx.conn(), id, since).await?;
        let (cause, accounts) = (group.cause(id), members.len());
        for member in members {
            change(self.app, &mut tx, member, &cause, turn).await?;
        }
        tx.commit().await?;
        Ok(GroupStanding { name, active: since.is_none(), accounts })
    }
}

/// Adds or takes away a reason, and sets the account's standing by what is left.
async fn change(
    app: &App,
    tx: &mut Writing,
    account: AccountRow,
    cause: &str,
    turn: Turn,
) -> Answer<AccountRow> {
    match turn {
        Turn::Suspend => reasons::add(tx.conn(), account.id, cause, app.now()).await?,
        Turn::Reinstate => reasons::remove(tx.conn(), account.id, cause).await?,
    }
    follow(app, tx, account).await
}

/// An account that came under another group takes its reasons over.
pub(super) async fn move_reason(
    app: &App,
    tx: &mut Writing,
    account: AccountRow,
    (from, to): (&str, Option<&str>),
) -> Answer<AccountRow> {
    reasons::remove(tx.conn(), account.id, from).await?;
    if let Some(to) = to {
        reasons::add(tx.conn(), account.id, to, app.now()).await?;
    }
    follow(app, tx, account).await
}

/// Sets an account's standing by the reasons that are left. Unpaid, locked and deleted are not ours to change.
async fn follow(app: &App, tx: &mut Writing, account: AccountRow) -> Answer<AccountRow> {
    let suspended = reasons::any(tx.conn(), account.id).await?;
    let standing = match (account.status.0, suspended) {
        (Status::Active, true) => Standing::Suspended,
        (Status::Suspended, false) => Standing::Active,
        _ => return Ok(account),
    };
    set(app, tx, account, standing).await
}

async fn set(app: &App, tx: &mut Writing, account: AccountRow, standing: Standing) -> Answer<AccountRow> {
    standing::set(app, tx, &account, standing).await?;
    accounts::by_id(tx.conn(), account.id).await?.ok_or_else(|| fault("an account that vanished"))
}
