//! What the control API answers.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sentri_lock::ports::Indication;
use sentri_wire::agent::LockboxGeneration;
use serde::Serialize;

use crate::lockbox::{Insight, Lockbox};

/// Why something was not done, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    status: StatusCode,
    error: String,
}

#[derive(Serialize)]
struct TroubleBody<'a> {
    error: &'a str,
}

impl Trouble {
    /// The request asks for something that can't be.
    pub fn bad(error: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, error: error.into() }
    }

    /// There is no such thing.
    pub fn not_found(error: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, error: error.into() }
    }

    /// There is such a thing, and nothing of the kind can be done with it.
    pub fn not_allowed(error: impl Into<String>) -> Self {
        Self { status: StatusCode::METHOD_NOT_ALLOWED, error: error.into() }
    }

    /// The caller may not.
    pub fn forbidden(error: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, error: error.into() }
    }

    /// The sandbox failed.
    pub fn failed(error: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, error: error.into() }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (self.status, Json(TroubleBody { error: &self.error })).into_response()
    }
}

/// A lockbox, as the control API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockboxSeen {
    /// What is printed on the box.
    pub serial: String,
    /// `ble` or `non_ble`.
    pub generation: LockboxGeneration,
    /// Whether a battery is in.
    pub powered: bool,
    /// Whether it is on the air.
    pub advertising: bool,
    /// The lock's own clock, seconds since 1970-01-01 UTC; absent without a battery.
    pub clock: Option<i64>,
    /// Whether that clock is lost.
    pub clock_lost: bool,
    /// Version of its revocation list.
    pub revocation_version: u32,
    /// Version of its settings.
    pub settings_version: u32,
    /// How often the motor ever ran, counted at the motor.
    pub motor_drives: u64,
    /// What the lock counted since its battery went in.
    pub counters: CountersSeen,
    /// What the lights showed lately, oldest first.
    pub lights: Vec<LightSeen>,
    /// Why its flash can't be kept, where it can't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The lock's own counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CountersSeen {
    boots: u32,
    wakes: u32,
    connections: u32,
    frames_in: u32,
    frames_out: u32,
    m1_seen: u32,
    m1_unproved: u32,
    codes_entered: u32,
    motor_drives: u32,
    opens: u32,
}

/// What the lights showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LightSeen {
    /// When, seconds since 1970-01-01 UTC.
    pub at: i64,
    /// `awake`, `asleep`, `key_taken`, `code`, `ready`, `done`, `blocked`, `error`, `opened`, `refused`, `wait`, `battery_low` or `needs_service`.
    pub shown: &'static str,
    /// How long to wait, with `wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

impl LockboxSeen {
    /// Looks at a lockbox.
    pub fn look(lockbox: &Lockbox) -> Self {
        let Insight {
            counters,
            motor_drives,
            clock,
            clock_lost,
            revocation_version,
            settings_version,
            advertising,
            trouble,
        } = lockbox.insight();
        Self {
            serial: lockbox.serial().to_owned(),
            generation: lockbox.generation(),
            powered: clock.is_some(),
            advertising,
            clock,
            clock_lost,
            revocation_version,
            settings_version,
            motor_drives,
            counters: CountersSeen {
                boots: counters.boots,
                wakes: counters.wakes,
                connections: counters.connections,
                frames_in: counters.frames_in,
                frames_out: counters.frames_out,
                m1_seen: counters.m1_seen,
                m1_unproved: counters.m1_unproved,
                codes_entered: counters.codes_entered,
                motor_drives: counters.motor_drives,
                opens: counters.opens,
            },
            lights: lockbox.lights().into_iter().map(|it| LightSeen::of(it.at, it.shown)).collect(),
            trouble,
        }
    }
}

impl LightSeen {
    fn of(at: i64, shown: Indication) -> Self {
        let (shown, seconds) = match shown {
            Indication::Awake => ("awake", None),
            Indication::Asleep => ("asleep", None),
            Indication::KeyTaken => ("key_taken", None),
            Indication::Code => ("code", None),
            Indication::Ready => ("ready", None),
            Indication::Done => ("done", None),
            Indication::Blocked => ("blocked", None),
            Indication::Error => ("error", None),
            Indication::Opened => ("opened", None),
            Indication::Refused => ("refused", None),
            Indication::Wait { seconds } => ("wait", Some(seconds)),
            Indication::BatteryLow => ("battery_low", None),
            Indication::NeedsService => ("needs_service", None),
        };
        Self { at, shown, seconds }
    }
}
