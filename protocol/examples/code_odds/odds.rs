//! How likely it is that somebody who types at random opens a lock, kind by kind and in all.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "chances are estimates; all counts are small beside 2^52"
)]

use sentri_protocol::{
    codes::{
        contractor,
        lockout::{QUIET_DAY, after_quiet, wait_after},
        one_day,
        smac::{DRIFT_STEPS, Slot},
        smart_pin::{
            Variant,
            window::{MAX_DAYS, MAX_HOURS, MIN_DAYS},
        },
    },
    time::DAY,
};

/// A month and a year, in days.
pub const SPANS: [u32; 2] = [30, 365];

/// The most tries that the lockout lets one kind of code have in so many days, by the cleverest choice of when to rest.
///
/// `earliest[count]` is the earliest moment at which the n-th try can have been made so that the count is `count` after it. A
/// try costs no time; the guesser is as fast as the keypad.
pub fn most_tries(days: u32) -> u32 {
    let end = days * DAY;
    let mut earliest = vec![None, Some(0_u32)];
    let mut tries = 0;
    while earliest.iter().flatten().any(|at| *at <= end) {
        tries += 1;
        earliest = one_more(&earliest, end);
    }
    tries
}

fn one_more(earliest: &[Option<u32>], end: u32) -> Vec<Option<u32>> {
    let mut next = vec![None; earliest.len() + 1];
    for (count, at) in (0_u16..).zip(earliest) {
        let Some(at) = at else { continue };
        // Resting longer than it takes to forget everything gains nothing.
        for rest in 0..=u32::from(count).div_ceil(2) {
            let gap = wait_after(count).max(rest * QUIET_DAY);
            let after = usize::from(after_quiet(count, gap)) + 1;
            let at = at.saturating_add(gap);
            if at <= end && next[after].is_none_or(|known| at < known) {
                next[after] = Some(at);
            }
        }
    }
    next
}

/// One kind of code, as a guesser sees it.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub digits: u32,
    /// Codes that would open now, at most.
    pub live: f64,
    /// Entries that a clever guesser would try.
    pub space: f64,
    /// Whether the live codes stay the same, so that no entry is worth trying twice.
    pub fixed: bool,
}

impl Target {
    /// Of one entry.
    pub fn chance(self) -> f64 {
        self.live / self.space
    }

    /// That one of so many entries hits.
    pub fn within(self, tries: u32) -> f64 {
        let miss = if self.fixed {
            (0..tries).map(|it| 1.0 - self.live / (self.space - f64::from(it))).product()
        } else {
            (1.0 - self.chance()).powi(tries as i32)
        };
        1.0 - miss
    }
}

/// Windows by the hour that hold one moment: a window of n hours does so from n starts.
pub fn hourly_windows() -> f64 {
    (1..=u32::from(MAX_HOURS)).map(f64::from).sum()
}

/// Windows by the day that hold one moment of the day.
pub fn daily_windows() -> f64 {
    (u32::from(MIN_DAYS)..=u32::from(MAX_DAYS)).map(f64::from).sum()
}

fn smart_pin(name: &'static str, variants: u8) -> Target {
    let live = (hourly_windows() + daily_windows()) * f64::from(variants);
    Target { name, digits: 10, live, space: 1e10, fixed: false }
}

/// `SmartPINs` at a lock that wants a first use within 24 hours of the start, as a new PIN sees it.
pub fn smart_pin_first_use() -> Target {
    let hourly: f64 = (1..=u32::from(MAX_HOURS)).map(|hours| f64::from(hours.min(24))).sum();
    let daily = f64::from(MAX_DAYS - MIN_DAYS + 1);
    let name = "SmartPIN, first use within 24 h";
    Target { name, digits: 10, live: hourly + daily, space: 1e10, fixed: false }
}

/// Codes of 4 or 6 digits that the rule for picked codes leaves: 10 repeat a digit, 20 are runs.
fn stored(name: &'static str, digits: u32, live: f64) -> Target {
    Target { name, digits, live, space: 10_f64.powi(digits as i32) - 30.0, fixed: true }
}

