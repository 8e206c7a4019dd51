//! The network that phones and hubs of the sandbox reach the backend by: real HTTP, counted, and cut at will.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sentri_core::{
    http::{Http, HttpFailure, HttpRequest, HttpResponse, NoTls, SystemHttp},
    ports::BoxFuture,
};
use serde::Serialize;

use crate::clock::Clock;

/// What went between phones and backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exchanged {
    /// Requests that were answered.
    pub requests: usize,
    /// Bytes of their bodies.
    pub sent_bytes: usize,
    /// Bytes of the answers' bodies.
    pub received_bytes: usize,
}

/// The count, shared by all phones of a sandbox.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Exchanged>>);

impl Meter {
    /// What went since this was last asked.
    pub fn take(&self) -> Exchanged {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, sent: usize, received: usize) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.requests += 1;
        count.sent_bytes += sent;
        count.received_bytes += received;
    }
}

/// How often the network was cut: no connection outlives that.
#[derive(Clone, Debug, Default)]
pub struct Cuts(Arc<AtomicU64>);

impl Cuts {
    /// From now on connections of before are gone.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Real HTTP, counted; the simulated clock stands still while an exchange goes on.
///
/// A device's system closes the connections of a network that is gone. Here both ends are one machine, and whether the
/// phone hears in time that the other end was closed is the scheduler's to say: so a cut takes them along.
pub(crate) struct Network {
    connections: Mutex<(u64, Arc<SystemHttp>)>,
    cuts: Cuts,
    meter: Meter,
    clock: Clock,
}

impl Network {
    pub(crate) fn new(cuts: Cuts, meter: Meter, clock: Clock) -> Result<Self, NoTls> {
        let connections = (cuts.so_far(), Arc::new(SystemHttp::new()?)).into();
        Ok(Self { connections, cuts, meter, clock })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let _busy = self.clock.busy();
        let sent = request.body.as_ref().map_or(0, Vec::len);
        let http = self.connections().map_err(|NoTls| HttpFailure::Unreachable)?;
        let response = http.send(request).await?;
        self.meter.count(sent, response.body.len());
        Ok(response)
    }

    fn connections(&self) -> Result<Arc<SystemHttp>, NoTls> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let so_far = self.cuts.so_far();
        if connections.0 != so_far {
            *connections = (so_far, Arc::new(SystemHttp::new()?));
        }
        Ok(connections.1.clone())
    }
}

impl Http for Network {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.exchange(request))
    }
}
