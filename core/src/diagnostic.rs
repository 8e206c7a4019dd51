//! How the core stands, in a text that a user can hand to support: no telemetry, nobody's name, no place, no key.
//!
//! Only what is listed here gets into it: versions, counts, times of the phone, and the names of errors without
//! what they carry.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use sentri_protocol::advert;
use sentri_wire::{API_VERSION, Timestamp, account::Platform};

use crate::{
    CoreError,
    app::{Core, Settings},
    session::Session,
    store::SCHEMA,
    sync::{self, Freshness},
};

/// How many errors are remembered.
const REMEMBERED: usize = 10;

/// The last errors since the app was started: when, and which.
#[derive(Debug, Default)]
pub struct Troubles(Mutex<VecDeque<(Timestamp, String)>>);

impl Troubles {
    /// Remembers the name of an error, and nothing that it carries.
    pub fn note(&self, now: Timestamp, error: &CoreError) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.len() == REMEMBERED {
            troubles.pop_front();
        }
        troubles.push_back((now, code(error)));
    }

    fn all(&self) -> Vec<(Timestamp, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The name of an error's variant.
fn code(error: &CoreError) -> String {
    let shown = format!("{error:?}");
    shown.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// The text.
pub async fn text(core: &Core) -> String {
    let mut lines = versions(&core.settings);
    lines.push(("time", core.api.clock.now().to_string()));
    match core.session().await {
        Err(error) => lines.push(("account", format!("none in use ({})", code(&error)))),
        Ok(session) => account(&session, &mut lines).await,
    }
    for (at, error) in core.api.troubles.all() {
        lines.push(("error", format!("{error} at {at}")));
    }
    lines.into_iter().fold("Sentri diagnostic\n".to_owned(), |mut text, (name, value)| {
        // A string takes all that is written to it.
        let _ = writeln!(text, "{name}: {value}");
        text
    })
}

type Lines = Vec<(&'static str, String)>;

fn versions(settings: &Settings) -> Lines {
    let platform = match settings.platform {
        Platform::Ios => "iOS",
        Platform::Android => "Android",
        Platform::Desktop => "desktop",
    };
    vec![
        ("app", settings.version.0.clone()),
        ("platform", platform.to_owned()),
        ("core", env!("CARGO_PKG_VERSION").to_owned()),
        ("store format", SCHEMA.to_string()),
        ("lock protocol", advert::VERSION.to_string()),
        ("API", API_VERSION.to_owned()),
    ]
}

async fn account(session: &Session, lines: &mut Lines) {
    lines.push(("account", "in use".to_owned()));
    match sync::status(session).await {
        Ok(status) => {
            lines.push(("sync", freshness(&status.freshness)));
            lines.push(("events queued", status.events_queued.to_string()));
        }
        Err(error) => lines.push(("sync", code(&error))),
    }
    match session.read(|rows| Ok((rows.sync_mark()?, rows.counts()?))).await {
        Ok((mark, counts)) => {
            lines.push(("pages synced", mark.high_water.to_string()));
            lines.push(("service's clock", format!("{:+} s from the phone's", mark.skew)));
            let counts: Vec<String> =
                counts.into_iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            lines.push(("stored", counts.join(", ")));
        }
        Err(error) => lines.push(("store", code(&error))),
    }
}

fn freshness(freshness: &Freshness) -> String {
    let since = |at: &Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    match freshness {
        Freshness::Current(at) => format!("current, {at}"),
        Freshness::Syncing => "going on".to_owned(),
        Freshness::Stale(at) => format!("stale, last {}", since(at)),
        Freshness::Offline(at) => format!("offline, last {}", since(at)),
        Freshness::Blocked(why) => format!("blocked, {}", code(why)),
    }
}
