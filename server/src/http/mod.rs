//! The JSON API. Router and OpenAPI document come from one list, [`endpoints`].

mod account_handlers;
mod account_routes;
mod box_handlers;
mod box_routes;
mod code_handlers;
mod code_routes;
mod endpoint;
mod extract;
mod guard;
mod handlers;
mod hub_handlers;
mod hub_routes;
mod residence_handlers;
mod residence_routes;
mod routes;
mod versions;

use std::sync::Arc;

use axum::{Router, middleware};
pub use endpoint::{Access, Endpoint};
pub(crate) use extract::Auth;
pub use routes::endpoints;
use utoipa::openapi::OpenApi;
pub(crate) use versions::validate as validate_versions;

use crate::{refusal::Refusal, service::App};

/// What every handler gets.
pub(crate) type Shared = Arc<App>;

/// The router for a backend.
pub(crate) fn router(app: &Shared) -> Router {
    let mut router = Router::new();
    for endpoint in endpoints() {
        let handler = match endpoint.feature {
            Some(feature) => {
                let needed = versions::Needed { app: app.clone(), feature };
                endpoint.handler.route_layer(middleware::from_fn_with_state(needed, versions::check))
            }
            None => endpoint.handler,
        };
        router = router.route(endpoint.path, handler);
    }
    router
        .fallback(|| async { Refusal::not_found() })
        .method_not_allowed_fallback(|| async {
            Refusal::not_found().detail("There is no such method here.")
        })
        .layer(middleware::from_fn_with_state(guard::Guard::new(app), guard::check))
        .with_state(app.clone())
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    endpoint::document(endpoints())
}

/// The OpenAPI document as it is served and checked in.
pub fn document_json() -> String {
    let mut json = document().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

/// The status of each problem, for the document: all that any route can answer.
pub(crate) const PROBLEM_STATUS: [(u16, &str); 12] = [
    (400, "Not of the documented form."),
    (401, "No login, or an expired one."),
    (403, "Not allowed."),
    (404, "Not found, or not this account's."),
    (409, "Collides with what is there."),
    (410, "Used or expired."),
    (413, "Too large."),
    (422, "A value breaks a rule; `field` names it."),
    (426, "The app is too old."),
    (429, "Too many requests or wrong tries."),
    (500, "Something failed on our side."),
    (503, "The server's clock is not trusted."),
];
