//! Generates Swift sources, headers and the module map from the built library; `cargo xtask bindings` runs it.

fn main() {
    uniffi::uniffi_bindgen_swift();
}
