//! What each route of the control API does.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    response::Html,
};
use sentri_lock::Key;
use serde::{Deserialize, Serialize};

use super::answers::{LockboxSeen, Trouble};
use crate::{
    lockbox::Lockbox,
    radio::Knobs,
    town::{LetterSeen, Town, TownSeen},
};

pub(super) type Answer<T> = Result<Json<T>, Trouble>;
/// A body that says what is wrong with it.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

/// The longest step that a clock is moved by: half a lifetime of a lock.
const MOST_SECONDS: u64 = 10 * 366 * 86_400;
/// Keys pressed at once.
const MOST_KEYS: usize = 64;

pub(super) fn read<T>(body: Body<T>) -> Result<T, Trouble> {
    body.map(|Json(body)| body).map_err(|rejection| Trouble::bad(rejection.body_text()))
}

pub async fn no_such_route() -> Trouble {
    Trouble::not_found("There is no such route: docs/sandbox.md lists them.")
}

pub async fn no_such_method() -> Trouble {
    Trouble::not_allowed("This route takes another method: docs/sandbox.md lists them.")
}

pub async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

pub async fn state(State(town): State<Arc<Town>>) -> Json<TownSeen> {
    Json(town.look())
}

pub async fn lockboxes(State(town): State<Arc<Town>>) -> Json<Vec<LockboxSeen>> {
    Json(town.lockboxes().iter().map(|lockbox| LockboxSeen::look(lockbox)).collect())
}

pub async fn lockbox(State(town): State<Arc<Town>>, Path(serial): Path<String>) -> Answer<LockboxSeen> {
    Ok(Json(LockboxSeen::look(&*find(&town, &serial)?)))
}

pub(super) fn find(town: &Town, serial: &str) -> Result<Arc<Lockbox>, Trouble> {
    town.lockbox(serial).ok_or_else(|| Trouble::not_found("There is no lockbox with this serial number."))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Digits, `#`, `ENT`, `FUNC` and `CLR`, with spaces as wanted.
    keys: String,
}

pub async fn keys(
    State(town): State<Arc<Town>>,
    Path(serial): Path<String>,
    body: Body<Keys>,
) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    for key in parse_keys(&read(body)?.keys)? {
        lockbox.press(key);
    }
    Ok(Json(LockboxSeen::look(&lockbox)))
}

fn parse_keys(text: &str) -> Result<Vec<Key>, Trouble> {
    let text = text.to_ascii_uppercase().replace("ENT", "E").replace("FUNC", "F").replace("CLR", "C");
    let keys: Option<Vec<Key>> = text.chars().filter(|it| !it.is_whitespace()).map(Key::from_char).collect();
    keys.filter(|keys| (1..=MOST_KEYS).contains(&keys.len()))
        .ok_or_else(|| Trouble::bad("keys: digits, #, ENT, FUNC and CLR, at least one, at most 64."))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BatteryDoing {
    Pull,
    Insert,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    battery: BatteryDoing,
}

pub async fn battery(
    State(town): State<Arc<Town>>,
    Path(serial): Path<String>,
    body: Body<Battery>,
) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    match read(body)?.battery {
        BatteryDoing::Pull => lockbox.pull_battery(),
        BatteryDoing::Insert => {
            lockbox
                .insert_battery()
                .map_err(|error| Trouble::failed(format!("The lock does not start: {error}.")))?;
        }
    }
    Ok(Json(LockboxSeen::look(&lockbox)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunAhead {
    ahead_seconds: u64,
}

pub async fn lock_clock(
    State(town): State<Arc<Town>>,
    Path(serial): Path<String>,
    body: Body<RunAhead>,
) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    let seconds = read(body)?.ahead_seconds;
    if seconds > MOST_SECONDS {
        return Err(Trouble::bad("ahead_seconds: at most ten years."));
    }
    lockbox.run_ahead(Duration::from_secs(seconds));
    Ok(Json(LockboxSeen::look(&lockbox)))
}

#[derive(Serialize)]
pub struct ClockSeen {
    now: i64,
}

pub async fn clock(State(town): State<Arc<Town>>) -> Json<ClockSeen> {
    Json(ClockSeen { now: town.clock.now() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveClock {
    advance_seconds: Option<u64>,
    set: Option<i64>,
}

pub async fn move_clock(State(town): State<Arc<Town>>, body: Body<MoveClock>) -> Answer<ClockSeen> {
    let MoveClock { advance_seconds, set } = read(body)?;
    match (advance_seconds, set) {
        (Some(seconds), None) if seconds <= MOST_SECONDS => town.clock.advance(Duration::from_secs(seconds)),
        (None, Some(now)) if now >= 0 && now.abs_diff(town.clock.now()) <= MOST_SECONDS => {
            town.clock.set(now);
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(Trouble::bad("At most ten years at once, and not before 1970."));
        }
        _ => return Err(Trouble::bad("Give advance_seconds or set, one of them.")),
    }
    Ok(Json(ClockSeen { now: town.clock.now() }))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkState {
    Up,
    Down,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    network: NetworkState,
}

fn network_of(town: &Town) -> Json<Network> {
    Json(Network { network: if town.network_is_up() { NetworkState::Up } else { NetworkState::Down } })
}

pub async fn network(State(town): State<Arc<Town>>) -> Json<Network> {
    network_of(&town)
}

pub async fn set_network(State(town): State<Arc<Town>>, body: Body<Network>) -> Answer<Network> {
    match read(body)?.network {
        NetworkState::Down => town.cut_network().await,
        NetworkState::Up => town
            .restore_network()
            .await
            .map_err(|error| Trouble::failed(format!("The backend can't listen again: {error}.")))?,
    }
    Ok(network_of(&town))
}

pub async fn mails(State(town): State<Arc<Town>>) -> Json<Vec<LetterSeen>> {
    Json(town.mails())
}

pub async fn texts(State(town): State<Arc<Town>>) -> Json<Vec<LetterSeen>> {
    Json(town.texts())
}

pub async fn knobs(State(town): State<Arc<Town>>) -> Json<Knobs> {
    Json(town.air.knobs())
}

pub async fn set_knobs(State(town): State<Arc<Town>>, body: Body<Knobs>) -> Answer<Knobs> {
    town.air.set_knobs(read(body)?).map_err(|error| Trouble::bad(error.to_string()))?;
    Ok(Json(town.air.knobs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_printed_on_the_keypad() {
        for (text, count) in
            [("ENT", 1), ("ent", 1), ("1234567 ENT", 8), ("1 2 3 #", 4), ("FUNC 6 1 ENT CLR", 5)]
        {
            assert_eq!(parse_keys(text).unwrap().len(), count, "{text}");
        }
        for bad in ["", " ", "A", "1-2", &"1".repeat(65)] {
            assert!(parse_keys(bad).is_err(), "{bad}");
        }
    }
}
