//! Contractor and one day codes under one roof, for callers of either.

pub use super::{
    contractor::{DIGITS as CONTRACTOR_DIGITS, code as contractor},
    digits::Digits,
    one_day::{DIGITS as ONE_DAY_DIGITS, INDICES as ONE_DAY_INDICES, code as one_day},
};
