//! What every request passes first: the limit for its address, and the lowest version of its app.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sentri_wire::problem::ProblemCode;

use super::{Shared, versions};
use crate::refusal::{Answer, Refusal};

/// What the checks need.
#[derive(Clone)]
pub struct Guard {
    app: Shared,
    limiter: Option<Arc<DefaultKeyedRateLimiter<IpAddr>>>,
}

impl Guard {
    /// As configured.
    pub fn new(app: &Shared) -> Self {
        let limit = app.config.rate_limit;
        let limiter = NonZeroU32::new(limit.per_second).map(|per_second| {
            let burst = NonZeroU32::new(limit.burst).unwrap_or(per_second);
            Arc::new(RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst)))
        });
        Self { app: app.clone(), limiter }
    }

    fn judge(&self, request: &Request) -> Answer<()> {
        if let Some(limiter) = &self.limiter {
            // A call within the process has no address and no limit.
            let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
            if address.is_some_and(|address| limiter.check_key(&address).is_err()) {
                return Err(Refusal::new(ProblemCode::SlowDown).retry_after(1));
            }
        }
        versions::judge(&self.app.config.minimum_versions, request.headers(), None)
    }
}

/// Judges a request, passes it on, and logs it: the route's template, never the path with its ids.
pub async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut response = match guard.judge(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    // Answers hold credentials and personal data; nothing on the way may keep them.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tracing::info!(
        %method,
        route = route.as_deref().unwrap_or("-"),
        status = response.status().as_u16(),
        micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
