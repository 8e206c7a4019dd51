//! A keypad in the terminal, on a virtual lock with its clock, battery and card at hand: `cargo run -- keypad`.
//!
//! One line is one thing to do; the same lines work from a file or a pipe.

use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::{
    Key, Provisioning,
    ports::{Indication, Light},
    sim::{Backend, Rig},
};
use sentri_protocol::{
    Time,
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    codes::{
        contractor,
        kind::Profile,
        one_day,
        smac::{DayKey, Slot},
        smart_pin::{
            SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
        stored::StoredCode,
    },
    open::Operation,
    settings::Settings,
    time::{DAY, Window},
    zone::Zone,
};

const PROGRAMMING_CODE: &str = "864213";
const CARD_PIN: &str = "2468";
const OWNER: u32 = 123_456_789;
const AGENT: u32 = 987_654_321;
const HELP: &str = "\
A line holds keys: digits, ENT or #, FUNC, CLR. In place of digits: contractor, oneday, smac, smartpin, program, pin.
Or one of these:
  card owner | card agent | card out    the card slot (the PIN of both is what `pin` types)
  wait 10s | 5m | 2h | 3d               time passes
  battery out | battery in | battery 9  pulls the battery, puts it back, or sets its charge
  clock                                 what the lock's clock says
  time                                  a phone brings the time
  codes                                 the codes that would open now
  help | quit";

/// Why a line could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineTrouble {
    /// Not one of the words or keys.
    #[error("\"{0}\" is no key and no command: try help")]
    Unknown(String),
    /// Not a span of time.
    #[error("\"{0}\" is no time to wait: write 10s, 5m, 2h or 3d, at most 400d")]
    Span(String),
    /// Nothing happens without a battery.
    #[error("the battery is out: try battery in")]
    NoBattery,
    /// It did not start.
    #[error("the lock does not start: {0}")]
    Boot(String),
}

/// A lock, and whoever stands before it.
struct Scene {
    rig: Rig,
    backend: Backend,
}

/// Plays lines until the input ends or says quit. `prompt` is for a person at a terminal.
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
        writeln!(out, "{HELP}")?;
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

