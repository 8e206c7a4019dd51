"""Checks of the protocol: its own two ends, the vectors, and both ends against the Rust crate."""
