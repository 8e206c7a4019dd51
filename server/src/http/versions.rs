//! How old an app may be: for the backend as a whole, and for a feature by itself.

use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::{IntoResponse, Response},
};
use sentri_wire::{headers::CLIENT_VERSION, problem::ProblemCode};

use super::{Shared, endpoints};
use crate::refusal::{Answer, Refusal};

/// Codes of residents' own are picked in apps from this version on. [RES-0]
pub const CUSTOM_CODES: &str = "2.8.0";

type Minimums = BTreeMap<String, String>;

/// A feature, and where its minimum is found.
#[derive(Clone)]
pub struct Needed {
    pub app: Shared,
    pub feature: &'static str,
}

/// Passes a request on where its app is new enough for the feature.
pub async fn check(State(needed): State<Needed>, request: Request, next: Next) -> Response {
    match judge(&needed.app.config.minimum_versions, request.headers(), Some(needed.feature)) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Refuses an app that is older than the minimum for it, or for this feature of it.
pub fn judge(minimums: &Minimums, headers: &HeaderMap, feature: Option<&str>) -> Answer<()> {
    let Some(client) = headers.get(CLIENT_VERSION) else { return Ok(()) };
    let malformed =
        || Refusal::new(ProblemCode::Malformed).field(CLIENT_VERSION).detail("It looks like agent/3.2.0.");
    let (app, version) = client.to_str().ok().and_then(|text| text.split_once('/')).ok_or_else(malformed)?;
    let version = parse(version).ok_or_else(malformed)?;
    let (minimum, what) = match feature {
        None => (minimums.get(app), "This"),
        Some(feature) => (minimums.get(&format!("{app}:{feature}")), "This feature"),
    };
    match minimum {
        Some(minimum) if parse(minimum).is_some_and(|minimum| version < minimum) => {
            Err(Refusal::new(ProblemCode::UpgradeRequired)
                .detail(format!("{what} needs version {minimum} or newer.")))
        }
        _ => Ok(()),
    }
}

/// Refuses whoever is not this app, of this version or newer: other apps, and the website.
pub fn only_in_app(headers: &HeaderMap, app: &str, minimum: &str) -> Answer<()> {
    let client = headers.get(CLIENT_VERSION).and_then(|value| value.to_str().ok()?.split_once('/'));
    let version = client.filter(|(name, _)| *name == app).and_then(|(_, version)| parse(version));
    if version.is_some_and(|version| parse(minimum).is_some_and(|minimum| version >= minimum)) {
        return Ok(());
    }
    Err(Refusal::new(ProblemCode::UpgradeRequired)
        .detail(format!("This is done in the app, from version {minimum} on.")))
}

/// Tells an operator of a minimum that would never be met or never be asked for.
pub fn validate(minimums: &Minimums) -> Result<(), String> {
    for (name, version) in minimums {
        if parse(version).is_none() {
            return Err(format!("minimum_versions: {version} of {name} is no version like 3.2.0"));
        }
        let Some((_, feature)) = name.split_once(':') else { continue };
        let mut features: Vec<&str> = endpoints().iter().filter_map(|it| it.feature).collect();
        features.sort_unstable();
        features.dedup();
        if !features.contains(&feature) {
            let known = features.join(", ");
            return Err(format!("minimum_versions: {name} names no feature; there are {known}"));
        }
    }
    Ok(())
}

/// Three numbers; a missing one is 0.
fn parse(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for (number, part) in version.iter_mut().zip(parts.by_ref()) {
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn versions_compare_by_number() {
        assert!(parse("2.10.0") > parse("2.8.0"));
        assert_eq!(parse("3"), Some([3, 0, 0]));
        assert_eq!(parse("3.x"), None);
        assert_eq!(parse("1.2.3.4"), None);
    }
}
