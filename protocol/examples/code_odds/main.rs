//! Prints the odds of `docs/codes.md`: what somebody who types at random achieves under the lockout.
//!
//! `cargo run -p sentri-protocol --example code_odds`
#![allow(clippy::indexing_slicing, reason = "a table by the count of wrong tries, as long as they can be")]

mod odds;

fn main() {
    for line in odds::tables() {
        println!("{line}");
    }
}
