//! `cargo run -- serve`: a town that stays, for app developers to point a phone at.

use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use sentri_core::{CoreError, api::types::App, open::PhoneChecks};
use sentri_server::operator::NewAssociation;
use sentri_wire::agent::LockboxGeneration;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    cli::ServeArgs,
    clock::Clock,
    control,
    story::cast,
    town::{Person, Plan, Town, TownTrouble, market},
};

/// Registrations that an account has here: app developers install often.
const DEVICES: u32 = 50;
/// How long open requests may take when the sandbox stops.
const GRACE: Duration = Duration::from_secs(3);

/// Why the sandbox does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeTrouble {
    /// The town can't be made.
    #[error(transparent)]
    Town(#[from] TownTrouble),
    /// The control port can't be had.
    #[error(
        "The control API can't listen on 127.0.0.1:{port}: {source}. Another --control-port may be free."
    )]
    ControlPort {
        /// Which one.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The listing could not be added.
    #[error("The listing could not be added: {0}")]
    Listing(#[from] CoreError),
    /// A signal or socket failed.
    #[error("The sandbox failed: {0}")]
    Failed(#[from] io::Error),
}

/// Serves until Ctrl-C, or until it is told to end.
pub async fn run(args: &ServeArgs) -> Result<(), ServeTrouble> {
    let plan =
        Plan { clock: Clock::real(), data: args.data.clone(), port: args.port, database: None, seed: None };
    let town = Arc::new(Town::found(plan).await?);
    let served = settle_and_serve(args, &town).await;
    town.stop().await;
    served
}

async fn settle_and_serve(args: &ServeArgs, town: &Arc<Town>) -> Result<(), ServeTrouble> {
    let port = args.control_port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| ServeTrouble::ControlPort { port, source })?;
    settle(town).await?;
    announce(args, town, listener.local_addr()?.port());
    let (stop, stopped) = watch::channel(false);
    let mut told = stopped.clone();
    let until = async move {
        // Also where the sender is gone.
        let _ = told.wait_for(|stop| *stop).await;
    };
    let mut serving = tokio::spawn(control::serve(listener, town.clone(), until));
    end_of_service().await?;
    println!("Stopping.");
    let _ = stop.send(true);
    if tokio::time::timeout(GRACE, &mut serving).await.is_err() {
        serving.abort();
    }
    Ok(())
}

async fn end_of_service() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Puts into an empty town what a developer needs, or brings back what a former run left.
async fn settle(town: &Town) -> Result<(), ServeTrouble> {
    town.introduce(Person {
        name: format!("{} {}", cast::AGENT.0, cast::AGENT.1),
        kind: "agent",
        login: cast::SENTRIKEY_ID.into(),
        password: cast::AGENT_PASSWORD.into(),
        pin: cast::AGENT_PIN.into(),
    });
    let associations = town.operate(async |operator| operator.associations().await).await?;
    if associations.iter().any(|it| it.name == cast::ASSOCIATION) {
        return bring_back(town).await;
    }
    town.operate(async |operator| {
        let name = cast::ASSOCIATION.to_owned();
        let association = NewAssociation { name, device_limit: Some(DEVICES), ..NewAssociation::default() };
        operator.add_association(&association).await?;
        operator.add_brokerage(cast::ASSOCIATION, cast::BROKERAGE).await?;
        operator.add_agent(&cast::agent()).await
    })
    .await?;
    for (serial, generation) in cast::BOXES {
        // A developer works at night too.
        town.add_lockbox(&cast::lockbox(serial, generation, "always")).await?;
    }
    Ok(add_listing(town).await?)
}

async fn bring_back(town: &Town) -> Result<(), ServeTrouble> {
    let boxes = town.operate(async |operator| operator.lockboxes(cast::SENTRIKEY_ID).await).await?;
    for known in boxes {
        if town.bring_back(&known.serial, known.generation)?.is_none() {
            println!("Lockbox {} is missing: its flash is not in the data folder.", known.serial);
        }
    }
    Ok(())
}

/// Adding listings is an agent's work, not an operator's: it is done on an agent's phone.
async fn add_listing(town: &Town) -> Result<(), CoreError> {
    let mut device = town.device("The sandbox's own phone", App::Agent, PhoneChecks::Enforced);
    let phone = device.start(&town.surroundings())?;
    phone.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await?;
    phone.core.add_listing(cast::listing(cast::ADDRESS)).await?;
    phone.core.logout().await
}

fn announce(args: &ServeArgs, town: &Town, control: u16) {
    let kept = if args.data.is_some() { "kept" } else { "temporary, gone when the sandbox stops" };
    println!("The Sentri sandbox is running. Ctrl-C stops it. How to use it: docs/sandbox.md.\n");
    println!("  Backend      {}", town.base_url());
    println!("  Control API  http://127.0.0.1:{control}");
    println!("  Radio        ws://127.0.0.1:{control}/radio");
    println!("  Feed         {} (bearer {})", town.feed.url(), market::TOKEN);
    println!("  Data         {} ({kept})\n", town.folder().display());
    println!(
        "  Agent        {} {}: SentriKey ID {}, password {}, PIN {}",
        cast::AGENT.0,
        cast::AGENT.1,
        cast::SENTRIKEY_ID,
        cast::AGENT_PASSWORD,
        cast::AGENT_PIN
    );
    println!("  Listing      {}, {}, {} {}", cast::ADDRESS, cast::CITY.0, cast::CITY.1, cast::CITY.2);
    for lockbox in town.lockboxes() {
        let talks = match lockbox.generation() {
            LockboxGeneration::Ble => "Bluetooth",
            LockboxGeneration::NonBle => "keypad only",
        };
        println!("  Lockbox      {} ({talks})", lockbox.serial());
    }
}
