//! Secrets in records. Swift and Kotlin print records whole: these get a type of their own there, which shows nothing.

use sentri_wire::Secret;

uniffi::custom_type!(Secret, String, {
    remote,
    try_lift: |text| Ok(Secret::new(text)),
    lower: |secret| secret.expose().to_owned(),
});
