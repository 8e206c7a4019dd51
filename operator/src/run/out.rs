//! Printing results, for people or for programs.

use serde::Serialize;
use serde_json::Value;

/// Prints results: `name: value` lines, or one JSON document.
pub struct Out {
    /// For programs.
    pub json: bool,
}

impl Out {
    /// Prints one result.
    pub fn print<T: Serialize>(&self, result: &T) -> anyhow::Result<()> {
        let value = serde_json::to_value(result)?;
        if self.json {
            println!("{value}");
            return Ok(());
        }
        match &value {
            Value::Array(rows) if rows.is_empty() => println!("None."),
            Value::Array(rows) => rows.iter().for_each(print_row),
            row => print_row(row),
        }
        Ok(())
    }
}

/// `name: value`, one field a line, and a line between rows.
fn print_row(row: &Value) {
    if let Value::Object(fields) = row {
        for (name, value) in fields {
            match value {
                Value::String(text) => println!("{name}: {text}"),
                other => println!("{name}: {other}"),
            }
        }
    }
    println!();
}
