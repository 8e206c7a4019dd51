//! Figures for Prometheus: requests by route, deliveries, what waits in the outbox. Nothing in them names a person.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::{
    service::App,
    store::outbox::{self, PostKind},
};

/// All figures of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    deliveries: Family<Delivered, Counter>,
    waiting: Family<Kind, Gauge>,
    oldest: Family<Kind, Gauge>,
    hashes: Gauge,
    database: Gauge,
}

/// Labels of a request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

/// Labels of a duration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Labels of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivered {
    kind: &'static str,
    outcome: &'static str,
}

/// Labels of what waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sentri"),
            requests: Family::default(),
            // From half a millisecond to 8 seconds.
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 15))),
            deliveries: Family::default(),
            waiting: Family::default(),
            oldest: Family::default(),
            hashes: Gauge::default(),
            database: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        let seconds = self.seconds.clone();
        registry.register_with_unit("request", "Time to answer a request", Unit::Seconds, seconds);
        registry.register("deliveries", "Mails, texts and pushes handed over", self.deliveries.clone());
        registry.register("outbox_waiting", "Posts that wait to be delivered", self.waiting.clone());
        let oldest = self.oldest.clone();
        registry.register_with_unit(
            "outbox_oldest",
            "Age of the oldest post that waits",
            Unit::Seconds,
            oldest,
        );
        let hashes = self.hashes.clone();
        registry.register("password_checks", "Passwords and PINs checked since the start", hashes);
        registry.register("database_up", "Whether the database answers", self.database.clone());
    }

    /// Counts an attempt to deliver something.
    pub(crate) fn delivery(&self, kind: PostKind, done: bool) {
        let outcome = if done { "delivered" } else { "failed" };
        self.deliveries.get_or_create(&Delivered { kind: name(kind), outcome }).inc();
    }

    /// All figures as Prometheus reads them. What the database tells is asked for now.
    pub(crate) async fn text(&self, app: &App) -> String {
        let hashes = i64::try_from(app.passwords.verifications()).unwrap_or(i64::MAX);
        self.hashes.set(hashes);
        self.database.set(i64::from(self.look(app).await.is_ok()));
        let mut page = String::new();
        // Writing to a String can't fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }

    async fn look(&self, app: &App) -> sqlx::Result<()> {
        let mut conn = app.store.read().await?;
        let rows = outbox::waiting(&mut conn).await?;
        for kind in [PostKind::Mail, PostKind::Text, PostKind::Push] {
            let row = rows.iter().find(|row| row.kind.0 == kind);
            let labels = Kind { kind: name(kind) };
            self.waiting.get_or_create(&labels).set(row.map_or(0, |row| row.posts));
            self.oldest.get_or_create(&labels).set(row.map_or(0, |row| (app.now() - row.since).max(0)));
        }
        Ok(())
    }
}

fn name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Mail => "mail",
        PostKind::Text => "text",
        PostKind::Push => "push",
    }
}

/// Counts a request: by the route's template, never by the path with its ids.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let response = next.run(request).await;
    metrics.seconds.get_or_create(&Route { route: route.clone() }).observe(begun.elapsed().as_secs_f64());
    // A method that no route knows is a stranger's word, and would be a series of its own.
    let method = if route == "none" { "other".to_owned() } else { method };
    let status = response.status().as_u16();
    metrics.requests.get_or_create(&Answered { method, route, status }).inc();
    response
}
