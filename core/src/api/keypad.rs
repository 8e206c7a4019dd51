//! Codes for the keypad of the agent's lockboxes. [COD-1 to COD-6, PIN-0 to PIN-4]

use sentri_wire::{Secret, codes as wire};

use super::{
    core_object::SentriCore,
    error::CoreError,
    keypad_records::{IssuedCode, Keypad, MobileAccessCode},
    parse_id,
};
use crate::{codes, session::Session};

const NEVER_GIVE: &str =
    "This code is yours alone. The log names you as whoever opens with it: never give it to anyone.";

#[uniffi::export]
impl SentriCore {
    /// The keypad of one of the agent's own lockboxes, with its contractor codes, from what the phone holds. Network is
    /// needed only where it holds nothing yet. [COD-5]
    pub async fn keypad(&self, serial: String) -> Result<Keypad, CoreError> {
        let session = self.session().await?;
        let keypad = codes::keypad(&session, &serial).await?;
        shown(&session, keypad).await
    }

    /// Switches contractor mode. Pending until a phone that opens the box has told it. Needs network. [COD-4]
    ///
    /// `Conflict` where the brokerage forbids contractor codes.
    pub async fn set_contractor_mode(&self, serial: String, on: bool) -> Result<Keypad, CoreError> {
        let session = self.session().await?;
        let change = wire::KeypadChange { contractor_mode: Some(on), ..wire::KeypadChange::default() };
        let keypad = codes::set(&session, &serial, change).await?;
        shown(&session, keypad).await
    }

    /// Switches SmartPINs, and for how many guests of one window, 1 to 3. Pending until a phone that opens the box has told
    /// it. Needs network. [PIN-4, PIN-7]
    ///
    /// `Conflict` where a phone that could make them was removed, and the box's keys were not renewed since.
    pub async fn set_smart_pins(
        &self,
        serial: String,
        on: bool,
        pins_per_window: u8,
    ) -> Result<Keypad, CoreError> {
        let session = self.session().await?;
        let change = wire::KeypadChange {
            smart_pins: Some(on),
            pins_per_window: Some(pins_per_window),
            ..wire::KeypadChange::default()
        };
        let keypad = codes::set(&session, &serial, change).await?;
        shown(&session, keypad).await
    }

    /// Has a contractor code made anew, slot 1 to 3. The old one works until the box has heard of it. Needs network. [COD-5]
    pub async fn rotate_contractor_code(&self, serial: String, slot: u8) -> Result<Keypad, CoreError> {
        let session = self.session().await?;
        let keypad = codes::rotate(&session, &serial, slot).await?;
        shown(&session, keypad).await
    }

    /// The codes that were made for a lockbox, the latest first, with when each works: from what the phone holds.
    pub async fn issued_codes(&self, serial: String) -> Result<Vec<IssuedCode>, CoreError> {
        let session = self.session().await?;
        let (issued, now) = (codes::issued(&session, &serial).await?, session.now());
        let keypad = kept(&session, &serial).await?;
        Ok(issued.into_iter().map(|it| IssuedCode::seen(it, keypad.as_ref(), now)).collect())
    }

    /// Makes a one day code for a day at the property, like `2026-11-23`: today to two weeks ahead. Needs network. [COD-2]
    ///
    /// `InvalidField` names `day`; `Conflict` where the brokerage forbids them, or all four of the day are made.
    pub async fn make_one_day_code(&self, serial: String, day: String) -> Result<IssuedCode, CoreError> {
        let session = self.session().await?;
        let made = codes::make_one_day(&session, &serial, day).await?;
        seen(&session, made).await
    }

    /// Makes a SmartPIN for a guest. With no network the phone makes it by itself, where its owner has chosen so; `Offline`
    /// where not. [PIN-0, PIN-1, PIN-2]
    ///
    /// `InvalidField` names `guest`, `starts_at` or `ends_at`; `Conflict` where SmartPINs are off, or each of the window is
    /// given out.
    pub async fn make_smart_pin(
        &self,
        serial: String,
        guest: String,
        starts_at: i64,
        ends_at: i64,
    ) -> Result<IssuedCode, CoreError> {
        let session = self.session().await?;
        let made = codes::make_smart_pin(&session, &serial, guest, starts_at, ends_at).await?;
        seen(&session, made).await
    }

    /// Blocks a SmartPIN, and whoever has the same digits: Pending until a phone that opens the box has told it. Needs
    /// network. [PIN-7]
    ///
    /// `Conflict` where the code is no SmartPIN.
    pub async fn block_smart_pin(&self, code_id: String) -> Result<IssuedCode, CoreError> {
        let session = self.session().await?;
        let blocked = codes::block(&session, parse_id("code_id", &code_id)?).await?;
        seen(&session, blocked).await
    }

    /// Lets this phone make SmartPINs of a lockbox with no network for one to three days, against the agent's PIN. Say
    /// before: whoever gets this phone open in that time can open the lockbox. Needs network. Until when. [PIN-1]
    ///
    /// `WrongCode`, `TooManyTries`; `Conflict` where SmartPINs are off.
    pub async fn allow_smart_pins_offline(&self, serial: String, pin: Secret) -> Result<i64, CoreError> {
        let session = self.session().await?;
        codes::offline::allow(&session, &serial, pin).await
    }

    /// Ends that at once, with or without network.
    pub async fn end_smart_pins_offline(&self, serial: String) -> Result<(), CoreError> {
        let session = self.session().await?;
        codes::offline::end(&session, &serial).await
    }

    /// The agent's mobile access code of this moment for a lockbox of their association; after its first one of a day (UTC)
    /// with no network. [COD-1]
    ///
    /// `NotFound` where the box is not one that the agent may open.
    pub async fn make_mobile_access_code(&self, serial: String) -> Result<MobileAccessCode, CoreError> {
        let session = self.session().await?;
        let smac = codes::smac(&session, &serial).await?;
        let lockbox = serial.trim().to_owned();
        Ok(MobileAccessCode { lockbox, code: smac.code, until: smac.until, warning: NEVER_GIVE.into() })
    }
}

async fn shown(session: &Session, keypad: wire::Keypad) -> Result<Keypad, CoreError> {
    let offline_until = codes::offline::until(session, &keypad.lockbox).await?;
    Ok(Keypad::seen(keypad, offline_until, session.now()))
}

async fn seen(session: &Session, code: wire::IssuedCode) -> Result<IssuedCode, CoreError> {
    let keypad = kept(session, &code.lockbox).await?;
    Ok(IssuedCode::seen(code, keypad.as_ref(), session.now()))
}

async fn kept(session: &Session, serial: &str) -> Result<Option<wire::Keypad>, CoreError> {
    let serial = serial.trim().to_owned();
    session.read(move |rows| rows.get(&serial)).await
}
