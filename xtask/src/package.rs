//! The mobile core as a phone ships it, and what it weighs.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    bench::report::Report,
    bindings::{self, Exporting},
    link, process,
    workspace::Workspace,
};

/// 4.0 MB of 1,000,000 bytes.
const MOST_BYTES: u64 = 4_000_000;

/// For what is written in C: small, and no tables for unwinding. Nothing unwinds through C, and they are a tenth of a
/// megabyte.
const C_FLAGS: &str = "-Oz -fno-asynchronous-unwind-tables -fno-unwind-tables";
/// Equal functions are kept once. This system's default linker knows that, and Android's and Apple's; not every one does.
const LINK_FLAGS: &[&str] = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    &["-C", "link-arg=-Wl,--icf=all"]
} else {
    &[]
};
/// Of SQLite, what the phone's store has no use for.
const NOT_OF_SQLITE: &str = "-USQLITE_ENABLE_LOAD_EXTENSION -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_JSON \
     -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_AUTHORIZATION -DSQLITE_OMIT_TRACE \
     -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_OMIT_DECLTYPE -DSQLITE_OMIT_DESERIALIZE -DSQLITE_OMIT_UTF16 \
     -DSQLITE_OMIT_DATETIME_FUNCS -DSQLITE_OMIT_INCRBLOB -DSQLITE_OMIT_INTROSPECTION_PRAGMAS \
     -DSQLITE_OMIT_COMPILEOPTION_DIAGS -DSQLITE_UNTESTABLE -USQLITE_ENABLE_COLUMN_METADATA \
     -USQLITE_ENABLE_API_ARMOR -USQLITE_USE_URI -DSQLITE_OMIT_LIKE_OPTIMIZATION -DSQLITE_OMIT_OR_OPTIMIZATION \
     -DSQLITE_OMIT_AUTOMATIC_INDEX -DSQLITE_OMIT_XFER_OPT -DSQLITE_OMIT_BETWEEN_OPTIMIZATION -DSQLITE_OMIT_GET_TABLE \
     -DSQLITE_OMIT_COMPLETE -DSQLITE_OMIT_LOCALTIME -DSQLITE_OMIT_QUICKBALANCE -DSQLITE_OMIT_TCL_VARIABLE \
     -DSQLITE_OMIT_CASE_SENSITIVE_LIKE_PRAGMA -DSQLITE_DEFAULT_LOOKASIDE=0,0";

/// Builds the library, prints its size, and fails where it is too large.
pub fn weigh_and_tell(workspace: &Workspace) -> Result<()> {
    let bytes = weigh(workspace)?;
    println!(
        "    phone library: {} MB of at most {} MB ({bytes} bytes)",
        megabytes(bytes),
        megabytes(MOST_BYTES)
    );
    if bytes > MOST_BYTES {
        bail!("the phone library has {} MB, and may have {}", megabytes(bytes), megabytes(MOST_BYTES));
    }
    Ok(())
}

/// The same as a table.
pub fn report(workspace: &Workspace) -> Result<Report> {
    let bytes = weigh(workspace)?;
    Ok(Report {
        title: "Phone library".into(),
        columns: ["", "MB", "at most"].map(String::from).to_vec(),
        rows: vec![["stripped".into(), megabytes(bytes).into(), megabytes(MOST_BYTES).into()].to_vec()],
        notes: vec!["Shared library of `sentri-core`, profile `phone`; 1 MB is 1,000,000 bytes.".into()],
        passed: bytes <= MOST_BYTES,
    })
}

fn weigh(workspace: &Workspace) -> Result<u64> {
    let library = build(workspace)?;
    Ok(fs::metadata(&library).with_context(|| format!("can't find {}", library.display()))?.len())
}

/// Builds the library that a phone ships; answers where it is.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    build_as_shipped(workspace, &bindings::CORE)
}

/// Builds a library as a phone ships it; answers where it is.
pub fn build_as_shipped(workspace: &Workspace, what: &Exporting<'_>) -> Result<PathBuf> {
    let arguments =
        ["rustc", "--package", what.package, "--lib", "--crate-type", "cdylib", "--profile", "phone"];
    let mut cargo = process::cargo();
    cargo.args(arguments).args(["--", "-C", &link::option()?]).args(LINK_FLAGS).env(link::LINKER, "cc");
    // Behind the workspace's own flags, which cargo hands on, and the machine's.
    for (variable, more) in [("LIBSQLITE3_FLAGS", NOT_OF_SQLITE), ("CFLAGS", C_FLAGS)] {
        let flags = env::var(variable).unwrap_or_default();
        cargo.env(variable, format!("{flags} {more}").trim());
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", short_paths(workspace)?);
    process::run(cargo.current_dir(&workspace.root))?;
    Ok(workspace.target.join("phone").join(bindings::file_name(what.library)))
}

/// What cargo wants between flags, so that they may have spaces in them.
const BETWEEN: &str = "\u{1f}";

/// Panics say where they are: as `ring-0.17/src/rsa.rs`, whoever built the library.
fn short_paths(workspace: &Workspace) -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("there is no home folder")?;
    let mut prefixes = vec![workspace.root.clone()];
    // A folder for each registry.
    for registry in fs::read_dir(home.join("registry/src")).into_iter().flatten() {
        prefixes.push(registry.context("can't read cargo's folder")?.path());
    }
    let flags = prefixes.iter().map(|prefix| format!("--remap-path-prefix={}/=", prefix.display()));
    let own: Vec<String> = if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        flags.split(BETWEEN).map(str::to_owned).collect()
    } else {
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        flags.split_whitespace().map(str::to_owned).collect()
    };
    Ok(own.into_iter().chain(flags).collect::<Vec<_>>().join(BETWEEN))
}

fn megabytes(bytes: u64) -> String {
    // Rounded up: what is over the limit must not read as if it were at it.
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(megabytes(4_000_000), "4.00");
        assert_eq!(megabytes(4_000_001), "4.01");
        assert_eq!(megabytes(3_050_000), "3.05");
    }
}
