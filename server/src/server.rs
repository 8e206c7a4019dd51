//! Starting and stopping a backend: database, outbox, listener.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, middleware};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{
    config::Config,
    growing_ids::GrowingIds,
    http,
    metrics::{self, Metrics},
    operations::{self, Operations},
    outbox::{self, Carriers, SmtpCarrier, WebhookCarrier},
    passwords::Passwords,
    ports::Ports,
    refusal::{Answer, Refusal},
    service::{
        App,
        guessing::Turns,
        operator::Operator,
        reso::{self, ListingsImported, Sources},
        retention::{self, Pruned},
    },
    store::{self, Store, StoreError, schema::Schema},
    vault::{Vault, VaultError},
};

/// How long requests that are being answered may take when the listener stops.
const GRACE: Duration = Duration::from_secs(5);
/// How often the clock is looked at for what is done once a day.
const LOOK: Duration = Duration::from_secs(60);

/// Why a backend does not start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no usable master key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The address is taken, or not this machine's.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the configuration can't be used.
    #[error("{0}")]
    Config(String),
}

/// A backend.
pub struct Server;

impl Server {
    /// Opens the database, starts the outbox, and listens.
    pub async fn start(config: Config, ports: Ports) -> Result<Running, StartError> {
        let mut running = Self::open(config, ports).await?;
        running.start_listener().await?;
        running.start_operations().await?;
        running.start_housekeeping();
        running.start_importing();
        if running.app.config.deliver {
            running.start_outbox().await?;
        }
        Ok(running)
    }

    /// Opens the database only: for an operator's command, and for calling the router within the process.
    pub async fn open(config: Config, ports: Ports) -> Result<Running, StartError> {
        http::validate_versions(&config.minimum_versions).map_err(StartError::Config)?;
        let vault = Vault::load(config.master_key_file.as_deref(), ports.randomness.clone())?;
        let mut name = [0; 8];
        ports.randomness.fill(&mut name);
        let store = Store::open(&config.database, &hex::encode(name), config.migrate)
            .await?
            .with_ports(ports.clock.clone(), ports.crashes.clone());
        let passwords = Passwords::new(ports.randomness.clone())
            .map_err(|error| StartError::Config(error.to_string()))?;
        let metrics = Arc::<Metrics>::default();
        let carriers = carriers(&config, &ports, &metrics)?;
        let sources = Sources::new(&config.listings_feed, ports.feed.clone()).map_err(StartError::Config)?;
        let app = Arc::new(App {
            store,
            config,
            vault,
            passwords,
            clock: ports.clock,
            randomness: ports.randomness,
            turns: Turns::default(),
            sources,
            growing_ids: GrowingIds::default(),
            uploads: Arc::default(),
        });
        let observed = middleware::from_fn_with_state(metrics, metrics::observe);
        let router = http::router(&app).layer(observed);
        let (address, operations_address) = (app.config.bind, app.config.operations_bind);
        Ok(Running {
            app,
            router,
            carriers,
            address,
            operations_address,
            listener: None,
            operations: None,
            outbox: None,
            housekeeping: None,
            importing: None,
            stopping: Arc::default(),
        })
    }

    /// Whether a server could start with this configuration, as far as can be told without its database.
    pub fn check(config: &Config, ports: &Ports) -> Result<(), StartError> {
        http::validate_versions(&config.minimum_versions).map_err(StartError::Config)?;
        Vault::load(config.master_key_file.as_deref(), ports.randomness.clone())?;
        Sources::new(&config.listings_feed, ports.feed.clone()).map_err(StartError::Config)?;
        carriers(config, ports, &Arc::default()).map(drop)
    }

    /// Which schema the configured database has. Changes nothing.
    pub async fn schema(config: &Config) -> Result<Schema, StartError> {
        Ok(Schema::read(&config.database).await?)
    }
}

/// What is passed in comes before what the configuration names.
fn carriers(config: &Config, ports: &Ports, metrics: &Arc<Metrics>) -> Result<Carriers, StartError> {
    let smtp = config.smtp.as_ref().map(SmtpCarrier::new).transpose().map_err(StartError::Config)?;
    let webhook = config.webhook.as_ref().map(|it| WebhookCarrier::new(it, ports.clock.clone()));
    let webhook = webhook.transpose().map_err(StartError::Config)?.map(Arc::new);
    Ok(Carriers {
        mail: ports.mail.clone().or_else(|| smtp.map(|it| Arc::new(it) as _)),
        text: ports.text.clone().or_else(|| webhook.clone().map(|it| it as _)),
        push: ports.push.clone().or_else(|| webhook.map(|it| it as _)),
        metrics: metrics.clone(),
        turn: Arc::default(),
    })
}

/// A backend that runs. Dropped, it stops at once, as if it was killed.
pub struct Running {
    app: Arc<App>,
    router: Router,
    carriers: Carriers,
    address: SocketAddr,
    operations_address: Option<SocketAddr>,
    listener: Option<Listener>,
    operations: Option<Listener>,
    outbox: Option<Delivering>,
    housekeeping: Option<JoinHandle<()>>,
    importing: Option<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

/// A task that answers requests on one address.
struct Listener {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Listens; says where, since port 0 takes a free one.
    async fn start(address: SocketAddr, router: Router) -> Result<(Self, SocketAddr), StartError> {
        let unusable = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let serving = axum::serve(listener, service).with_graceful_shutdown(async {
                // Also where the sender is dropped.
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the listener failed");
            }
        });
        Ok((Self { stop, task }, address))
    }

