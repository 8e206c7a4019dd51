//! A listings feed as an MLS offers it: the RESO Web API's `Property` resource over OData, with the names of the RESO
//! Data Dictionary. It serves what it is given, also what is wrong, and fails on demand.

mod answer;
mod faults;
mod properties;
mod query;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, routing::get};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    faults::Fault,
    properties::{property, timestamp},
};

/// The path of the one resource.
pub const PATH: &str = "/odata/Property";
/// Records of a page where nobody says otherwise.
const PAGE: usize = 200;

/// A feed that listens on loopback until it is dropped.
pub struct Feed {
    shelf: Arc<Shelf>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// What is served, and how.
pub(crate) struct Shelf {
    state: Mutex<State>,
    bearer: String,
}

/// What changes while it serves.
#[derive(Default)]
pub(crate) struct State {
    /// By `ListingKey`, or by place in the order of putting where a record has none.
    records: BTreeMap<String, Value>,
    /// What goes wrong with the next answers, one after the other.
    faults: VecDeque<Fault>,
    /// Most records of a page, whatever is asked for.
    largest_page: usize,
    /// Whether `$top` bounds the whole answer, as OData has it, so that no `@odata.nextLink` leads past it.
    has_strict_top: bool,
    /// Query strings as they came.
    requests: Vec<String>,
    /// Keys of the page before.
    last_page: Vec<Value>,
}

impl Shelf {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed {
    /// Listens on a free port of this machine. Whoever asks must bear the token.
    pub async fn start(bearer: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = State { largest_page: PAGE, ..State::default() };
        let shelf = Arc::new(Shelf { state: Mutex::new(state), bearer: bearer.to_owned() });
        let router = Router::new().route(PATH, get(answer::answer)).with_state(shelf.clone());
        let serving = tokio::spawn(async move {
            // It ends with the process, or where the feed is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { shelf, address, serving })
    }

    /// Where its `Property` resource is.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Offers a record, in the place of one with the same `ListingKey`.
    pub fn put(&self, record: Value) {
        let mut state = self.shelf.state();
        let place = state.records.len();
        let key = record.get("ListingKey").and_then(Value::as_str);
        let key = key.map_or_else(|| format!("#{place}"), str::to_owned);
        state.records.insert(key, record);
    }

    /// Offers all of them.
    pub fn put_all(&self, records: impl IntoIterator<Item = Value>) {
        for record in records {
            self.put(record);
        }
    }

    /// Changes one field of a record, and says so by its `ModificationTimestamp` in Unix seconds.
    pub fn change(&self, key: &str, field: &str, value: Value, at: i64) {
        if let Some(Value::Object(record)) = self.shelf.state().records.get_mut(key) {
            record.insert(field.to_owned(), value);
            record.insert("ModificationTimestamp".to_owned(), timestamp(at).into());
        }
    }

    /// Offers a record no more, without a word. False where there was none.
    pub fn remove(&self, key: &str) -> bool {
        self.shelf.state().records.remove(key).is_some()
    }

    /// What is offered, by `ListingKey`.
    pub fn records(&self) -> Vec<Value> {
        self.shelf.state().records.values().cloned().collect()
    }

    /// Lets the next answers go wrong, one fault each, after those that were said before.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shelf.state().faults.extend(faults);
    }

    /// Sets the most records of a page.
    pub fn set_largest_page(&self, records: usize) {
        self.shelf.state().largest_page = records.max(1);
    }

    /// Bounds the whole answer by `$top`, as the letter of OData has it; most feeds take it for a page's size.
    pub fn set_strict_top(&self) {
        self.shelf.state().has_strict_top = true;
    }

    /// The query strings that came since the last time this was asked.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shelf.state().requests)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