fn association() -> Option<SigningKey> {
    SigningKey::from_slice(&[7; 32]).ok()
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
        Self { rig, backend }
    }

    fn play(&mut self, line: &str) -> Result<Vec<String>, LineTrouble> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let drives = self.rig.board.drives();
        let done = match words.as_slice() {
            ["help"] => return Ok(vec![HELP.to_owned()]),
            ["codes"] => return Ok(self.codes()),
            ["clock"] => return Ok(vec![self.clock()?]),
            ["time"] => self.bring_time(),
            ["wait", span] => self.wait(span),
            ["battery", "out"] => {
                self.rig.board.pull_battery();
                Ok(())
            }
            ["battery", "in"] => self.rig.reboot().map_err(|error| LineTrouble::Boot(error.to_string())),
            ["battery", percent] => {
                let percent = percent.parse().map_err(|_| LineTrouble::Unknown(line.to_owned()))?;
                self.rig.board.set_battery(percent);
                Ok(())
            }
            ["card", "out"] => self.rig.remove_card().map_err(|_| LineTrouble::NoBattery),
            ["card", "owner"] => self.card(1, OWNER),
            ["card", "agent"] => self.card(2, AGENT),
            keys => keys.iter().try_for_each(|word| self.word(word)),
        };
        let mut told: Vec<String> = self.rig.board.take_indications().into_iter().filter_map(shown).collect();
        if self.rig.board.drives() > drives {
            told.push("  the motor runs".to_owned());
        }
        done.map(|()| told)
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

    /// The code with this name that would open now.
    fn code(&self, name: &str) -> Option<String> {
        let (now, keys) = (self.rig.time(), &self.backend.keys);
        let text = match name {
            "program" => PROGRAMMING_CODE.to_owned(),
            "pin" => CARD_PIN.to_owned(),
            "contractor" => contractor::code(keys, 0, 1).as_str().to_owned(),
            "oneday" => one_day::code(keys, Zone::UTC.local(now).day, 0).as_str().to_owned(),
            "smac" => DayKey::derive(keys, now.0 / DAY, Slot::new(42)?).code(now).ok()?.as_str().to_owned(),
            "smartpin" => {
                // From midnight, for three days: the same all day long.
                let hour = |day| LocalHour::new(day, 0);
                let today = now.0 / DAY;
                let window = PinWindow::hourly(hour(today)?, hour(today + 3)?).ok()?;
                let key = SmartPinKey::of(keys, self.backend.lock);
                key.generate(window, Variant::FIRST).digits().as_str().to_owned()
            }
            _ => return None,
        };
        Some(text)
    }

    fn codes(&self) -> Vec<String> {
        ["contractor", "oneday", "smac", "smartpin", "program", "pin"]
            .into_iter()
            .filter_map(|name| Some(format!("  {name:<10} {}", self.code(name)?)))
            .collect()
    }

    fn clock(&self) -> Result<String, LineTrouble> {
        let now = self.rig.lock().ok_or(LineTrouble::NoBattery)?.now();
        let time = chrono::DateTime::from_timestamp(now.time.unix(), 0).unwrap_or_default();
        let lost = if now.is_lost() { ", and does not trust it" } else { "" };
        Ok(format!("  the lock believes that it is {}{lost}", time.format("%Y-%m-%d %H:%M:%S UTC")))
    }

    fn bring_time(&mut self) -> Result<(), LineTrouble> {
        let now = self.rig.time();
        let window = Window::new(now.minus(DAY), now.plus(DAY)).ok_or(LineTrouble::NoBattery)?;
        let mut phone = self.backend.phone(self.backend.ticket(1, window, now), now);
        let visit = self.rig.operate(&mut phone, Operation::Service);
        let mut visit = visit.map_err(|_| LineTrouble::NoBattery)?;
        let Some(Ok(answer)) = &visit.answer else { return Ok(()) };
        let token = self.backend.fresh_time(answer.channel.handshake_hash(), now, true);
        self.rig.ask(&mut visit, &token).map(drop).map_err(|_| LineTrouble::NoBattery)
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

    fn card(&mut self, serial: u8, holder: u32) -> Result<(), LineTrouble> {
        let (now, serial) = (self.rig.time(), CardSerial([serial; 8]));
        let window = Window::new(now.minus(3600), now.plus(2 * DAY));
        let (Some(holder), Some(window), Some(key)) = (SentriKeyId::new(holder), window, association())
        else {
            return Ok(());
        };
        let card = Card { serial, holder, window, pin: PinCheck::new(serial, CARD_PIN.as_bytes(), [3; 16]) };
        let signature: Signature = key.sign(&card.to_sign());
        self.rig.insert_card(&card.signed(&signature.to_bytes().into())).map_err(|_| LineTrouble::NoBattery)
    }
}

/// A line for what the lights show; nothing for a mere beep.
fn shown(indication: Indication) -> Option<String> {
    let words = match indication {
        Indication::KeyTaken | Indication::Asleep => return None,
        Indication::Awake => return Some("  the radio is on for half a minute".to_owned()),
        Indication::Code => "digits, please".to_owned(),
        Indication::Ready => "a command, please".to_owned(),
        Indication::Done => "done".to_owned(),
        Indication::Blocked => "the SmartPIN is blocked".to_owned(),
        Indication::Error => "that can't be done".to_owned(),
        Indication::Opened => "open".to_owned(),
        Indication::Refused => "no".to_owned(),
        Indication::Wait { seconds } => format!("wait {seconds} s"),
        Indication::BatteryLow => "the battery wants changing".to_owned(),
        Indication::NeedsService => "the lock must be seen to".to_owned(),
    };
    let flashes = indication.flashes()?;
    let light = match flashes.light {
        Light::Code => "CODE",
        Light::Ready => "READY",
        Light::Error => "ERROR",
        Light::Dnd => "DND",
        Light::Green => "green",
        Light::Red => "red",
    };
    let times = if flashes.times > 1 { format!(" x{}", flashes.times) } else { String::new() };
    Some(format!("  [{light}{times}] {words}"))
}
