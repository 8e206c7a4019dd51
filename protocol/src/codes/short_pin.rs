//! Short PINs: 4 to 8 digits that a guest picks at the door after the SmartPIN, and that end with it. [PIN-5]

use super::{
    kind::Profile,
    picked::{self, PickedRefusal},
    stored::StoredCode,
};

/// Seconds after the SmartPIN opened within which a short PIN is taken.
pub const PICK_WITHIN: u32 = 10;

/// The short PIN that was entered after a SmartPIN had opened: 4 to 8 digits (4 to 6 on a lockbox, where longer
/// codes are of other kinds), not one digit repeated, not a run.
///
/// It works in the window of the SmartPIN that opened ([`super::smart_pin::Accepted::instants`]) and dies with it: the lock stores it
/// with that SmartPIN, and blocks both together.
pub fn pick(profile: Profile, entry: &[u8]) -> Result<StoredCode, PickedRefusal> {
    picked::check_entry(entry, profile.stored_digits())?;
    StoredCode::parse(entry)
}
