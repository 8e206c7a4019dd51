//! Carrying the commands out, through the same rules as the API.

mod communities;
mod keys;
mod listings;
mod members;
mod out;
mod serve;

use std::{io::Read, path::Path};

use anyhow::{Context, bail};
use sentri_server::{
    Config, Ports, Running, Server,
    operator::{Import, Operator},
};
use sentri_wire::account;
use serde_json::json;

use self::out::Out;
use crate::args::{Account, Args, Command, ConfigFile, Database, Key, Log, Standing};

/// The example of a configuration, with every key.
const EXAMPLE: &str = include_str!("../../docs/sentri.toml");

/// Does what was asked.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let out = Out { json: args.json };
    if let Command::Config(ConfigFile::Example) = args.command {
        print!("{EXAMPLE}");
        return Ok(());
    }
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    match args.command {
        Command::Serve => serve::serve(config).await,
        Command::Config(_) => {
            Server::check(&config, &Ports::system())?;
            out.print(&json!({ "config": "ok" }))
        }
        Command::Key(Key::Create) => keys::create(&config, &out),
        Command::Key(Key::Add) => keys::add(&config, &out),
        Command::Key(Key::Promote) => keys::promote(&config, &out),
        Command::Database(Database::Status) => out.print(&Server::schema(&config).await?),
        Command::Database(Database::Migrate) => migrate(config, &out).await,
        command => {
            let running = Server::open(config.clone(), Ports::system()).await?;
            let done = administer(&running, &config, command, &out).await;
            running.stop().await;
            done
        }
    }
}

async fn migrate(config: Config, out: &Out) -> anyhow::Result<()> {
    let before = Server::schema(&config).await?;
    let running = Server::open(Config { migrate: true, ..config.clone() }, Ports::system()).await?;
    running.stop().await;
    let after = Server::schema(&config).await?;
    out.print(&json!({ "had": before.has, "has": after.has, "done": before.pending }))
}

async fn administer(running: &Running, config: &Config, command: Command, out: &Out) -> anyhow::Result<()> {
    let operator = running.operator();
    match command {
        Command::Association(it) => members::associations(&operator, it, out).await,
        Command::Brokerage(it) => members::brokerages(&operator, it, out).await,
        Command::Agent(it) => members::agents(&operator, it, out).await,
        Command::Lockbox(it) => members::lockboxes(&operator, it, out).await,
        Command::Listings(it) => listings::listings(&operator, it, out).await,
        Command::Community(it) => communities::communities(&operator, it, out).await,
        Command::Resident(it) => communities::residents(&operator, it, out).await,
        Command::Door(it) => communities::doors(&operator, it, out).await,
        Command::Hub(it) => communities::hubs(&operator, it, out).await,
        Command::Support(it) => communities::support(&operator, it, out).await,
        Command::Import { file } => import(&operator, &file, out).await,
        Command::Key(it) => keys::administer(&operator, config, &it, out).await,
        Command::Account(Account::Export { account }) => {
            let data = operator.export_account(&account).await?;
            println!("{}", serde_json::to_string_pretty(&data)?);
            Ok(())
        }
        Command::Account(Account::Standing { account, standing }) => {
            let standing = match standing {
                Standing::Active => account::Standing::Active,
                Standing::Suspended => account::Standing::Suspended,
                Standing::Lapsed => account::Standing::Lapsed,
                Standing::Locked => account::Standing::Locked,
            };
            out.print(&operator.set_account_standing(&account, standing).await?)
        }
        Command::Log(Log::Prune) => out.print(&operator.prune_log().await?),
        Command::Database(Database::Backup { file }) => {
            let path = file.to_str().context("the file's name is no UTF-8")?;
            operator.back_up(path).await?;
            out.print(
                &json!({ "backup": path, "next": "keep it apart from the master key file, which it needs" }),
            )
        }
        Command::Database(_) => {
            operator.renew_incarnation().await?;
            out.print(&json!({ "restored": true, "next": "restart the servers" }))
        }
        Command::Serve | Command::Config(_) => Ok(()),
    }
}

/// Reads a document and makes what it names. What was refused is told, and fails the command.
async fn import(operator: &Operator<'_>, file: &Path, out: &Out) -> anyhow::Result<()> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?
    };
    let mut json = serde_json::Deserializer::from_str(&text);
    let document: Import = serde_path_to_error::deserialize(&mut json)
        .with_context(|| format!("{} is not as documented", file.display()))?;
    let imported = operator.import(&document).await?;
    out.print(&imported)?;
    if imported.refused.is_empty() {
        Ok(())
    } else {
        bail!("{} entries were refused; correct them and import again", imported.refused.len())
    }
}
