//! Which of an agent's own lockboxes was pressed ENT on: the phone hears it, the backend knows it. [LST-3]
//!
//! An agent's phone holds no keys of boxes that it need not open, so it can't tell them apart by itself; assigning needs
//! network anyhow.

use std::{collections::HashSet, sync::Arc, time::Duration};

use sentri_protocol::advert::Advert;
use sentri_wire::{Binary, agent::Lockbox, problem::ProblemCode, settings::LockboxSearch};
use tokio::sync::{broadcast, watch};

use super::{
    hub::{LinkHub, Overheard},
    radio::Adapter,
};
use crate::{CoreError, Ports, api::ports::LockLink, http::Call, ports::Clock, session::Session};

/// How long it is listened for a press of ENT.
const LISTEN: Duration = Duration::from_secs(60);
/// Presses of ENT that the backend is asked about at most: of more, none was meant.
const MOST_ASKED: usize = 16;

type Found = Option<Result<Lockbox, CoreError>>;

/// A search that goes on, or is over.
pub struct Finding {
    found: watch::Receiver<Found>,
    stop: watch::Sender<bool>,
}

impl Finding {
    /// Begins to listen.
    pub async fn start(session: Arc<Session>, ports: &Ports, hub: &Arc<LinkHub>) -> Result<Self, CoreError> {
        let (overheard, adapter) = (hub.overhear(), Adapter::new(ports));
        adapter.command(Box::new(LockLink::start_scan)).await?;
        let (tell, found) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let search = Search { session, overheard, asked: HashSet::new() };
        let (clock, hub) = (ports.clock.clone(), hub.clone());
        ports.workers.spawn(Box::pin(async move {
            let found = search.until(stopped, &*clock).await;
            if !hub.is_listened_to() {
                // A search that does not end costs battery, and nothing else.
                let _ = adapter.command(Box::new(LockLink::stop_scan)).await;
            }
            tell.send_replace(Some(found));
        }));
        Ok(Self { found, stop })
    }

    /// The box, or why none was found.
    pub async fn result(&self) -> Result<Lockbox, CoreError> {
        let mut found = self.found.clone();
        let found = found.wait_for(Option::is_some).await.map_err(|_| CoreError::Cancelled)?;
        found.clone().unwrap_or(Err(CoreError::Cancelled))
    }

    /// Ends the search.
    pub fn cancel(&self) {
        self.stop.send_replace(true);
    }
}

struct Search {
    session: Arc<Session>,
    overheard: broadcast::Receiver<Overheard>,
    /// An advert repeats for as long as its box is awake.
    asked: HashSet<Vec<u8>>,
}

impl Search {
    async fn until(
        mut self,
        mut stopped: watch::Receiver<bool>,
        clock: &dyn Clock,
    ) -> Result<Lockbox, CoreError> {
        tokio::select! {
            biased;
            // An error is a dropped handle, which ends the search as well.
            _ = stopped.wait_for(|stopped| *stopped) => Err(CoreError::Cancelled),
            found = self.found() => found,
            () = clock.sleep(LISTEN) => Err(CoreError::NoLockboxHeard),
        }
    }

    async fn found(&mut self) -> Result<Lockbox, CoreError> {
        loop {
            let payload = match self.overheard.recv().await {
                Ok(overheard) => overheard.payload,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return Err(CoreError::Cancelled),
            };
            let is_lock = Advert::decode(&payload).is_ok_and(|advert| !advert.flags.service_only);
            if !is_lock || self.asked.len() >= MOST_ASKED || !self.asked.insert(payload.clone()) {
                continue;
            }
            let call = Call::post("/v1/lockbox-search", &LockboxSearch { advert: Binary::from(payload) })?;
            match self.session.call(&call.repeatable()).await {
                Ok(lockbox) => return Ok(lockbox),
                // Somebody else's, pressed next door.
                Err(error) if error.code() == Some(ProblemCode::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
