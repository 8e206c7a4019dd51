//! The routes of `/v1` that the core calls before anyone is logged in, and the paths of the others.

use std::fmt::Write;

use sentri_wire::account::{
    LoginRequest, LoginResponse, RefreshRequest, SignupComplete, SignupRequest, SignupStarted, SignupVerify,
    Tokens,
};
use uuid::Uuid;

use super::{Api, ApiError, Call};

impl Api {
    /// Logs in and registers the device where it is new. [ACC-1, ACC-4]
    pub async fn login(&self, request: &LoginRequest) -> Result<LoginResponse, ApiError> {
        self.call(&Call::post("/v1/login", request)?, None).await
    }

    /// Takes new tokens for the refresh token. The key lets a repeat after a lost answer get the same pair.
    pub async fn refresh(&self, request: &RefreshRequest, key: Uuid) -> Result<Tokens, ApiError> {
        self.call(&Call::post("/v1/token/refresh", request)?.once(key), None).await
    }

    /// Begins a contractor's account; a code goes out by text. [ACC-8]
    pub async fn signup(&self, request: &SignupRequest) -> Result<SignupStarted, ApiError> {
        self.call(&Call::post("/v1/signup", request)?, None).await
    }

    /// Shows the code from the text. [ACC-8]
    pub async fn verify_signup(&self, request: &SignupVerify) -> Result<(), ApiError> {
        self.tell(&Call::post("/v1/signup/verify", request)?, None).await
    }

    /// Makes the account. [ACC-8]
    pub async fn complete_signup(&self, request: &SignupComplete) -> Result<(), ApiError> {
        self.tell(&Call::post("/v1/signup/complete", request)?, None).await
    }
}

/// What part of the access log to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// First second.
    pub from: i64,
    /// First second after.
    pub to: i64,
    /// Only this listing's.
    pub listing_id: Option<Uuid>,
    /// Only of the box with this serial number.
    pub lockbox: Option<String>,
    /// Only of what this person did.
    pub person_id: Option<Uuid>,
    /// Where the former page ended.
    pub after: Option<String>,
}

impl LogQuery {
    /// The path of a page, with its query.
    pub fn page_path(&self) -> String {
        format!("/v1/access-log{}", self.query())
    }

    /// The path of all lines as CSV, with its query.
    pub fn csv_path(&self) -> String {
        format!("/v1/access-log.csv{}", self.query())
    }

    fn query(&self) -> String {
        let mut query = format!("?from={}&to={}", self.from, self.to);
        let ids = [("listing_id", self.listing_id), ("person_id", self.person_id)];
        let ids = ids.into_iter().filter_map(|(name, id)| Some((name, id?.to_string())));
        let texts = [("lockbox", &self.lockbox), ("after", &self.after)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, percent(text.as_ref()?))));
        for (name, value) in ids.chain(texts) {
            let _ = write!(query, "&{name}={value}");
        }
        query
    }
}

/// Changes on a page of a sync. A phone that starts over has all in one call, nearly always.
const PAGE: usize = 1000;

/// The path of a sync from a cursor.
pub(crate) fn sync_path(cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("/v1/sync?limit={PAGE}&cursor={}", percent(cursor)),
        None => format!("/v1/sync?limit={PAGE}"),
    }
}

/// A value as it may stand in a path segment or query (RFC 3986).
pub(crate) fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_can_not_leave_their_place_in_a_path() {
        assert_eq!(percent("a/../b?c=d&é"), "a%2F..%2Fb%3Fc%3Dd%26%C3%A9");
        assert_eq!(sync_path(Some("1:2+3")), "/v1/sync?limit=1000&cursor=1%3A2%2B3");
    }
}
