//! Changing what is set at a lock: a new version, Pending until a phone has brought it. [LST-6]

use sentri_protocol::settings::Settings;
use sentri_wire::{codes::Keypad, credential::LockSettings};

use super::{App, credentials, fault};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id, Writing, brokerages, credentials as store,
        lockboxes::{self, LockboxRow},
        settings_history,
    },
};

/// Sets something at a lock, and tells the phones that can bring it there, and the owner's. Nothing happens where it was
/// set so before.
pub async fn change(
    app: &App,
    tx: &mut Writing,
    lockbox: LockboxRow,
    change: impl FnOnce(&mut Settings),
) -> Answer<LockboxRow> {
    let former = credentials::settings(&lockbox)?;
    let mut settings = former;
    change(&mut settings);
    if settings == former {
        return Ok(lockbox);
    }
    settings.version += 1;
    let lockbox = LockboxRow { settings: hex::encode(settings.encode()), ..lockbox };
    lockboxes::set_settings(tx.conn(), lockbox.id, settings.version.into(), &lockbox.settings).await?;
    for holder in store::holders(tx.conn(), lockbox.id, app.now()).await? {
        tx.touch::<LockSettings>(holder, &lockbox.serial);
    }
    tx.touch::<Keypad>(lockbox.owner_id, &lockbox.serial);
    Ok(lockbox)
}

/// What the lock works by, as far as it was heard.
pub async fn at_lock(conn: &mut Connection, lockbox: &LockboxRow) -> Answer<Settings> {
    let Some(text) = settings_history::at_lock(conn, lockbox.id, lockbox.heard_settings_version).await?
    else {
        return credentials::settings(lockbox);
    };
    let bytes = hex::decode(text).map_err(|_| fault("settings that are no hex"))?;
    Settings::decode(&bytes).map_err(|_| fault("settings that can't be read"))
}

/// What the brokerage of a lock's owner forbids. [COD-6]
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
        change(app, tx, lockbox, |settings| forbidden.apply(settings)).await?;
    }
    Ok(())
}
