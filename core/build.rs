//! Link options of the library as a phone ships it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &[&str]| std::env::var(name).is_ok_and(|it| wanted.contains(&it.as_str()));
    // Relocations packed (DT_RELR): 6 % of the file. Only where the profile asks for a small library.
    if is("OPT_LEVEL", &["z"]) && is("CARGO_CFG_TARGET_OS", &["linux", "android"]) {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-z,pack-relative-relocs");
    }
}
