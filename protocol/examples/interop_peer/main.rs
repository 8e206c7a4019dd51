//! Plays a phone or a lock for `tests/interop`: JSON lines in on stdin, JSON lines out on stdout.
//!
//! Everything random is handed in, so that another implementation can be compared byte for byte. Each answer
//! is `{"ok": …}` or `{"refused": "why"}`; a line that can't be read ends the program.
#![allow(clippy::indexing_slicing, reason = "a JSON object takes a new field by it")]

mod command;
mod connection;
#[path = "../../tests/support/described.rs"]
mod described;
mod signed;

use std::io::{BufRead, Write};

use command::Command;
use connection::Connection;
use serde_json::{Value, json};

/// Why something was refused, as a text: all that the other side of the pipe wants to know.
#[derive(Debug)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn main() -> std::io::Result<()> {
    let mut connection = None;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let answer = match answer(&mut connection, command) {
            Ok(value) => json!({ "ok": value }),
            Err(Failure(why)) => json!({ "refused": why }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(connection: &mut Option<Connection>, command: Command) -> Result<Value, Failure> {
    if let Command::Connect(setup) = command {
        let fresh = Connection::new(&setup)?;
        let answer = fresh.describe();
        *connection = Some(fresh);
        return Ok(answer);
    }
    let connection = connection.as_mut().ok_or(Failure("connect first".into()))?;
    connection.run(command)
}
