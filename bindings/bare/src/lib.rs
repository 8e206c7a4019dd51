//! Calls that carry the home page's records and do nothing else: the least that such a page costs across the boundary.
//! `cargo xtask bench home` measures the core's own calls against them. Nothing ships this.
#![allow(clippy::unused_async, reason = "asynchronous as the core's calls are")]

use std::sync::Arc;

use types::{
    Access, AccessState, AccountKind, PasswordRule, Profile, Readiness, Standing, SyncState, SyncStatus,
};

/// The very records of the core.
#[path = "../../../core/src/api/types/mod.rs"]
pub mod types;

/// As the core's calls have one; it never happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum BareError {
    /// Never.
    #[error("never")]
    Never,
}

/// The page's records, in memory.
#[derive(uniffi::Object)]
pub struct Bare {
    profile: Profile,
    status: SyncStatus,
    accesses: Vec<Access>,
}

#[uniffi::export]
impl Bare {
    /// The records that `home_store`, an example of the core, stores; the bench compares them.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { profile: profile(), status: status(), accesses: (1..=20).map(access).collect() })
    }
}

#[uniffi::export]
impl Bare {
    /// Whose page it is.
    pub async fn profile(&self) -> Result<Profile, BareError> {
        Ok(self.profile.clone())
    }

    /// How fresh it is.
    pub async fn sync_status(&self) -> Result<SyncStatus, BareError> {
        Ok(self.status.clone())
    }

    /// What is on it.
    pub async fn accesses(&self) -> Result<Vec<Access>, BareError> {
        Ok(self.accesses.clone())
    }
}

const BEGAN: i64 = 1_700_000_000;
const ENDS: i64 = 4_000_000_000;

fn profile() -> Profile {
    Profile {
        account_id: "00000000-0000-0000-0000-00000000acc0".into(),
        kind: AccountKind::Contractor,
        sentrikey_id: None,
        first_name: "Pat".into(),
        last_name: "Moreno".into(),
        email: "pat@moreno-plumbing.example".into(),
        phone: "(312) 555-0177".into(),
        role: Some("Plumber".into()),
        standing: Standing::Active,
        device_key_approves: false,
        password_rule: PasswordRule::Standard,
    }
}

fn status() -> SyncStatus {
    SyncStatus {
        state: SyncState::StaleSince { at: Some(BEGAN) },
        opens_from: Some(BEGAN),
        opens_until: Some(ENDS),
        events_queued: 0,
    }
}

fn access(number: u128) -> Access {
    Access {
        id: format!("00000000-0000-0000-0000-{number:012x}"),
        lockbox: format!("B-{:05}", 20_000 + number),
        address: format!("{number} Orchard Lane"),
        locality: "Evanston, IL 60201".into(),
        time_zone: "America/Chicago".into(),
        granted_by: "Dana Reyes".into(),
        starts_at: BEGAN,
        ends_at: ENDS,
        state: AccessState::Active,
        readiness: Readiness::Ready { from: BEGAN, until: ENDS },
    }
}

uniffi::setup_scaffolding!();
