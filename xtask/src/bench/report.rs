//! One table of a measurement: what a bench prints as JSON, and what `bench/RESULTS.md` shows.

use std::fmt::{self, Write};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// A table with its verdict. The form is told in `bench/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What was measured.
    pub title: String,
    /// Headings.
    pub columns: Vec<String>,
    /// Texts or numbers, as many in each row as there are columns.
    pub rows: Vec<Vec<Value>>,
    /// How it was measured, what the figure is.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether it reached its figure.
    pub passed: bool,
}

impl Report {
    /// Reads what a bench printed.
    pub fn parse(json: &str) -> Result<Self> {
        let report: Self = serde_json::from_str(json.trim()).context("the bench printed no report")?;
        for (row, number) in report.rows.iter().zip(1..) {
            if row.len() != report.columns.len() {
                bail!("row {number} has {} values for {} columns", row.len(), report.columns.len());
            }
        }
        Ok(report)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", self.alignments())?;
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(cell).collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
        }
        writeln!(f)?;
        for note in &self.notes {
            writeln!(f, "- {note}")?;
        }
        writeln!(f, "- Figure reached: **{}**", if self.passed { "yes" } else { "no" })
    }
}

impl Report {
    fn alignments(&self) -> String {
        (0..self.columns.len()).fold(String::new(), |mut line, column| {
            let numbers = self.rows.iter().all(|row| row.get(column).is_some_and(Value::is_number));
            // Writing to a String can't fail.
            let _ = write!(line, " {} |", if numbers { "---:" } else { "---" });
            line
        })
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('|', "\\|"),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), grouped),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Thousands set apart, as in 1,250,000.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_becomes_a_table() {
        let json = r#"{"title": "Sizes", "columns": ["message", "bytes"], "rows": [["M1|", 112], ["M2", 1092]],
                       "notes": ["Counted."], "passed": true}"#;
        let expected = "## Sizes\n\n| message | bytes |\n| --- | ---: |\n| M1\\| | 112 |\n| M2 | 1,092 |\n\n\
                        - Counted.\n- Figure reached: **yes**\n";
        assert_eq!(Report::parse(json).unwrap().to_string(), expected);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(Report::parse("opened").is_err());
        assert!(Report::parse(r#"{"title": "A", "columns": [], "rows": []}"#).is_err());
        let short = r#"{"title": "A", "columns": ["a", "b"], "rows": [["1"]], "passed": true}"#;
        assert_eq!(Report::parse(short).unwrap_err().to_string(), "row 1 has 1 values for 2 columns");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(["0", "999", "1,000", "-1,234,567"], [0, 999, 1000, -1_234_567].map(grouped).as_slice());
    }
}
