//! Vectors in `protocol/vectors`: written with `SENTRI_BLESS=1`, compared otherwise.

use std::{fs, path::Path};

use serde_json::{Value, json};

/// Compares the cases with those in the file; the file is what other languages check themselves against.
#[allow(clippy::needless_pass_by_value, reason = "cases read better as values")]
pub fn check(name: &str, about: &str, cases: Vec<Value>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    let text = serde_json::to_string_pretty(&json!({ "about": about, "cases": cases })).unwrap() + "\n";
    if std::env::var_os("SENTRI_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(stored, text, "{name} is not what the code makes");
}
