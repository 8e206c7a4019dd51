//! What is measured. A new bench is one more line in each of the lists here.

use clap::ValueEnum;

use super::callgrind::Figure;

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchName {
    /// Sizes, fragments and ATT bytes of each message of an open.
    Wire,
    /// What an open costs the lock, from M1 to M2, in instructions.
    Lock,
    /// What one change costs an account with few accesses, and one with many.
    Sync,
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
    /// The example's instructions are counted.
    Counts(Example, Figure),
    /// No example: the library itself.
    WeighsThePhoneLibrary,
    /// No example: programs in Kotlin and Swift.
    AsksTheShells,
}

impl BenchName {
    /// In the order of the results.
    pub const ALL: &[Self] = &[Self::Wire, Self::Lock, Self::Sync, Self::Phone, Self::Start, Self::Home];

    /// Its word on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// How it is run.
    pub fn how(self) -> How {
        match self {
            Self::Wire => How::Prints(Example { package: "sentri-tests", name: "wire_sizes", timed: false }),
            Self::Lock => {
                How::Counts(Example { package: "sentri-lock", name: "m1_m2", timed: false }, LOCK_OPEN)
            }
            Self::Sync => How::Prints(Example { package: "sentri-server", name: "sync_bench", timed: true }),
            Self::Phone => How::WeighsThePhoneLibrary,
            Self::Start => How::Prints(Example { package: "sentri-core", name: "start_bench", timed: true }),
            Self::Home => How::AsksTheShells,
        }
    }
}

const LOCK_OPEN: Figure = Figure {
    measured: "lock_takes_m1_and_answers_m2",
    part: "X25519",
    part_functions: &["curve25519_dalek", "x25519"],
    most_outside_percent: 10.0,
    rustflags: "--cfg curve25519_dalek_backend=\"serial\" --cfg curve25519_dalek_bits=\"32\" \
                --cfg chacha20_backend=\"soft\" --cfg poly1305_backend=\"soft\" --cfg sha2_backend=\"soft\"",
    note: "Built as a lock's 32-bit processor has it: 32-bit field arithmetic, no vector or hash instructions.",
};
