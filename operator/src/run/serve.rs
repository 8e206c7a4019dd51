//! Running the backend until somebody stops it.

use sentri_server::{Config, Ports, Server};
use tracing_subscriber::EnvFilter;

/// Serves until Ctrl-C or the service manager's signal, and then ends what is begun.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(&config.log)?,
    };
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let running = Server::start(config, Ports::system()).await?;
    println!("Listening on {}. Ctrl-C stops it.", running.url());
    if let Some(operations) = running.operations_addr() {
        println!("Health and metrics on http://{operations}.");
    }
    interrupted().await?;
    println!("Stopping.");
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
