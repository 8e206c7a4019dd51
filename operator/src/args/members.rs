//! The commands for associations, their people and their boxes.

use clap::{Args, Subcommand, ValueEnum};

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
    /// Change the rules that it sets for itself; what is left out stays.
    Set(Rules),
    /// Suspend one with all its agents.
    Suspend {
        /// Its name.
        name: String,
    },
    /// Put one back. Agents who were suspended by themselves stay so.
    Reinstate {
        /// Its name.
        name: String,
    },
}

/// The rules of an association.
#[derive(Args)]
pub struct Rules {
    /// Its name.
    pub name: String,
    /// Devices an account may register.
    #[arg(long)]
    pub device_limit: Option<u32>,
    /// How long before its start an access's ticket can be fetched.
    #[arg(long)]
    pub lead_hours: Option<u32>,
    /// Longest life of a ticket that is not renewed: at most 72, and 24 on phones without secure hardware.
    #[arg(long)]
    pub ticket_hours: Option<u32>,
    /// Longest access.
    #[arg(long)]
    pub longest_grant_days: Option<u32>,
    /// What a grant asks of its granter.
    #[arg(long, value_enum)]
    pub grant_approval: Option<Approval>,
    /// Which passwords its members may have.
    #[arg(long, value_enum)]
    pub password_rule: Option<PasswordRule>,
}

/// What a grant asks of its granter.
#[derive(Clone, Copy, ValueEnum)]
pub enum Approval {
    /// The PIN, or the phone's hardware key.
    PinOrPresence,
    /// The PIN, always.
    Pin,
}

/// Which passwords there may be.
#[derive(Clone, Copy, ValueEnum)]
pub enum PasswordRule {
    /// 6 to 20 characters, an upper case letter, a lower case letter, a digit.
    Standard,
    /// 8 to 64 characters of any kind, none that is easily guessed; no security questions.
    Strict,
}

/// A brokerage, named.
#[derive(Args)]
pub struct NamedBrokerage {
    /// Name of its association.
    #[arg(long)]
    pub association: String,
    /// Its name.
    #[arg(long)]
    pub name: String,
}

/// Brokerages.
#[derive(Subcommand)]
pub enum Brokerage {
    /// Make one.
    Add(NamedBrokerage),
    /// List an association's brokerages.
    List {
        /// Name of the association.
        #[arg(long)]
        association: String,
    },
    /// Say which codes its agents' lockboxes take; what is left out stays.
    Set {
        /// Which.
        #[command(flatten)]
        brokerage: NamedBrokerage,
        /// One day codes.
        #[arg(long, value_enum)]
        one_day_codes: Option<Allowed>,
        /// Contractor codes.
        #[arg(long, value_enum)]
        contractor_codes: Option<Allowed>,
    },
    /// Suspend one with all its agents.
    Suspend(NamedBrokerage),
    /// Put one back. Agents who were suspended by themselves stay so.
    Reinstate(NamedBrokerage),
    /// Put one with all its agents and their boxes under another association.
    Transfer {
        /// Which.
        #[command(flatten)]
        brokerage: NamedBrokerage,
        /// Name of the association from now on.
        #[arg(long)]
        to: String,
    },
}

/// Whether something is allowed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// It is.
    Allow,
    /// It is not.
    Forbid,
}

/// Somebody for whom an account is made. The first password and, on a second line, the first PIN come by standard
/// input.
#[derive(Args)]
pub struct Person {
    /// First name.
    #[arg(long)]
    pub first_name: String,
    /// Last name.
    #[arg(long)]
    pub last_name: String,
    /// Email address.
    #[arg(long)]
    pub email: String,
    /// Cell phone number.
    #[arg(long)]
    pub phone: String,
    /// Read no password and no PIN: their owner asks for them by mail.
    #[arg(long)]
    pub without_password: bool,
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
        /// Who it is.
        #[command(flatten)]
        person: Person,
    },
    /// List an association's agents.
    List {
        /// Name of the association.
        #[arg(long)]
        association: String,
    },
    /// Note what the MLS calls one in its listings (`ListAgentMlsId`), where that is not the SentriKey ID.
    SetMlsId {
        /// Nine digits.
        sentrikey_id: String,
        /// The member id.
        #[arg(long)]
        mls_id: String,
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
    /// Put one with their boxes under another association or brokerage.
    Transfer {
        /// Nine digits.
        sentrikey_id: String,
        /// Name of the association from now on.
        #[arg(long)]
        association: String,
        /// Name of the brokerage from now on.
        #[arg(long)]
        brokerage: Option<String>,
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
    /// Give one to another agent, with new keys: ends what was granted at it, and prints the settings to load into it.
    Transfer {
        /// What is printed on the box.
        serial: String,
        /// SentriKey ID of its owner from now on.
        #[arg(long)]
        owner: String,
    },
    /// Give one new keys: ends what was granted at it and every code made for it, and prints the settings to load into it.
    /// For when a phone that could make its SmartPINs is lost.
    RenewKeys {
        /// What is printed on the box.
        serial: String,
    },
    /// Take one out of use for good: ends what was granted at it.
    Retire {
        /// What is printed on the box.
        serial: String,
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
