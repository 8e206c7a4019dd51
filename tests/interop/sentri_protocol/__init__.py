"""The Sentri lock protocol, version 1, written from docs/protocol.md alone.

It shares no code with the Rust crates: it is the second opinion that they are compared with.
"""
