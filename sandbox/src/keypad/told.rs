//! Words for what lights and log tell, and what can be typed.

use sentri_lock::{
    lockout::CodeKind,
    ports::{Indication, Light},
};
use sentri_protocol::{
    audit::{Entry, Kind},
    codes::kind::Profile,
    open::Verdict,
};

/// What there is to do at a lock of this sort.
pub(super) fn help(profile: Profile) -> String {
    let (names, only_here) = match profile {
        Profile::Lockbox => (
            "contractor, oneday, smac, smartpin, program, pin",
            "  card owner | card agent | card out    the card slot (the PIN of both is what `pin` types)\n",
        ),
        Profile::Residential => (
            "resident, guest, temporary, recurring, delivery, smartpin, program",
            "  pick 5182 | deliver                   the resident picks a code; a phone delivers it\n",
        ),
    };
    format!(
        "\
A line holds keys: digits, ENT or #, FUNC, CLR. These names type the code of that name:
  {names}
Or it is one of these:
{only_here}  wait 10s | 5m | 2h | 3d               time passes
  battery out | battery in | battery 9  pulls the battery, puts it back, or sets its charge
  clock                                 what the lock's clock says
  time                                  a phone brings the time
  block                                 a phone brings a block of `smartpin`
  log                                   a phone fetches the log, and the backend reads it
  codes                                 the codes, and when they open
  help | quit"
    )
}

/// A line for what the lights show; nothing for a mere beep.
pub(super) fn light(indication: Indication) -> Option<String> {
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

/// A line for what the lock wrote down.
pub(super) fn record(entry: &Entry) -> String {
    let what = match entry.kind {
        Kind::Code => return format!("{}: {}", code(entry), code_result(entry)),
        Kind::Boot => "the lock started",
        Kind::ClockSet => "the clock was set",
        Kind::Codes => "codes were delivered",
        Kind::Settings => "settings changed",
        Kind::Revocations => "revocations came",
        Kind::MotorFailed => "the motor failed",
        Kind::FlashFailed => "the flash failed",
        Kind::MergedFailures => "refusals that had no room of their own",
        Kind::Card => return format!("a card: {}", result(entry)),
        Kind::Ble => return format!("a phone: {}", result(entry)),
    };
    what.to_owned()
}

fn code(entry: &Entry) -> &'static str {
    match CodeKind::from_number(entry.who[0]) {
        Some(CodeKind::Contractor) => "contractor code",
        Some(CodeKind::OneDay) => "one day code",
        Some(CodeKind::Smac) => "SMAC",
        Some(CodeKind::SmartPin) => "SmartPIN",
        Some(CodeKind::Programming) => "programming code",
        Some(CodeKind::Stored) | None => "stored code",
    }
}

fn code_result(entry: &Entry) -> &'static str {
    let [_, which, why, ..] = entry.who;
    match (Verdict::from_code(entry.result), why) {
        (Some(Verdict::Revoked), _) => "blocked",
        (Some(Verdict::Served), _) if which == 1 => "a SmartPIN was blocked",
        (Some(Verdict::Served), _) => "right",
        (Some(Verdict::NoRight), 0) => "no such code",
        (Some(Verdict::NoRight), 1) => "switched off",
        (Some(Verdict::NoRight), 2) => "contractor mode is off",
        (Some(Verdict::NoRight), 3) => "came in a wait",
        (Some(Verdict::NoRight), 4) => "used already",
        (Some(Verdict::NoRight), 5) => "another code is the same",
        _ => result(entry),
    }
}

fn result(entry: &Entry) -> &'static str {
    match Verdict::from_code(entry.result) {
        Some(Verdict::Opened) => "opened",
        Some(Verdict::Served) => "served",
        Some(Verdict::NotYet) => "not yet",
        Some(Verdict::Expired) => "expired",
        Some(Verdict::OutsideHours) => "outside the hours",
        Some(Verdict::Revoked) => "revoked",
        Some(Verdict::ClockLost) => "the clock was lost",
        Some(Verdict::FlashFailed) => "the flash failed",
        _ => "refused",
    }
}
