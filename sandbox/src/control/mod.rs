//! The control API: what a person does with hands (press keys, put cards in, pull batteries, carry a phone away) and
//! what only a sandbox can do (move clocks, read a lock's own counters), over HTTP on loopback. See `docs/sandbox.md`.

mod answers;
mod cards;
mod guard;
mod handlers;
mod market;
mod operator;
mod radio_socket;
mod residences;

use std::{future::Future, sync::Arc};

use axum::{
    Router, middleware,
    routing::{delete, get, post},
};
use tokio::net::TcpListener;

use crate::town::Town;

pub use answers::{LightSeen, LockboxSeen, Trouble};

/// The routes, over a town that is served.
pub fn router(town: Arc<Town>) -> Router {
    Router::new()
        .route("/", get(handlers::page))
        .route("/state", get(handlers::state))
        .route("/lockboxes", get(handlers::lockboxes).post(operator::hang_lockbox))
        .route("/lockboxes/{serial}", get(handlers::lockbox))
        .route("/lockboxes/{serial}/keys", post(handlers::keys))
        .route("/lockboxes/{serial}/battery", post(handlers::battery))
        .route("/lockboxes/{serial}/clock", post(handlers::lock_clock))
        .route("/lockboxes/{serial}/motor", post(operator::motor))
        .route("/lockboxes/{serial}/card", post(cards::insert).delete(cards::take_out))
        .route("/cards", get(cards::cards))
        .route("/cards/{sentrikey_id}/renewals", post(cards::renew))
        .route("/agents", post(operator::add_agent))
        .route("/agents/{sentrikey_id}/standing", post(operator::set_standing))
        .route("/residents", post(residences::move_in))
        .route("/hubs/{serial}/turns", post(residences::turn))
        .route("/clock", get(handlers::clock).post(handlers::move_clock))
        .route("/network", get(handlers::network).post(handlers::set_network))
        .route("/feed", get(market::feed))
        .route("/feed/listings", post(market::list))
        .route("/feed/listings/{key}", delete(market::drop_listing))
        .route("/feed/faults", post(market::set_faults))
        .route("/feed/import", post(market::import))
        .route("/mails", get(handlers::mails))
        .route("/texts", get(handlers::texts))
        .route("/radio", get(radio_socket::upgrade))
        .route("/radio/knobs", get(handlers::knobs).post(handlers::set_knobs))
        .fallback(handlers::no_such_route)
        .method_not_allowed_fallback(handlers::no_such_method)
        .layer(middleware::from_fn(guard::only_this_machine))
        .with_state(town)
}

/// Serves the control API until `stop` ends.
pub async fn serve(
    listener: TcpListener,
    town: Arc<Town>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(town)).with_graceful_shutdown(stop).await
}
