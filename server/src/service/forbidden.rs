//! What a brokerage forbids its agents: refused here, and by their locks once they are told. [COD-6]

use sentri_protocol::settings::Settings;

use super::{App, lock_settings};
use crate::{
    refusal::{Answer, Refusal},
    store::{Connection, Id, Writing, brokerages, lockboxes},
};

/// Which kinds of codes are forbidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forbidden {
    pub one_day: bool,
    pub contractor: bool,
}

impl Forbidden {
    /// To this agent's lockboxes.
    pub async fn to(conn: &mut Connection, owner: Id) -> Answer<Self> {
        let brokerage = brokerages::of_agent(conn, owner).await?;
        Ok(brokerage.map_or_else(Self::default, |it| Self {
            one_day: it.forbids_one_day != 0,
            contractor: it.forbids_contractor != 0,
        }))
    }

    /// Sets it at a lock.
    pub fn apply(self, settings: &mut Settings) {
        settings.switches.forbids_one_day = self.one_day;
        settings.switches.forbids_contractor = self.contractor;
    }

    /// Refuses what one day codes are asked for.
    pub fn check_one_day(self) -> Answer<()> {
        refuse(self.one_day, "Your brokerage forbids one day codes at its lockboxes.")
    }

    /// Refuses what contractor codes are asked for.
    pub fn check_contractor(self) -> Answer<()> {
        refuse(self.contractor, "Your brokerage forbids contractor codes at its lockboxes.")
    }
}

fn refuse(forbidden: bool, why: &str) -> Answer<()> {
    if forbidden { Err(Refusal::conflict(why)) } else { Ok(()) }
}

/// All of an agent's locks are told what the agent's brokerage forbids now.
pub async fn follow_brokerage(app: &App, tx: &mut Writing, owner: Id) -> Answer<()> {
    let forbidden = Forbidden::to(tx.conn(), owner).await?;
    for lockbox in lockboxes::all_owned(tx.conn(), owner).await? {
        lock_settings::change(app, tx, lockbox, |settings| forbidden.apply(settings)).await?;
    }
    Ok(())
}