    /// Connections end once their request is answered, and new ones are refused.
    async fn stop(mut self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// The task that delivers what is in the outbox.
struct Delivering {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens, or listened last.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the operator looks, if anywhere.
    pub fn operations_addr(&self) -> Option<SocketAddr> {
        self.operations_address
    }

    /// Listens, again on the same port where it listened before.
    pub async fn start_listener(&mut self) -> Result<(), StartError> {
        if self.listener.is_none() {
            let (listener, address) = Listener::start(self.address, self.router.clone()).await?;
            (self.listener, self.address) = (Some(listener), address);
        }
        Ok(())
    }

    /// Stops listening: connections end once their request is answered, and new ones are refused.
    pub async fn stop_listener(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.stop().await;
        }
    }

    /// Answers the operator, where the configuration names an address for that.
    async fn start_operations(&mut self) -> Result<(), StartError> {
        let (Some(address), None) = (self.operations_address, &self.operations) else { return Ok(()) };
        let (app, metrics) = (self.app.clone(), self.carriers.metrics.clone());
        let router = operations::router(Operations { app, metrics, stopping: self.stopping.clone() });
        let (listener, address) = Listener::start(address, router).await?;
        (self.operations, self.operations_address) = (Some(listener), Some(address));
        Ok(())
    }

    /// Delivers from now on what is in the outbox.
    pub async fn start_outbox(&mut self) -> Result<(), StartError> {
        if self.outbox.is_none() {
            self.end_leases().await.map_err(StoreError::from)?;
            let (stop, stopped) = watch::channel(false);
            let posted = self.app.store.posted();
            let running = outbox::run(self.app.clone(), self.carriers.clone(), posted, stopped);
            self.outbox = Some(Delivering { stop, task: tokio::spawn(running) });
        }
        Ok(())
    }

    /// What this instance had in hand when it was killed is to be delivered at once. What others have is theirs.
    async fn end_leases(&self) -> sqlx::Result<()> {
        let mut tx = self.app.store.write().await?;
        store::outbox::end_leases(tx.conn(), &self.app.config.instance).await?;
        tx.commit().await
    }

    /// Ends the delivery in hand, and leaves the rest to whoever comes next.
    async fn stop_outbox(&mut self) {
        let Some(Delivering { stop, mut task }) = self.outbox.take() else { return };
        let _ = stop.send(true);
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
            let _ = task.await;
        }
        if let Err(error) = self.end_leases().await {
            tracing::warn!(%error, "what was in hand is delivered only once its lease has ended");
        }
    }

    /// Once a day, from now on, deletes what is older than logs are kept.
    fn start_housekeeping(&mut self) {
        let app = self.app.clone();
        self.housekeeping = Some(tokio::spawn(async move {
            loop {
                if let Err(error) = retention::prune_if_due(&app).await {
                    tracing::error!(%error, "old logs can't be deleted");
                }
                tokio::time::sleep(LOOK).await;
            }
        }));
    }

    /// From now on reads the listings feeds that are due.
    fn start_importing(&mut self) {
        if self.app.config.import_listings && !self.app.sources.all().is_empty() {
            self.importing = Some(tokio::spawn(reso::run(self.app.clone())));
        }
    }

    /// Reads the listings feeds that are due now. Says what came of it. The running server does it by itself.
    pub async fn import_due(&self) -> Answer<Vec<ListingsImported>> {
        reso::import_due(&self.app).await
    }

    /// Deletes what is older than logs are kept, where that was not done within a day. Says what went. The running
    /// server does it by itself.
    pub async fn prune_if_due(&self) -> Answer<Option<Pruned>> {
        retention::prune_if_due(&self.app).await
    }

    /// Delivers what is due now, once what this server delivers by itself is out, and says how many were delivered. For
    /// tests and for operators.
    pub async fn deliver_due(&self) -> Result<usize, Refusal> {
        outbox::deliver_due(&self.app, &self.carriers).await
    }

    /// The API as a tower service, to be called without a network.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The operator's commands.
    pub fn operator(&self) -> Operator<'_> {
        Operator::new(&self.app)
    }

    /// What the rules stand on, for the bench.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The same, to be kept.
    pub(crate) fn shared(&self) -> Arc<App> {
        self.app.clone()
    }

    /// How many password and PIN verifications were made.
    pub fn password_verifications(&self) -> u64 {
        self.app.passwords.verifications()
    }

    /// How many rows syncs have read.
    pub fn rows_read(&self) -> u64 {
        self.app.store.rows_read()
    }

    /// How the database finds the rows of a sync page, for the bench: SQLite only.
    pub async fn explain_sync(&self) -> Answer<Vec<String>> {
        Ok(self.app.store.explain_page().await?)
    }

    /// Stops as an operator stops it: a balancer is told first, requests are answered, the mail in hand is sent, files
    /// are closed. What is in the outbox stays there.
    pub async fn stop(mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.stop_listener().await;
        self.stop_outbox().await;
        for task in [self.housekeeping.take(), self.importing.take()].into_iter().flatten() {
            task.abort();
            let _ = task.await;
        }
        if let Some(operations) = self.operations.take() {
            operations.stop().await;
        }
        self.app.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for listener in [self.listener.take(), self.operations.take()].into_iter().flatten() {
            listener.task.abort();
        }
        if let Some(outbox) = self.outbox.take() {
            outbox.task.abort();
        }
        for task in [self.housekeeping.take(), self.importing.take()].into_iter().flatten() {
            task.abort();
        }
    }
}
