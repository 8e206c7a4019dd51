//! Master keys: made, changed, retired. [OPS-3]

use std::path::Path;

use anyhow::{Context, bail};
use sentri_server::{Config, Vault, key_file::KeyFile, operator::Operator, ports::SystemRandomness};
use serde_json::json;

use super::out::Out;
use crate::args::Key;

fn file(config: &Config) -> anyhow::Result<&Path> {
    config.master_key_file.as_deref().context("the configuration names no master_key_file")
}

/// Makes the file where there is none.
pub fn create(config: &Config, out: &Out) -> anyhow::Result<()> {
    let path = file(config)?;
    Vault::create_file(path, &SystemRandomness).with_context(|| format!("{}", path.display()))?;
    let next = "Back it up, apart from the database: without it no lock can be served.";
    out.print(&json!({ "master_key_file": path, "next": next }))
}

/// Adds a key that opens only.
pub fn add(config: &Config, out: &Out) -> anyhow::Result<()> {
    let mut keys = KeyFile::read(file(config)?)?;
    if !keys.add_next(&SystemRandomness) {
        bail!("the file has a next key already: promote it first");
    }
    keys.save()?;
    let next = "Give the file to all servers and restart them; then `key promote`.";
    out.print(&json!({ "added": true, "next": next }))
}

/// Lets the added key seal.
pub fn promote(config: &Config, out: &Out) -> anyhow::Result<()> {
    let mut keys = KeyFile::read(file(config)?)?;
    if !keys.promote() {
        bail!("the file has no next key: `key add` makes one");
    }
    keys.save()?;
    let next = "Give the file to all servers and restart them; then `key reseal`.";
    out.print(&json!({ "promoted": true, "next": next }))
}

/// What needs the database.
pub async fn administer(
    operator: &Operator<'_>,
    config: &Config,
    key: &Key,
    out: &Out,
) -> anyhow::Result<()> {
    match key {
        Key::Reseal => {
            let count = operator.reseal().await?;
            out.print(&json!({ "resealed": count, "next": "`key retire`, when no server has the old key as its current one" }))
        }
        Key::Retire => retire(operator, config, out).await,
        Key::Status | Key::Create | Key::Add | Key::Promote => out.print(&operator.key_usage().await?),
    }
}

/// Drops former keys, where nothing is sealed under any of them.
async fn retire(operator: &Operator<'_>, config: &Config, out: &Out) -> anyhow::Result<()> {
    let usage = operator.key_usage().await?;
    let sealed: i64 = usage.iter().filter(|key| !key.current).map(|key| key.values).sum();
    if sealed > 0 {
        bail!("{sealed} values are sealed under other keys than the current one: `key reseal` first");
    }
    let mut keys = KeyFile::read(file(config)?)?;
    let dropped = keys.drop_old();
    keys.save()?;
    out.print(&json!({ "retired": dropped, "next": "Give the file to all servers and restart them." }))
}
