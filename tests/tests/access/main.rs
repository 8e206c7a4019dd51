//! What granter and contractor see and do around an access, over all parts: taking back, two boxes at once, the answer
//! before the trip, messages and pushes, the calls that a home page costs, and a member at any box.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod boxes;
mod home;
mod members;
mod messages;
mod outlook;
mod revoking;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sentri_core::{
    api::{grant_flow::GrantStep, types::Grant},
    http::{Http, HttpFailure, HttpRequest, HttpResponse, SystemHttp},
    ports::BoxFuture,
};
use sentri_sandbox::{lockbox::Lockbox, phone::Between, story::cast};
use sentri_tests::House;
use sentri_wire::agent::LockboxGeneration;

/// A phone in the woods.
struct NoNetwork;

impl Http for NoNetwork {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async { Err(HttpFailure::Unreachable) })
    }
}

/// Counts the calls that a phone makes.
struct Counted {
    inner: SystemHttp,
    calls: AtomicUsize,
}

impl Counted {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: SystemHttp::new().unwrap(), calls: AtomicUsize::new(0) })
    }

    /// How many there were since the last time.
    fn take(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }
}

impl Http for Counted {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.inner.send(request)
    }
}

/// The contractor's app is started anew, out of reach of any network.
fn out_of_reach(house: &mut House) {
    let between = Between { http: Some(Arc::new(NoNetwork)), ..Between::default() };
    house.contractor = house.device.start_between(&house.town.surroundings(), between).unwrap();
}

/// A second listing with a lockbox of its own, next door.
async fn next_door(house: &House) -> (Arc<Lockbox>, String) {
    let new = cast::lockbox(cast::OTHER_BOX, LockboxGeneration::Ble, "always");
    let lockbox = house.town.add_lockbox(&new).await.unwrap();
    let core = &house.agent.core;
    core.sync_now().await.unwrap();
    let listing = core.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap().id;
    let since = house.town.clock.now();
    core.assign_lockbox(listing.clone(), cast::OTHER_BOX.into(), since, cast::REGION.into()).await.unwrap();
    (lockbox, listing)
}

/// The agent grants access to a listing to the contractor.
async fn grant_at(house: &House, listing: &str, from: i64, to: i64) -> Grant {
    let flow = house.agent.core.start_grant(listing.into()).await.unwrap();
    flow.fill_form(cast::CONTRACTOR_EMAIL.into(), from, to).unwrap();
    match flow.authenticate(cast::AGENT_PIN.into()).await.unwrap() {
        GrantStep::Done { grant, .. } => grant,
        step => panic!("{step:?}"),
    }
}

/// As the agent's app shows it after a sync.
async fn seen_by_granter(house: &House, id: &str) -> Grant {
    let core = &house.agent.core;
    house.town.clock.scene(core.sync_now()).await.unwrap();
    core.grants().await.unwrap().into_iter().find(|it| it.id == id).unwrap()
}
