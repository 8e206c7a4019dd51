//! ACC-12, BND-4: ports of a shell that are silent, that fail, that panic, or that call the core while it waits for them;
//! and a bug of the core's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use sentri_core::{
    CoreError, Ports, SentriCore,
    api::{
        grant_flow::{GrantFlow, GrantStep},
        ports::{LinkError, LockLink, SecureStore, SecureStoreError},
        presence::{PresenceError, UserPresence, keep_pin},
        types::NewListing,
    },
};
use sentri_wire::sync::Change;
use support::{
    Fuse, NOW, PASSWORD, World,
    backend::{PIN, lockbox},
};

/// What a presence of a test does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Keeps,
    NeverAnswers,
    Refuses(PresenceError),
}

struct Presence {
    doing: Mutex<Doing>,
    kept: Mutex<Option<Vec<u8>>>,
}

impl Presence {
    fn new(doing: Doing) -> Arc<Self> {
        Arc::new(Self { doing: doing.into(), kept: Mutex::default() })
    }

    async fn act(&self) -> Result<(), PresenceError> {
        let doing = *self.doing.lock().unwrap();
        match doing {
            Doing::Keeps => Ok(()),
            Doing::NeverAnswers => std::future::pending().await,
            Doing::Refuses(error) => Err(error),
        }
    }
}

#[async_trait::async_trait]
impl UserPresence for Presence {
    async fn keep(&self, secret: Vec<u8>) -> Result<(), PresenceError> {
        self.act().await?;
        *self.kept.lock().unwrap() = Some(secret);
        Ok(())
    }

    async fn release(&self) -> Result<Vec<u8>, PresenceError> {
        self.act().await?;
        self.kept.lock().unwrap().clone().ok_or(PresenceError::NothingKept)
    }
}

/// An agent's flow that asks for the PIN.
async fn at_the_pin(world: &World) -> Arc<GrantFlow> {
    world.backend.change(Change::upsert(&lockbox("SB-1001", None)));
    let core = world.start();
    core.login_agent("123456789".into(), PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
    let new = NewListing {
        unparsed_address: "12 Oak Street".into(),
        city: "Cary".into(),
        state_or_province: "NC".into(),
        postal_code: "27511".into(),
        list_price: None,
        time_zone: "America/New_York".into(),
    };
    let listing = core.add_listing(new).await.unwrap();
    let flow = core.start_grant(listing.id).await.unwrap();
    flow.choose_lockbox("SB-1001".into(), NOW, "Triangle".into()).await.unwrap();
    flow.fill_form("sam@example.com".into(), NOW, NOW + 3600).unwrap();
    flow
}

#[tokio::test(start_paused = true)]
async fn acc_12_the_pin_comes_from_the_owners_presence_and_from_nothing_less() {
    let world = World::new();
    let flow = at_the_pin(&world).await;
    let presence = Presence::new(Doing::Keeps);
    assert_eq!(flow.authenticate_by_presence(presence.clone()).await, Err(CoreError::PinNeeded));
    keep_pin(presence.clone(), PIN.into()).await.unwrap();
    for (error, told) in [
        (PresenceError::NotRecognised, CoreError::Cancelled),
        (PresenceError::NothingKept, CoreError::PinNeeded),
        (PresenceError::Failed, CoreError::PinNeeded),
    ] {
        *presence.doing.lock().unwrap() = Doing::Refuses(error);
        assert_eq!(flow.authenticate_by_presence(presence.clone()).await, Err(told.clone()));
        assert_eq!(keep_pin(presence.clone(), PIN.into()).await, Err(told));
    }
    *presence.doing.lock().unwrap() = Doing::Keeps;
    // What is released is no PIN of anybody's.
    *presence.kept.lock().unwrap() = Some(vec![0xFF, 0xFE]);
    assert_eq!(flow.authenticate_by_presence(presence.clone()).await, Err(CoreError::PinNeeded));
    *presence.kept.lock().unwrap() = Some(PIN.into());
    let done = flow.authenticate_by_presence(presence).await.unwrap();
    assert!(matches!(done, GrantStep::Done { .. }));
}

#[tokio::test(start_paused = true)]
async fn acc_12_a_presence_that_never_answers_is_given_up_on_after_a_minute() {
    let world = World::new();
    let flow = at_the_pin(&world).await;
    let silent = Presence::new(Doing::NeverAnswers);
    let started = tokio::time::Instant::now();
    assert_eq!(flow.authenticate_by_presence(silent.clone()).await, Err(CoreError::Cancelled));
    assert_eq!(started.elapsed().as_secs(), 60, "in the test's own time");
    assert_eq!(keep_pin(silent, PIN.into()).await, Err(CoreError::Cancelled));
    assert_eq!(flow.step(), GrantStep::Authenticate, "the flow is where it was");
    assert!(matches!(flow.authenticate(PIN.into()).await, Ok(GrantStep::Done { .. })));
}

#[tokio::test(start_paused = true)]
async fn grt_1_the_pin_entered_twice_at_once_is_one_grant() {
    let world = World::new();
    let flow = at_the_pin(&world).await;
    let (one, two) = tokio::join!(flow.authenticate(PIN.into()), flow.authenticate(PIN.into()));
    for answer in [one, two] {
        assert!(matches!(answer, Ok(GrantStep::Done { .. }) | Err(CoreError::WrongStep)), "{answer:?}");
    }
    assert_eq!(world.backend.state.lock().unwrap().grants.len(), 1);
}

/// A key store that does something of a test's at each call.
struct Told<F>(F);

impl<F: Fn() -> Result<Option<Vec<u8>>, SecureStoreError> + Send + Sync + 'static> SecureStore for Told<F> {
    fn get(&self, _: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        (self.0)()
    }

    fn put(&self, _: String, _: Vec<u8>) -> Result<(), SecureStoreError> {
        (self.0)().map(drop)
    }

    fn remove(&self, _: String) -> Result<(), SecureStoreError> {
        (self.0)().map(drop)
    }
}

