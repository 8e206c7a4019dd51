//! The commands, as they are typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

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
    /// Master keys, under which the locks' seeds are sealed.
    #[command(subcommand)]
    Key(Key),
    /// Anybody's account.
    #[command(subcommand)]
    Account(Account),
    /// The access log.
    #[command(subcommand)]
    Log(Log),
    /// The database itself.
    #[command(subcommand)]
    Database(Database),
}

/// Associations.
#[derive(Subcommand)]
pub enum Association {
    /// Make one.
    Add {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Devices an account may register.
        #[arg(long)]
        device_limit: Option<u32>,
        /// How long before its start an access's ticket can be fetched.
        #[arg(long)]
        lead_hours: Option<u32>,
        /// Longest access.
        #[arg(long)]
        longest_grant_days: Option<u32>,
        /// Who answers its members' calls.
        #[arg(long, requires_all = ["support_phone", "support_hours"])]
        support_name: Option<String>,
        /// Their number; can be given more than once.
        #[arg(long)]
        support_phone: Vec<String>,
        /// When they answer, in words.
        #[arg(long)]
        support_hours: Option<String>,
    },
    /// List them.
    List,
}

/// Brokerages.
#[derive(Subcommand)]
pub enum Brokerage {
    /// Make one.
    Add {
        /// Name of its association.
        #[arg(long)]
        association: String,
        /// Its name.
        #[arg(long)]
        name: String,
    },
}

/// Agents.
#[derive(Subcommand)]
pub enum Agent {
    /// Make one. Reads the first password and, on a second line, the first PIN from standard input.
    Add {
        /// Name of the association.
        #[arg(long)]
        association: String,
        /// Name of the brokerage.
        #[arg(long)]
        brokerage: Option<String>,
        /// Nine digits.
        #[arg(long)]
        sentrikey_id: String,
        /// First name.
        #[arg(long)]
        first_name: String,
        /// Last name.
        #[arg(long)]
        last_name: String,
        /// Email address.
        #[arg(long)]
        email: String,
        /// Cell phone number.
        #[arg(long)]
        phone: String,
    },
    /// List an association's agents.
    List {
        /// Name of the association.
        #[arg(long)]
        association: String,
    },
    /// Suspend one: their login says whom to contact, what their phones hold is taken back.
    Suspend {
        /// Nine digits.
        sentrikey_id: String,
    },
    /// Put a suspended one back into good standing.
    Reinstate {
        /// Nine digits.
        sentrikey_id: String,
    },
}

/// Lockboxes.
#[derive(Subcommand)]
pub enum Lockbox {
    /// Make one, and print what the factory writes into it. Its seed is printed once, here: keep it secret.
    Provision {
        /// What is printed on the box.
        #[arg(long)]
        serial: String,
        /// What it can talk.
        #[arg(long, value_enum)]
        generation: Generation,
        /// SentriKey ID of its owner.
        #[arg(long)]
        owner: String,
        /// IANA zone of the property, like `America/Los_Angeles`.
        #[arg(long)]
        time_zone: String,
        /// Like 08:00-20:00, on quarter hours; or always.
        #[arg(long, default_value = "always")]
        access_hours: String,
    },
    /// List an agent's lockboxes.
    List {
        /// SentriKey ID of the owner.
        #[arg(long)]
        owner: String,
    },
}

/// What a lockbox can talk.
#[derive(Clone, Copy, ValueEnum)]
pub enum Generation {
    /// Bluetooth, keypad and card.
    Ble,
    /// Keypad and card only.
    NonBle,
}

/// Master keys.
#[derive(Subcommand)]
pub enum Key {
    /// Make the configured master key file, where there is none.
    Create,
    /// Seal all seeds anew under the last key of the file.
    Reseal,
}

/// The database.
#[derive(Subcommand)]
pub enum Database {
    /// After a restore from a backup: gives the database a new name, so that phones sync from the start.
    Restored,
}

/// Accounts of all kinds.
#[derive(Subcommand)]
pub enum Account {
    /// Print all that is stored about a person, as JSON: hand it to nobody else.
    Export {
        /// Email address, or an agent's nine digits.
        account: String,
    },
}

/// The access log.
#[derive(Subcommand)]
pub enum Log {
    /// Delete what is older than `log_seconds` of the configuration. The running server does it once a day.
    Prune,
}
