//! An agent's lockboxes: found by serial number or by ENT, and their settings. [LST-3, LST-4, LST-6]

use std::sync::Arc;

use sentri_wire::{
    agent as wire,
    settings::{self, SettingsChoice},
};

use super::{
    core_object::SentriCore,
    error::CoreError,
    types::{BoxSettings, Lockbox, LockboxSettings},
};
use crate::{
    http::{Call, percent},
    open::Finding,
};

const DEFAULTS: &str = "/v1/lockbox-settings";

fn settings_path(serial: &str) -> String {
    format!("/v1/lockboxes/{}/settings", percent(serial.trim()))
}

/// A search for the box that ENT is pressed on.
#[derive(uniffi::Object)]
pub struct LockboxFinder {
    finding: Finding,
}

#[uniffi::export]
impl SentriCore {
    /// Search: one of the agent's own lockboxes by its serial number. Needs network. [LST-3]
    ///
    /// `NotFound` where no such box is yours.
    pub async fn search_lockbox(&self, serial: String) -> Result<Lockbox, CoreError> {
        let path = format!("/v1/lockboxes/{}", percent(serial.trim()));
        let found: wire::Lockbox = self.session().await?.call(&Call::get(&path)).await?;
        Ok(found.into())
    }

    /// Listens for up to a minute for a press of ENT on one of the agent's own lockboxes, to assign it. Needs network.
    /// [LST-3]
    ///
    /// `BluetoothOff`, `BluetoothNotAllowed`, `BluetoothTrouble`, `NotSignedIn`. All else is told by the handle.
    pub async fn find_lockbox_on_ent(&self) -> Result<Arc<LockboxFinder>, CoreError> {
        let session = self.session().await?;
        let finding = Finding::start(session, &self.core.ports, &self.core.hub).await?;
        Ok(Arc::new(LockboxFinder { finding }))
    }

    /// Default Lockbox Settings: those of all boxes that follow them. Needs network. [LST-4]
    pub async fn default_lockbox_settings(&self) -> Result<BoxSettings, CoreError> {
        let set: settings::BoxSettings = self.session().await?.call(&Call::get(DEFAULTS)).await?;
        Ok(set.into())
    }

    /// Sets the default settings. Each box that follows them has them once a phone was there. Needs network. [LST-4]
    ///
    /// `InvalidField` names `access_hours` or `time_zone`.
    pub async fn set_default_lockbox_settings(
        &self,
        default_settings: BoxSettings,
    ) -> Result<BoxSettings, CoreError> {
        let session = self.session().await?;
        let wanted = settings::BoxSettings::from(default_settings);
        let call = Call::post(DEFAULTS, &wanted)?.once(session.api.fresh_key()?);
        let set: settings::BoxSettings = session.call(&call).await?;
        Ok(set.into())
    }

    /// What a box was told, and what it goes by until it has that. Needs network. [LST-4, LST-6]
    ///
    /// `NotFound` where no such box is yours.
    pub async fn lockbox_settings(&self, serial: String) -> Result<LockboxSettings, CoreError> {
        let page: settings::LockboxSettings =
            self.session().await?.call(&Call::get(&settings_path(&serial))).await?;
        Ok(page.into())
    }

    /// Gives a box custom settings, or the default ones where none are passed. They are Pending until a phone has
    /// brought them. Needs network. [LST-4, LST-6]
    ///
    /// `InvalidField` names `access_hours` or `time_zone`; `NotFound` where no such box is yours.
    pub async fn set_lockbox_settings(
        &self,
        serial: String,
        custom: Option<BoxSettings>,
    ) -> Result<LockboxSettings, CoreError> {
        let session = self.session().await?;
        let choice = SettingsChoice { custom: custom.map(Into::into) };
        let path = settings_path(&serial);
        let call = Call::post(&path, &choice)?.once(session.api.fresh_key()?);
        let page: settings::LockboxSettings = session.call(&call).await?;
        let (serial, pending) = (page.lockbox.clone(), page.pending);
        session
            .write("settings", move |rows| {
                let Some(lockbox) = rows.get::<wire::Lockbox>(&serial)? else { return Ok(()) };
                rows.put(&wire::Lockbox { settings_pending: pending, ..lockbox })
            })
            .await?;
        Ok(page.into())
    }
}

#[uniffi::export]
impl LockboxFinder {
    /// Waits for the box.
    ///
    /// `NoLockboxHeard` where none of the agent's was pressed; `Offline`, `Cancelled`.
    pub async fn result(&self) -> Result<Lockbox, CoreError> {
        Ok(self.finding.result().await?.into())
    }

    /// Ends the search; dropping it does the same.
    pub fn cancel(&self) {
        self.finding.cancel();
    }
}
