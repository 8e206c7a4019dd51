//! ACC-12: a device's key, whatever the platform's port does with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::sync::{Arc, Mutex};

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_core::{
    CoreError,
    api::device_key::{DeviceKey, DeviceKeyError, KeyProtection, SigningReason},
};
use support::{World, lock::Granted, press_ent};

#[derive(Clone, Copy, Debug)]
enum Doing {
    Works,
    Refuses(DeviceKeyError),
    NeverAnswers,
    GivesNoKey,
}

/// A chip that does as it is told.
struct Chip(Mutex<Doing>);

impl Chip {
    fn in_world(world: &World, doing: Doing) -> Arc<Self> {
        let chip = Arc::new(Self(doing.into()));
        *world.device_key.lock().unwrap() = Some(chip.clone());
        chip
    }

    fn set(&self, doing: Doing) {
        *self.0.lock().unwrap() = doing;
    }

    async fn answer(&self, right: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        let doing = *self.0.lock().unwrap();
        match doing {
            Doing::Works => Ok(right),
            Doing::Refuses(error) => Err(error),
            Doing::NeverAnswers => std::future::pending().await,
            Doing::GivesNoKey => Ok(b"no key".to_vec()),
        }
    }
}

#[async_trait::async_trait]
impl DeviceKey for Chip {
    async fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        let key = SigningKey::from_slice(&[5; 32]).unwrap();
        self.answer(key.verifying_key().to_sec1_point(false).as_bytes().to_vec()).await
    }

    async fn sign(&self, message: Vec<u8>, _: SigningReason) -> Result<Vec<u8>, DeviceKeyError> {
        let signature: Signature = SigningKey::from_slice(&[5; 32]).unwrap().sign(&message);
        self.answer(signature.to_bytes().to_vec()).await
    }
}

/// A key that is asked of the user, lost, broken or silent: whoever logs in gets on, and a ticket that is bound to no
/// key opens.
#[tokio::test(start_paused = true)]
async fn acc_12_a_chip_that_fails_keeps_nobody_out() {
    for (doing, told) in [
        (Doing::Refuses(DeviceKeyError::Failed), CoreError::DeviceTrouble),
        (Doing::Refuses(DeviceKeyError::KeyLost), CoreError::PinNeeded),
        (Doing::Refuses(DeviceKeyError::NotRecognised), CoreError::Cancelled),
        (Doing::NeverAnswers, CoreError::Cancelled),
        (Doing::GivesNoKey, CoreError::DeviceTrouble),
    ] {
        let world = World::new();
        world.backend.grant(&Granted::now());
        Chip::in_world(&world, doing);
        let core = world.logged_in().await;
        core.sync_now().await.unwrap();
        assert_eq!(core.key_protection().await, Err(told.clone()), "{doing:?}");
        assert_eq!(core.register_device_key(None).await, Err(told), "{doing:?}");
        press_ent(&world, &core, None).await.unwrap();
    }
}

/// Which of the two a device has is decided once: a chip that fails for a moment makes no software key, and one that
/// appears later makes no hardware key.
#[tokio::test(start_paused = true)]
async fn acc_12_where_the_key_is_is_decided_by_its_first_use() {
    for (first, told, later) in [
        (Doing::Works, KeyProtection::Hardware, Doing::Refuses(DeviceKeyError::NoHardware)),
        (Doing::Refuses(DeviceKeyError::NoHardware), KeyProtection::Software, Doing::Works),
    ] {
        let world = World::new();
        let chip = Chip::in_world(&world, first);
        assert_eq!(world.start().key_protection().await, Ok(told));
        chip.set(later);
        let core = world.start();
        match told {
            KeyProtection::Software => assert_eq!(core.key_protection().await, Ok(told)),
            _ => assert_eq!(core.key_protection().await, Err(CoreError::PinNeeded)),
        }
        chip.set(first);
        assert_eq!(core.key_protection().await, Ok(told));
    }
}

/// A shell that brings no port has no key, and is told so.
#[tokio::test(start_paused = true)]
async fn acc_12_without_a_port_there_is_no_key() {
    let world = World::new();
    let core = world.logged_in().await;
    assert_eq!(core.key_protection().await, Ok(KeyProtection::NoKey));
    assert_eq!(core.register_device_key(None).await, Err(CoreError::PinNeeded));
}
