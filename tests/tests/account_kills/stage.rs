//! Where one run is played, and what a flow is made of.

use std::{future::Future, pin::Pin, sync::Arc};

use sentri_core::{
    CoreError, SentriCore,
    api::types::{App, SyncState},
    http::{Http, HttpFailure, HttpRequest, HttpResponse},
    open::PhoneChecks,
    ports::BoxFuture,
};
use sentri_sandbox::phone::{Between, Device, Phone};
use sentri_tests::{
    Trouble,
    fuse::Fuse,
    template::{HouseCopy, Template},
    wires::Wires,
};

/// The stage of one run.
pub(crate) struct Stage {
    pub(crate) copy: HouseCopy,
    pub(crate) way: Arc<Wires>,
    /// A device that has never run the app.
    pub(crate) new_device: Device,
}

pub(crate) type Played<'a> = Pin<Box<dyn Future<Output = Result<(), Trouble>> + 'a>>;

/// One thing that people do, and what must hold afterwards, killed or not.
pub(crate) struct Flow {
    pub(crate) name: &'static str,
    /// Whose app it is.
    pub(crate) whose: Whose,
    /// What is done before, with nothing going wrong.
    pub(crate) before: for<'a> fn(&'a mut Stage) -> Played<'a>,
    /// What is done until the phone dies.
    pub(crate) live: for<'a> fn(&'a Stage, &'a Phone) -> Played<'a>,
    /// What holds with the app started anew.
    pub(crate) after: for<'a> fn(&'a mut Stage, &'a Phone) -> Played<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Agents,
    Contractors,
    New,
}

impl Stage {
    pub(crate) async fn set(template: &Template, seed: u64) -> Self {
        let copy = template.copy(seed).await.unwrap();
        let way = Wires::healed(&copy.town);
        let new_device = copy.town.device("A new phone", App::Connect, PhoneChecks::Enforced);
        Self { copy, way, new_device }
    }

    pub(crate) fn start(&mut self, whose: Whose, between: Between) -> Phone {
        let around = self.copy.town.surroundings();
        let between = Between { http: between.http.or_else(|| Some(self.way.clone())), ..between };
        let device = match whose {
            Whose::Agents => &mut self.copy.agent,
            Whose::Contractors => &mut self.copy.contractor,
            Whose::New => &mut self.new_device,
        };
        device.start_between(&around, between).unwrap()
    }

    pub(crate) fn start_fused(&mut self, whose: Whose, fuse: &Arc<Fuse>) -> Phone {
        let keys = match whose {
            Whose::Agents => self.copy.agent.keys(),
            Whose::Contractors => self.copy.contractor.keys(),
            Whose::New => self.new_device.keys(),
        };
        let between = fuse.between(keys, self.way.clone());
        self.start(whose, between)
    }

    pub(crate) async fn synced(&self, core: &SentriCore) -> Result<SyncState, CoreError> {
        Ok(self.copy.town.clock.scene(core.sync_now()).await?.state)
    }

    /// Logs in with whichever of the names and passwords holds now.
    pub(crate) async fn logs_in(&self, core: &SentriCore, names: &[&str], passwords: &[&str]) {
        for name in names {
            for password in passwords {
                match core.login_contractor((*name).into(), (*password).into()).await {
                    Ok(_) => {
                        let state = self.synced(core).await;
                        assert!(matches!(state, Ok(SyncState::Current { .. })), "{state:?}");
                        return;
                    }
                    Err(CoreError::WrongCredentials) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
        panic!("nobody can log in any more");
    }

    pub(crate) async fn registered(&self, core: &SentriCore) -> usize {
        let text = core.export_personal_data().await.unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["devices"].as_array().unwrap().len()
    }
}

/// A phone in the woods.
pub(crate) struct NoNetwork;

impl Http for NoNetwork {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async { Err(HttpFailure::Unreachable) })
    }
}
