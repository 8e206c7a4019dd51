"""Keypad codes, written from docs/codes.md alone: the second opinion that the Rust crates are compared with."""
