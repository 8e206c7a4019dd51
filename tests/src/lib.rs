//! End-to-end tests across the parts.