/// A radio whose every command panics.
struct Panicking;

impl LockLink for Panicking {
    fn start_scan(&self) -> Result<(), LinkError> {
        panic!("a bug, rehearsed")
    }

    fn stop_scan(&self) -> Result<(), LinkError> {
        panic!("a bug, rehearsed")
    }

    fn connect(&self, _: String) -> Result<(), LinkError> {
        panic!("a bug, rehearsed")
    }

    fn write(&self, _: String, _: Vec<u8>) -> Result<(), LinkError> {
        panic!("a bug, rehearsed")
    }

    fn disconnect(&self, _: String) -> Result<(), LinkError> {
        panic!("a bug, rehearsed")
    }
}

fn with_ports(world: &World, store: Arc<dyn SecureStore>, link: Arc<dyn LockLink>) -> Arc<SentriCore> {
    let ports = Ports { link, secure_store: store, ..world.ports(&Fuse::never()) };
    SentriCore::with_ports(world.config(), ports).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bnd_4_ports_that_panic_are_errors_of_their_calls() {
    let world = World::new();
    let core = with_ports(&world, Arc::new(Told(|| panic!("a bug, rehearsed"))), Arc::new(Panicking));
    assert_eq!(core.accounts().await, Err(CoreError::DeviceTrouble));
    assert_eq!(core.profile().await, Err(CoreError::DeviceTrouble));

    let core = with_ports(&world, world.keys.clone(), Arc::new(Panicking));
    core.login_contractor(support::EMAIL.into(), PASSWORD.into()).await.unwrap();
    assert_eq!(core.watch_nearby().await.err(), Some(CoreError::BluetoothTrouble));
    let attempt = core.open_on_ent(None).await.unwrap();
    assert_eq!(attempt.result().await, Err(CoreError::BluetoothTrouble));
}

/// The core waits for the key store, which waits for the core: the key store is given up on, and nothing hangs.
#[tokio::test(flavor = "multi_thread")]
async fn bnd_4_a_port_that_waits_for_the_core_that_waits_for_it_is_given_up_on() {
    let world = World::new();
    let core: Arc<OnceLock<Arc<SentriCore>>> = Arc::default();
    let calls = Arc::new(AtomicU32::new(0));
    let runtime = tokio::runtime::Handle::current();
    let store = Told({
        let (core, calls) = (core.clone(), calls.clone());
        move || {
            if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                let again = runtime.block_on(core.get().unwrap().profile());
                assert_eq!(again, Err(CoreError::NotSignedIn));
            }
            Ok(None)
        }
    });
    let core = core.get_or_init(|| with_ports(&world, Arc::new(store), Arc::new(Panicking)));
    assert_eq!(core.profile().await, Err(CoreError::DeviceTrouble));
    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn), "the core goes on");
    assert_eq!(core.accounts().await, Ok(Vec::new()));
}

#[tokio::test]
async fn bnd_1_a_bug_in_one_call_leaves_the_others_be() {
    let world = World::new();
    let core = world.logged_in().await;
    let rehearsed = core.clone();
    assert!(tokio::spawn(async move { rehearsed.rehearse_bug_later().await }).await.unwrap_err().is_panic());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| core.rehearse_bug())).is_err());
    assert_eq!(core.profile().await.unwrap().email, support::EMAIL);
}
