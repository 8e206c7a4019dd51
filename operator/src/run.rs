//! Carrying the commands out, through the same rules as the API.

use std::io::BufRead;

use anyhow::{Context, bail};
use sentri_server::{
    Config, Ports, Running, Server, Vault,
    operator::{NewAgent, NewAssociation, NewLockbox, Operator},
    ports::SystemRandomness,
};
use sentri_wire::{Secret, agent::LockboxGeneration, problem::SupportContact};
use serde::Serialize;
use serde_json::Value;

use crate::args::{
    Account, Agent, Args, Association, Brokerage, Command, Database, Generation, Key, Lockbox, Log,
};

/// Does what was asked.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let out = Out { json: args.json };
    match args.command {
        Command::Serve => serve(config).await,
        Command::Key(Key::Create) => create_key(&config),
        command => {
            let running = Server::open(config, Ports::system()).await?;
            let done = administer(&running, command, &out).await;
            running.stop().await;
            done
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let running = Server::start(config, Ports::system()).await?;
    println!("Listening on {}. Ctrl-C stops it.", running.url());
    interrupted().await?;
    running.stop().await;
    Ok(())
}

/// Returns at Ctrl-C, and at the signal that service managers send.
async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn create_key(config: &Config) -> anyhow::Result<()> {
    let Some(path) = &config.master_key_file else { bail!("the configuration names no master_key_file") };
    Vault::create_file(path, &SystemRandomness).with_context(|| format!("{}", path.display()))?;
    println!("The master key is in {}. Back it up: without it no lock can be served.", path.display());
    Ok(())
}

async fn administer(running: &Running, command: Command, out: &Out) -> anyhow::Result<()> {
    let operator = running.operator();
    match command {
        Command::Association(Association::List) => out.print(&operator.associations().await?),
        Command::Association(add) => out.print(&operator.add_association(&new_association(add)?).await?),
        Command::Brokerage(Brokerage::Add { association, name }) => {
            out.print(&operator.add_brokerage(&association, &name).await?)
        }
        Command::Agent(agent) => agents(&operator, agent, out).await,
        Command::Lockbox(lockbox) => lockboxes(&operator, lockbox, out).await,
        Command::Key(Key::Reseal) => {
            let count = operator.reseal_seeds().await?;
            out.print(&serde_json::json!({ "resealed": count }))
        }
        Command::Account(Account::Export { account }) => {
            let data = operator.export_account(&account).await?;
            println!("{}", serde_json::to_string_pretty(&data)?);
            Ok(())
        }
        Command::Log(Log::Prune) => out.print(&operator.prune_log().await?),
        Command::Database(Database::Restored) => {
            operator.renew_incarnation().await?;
            out.print(&serde_json::json!({ "restored": true, "next": "restart the server" }))
        }
        Command::Serve | Command::Key(Key::Create) => Ok(()),
    }
}

fn new_association(add: Association) -> anyhow::Result<NewAssociation> {
    let Association::Add {
        name,
        device_limit,
        lead_hours,
        longest_grant_days,
        support_name,
        support_phone,
        support_hours,
    } = add
    else {
        bail!("nothing to add")
    };
    let support = support_name.zip(support_hours);
    Ok(NewAssociation {
        name,
        device_limit,
        lead_hours,
        longest_grant_days,
        support: support.map(|(name, hours)| SupportContact { name, phones: support_phone, hours }),
    })
}

async fn agents(operator: &Operator<'_>, agent: Agent, out: &Out) -> anyhow::Result<()> {
    match agent {
        Agent::Add { association, brokerage, sentrikey_id, first_name, last_name, email, phone } => {
            let (password, pin) = (secret_line("password")?, secret_line("PIN")?);
            let new = NewAgent {
                association,
                brokerage,
                sentrikey_id,
                first_name,
                last_name,
                email,
                phone,
                password,
                pin,
            };
            out.print(&operator.add_agent(&new).await?)
        }
        Agent::List { association } => out.print(&operator.agents(&association).await?),
        Agent::Suspend { sentrikey_id } => out.print(&operator.suspend_agent(&sentrikey_id).await?),
        Agent::Reinstate { sentrikey_id } => out.print(&operator.reinstate_agent(&sentrikey_id).await?),
    }
}

/// Secrets come by standard input: arguments can be read by everybody on the machine.
fn secret_line(what: &str) -> anyhow::Result<Secret> {
    let mut line = String::new();
    let length = std::io::stdin().lock().read_line(&mut line)?;
    if length == 0 {
        bail!("no {what} on standard input: enter the password and the PIN, one a line");
    }
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

async fn lockboxes(operator: &Operator<'_>, lockbox: Lockbox, out: &Out) -> anyhow::Result<()> {
    match lockbox {
        Lockbox::Provision { serial, generation, owner, time_zone, access_hours } => {
            let generation = match generation {
                Generation::Ble => LockboxGeneration::Ble,
                Generation::NonBle => LockboxGeneration::NonBle,
            };
            let new = NewLockbox { serial, generation, owner, time_zone, access_hours };
            out.print(&operator.provision_lockbox(&new).await?)
        }
        Lockbox::List { owner } => out.print(&operator.lockboxes(&owner).await?),
    }
}

/// Prints results for people or for programs.
struct Out {
    json: bool,
}

impl Out {
    fn print<T: Serialize>(&self, result: &T) -> anyhow::Result<()> {
        let value = serde_json::to_value(result)?;
        if self.json {
            println!("{value}");
            return Ok(());
        }
        match &value {
            Value::Array(rows) if rows.is_empty() => println!("None."),
            Value::Array(rows) => rows.iter().for_each(print_row),
            row => print_row(row),
        }
        Ok(())
    }
}

/// `name: value`, one field a line, and a line between rows.
fn print_row(row: &Value) {
    if let Value::Object(fields) = row {
        for (name, value) in fields {
            match value {
                Value::String(text) => println!("{name}: {text}"),
                other => println!("{name}: {other}"),
            }
        }
    }
    println!();
}
