//! The commands for communities, their people and hubs, and for support users.

use clap::{Args, Subcommand, ValueEnum};

use super::members::Person;

/// Communities.
#[derive(Subcommand)]
pub enum Community {
    /// Make one.
    Add {
        /// Its name.
        #[arg(long)]
        name: String,
        /// The company that manages it.
        #[arg(long)]
        management: String,
        /// IANA zone of its buildings, like `America/Chicago`.
        #[arg(long)]
        time_zone: String,
        /// Codes have six digits.
        #[arg(long)]
        six_digit_codes: bool,
        /// Residents may pick their codes.
        #[arg(long)]
        custom_codes: bool,
    },
    /// List them.
    List,
    /// Change what its residents may.
    Set {
        /// Its name.
        name: String,
        /// Whether codes have six digits: true or false.
        #[arg(long)]
        six_digit_codes: Option<bool>,
        /// Whether residents may pick their codes: true or false.
        #[arg(long)]
        custom_codes: Option<bool>,
    },
    /// Suspend one with all its residents.
    Suspend {
        /// Its name.
        name: String,
    },
    /// Put one back. Residents who were suspended by themselves stay so.
    Reinstate {
        /// Its name.
        name: String,
    },
    /// Give one to another management.
    Transfer {
        /// Its name.
        name: String,
        /// The company that manages it from now on.
        #[arg(long)]
        management: String,
    },
}

/// Residents.
#[derive(Subcommand)]
pub enum Resident {
    /// Make one. Reads the first password and, on a second line, the first PIN from standard input.
    Add {
        /// Name of the community.
        #[arg(long)]
        community: String,
        /// Which unit.
        #[arg(long)]
        unit: String,
        /// Who it is.
        #[command(flatten)]
        person: Person,
    },
    /// List a community's residents.
    List {
        /// Name of the community.
        #[arg(long)]
        community: String,
    },
    /// Suspend one.
    Suspend {
        /// Email address.
        email: String,
    },
    /// Put a suspended one back into good standing.
    Reinstate {
        /// Email address.
        email: String,
    },
    /// Move one to another unit or community.
    Transfer {
        /// Email address.
        email: String,
        /// Name of the community from now on.
        #[arg(long)]
        community: String,
        /// Which unit from now on.
        #[arg(long)]
        unit: String,
    },
}

/// Doors.
#[derive(Subcommand)]
pub enum Door {
    /// Make a lock a door. Prints what the factory writes into the lock; its seed is secret.
    Provision {
        /// What is printed on the lock.
        #[arg(long)]
        serial: String,
        /// Name of the community.
        #[arg(long)]
        community: String,
        /// What is behind it.
        #[arg(long, value_enum)]
        kind: DoorKind,
        /// Which unit it is the door of.
        #[arg(long)]
        unit: Option<String>,
        /// What residents call it.
        #[arg(long)]
        name: String,
        /// Serial number of the hub that reaches it; without one it is reached by Bluetooth.
        #[arg(long)]
        hub: Option<String>,
    },
    /// Say how a door's lock gets new codes: by a hub, or, where none is named, by Bluetooth.
    Reach {
        /// What is printed on the lock.
        serial: String,
        /// Serial number of the hub.
        #[arg(long)]
        hub: Option<String>,
    },
    /// List a community's doors.
    List {
        /// Name of the community.
        #[arg(long)]
        community: String,
    },
}

/// What is behind a door.
#[derive(Clone, Copy, ValueEnum)]
pub enum DoorKind {
    /// A home.
    Unit,
    /// A way in that all residents share.
    AccessPoint,
    /// A pool, a gym, a laundry.
    Amenity,
}

/// Hubs.
#[derive(Subcommand)]
pub enum Hub {
    /// Make one.
    Add {
        /// What is printed on it.
        #[arg(long)]
        serial: String,
        /// Name of the community.
        #[arg(long)]
        community: String,
    },
    /// List a community's hubs.
    List {
        /// Name of the community.
        #[arg(long)]
        community: String,
    },
    /// Give one a key, and print it once; a former key is worth nothing from then on.
    RenewKey {
        /// What is printed on it.
        serial: String,
    },
    /// Take one out of use for a while.
    Suspend {
        /// What is printed on it.
        serial: String,
    },
    /// Put one back.
    Reinstate {
        /// What is printed on it.
        serial: String,
    },
    /// Take one out of use for good. Its doors refuse changes until `door reach` says otherwise.
    Retire {
        /// What is printed on it.
        serial: String,
    },
    /// Hang one into another community.
    Transfer {
        /// What is printed on it.
        serial: String,
        /// Name of the community from now on.
        #[arg(long)]
        community: String,
    },
}

/// Support users.
#[derive(Subcommand)]
pub enum Support {
    /// Make one. Reads the first password and, on a second line, the first PIN from standard input.
    Add {
        /// What they may.
        #[arg(long, value_enum)]
        permission: Permission,
        /// Who it is.
        #[command(flatten)]
        person: Person,
    },
    /// List them.
    List,
    /// Suspend one.
    Suspend {
        /// Email address.
        email: String,
    },
    /// Put a suspended one back.
    Reinstate {
        /// Email address.
        email: String,
    },
    /// Give one another permission.
    Set {
        /// Email address.
        email: String,
        /// What they may from now on.
        #[arg(long, value_enum)]
        permission: Permission,
    },
    /// Somebody calls who says to own a lockbox: print the security questions that may be asked.
    Questions {
        /// Address of the support user who took the call.
        #[arg(long = "as")]
        support: String,
        /// The owner's nine digits.
        #[arg(long)]
        owner: String,
    },
    /// Make a one day code for a caller who answers right, to be read to them.
    OneDayCode {
        /// Who calls.
        #[command(flatten)]
        call: OwnersCall,
        /// The day at the property, like 2026-11-23.
        #[arg(long)]
        day: String,
    },
    /// Print the contractor codes for a caller who answers right, to be read to them.
    ContractorCodes(OwnersCall),
}

/// A call to phone support. What the caller answers to a security question comes by standard input.
#[derive(Args)]
pub struct OwnersCall {
    /// Address of the support user who took the call.
    #[arg(long = "as")]
    pub support: String,
    /// The owner's nine digits, as the caller says them.
    #[arg(long)]
    pub owner: String,
    /// What is printed on the lockbox.
    #[arg(long)]
    pub lockbox: String,
}

/// What a support user may.
#[derive(Clone, Copy, ValueEnum)]
pub enum Permission {
    /// Search and help users.
    Support,
    /// The same, and administer support users.
    SysAdmin,
}
