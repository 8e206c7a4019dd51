//! Starting and stopping a backend: database, outbox, listener.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    config::Config,
    http,
    outbox::{self, Carriers, SmtpCarrier, WebhookCarrier},
    passwords::Passwords,
    ports::Ports,
    refusal::{Answer, Refusal},
    service::{
        App,
        guessing::Turns,
        operator::Operator,
        retention::{self, Pruned},
    },
    store::{self, Store, StoreError},
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
        running.start_housekeeping();
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
        let store = Store::open(&config.database, &hex::encode(name))
            .await?
            .with_ports(ports.clock.clone(), ports.crashes.clone());
        let passwords = Passwords::new(ports.randomness.clone())
            .map_err(|error| StartError::Config(error.to_string()))?;
        let carriers = carriers(&config, &ports)?;
        let app = Arc::new(App {
            store,
            config,
            vault,
            passwords,
            clock: ports.clock,
            randomness: ports.randomness,
            turns: Turns::default(),
        });
        let router = http::router(&app);
        let address = app.config.bind;
        Ok(Running { app, router, carriers, address, listener: None, outbox: None, housekeeping: None })
    }
}

/// What is passed in comes before what the configuration names.
fn carriers(config: &Config, ports: &Ports) -> Result<Carriers, StartError> {
    let unusable = |error: outbox::DeliveryError| StartError::Config(error.to_string());
    let smtp = config.smtp.as_ref().map(SmtpCarrier::new).transpose().map_err(unusable)?.map(Arc::new);
    let webhook =
        config.webhook.as_ref().map(WebhookCarrier::new).transpose().map_err(unusable)?.map(Arc::new);
    Ok(Carriers {
        mail: ports.mail.clone().or_else(|| smtp.map(|it| it as _)),
        text: ports.text.clone().or_else(|| webhook.clone().map(|it| it as _)),
        push: ports.push.clone().or_else(|| webhook.map(|it| it as _)),
    })
}

/// A backend that runs. Dropped, it stops at once, as if it was killed.
pub struct Running {
    app: Arc<App>,
    router: Router,
    carriers: Carriers,
    address: SocketAddr,
    listener: Option<Listener>,
    outbox: Option<JoinHandle<()>>,
    housekeeping: Option<JoinHandle<()>>,
}

struct Listener {
    stop: oneshot::Sender<()>,
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

    /// Listens, again on the same port where it listened before.
    pub async fn start_listener(&mut self) -> Result<(), StartError> {
        if self.listener.is_some() {
            return Ok(());
        }
        let unusable = |source| StartError::Listen { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(unusable)?;
        self.address = listener.local_addr().map_err(unusable)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let serving = axum::serve(listener, service).with_graceful_shutdown(async {
                // Also where the sender is dropped.
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the listener failed");
            }
        });
        self.listener = Some(Listener { stop, task });
        Ok(())
    }

    /// Stops listening: connections end once their request is answered, and new ones are refused.
    pub async fn stop_listener(&mut self) {
        let Some(Listener { stop, mut task }) = self.listener.take() else { return };
        let _ = stop.send(());
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }

    /// Delivers from now on what is in the outbox.
    pub async fn start_outbox(&mut self) -> Result<(), StartError> {
        if self.outbox.is_none() {
            self.end_leases().await.map_err(StoreError::from)?;
            let posted = self.app.store.posted();
            self.outbox = Some(tokio::spawn(outbox::run(self.app.clone(), self.carriers.clone(), posted)));
        }
        Ok(())
    }

    /// With SQLite, what a killed server had taken in hand is ours at once: it was the only one.
    async fn end_leases(&self) -> sqlx::Result<()> {
        if !self.app.store.is_embedded() {
            return Ok(());
        }
        let mut tx = self.app.store.write().await?;
        store::outbox::end_leases(tx.conn(), self.app.now()).await?;
        tx.commit().await
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

    /// Deletes what is older than logs are kept, where that was not done within a day. Says what went. The running
    /// server does it by itself.
    pub async fn prune_if_due(&self) -> Answer<Option<Pruned>> {
        retention::prune_if_due(&self.app).await
    }

    /// Delivers what is due now, and says how many were delivered. For tests and for operators.
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

    /// Stops as an operator stops it: requests are answered, files closed. What is in the outbox stays there.
    pub async fn stop(mut self) {
        self.stop_listener().await;
        if let Some(outbox) = self.outbox.take() {
            outbox.abort();
            let _ = outbox.await;
        }
        if let Some(housekeeping) = self.housekeeping.take() {
            housekeeping.abort();
            let _ = housekeeping.await;
        }
        self.app.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.task.abort();
        }
        if let Some(outbox) = self.outbox.take() {
            outbox.abort();
        }
        if let Some(housekeeping) = self.housekeeping.take() {
            housekeeping.abort();
        }
    }
}
