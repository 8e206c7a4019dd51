//! Names of the HTTP headers that are ours.

/// Which app calls, and in which version, as `agent/3.2.0` or `connect/2.8.0`. The backend answers
/// `upgrade-required` to a version below its minimum for the app or for the feature.
pub const CLIENT_VERSION: &str = "sentri-client";

/// A UUID made by the phone for each action that must happen once. A retry with the same key and the same
/// body gets the first answer again; with another body it is refused.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
