//! The story on a terminal, or wherever its output goes: plain text, with color where a person looks at it.

use std::io::{self, Write};

use super::step::{Step, Took};

/// Width that paragraphs are broken to.
const WIDTH: usize = 96;
const INDENT: usize = 5;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether escape codes for color may be used.
    pub color: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn mark(self, holds: bool) -> String {
        if holds { self.paint("32", "✓") } else { self.paint("1;31", "✗") }
    }
}

/// What is said before the first step.
pub fn opening(out: &mut impl Write, style: Style, lines: &[String]) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        style.bold("Sentri: an agent grants access, a contractor presses ENT, the key bin opens.")
    )?;
    for line in lines {
        paragraph(out, "", line)?;
    }
    writeln!(out)
}

/// One step.
pub fn step(out: &mut impl Write, style: Style, step: &Step) -> io::Result<()> {
    let when = style.faint(&step.when);
    writeln!(out, "{} {}  {when}", style.bold(&format!("{:>3}.", step.number)), style.bold(&step.title))?;
    let margin = " ".repeat(INDENT);
    for sentence in &step.told {
        paragraph(out, &margin, sentence)?;
    }
    for fact in &step.facts {
        let instead = fact.instead.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        writeln!(out, "{margin}{} {}{instead}", style.mark(fact.holds), fact.claim)?;
    }
    for line in wrapped(&margin, &figures(&step.took)) {
        writeln!(out, "{margin}{}", style.faint(&line))?;
    }
    writeln!(out)
}

/// What is said after the last step.
pub fn closing(out: &mut impl Write, style: Style, steps: &[Step], machine_ms: u128) -> io::Result<()> {
    let facts = steps.iter().map(|step| step.facts.len()).sum::<usize>();
    let failed: Vec<_> =
        steps.iter().filter(|step| !step.passed).map(|step| step.number.to_string()).collect();
    if failed.is_empty() {
        let told =
            format!("All {} steps did what they say ({facts} facts checked, {machine_ms} ms).", steps.len());
        writeln!(out, "{} {}", style.mark(true), style.bold(&told))
    } else {
        let told = format!("Not as it should be: step {}.", failed.join(", "));
        writeln!(out, "{} {}", style.mark(false), style.bold(&told))
    }
}

/// "12 ms of this machine · 3 requests, 410 bytes up, 1,204 down · 1 + 1 fragments, 212 ATT bytes on the air".
fn figures(took: &Took) -> String {
    let mut parts = Vec::new();
    if took.ent_ms > 0 {
        parts.push(format!("{} ms from ENT to the phone's word, connecting included", took.ent_ms));
    }
    let (there, back) = (took.radio.to_lock, took.radio.to_phone);
    if there.fragments + back.fragments > 0 {
        parts.push(format!(
            "on the air {} to the box and {} back, {} bytes",
            counted(there.fragments, "fragment"),
            back.fragments,
            grouped(there.att_bytes + back.att_bytes)
        ));
    }
    let network = &took.network;
    if network.requests > 0 {
        let (up, down) = (grouped(network.sent_bytes), grouped(network.received_bytes));
        parts.push(format!("{}, {up} bytes up, {down} down", counted(network.requests, "request")));
    }
    parts.push(format!("took this machine {} ms", took.machine_ms));
    parts.join(" · ")
}

/// "1 request", "2 requests".
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

/// 1234567 as 1,234,567.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn paragraph(out: &mut impl Write, margin: &str, text: &str) -> io::Result<()> {
    wrapped(margin, text).iter().try_for_each(|line| writeln!(out, "{margin}{line}"))
}

/// Breaks a text into lines between words, so that they fit behind the margin.
fn wrapped(margin: &str, text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < WIDTH - margin.len() => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_paragraphs_broken_between_words() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let mut out = Vec::new();
        paragraph(&mut out, "  ", &"word ".repeat(40)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn without_color_there_are_no_escape_codes() {
        let plain = Style { color: false };
        assert_eq!(plain.mark(true), "✓");
        assert!(Style { color: true }.bold("x").contains('\u{1b}'));
    }
}
