//! The commands, as they are typed.

mod communities;
mod listings;
mod members;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use self::{
    communities::{Community, Door, DoorKind, Hub, OwnersCall, Permission, Resident, Support},
    listings::{ImportListings, Listings},
    members::{
        Agent, Allowed, Approval, Association, Brokerage, Generation, Lockbox, NamedBrokerage, PasswordRule,
        Person, Rules,
    },
};

/// Runs the Sentri backend and administers what it serves.
#[derive(Parser)]
#[command(name = "sentri-server", version)]
pub struct Args {
    /// Configuration file (TOML). Without it, all defaults hold.
    #[arg(long, global = true, env = "SENTRI_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the backend until it is interrupted.
    Serve,
    /// The configuration file.
    #[command(subcommand)]
    Config(ConfigFile),
    /// The database itself.
    #[command(subcommand)]
    Database(Database),
    /// Master keys, under which the locks' seeds and other secrets are sealed.
    #[command(subcommand)]
    Key(Key),
    /// Make all that a JSON document names; what is there already is left alone.
    Import {
        /// The document; - reads standard input.
        file: PathBuf,
    },
    /// Associations: whose members share rules and boxes.
    #[command(subcommand)]
    Association(Association),
    /// Brokerages within an association.
    #[command(subcommand)]
    Brokerage(Brokerage),
    /// Agents.
    #[command(subcommand)]
    Agent(Agent),
    /// Lockboxes.
    #[command(subcommand)]
    Lockbox(Lockbox),
    /// Listings out of an MLS's feed.
    #[command(subcommand)]
    Listings(Listings),
    /// Communities of residents.
    #[command(subcommand)]
    Community(Community),
    /// Residents.
    #[command(subcommand)]
    Resident(Resident),
    /// Doors of communities.
    #[command(subcommand)]
    Door(Door),
    /// Hubs, by which a community's locks are reached.
    #[command(subcommand)]
    Hub(Hub),
    /// Users of the support portal.
    #[command(subcommand)]
    Support(Support),
    /// Anybody's account.
    #[command(subcommand)]
    Account(Account),
    /// The access log.
    #[command(subcommand)]
    Log(Log),
}

/// The configuration file.
#[derive(Subcommand)]
pub enum ConfigFile {
    /// Read it, and the files that it names, and say whether a server could start with it.
    Check,
    /// Print an example with every key and its default.
    Example,
}

/// The database.
#[derive(Subcommand)]
pub enum Database {
    /// Say which schema it has and which one this server needs. Changes nothing.
    Status,
    /// Bring its schema up to date.
    Migrate,
    /// Write a copy into a new file, while the server runs. SQLite only; PostgreSQL has `pg_dump`.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// After a restore from a backup: gives the database a new name, so that phones sync from the start.
    Restored,
}

/// Master keys. A change of keys: add, restart all servers, promote, restart all servers, reseal, retire.
#[derive(Subcommand)]
pub enum Key {
    /// Make the configured master key file, where there is none.
    Create,
    /// Say which keys there are, and how much is sealed under each.
    Status,
    /// Add a key to the file. It only opens until it is promoted.
    Add,
    /// Let the added key seal, once every server knows it.
    Promote,
    /// Seal everything anew under the current key.
    Reseal,
    /// Drop the former keys from the file, once nothing is sealed under them.
    Retire,
}

/// Accounts of all kinds.
#[derive(Subcommand)]
pub enum Account {
    /// Print all that is stored about a person, as JSON: hand it to nobody else.
    Export {
        /// Email address, or an agent's nine digits.
        account: String,
    },
    /// Set whether an account may be used. Whoever may not is told whom to call.
    Standing {
        /// Email address, or an agent's nine digits.
        account: String,
        /// What it is from now on.
        #[arg(value_enum)]
        standing: Standing,
    },
}

/// Whether an account may be used.
#[derive(Clone, Copy, ValueEnum)]
pub enum Standing {
    /// In good standing.
    Active,
    /// Suspended by the association.
    Suspended,
    /// Unpaid.
    Lapsed,
    /// Locked by support.
    Locked,
}

/// The access log.
#[derive(Subcommand)]
pub enum Log {
    /// Delete what is older than `log_seconds` of the configuration. The running server does it once a day.
    Prune,
}
