//! Link options of the library as a phone ships it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|it| it == wanted);
    let android = is("CARGO_CFG_TARGET_OS", "android");
    // Both linkers are LLD: the NDK's, and the one that rustc brings for this target.
    let lld = android || (is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ARCH", "x86_64"));
    // Only where the profile asks for a small library.
    if lld && is("OPT_LEVEL", "z") {
        // Relocations packed (DT_RELR): 6 % of the file.
        println!("cargo::rustc-link-arg-cdylib=-Wl,-z,pack-relative-relocs");
    }
}
