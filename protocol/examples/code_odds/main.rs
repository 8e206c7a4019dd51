//! Prints the odds of `docs/codes.md`: what somebody who types at random achieves under the lockout.
//!
//! `cargo run -p sentri-protocol --example code_odds`

mod odds;

fn main() {
    for line in odds::tables() {
        println!("{line}");
    }
}
