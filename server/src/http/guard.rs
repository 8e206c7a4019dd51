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
use sentri_wire::{headers::CLIENT_VERSION, problem::ProblemCode};

use super::Shared;
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
        let Some(client) = request.headers().get(CLIENT_VERSION) else { return Ok(()) };
        let malformed = || {
            Refusal::new(ProblemCode::Malformed).field(CLIENT_VERSION).detail("It looks like agent/3.2.0.")
        };
        let (app, version) =
            client.to_str().ok().and_then(|text| text.split_once('/')).ok_or_else(malformed)?;
        let version = parse_version(version).ok_or_else(malformed)?;
        match self.app.config.minimum_versions.get(app) {
            Some(minimum) if parse_version(minimum).is_some_and(|minimum| version < minimum) => {
                Err(Refusal::new(ProblemCode::UpgradeRequired)
                    .detail(format!("This needs version {minimum} or newer.")))
            }
            _ => Ok(()),
        }
    }
}

/// Three numbers; a missing one is 0.
fn parse_version(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for (number, part) in version.iter_mut().zip(parts.by_ref()) {
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(version)
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

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_compare_by_number() {
        assert!(parse_version("2.10.0") > parse_version("2.8.0"));
        assert_eq!(parse_version("3"), Some([3, 0, 0]));
        assert_eq!(parse_version("3.x"), None);
        assert_eq!(parse_version("1.2.3.4"), None);
    }
}
