//! The operator's command line: runs the backend, and administers what it serves. [OPS-1]

mod args;
mod run;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let args = args::Args::parse();
    match run::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sentri-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
