//! What is measured. A new bench is one more line in each of the lists here.

use clap::ValueEnum;

use super::callgrind::{Each, Figure};

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchName {
    /// Sizes, fragments and ATT bytes of each message of an open.
    Wire,
    /// What an open costs the lock, from M1 to M2, in instructions.
    Lock,
    /// What an entry at the keypad costs the lock, in instructions; random windows and random entries.
    Codes,
    /// What one change costs an account with few accesses, and one with many.
    Sync,
    /// Logins a second, and how long others wait meanwhile.
    Logins,
    /// Durable uploads of single events, on SQLite and PostgreSQL.
    Uploads,
    /// Syncs a second: with nothing new, and of a full page.
    Syncs,
    /// Listings imported a second out of a feed, and the memory that takes.
    Reso,
    /// Any page of an access log of a million lines.
    Log,
    /// Size of the library that a phone ships.
    Phone,
    /// From the app's start to where it can open a lockbox, beside opening the bare database file.
    Start,
    /// What the home page costs in Kotlin and in Swift, beside calls that only carry its records.
    Home,
}

/// An example of a package.
pub struct Example {
    /// The package.
    pub package: &'static str,
    /// The example.
    pub name: &'static str,
    /// Whether it measures time, and is built for that.
    pub timed: bool,
}

/// How a bench is run.
pub enum How {
    /// The example prints its report.
    Prints(Example),
    /// The same, with a PostgreSQL server that is started for it, named by `SENTRI_BENCH_POSTGRES`.
    PrintsOnPostgres(Example),
    /// The example's instructions are counted.
    Counts(Example, Figure),
    /// The same, of several functions apart.
    CountsEach(Example, Each),
    /// No example: the library itself.
    WeighsThePhoneLibrary,
    /// No example: programs in Kotlin and Swift.
    AsksTheShells,
}

impl BenchName {
    /// In the order of the results.
    pub const ALL: &[Self] = &[
        Self::Wire,
        Self::Lock,
        Self::Codes,
        Self::Sync,
        Self::Logins,
        Self::Uploads,
        Self::Syncs,
        Self::Reso,
        Self::Log,
        Self::Phone,
        Self::Start,
        Self::Home,
    ];

    /// Its word on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// How each of its tables is measured.
    pub fn how(self) -> &'static [How] {
        match self {
            Self::Wire => WIRE,
            Self::Lock => LOCK,
            Self::Codes => CODES,
            Self::Sync => SYNC,
            Self::Logins => LOGINS,
            Self::Uploads => UPLOADS,
            Self::Syncs => SYNCS,
            Self::Reso => RESO,
            Self::Log => LOG,
            Self::Phone => &[How::WeighsThePhoneLibrary],
            Self::Start => START,
            Self::Home => &[How::AsksTheShells],
        }
    }
}

const fn of_the_server(name: &'static str) -> Example {
    Example { package: "sentri-server", name, timed: true }
}

const WIRE: &[How] = &[How::Prints(Example { package: "sentri-tests", name: "wire_sizes", timed: false })];
const LOCK: &[How] =
    &[How::Counts(Example { package: "sentri-lock", name: "m1_m2", timed: false }, LOCK_OPEN)];
const CODES: &[How] = &[
    How::CountsEach(Example { package: "sentri-lock", name: "keypad_entry", timed: false }, KEYPAD_ENTRY),
    How::Prints(Example { package: "sentri-protocol", name: "random_windows", timed: true }),
    How::Prints(Example { package: "sentri-protocol", name: "random_entries", timed: true }),
];
const SYNC: &[How] = &[How::Prints(of_the_server("sync_bench"))];
const LOGINS: &[How] = &[How::Prints(of_the_server("login_bench"))];
const UPLOADS: &[How] = &[How::PrintsOnPostgres(of_the_server("uploads_bench"))];
const SYNCS: &[How] = &[How::Prints(of_the_server("syncs_bench"))];
const RESO: &[How] = &[How::PrintsOnPostgres(of_the_server("reso_bench"))];
const LOG: &[How] = &[How::PrintsOnPostgres(of_the_server("log_bench"))];
const START: &[How] = &[How::Prints(Example { package: "sentri-core", name: "start_bench", timed: true })];

const LOCK_OPEN: Figure = Figure {
    measured: "lock_takes_m1_and_answers_m2",
    part: "X25519",
    part_functions: &["curve25519_dalek", "x25519"],
    most_outside_percent: 10.0,
    rustflags: "--cfg curve25519_dalek_backend=\"serial\" --cfg curve25519_dalek_bits=\"32\" \
                --cfg chacha20_backend=\"soft\" --cfg poly1305_backend=\"soft\" --cfg sha2_backend=\"soft\"",
    note: "Built as a lock's 32-bit processor has it: 32-bit field arithmetic, no vector or hash instructions.",
};

const KEYPAD_ENTRY: Each = Each {
    measured: "::decides_",
    functions: &[
        ("decides_contractor", "contractor"),
        ("decides_wrong_contractor", "contractor, wrong"),
        ("decides_one_day", "one day"),
        ("decides_wrong_one_day", "one day, wrong"),
        ("decides_smac", "SMAC"),
        ("decides_wrong_smac", "SMAC, wrong"),
        ("decides_smart_pin", "SmartPIN"),
        ("decides_wrong_smart_pin", "SmartPIN, wrong"),
        ("decides_stored", "stored, last of 96"),
        ("decides_wrong_stored", "stored, wrong"),
        ("decides_short_pin", "short PIN picked"),
        ("decides_programming", "programming code"),
        ("decides_card_pin", "a card's PIN"),
        ("decides_after_page_turns", "contractor, after 250 others"),
    ],
    most: 200_000,
    rustflags: "--cfg aes_backend=\"soft\" --cfg sha2_backend=\"soft\"",
    note: "AES and SHA-256 in software.",
};
