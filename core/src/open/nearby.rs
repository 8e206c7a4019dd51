//! Which of the account's lockboxes are awake nearby: a list that follows the adverts.

use std::{sync::Arc, time::Duration};

use sentri_protocol::advert::Advert;
use tokio::sync::{broadcast, watch};

use super::{
    held::Held,
    hub::{LinkHub, Overheard},
    radio::Adapter,
};
use crate::{CoreError, Ports, api::ports::LockLink, order::ordered, ports::Clock, session::Session};

/// A box that was not heard for so long is asleep or out of reach.
const FORGET: Duration = Duration::from_secs(5);
/// Between two looks at what to forget. An open that ended may have ended the search: it is begun anew.
const LOOK: Duration = Duration::from_secs(1);

/// A lockbox of the account's that is awake nearby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The box.
    pub lockbox: String,
    /// Signal strength in dBm, as last heard.
    pub rssi: i16,
}

/// What the list comes to.
pub type Listed = Result<Vec<Near>, CoreError>;

/// The list, as long as it lives.
pub struct Nearby {
    list: watch::Receiver<Listed>,
    stop: watch::Sender<bool>,
}

impl Nearby {
    /// Begins to search.
    pub async fn start(session: &Session, ports: &Ports, hub: &Arc<LinkHub>) -> Result<Self, CoreError> {
        let held = session.read(Held::read).await?;
        let overheard = hub.overhear();
        let (tell, list) = watch::channel(Ok(Vec::new()));
        let (stop, stopped) = watch::channel(false);
        let (adapter, clock) = (Adapter::new(ports), ports.clock.clone());
        let search = Search { held, adapter, clock, hub: hub.clone(), tell, heard: Vec::new() };
        search.adapter.command(Box::new(LockLink::start_scan)).await?;
        ports.workers.spawn(Box::pin(search.run(overheard, stopped)));
        Ok(Self { list, stop })
    }

    /// The list, and each one after it.
    pub fn list(&self) -> watch::Receiver<Listed> {
        self.list.clone()
    }

    /// Ends the search; dropping it does the same.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

struct Search {
    held: Held,
    adapter: Adapter,
    clock: Arc<dyn Clock>,
    hub: Arc<LinkHub>,
    tell: watch::Sender<Listed>,
    heard: Vec<(Near, Duration)>,
}

impl Search {
    async fn run(
        mut self,
        mut overheard: broadcast::Receiver<Overheard>,
        mut stopped: watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                biased;
                // An error is a dropped handle, which ends the search as well.
                _ = stopped.wait_for(|stopped| *stopped) => break,
                advert = overheard.recv() => match advert {
                    Ok(advert) => self.hear(&advert),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                () = self.clock.sleep(LOOK) => self.forget(),
            }
            if self.heard.is_empty() && !self.hub.is_listened_to() {
                // Fine where the search goes on already.
                if let Err(error) = self.adapter.command(Box::new(LockLink::start_scan)).await {
                    let _ = self.tell.send_replace(Err(error.into()));
                    return;
                }
            }
        }
        if !self.hub.is_listened_to() {
            let _ = self.adapter.command(Box::new(LockLink::stop_scan)).await;
        }
    }

    fn hear(&mut self, overheard: &Overheard) {
        let Ok(advert) = Advert::decode(&overheard.payload) else { return };
        let Some(lockbox) = self.held.recognise(&advert).map(str::to_owned) else { return };
        self.heard.retain(|(near, _)| near.lockbox != lockbox);
        self.heard.push((Near { lockbox, rssi: overheard.rssi }, self.clock.monotonic()));
        self.show();
    }

    fn forget(&mut self) {
        let now = self.clock.monotonic();
        self.heard.retain(|(_, at)| now.saturating_sub(*at) < FORGET);
        self.show();
    }

    fn show(&self) {
        let list = self.heard.iter().map(|(near, _)| near.clone()).collect();
        let list: Vec<Near> = ordered(list, |a: &Near, b| a.lockbox.cmp(&b.lockbox));
        self.tell.send_if_modified(|shown| {
            let changed = shown.as_ref() != Ok(&list);
            *shown = Ok(list);
            changed
        });
    }
}