/// The kinds by themselves.
pub fn targets() -> Vec<Target> {
    let smac = f64::from(Slot::COUNT) * f64::from(2 * DRIFT_STEPS + 1);
    vec![
        Target {
            name: "contractor (mode on)",
            digits: 7,
            live: f64::from(contractor::SLOTS),
            space: 1e7,
            fixed: true,
        },
        // Today's, and yesterday's where each was used in the day's last hour.
        Target {
            name: "one day",
            digits: 8,
            live: f64::from(2 * one_day::INDICES),
            space: 1e8,
            fixed: false,
        },
        Target { name: "SMAC", digits: 9, live: smac, space: 1e9, fixed: false },
        smart_pin("SmartPIN, one variant", 1),
        smart_pin("SmartPIN, three variants", Variant::COUNT),
        smart_pin_first_use(),
        stored("one stored code of six digits", 6, 1.0),
        stored("one stored code of four digits", 4, 1.0),
    ]
}

/// Locks with several kinds, each with its own count of wrong tries, all of them tried as often as it allows.
pub fn locks() -> Vec<(&'static str, Vec<Target>)> {
    let all = targets();
    let [contractor, one_day, smac, pin, pins, ..] = all[..] else { unreachable!("as listed above") };
    let derived = vec![contractor, one_day, smac];
    let with = |more: &[Target]| derived.iter().chain(more).copied().collect();
    let six = |live| stored("six digits", 6, live);
    vec![
        ("lockbox: contractor, one day, SMAC", derived.clone()),
        ("the same, with SmartPINs of one variant", with(&[pin])),
        ("the same, with SmartPINs of three variants", with(&[pins])),
        ("the same, with five stored codes of six digits", with(&[pins, six(5.0)])),
        ("door: SmartPINs of one variant, ten codes of six digits", vec![pin, six(10.0)]),
        ("door: SmartPINs of three variants, ten codes of six digits", vec![pins, six(10.0)]),
        (
            "door: SmartPINs of three variants, ten codes of four digits",
            vec![pins, stored("four digits", 4, 10.0)],
        ),
    ]
}

/// That any kind of a lock is hit.
pub fn any(targets: &[Target], tries: u32) -> f64 {
    1.0 - targets.iter().map(|it| 1.0 - it.within(tries)).product::<f64>()
}

/// The tables of `docs/codes.md`, line by line.
pub fn tables() -> Vec<String> {
    let [month, year] = SPANS.map(most_tries);
    let mut lines = vec![
        format!(
            "| | digits | live at most | one entry hits | in a month ({month} tries) | in a year ({year} tries) |"
        ),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    lines.extend(targets().into_iter().map(|it| {
        let (live, one_in) = (grouped(it.live), grouped(1.0 / it.chance()));
        let (name, digits) = (it.name, it.digits);
        format!(
            "| {name} | {digits} | {live} | 1 in {one_in} | {} | {} |",
            share(it.within(month)),
            share(it.within(year))
        )
    }));
    let owner = SPANS.map(|days| most_tries(days) + days + 1);
    lines.push(String::new());
    lines.push(format!(
        "| all live codes of a lock | in a month | in a year | month, waits ended daily ({}) | year, waits ended daily ({}) |",
        owner[0], owner[1]
    ));
    lines.push("| --- | --- | --- | --- | --- |".to_owned());
    lines.extend(locks().into_iter().map(|(name, kinds)| {
        let shares = [month, year, owner[0], owner[1]].map(|tries| share(any(&kinds, tries)));
        format!("| {name} | {} |", shares.join(" | "))
    }));
    lines.push(String::new());
    lines.extend(programming_table([month, year].map(|tries| 2 * tries)));
    lines
}

/// The programming code is tried on two counts: that of stored codes, and its own while those wait.
fn programming_table([month, year]: [u32; 2]) -> Vec<String> {
    let mut lines = vec![
        format!("| programming code | in a month ({month} tries) | in a year ({year} tries) |"),
        "| --- | --- | --- |".to_owned(),
    ];
    lines.extend([("four digits", 4), ("six digits", 6), ("eight digits, a door's", 8)].map(
        |(name, digits)| {
            let code = stored(name, digits, 1.0);
            format!("| {name} | {} | {} |", share(code.within(month)), share(code.within(year)))
        },
    ));
    lines
}

/// Percent with two significant digits.
fn share(chance: f64) -> String {
    let percent = chance * 100.0;
    let decimals = (1.0 - percent.log10().floor()).max(0.0);
    format!("{percent:.*} %", decimals as usize)
}

/// A whole number with commas.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
