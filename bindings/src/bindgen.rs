//! Generates bindings from the built library; `cargo xtask bindings` runs it for Kotlin.

fn main() {
    uniffi::uniffi_bindgen_main();
}
