//! `narrow_rights DATABASE`: takes the right to open from every ticket in a backend's SQLite database. No backend of
//! today issues such a ticket, and apps must be told all the same why it does not open: for their tests.

use rusqlite::Connection;
use sentri_protocol::ticket::{Rights, Ticket};

type Trouble = Box<dyn std::error::Error>;

fn main() -> Result<(), Trouble> {
    let db = Connection::open(std::env::args_os().nth(1).ok_or("narrow_rights DATABASE")?)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    let mut tickets = db.prepare("SELECT id, ticket FROM credentials")?;
    let found = tickets.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(String, String)> = found.collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err("there is no ticket".into());
    }
    for (id, ticket) in found {
        let ticket = Ticket::decode(&hex::decode(&ticket)?).map_err(|_| "this is no ticket")?;
        let narrowed = Ticket { rights: Rights::SERVICE, ..ticket };
        db.execute("UPDATE credentials SET ticket = $1 WHERE id = $2", (hex::encode(narrowed.encode()), id))?;
    }
    Ok(())
}
