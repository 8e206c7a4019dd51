//! A keypad in the terminal, on a virtual lock with its clock, battery, card and phones at hand: `cargo run -- keypad`.
//!
//! One line is one thing to do; the same lines work from a file or a pipe. `names` are the codes that can be typed by
//! name, `visitors` the card and the phones that come by, `told` the words for lights and log.

mod names;
mod told;
mod visitors;

use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

use sentri_lock::{
    Key, Provisioning,
    sim::{Backend, Rig},
};
use sentri_protocol::{
    Time,
    card::SentriKeyId,
    codes::{kind::Profile, picked, stored::StoredCode},
    settings::Settings,
};

use self::{names::DoorCodes, visitors::association};

const PROGRAMMING_CODE: &str = "864213";
const CARD_PIN: &str = "2468";
const OWNER: u32 = 123_456_789;
const AGENT: u32 = 987_654_321;

/// Why a line could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineTrouble {
    /// Not one of the words or keys.
    #[error("\"{0}\" is no key and no command: try help")]
    Unknown(String),
    /// Not a span of time.
    #[error("\"{0}\" is no time to wait: write 10s, 5m, 2h or 3d, at most 400d")]
    Span(String),
    /// Not a charge.
    #[error("\"{0}\" is no charge: write 0 to 100, out or in")]
    Charge(String),
    /// Nothing happens without a battery.
    #[error("the battery is out: try battery in")]
    NoBattery,
    /// It did not start.
    #[error("the lock does not start: {0}")]
    Boot(String),
    /// A resident may not pick this.
    #[error("{0}")]
    Picked(#[from] picked::PickedRefusal),
    /// Nothing is pending.
    #[error("nothing waits to be delivered: pick a code first")]
    NothingPending,
}

/// A lock, and whoever stands before it.
struct Scene {
    profile: Profile,
    rig: Rig,
    backend: Backend,
    door: DoorCodes,
}

/// Plays lines until the input ends or says quit; true where all were understood. `prompt` is for a person at a
/// terminal.
pub fn run(
    profile: Profile,
    now: Time,
    input: impl BufRead,
    mut out: impl Write,
    prompt: bool,
) -> io::Result<bool> {
    let mut scene = Scene::new(profile, now);
    let mut fine = true;
    if prompt {
        writeln!(out, "{}", told::help(profile))?;
        write!(out, "> ")?;
        out.flush()?;
    }
    for line in input.lines() {
        let line = line?;
        let line = line.trim();
        if line == "quit" {
            break;
        }
        if !(line.is_empty() || line.starts_with('#') && line.len() > 1) {
            if !prompt {
                writeln!(out, "> {line}")?;
            }
            match scene.play(line) {
                Ok(told) => told.iter().try_for_each(|told| writeln!(out, "{told}"))?,
                Err(trouble) => {
                    fine = false;
                    writeln!(out, "{trouble}")?;
                }
            }
        }
        if prompt {
            write!(out, "> ")?;
            out.flush()?;
        }
    }
    // At a terminal a slip of the finger is no failure.
    Ok(fine || prompt)
}

impl Scene {
    fn new(profile: Profile, now: Time) -> Self {
        let backend = Backend::new(0x5e);
        let mut settings = Settings { owner: SentriKeyId::new(OWNER), ..Settings::default() };
        settings.switches.smart_pins = true;
        let point = association().map(|key| key.verifying_key().to_sec1_point(true));
        let rig = Rig::provisioned(Provisioning {
            profile,
            association: point.and_then(|point| point.as_bytes().try_into().ok()),
            programming_code: StoredCode::parse(PROGRAMMING_CODE.as_bytes()).ok(),
            ..backend.provisioning(settings, now)
        });
        let mut scene = Self { profile, rig, backend, door: DoorCodes::new(now) };
        if profile == Profile::Residential {
            scene.move_in();
        }
        scene
    }

