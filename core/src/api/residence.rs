//! What a resident sees and does: doors, their own code, guests' codes, and the delivery at the door. [RES-0 to RES-5]

use std::sync::Arc;

use sentri_wire::{
    Secret,
    codes::CodeDelivery,
    residence::{self as wire, GenerateCode, GuestCode, PickCode},
};
use serde::Serialize;

use super::{
    core_object::SentriCore,
    error::CoreError,
    residence_records::{CodeValidity, Door, DoorCode},
};
use crate::{
    http::{Call, percent},
    open::{self, Visit},
    order::ordered,
    session::Session,
};

/// A lock took what the phone carried.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VisitReport {
    /// Serial number of the lock.
    pub lock: String,
    /// Something was new to the lock, or another phone had brought it before; without it there was nothing to bring.
    pub delivered: bool,
    /// The lock did not take some code, since another there is the same: choose another.
    pub not_taken: bool,
}

/// A visit at a door that is going on, or over.
#[derive(uniffi::Object)]
pub struct CodeVisit {
    visit: Visit,
}

#[uniffi::export]
impl SentriCore {
    /// The doors that this resident goes through, by name, from what the phone holds. [RES-0]
    pub async fn doors(&self) -> Result<Vec<Door>, CoreError> {
        let session = self.session().await?;
        let doors: Vec<wire::Door> = session.all().await?;
        let parcels: Vec<CodeDelivery> = session.all().await?;
        let doors = ordered(doors, |a, b| (&a.name, &a.lock).cmp(&(&b.name, &b.lock)));
        let shown = |door: wire::Door| {
            let has_delivery = parcels.iter().any(|it| it.lock == door.lock);
            Door::of(door, has_delivery)
        };
        Ok(doors.into_iter().map(shown).collect())
    }

    /// This resident's codes at a door, their own first, then their guests', from what the phone holds. [RES-1]
    pub async fn door_codes(&self, lock: String) -> Result<Vec<DoorCode>, CoreError> {
        let mut codes: Vec<wire::DoorCode> = self.session().await?.all().await?;
        codes.retain(|code| code.lock == lock);
        let codes = ordered(codes, |a, b| (&a.guest, &a.id).cmp(&(&b.guest, &b.id)));
        Ok(codes.into_iter().map(Into::into).collect())
    }

    /// A new code of the resident's own, Pending until it is delivered; the old one works until then. Needs network.
    /// `digits` is 4, or 6 where the community enables it; absent, it is what the community has. [RES-1]
    ///
    /// `InvalidField` names the field; `LockUnreachable` where hub or lock is offline; `Conflict` where the lock is full.
    pub async fn generate_door_code(&self, lock: String, digits: Option<u8>) -> Result<DoorCode, CoreError> {
        make(&*self.session().await?, &lock, "generate", &GenerateCode { digits }).await
    }

    /// The same with a code that the resident picked, where `Door.may_pick`. Needs network. [RES-1, RES-2]
    ///
    /// `InvalidField` names the rule that it breaks; `Conflict` says to choose another; `UpgradeRequired` below 2.8.0;
    /// `LockUnreachable` where hub or lock is offline.
    pub async fn pick_door_code(&self, lock: String, code: Secret) -> Result<DoorCode, CoreError> {
        make(&*self.session().await?, &lock, "pick", &PickCode { code }).await
    }

    /// A generated code for a guest. Needs network. [RES-3]
    ///
    /// `InvalidField` names the field; `LockUnreachable` where hub or lock is offline.
    pub async fn make_guest_code(
        &self,
        lock: String,
        guest: String,
        validity: CodeValidity,
        digits: Option<u8>,
    ) -> Result<DoorCode, CoreError> {
        let request = GuestCode { guest, validity: validity.into(), digits };
        make(&*self.session().await?, &lock, "guests", &request).await
    }

    /// Deletes a code; it works until the lock has heard of that. Needs network; `LockUnreachable` where hub or lock is
    /// offline.
    pub async fn delete_door_code(&self, code_id: String) -> Result<(), CoreError> {
        let session = self.session().await?;
        let path = format!("/v1/door-codes/{}", percent(&code_id));
        session.tell(&Call::delete(&path).once(session.api.fresh_key()?)).await?;
        // What is left of it, and the delivery, come with this sync or a later one.
        let _ = crate::sync::run(&session).await;
        Ok(())
    }

    /// Listens for up to a minute for a press of ENT at a door, and brings its lock what this phone carries: with no
    /// network needed. `lock` names the door; without it any of the resident's will do. [RES-5]
    ///
    /// `AlreadyOpening` where an open or another visit goes on. All else is told by the handle.
    pub async fn deliver_codes(&self, lock: Option<String>) -> Result<Arc<CodeVisit>, CoreError> {
        let session = self.session().await?;
        let visit = open::visit(session, &self.core.ports, &self.core.hub, lock)?;
        Ok(Arc::new(CodeVisit { visit }))
    }
}

#[uniffi::export]
impl CodeVisit {
    /// Waits until the lock has what the phone carries, or why it has not.
    ///
    /// `NoLockboxHeard`, `NoAnswer`, `NotReady`, `NoRight`, `BluetoothOff`, `BluetoothNotAllowed`, `BluetoothTrouble`,
    /// `Cancelled`; `NotFound` where the phone knows no such door.
    pub async fn result(&self) -> Result<VisitReport, CoreError> {
        let report = self.visit.result().await?;
        let handed = report.handed;
        let delivered = handed.codes_version.is_some();
        Ok(VisitReport { lock: report.lock, delivered, not_taken: handed.not_taken })
    }

    /// Waits until the lock's own word of it is uploaded, where there is network: then the codes show as working.
    pub async fn finished(&self) {
        self.visit.over().await;
    }

    /// Ends the visit as long as nothing was sent to a lock; later it has no effect.
    pub fn cancel(&self) {
        self.visit.cancel();
    }
}

/// Has the backend make a code, and keeps what it made.
async fn make<B: Serialize>(
    session: &Session,
    lock: &str,
    how: &str,
    request: &B,
) -> Result<DoorCode, CoreError> {
    let path = format!("/v1/doors/{}/codes/{how}", percent(lock));
    let call = Call::post(&path, request)?.once(session.api.fresh_key()?);
    let made: wire::DoorCode = session.call(&call).await?;
    let kept = made.clone();
    session.write("door.code", move |rows| rows.put(&kept)).await?;
    // The delivery comes with it, so that the phone can go to the door without network. It may come later as well.
    let _ = crate::sync::run(session).await;
    Ok(made.into())
}