    /// Does a line; what lights, motor and whoever came by tell of it.
    fn play(&mut self, line: &str) -> Result<Vec<String>, LineTrouble> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let drives = self.rig.board.drives();
        let done = self.act(&words);
        let mut told: Vec<String> =
            self.rig.board.take_indications().into_iter().filter_map(told::light).collect();
        if self.rig.board.drives() > drives {
            told.push("  the motor runs".to_owned());
        }
        told.extend(done?);
        Ok(told)
    }

    /// What is told beside lights and motor.
    fn act(&mut self, words: &[&str]) -> Result<Vec<String>, LineTrouble> {
        let nothing = |()| Vec::new();
        match words {
            ["help"] => Ok(vec![told::help(self.profile)]),
            ["codes"] => Ok(self.codes()),
            ["clock"] => Ok(vec![self.clock()?]),
            ["log"] => self.log(),
            ["time"] => self.bring_time().map(nothing),
            ["block"] => self.bring_block().map(|told| vec![told]),
            ["pick", digits] if self.profile == Profile::Residential => self.pick(digits),
            ["deliver"] if self.profile == Profile::Residential => self.deliver().map(|told| vec![told]),
            ["wait", span] => self.wait(span).map(nothing),
            ["battery", charge] => self.battery(charge).map(|told| vec![told]),
            ["card", "out"] => self.rig.remove_card().map(nothing).map_err(|_| LineTrouble::NoBattery),
            ["card", "owner"] => self.insert_card(1, OWNER).map(nothing),
            ["card", "agent"] => self.insert_card(2, AGENT).map(nothing),
            keys => keys.iter().try_for_each(|word| self.word(word)).map(nothing),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), LineTrouble> {
        let keys = match word {
            "ENT" => "E".to_owned(),
            "FUNC" => "F".to_owned(),
            "CLR" => "C".to_owned(),
            _ if word.chars().all(|it| it.is_ascii_digit() || it == '#') => word.to_owned(),
            name => self.code(name).ok_or_else(|| LineTrouble::Unknown(name.to_owned()))?,
        };
        keys.chars()
            .filter_map(Key::from_char)
            .try_for_each(|key| self.rig.press(key))
            .map_err(|_| LineTrouble::NoBattery)
    }

    fn battery(&mut self, charge: &str) -> Result<String, LineTrouble> {
        match charge {
            "out" => {
                self.rig.board.pull_battery();
                Ok("  dark".to_owned())
            }
            "in" => {
                self.rig.reboot().map_err(|error| LineTrouble::Boot(error.to_string()))?;
                Ok("  the lock starts, and has lost the time".to_owned())
            }
            percent => {
                let percent = percent.parse().ok().filter(|it| *it <= 100);
                let percent = percent.ok_or_else(|| LineTrouble::Charge(charge.to_owned()))?;
                self.rig.board.set_battery(percent);
                Ok(format!("  the battery is at {percent} %"))
            }
        }
    }

    fn clock(&self) -> Result<String, LineTrouble> {
        let now = self.rig.lock().ok_or(LineTrouble::NoBattery)?.now();
        let time = chrono::DateTime::from_timestamp(now.time.unix(), 0).unwrap_or_default();
        let lost = if now.is_lost() { ", and does not trust it" } else { "" };
        Ok(format!("  the lock believes that it is {}{lost}", time.format("%A %Y-%m-%d %H:%M:%S UTC")))
    }

    fn wait(&mut self, span: &str) -> Result<(), LineTrouble> {
        let trouble = || LineTrouble::Span(span.to_owned());
        let (number, unit) = span.split_at_checked(span.len().saturating_sub(1)).ok_or_else(trouble)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(trouble()),
        };
        let seconds: u64 =
            number.parse::<u64>().ok().and_then(|it| it.checked_mul(unit)).ok_or_else(trouble)?;
        if seconds > 400 * 86_400 {
            return Err(trouble());
        }
        let time = Duration::from_secs(seconds);
        self.rig.pass(u64::try_from(time.as_millis()).unwrap_or(0)).map_err(|_| LineTrouble::NoBattery)
    }
}
