//! The command line: what one may ask for, and how a failure is told.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use platform::telemetry;

use crate::commands::{check, config, doctor, migrate, openapi, ready, seed, serve, smoke, staff, version};
use crate::faults;

/// A shop in one binary. Without a command it serves everything.
#[derive(Debug, Parser)]
#[command(name = "tradewind", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The configuration file; `tradewind.toml` in this folder if it is there.
    #[arg(long, global = true, env = "TRADEWIND_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the shop, or parts of it, until told to stop.
    Serve(serve::Arguments),
    /// Bring the database up to date with this release.
    Migrate,
    /// Fill the shop with the data of a folder, such as `demo`. Does only what is not done yet.
    Seed(seed::Arguments),
    /// Let people into the back office.
    #[command(subcommand)]
    Staff(staff::Command),
    /// Print the OpenAPI document of a surface.
    Openapi(openapi::Arguments),
    /// Look after every invariant of the shop's data, beside a running server or without one. Changes nothing.
    Check(check::Arguments),
    /// Print every setting as it takes effect, and where it comes from; secrets are not shown.
    Config,
    /// Look for what would keep Tradewind from running here.
    Doctor,
    /// Ask whether the Tradewind on this machine is ready, for scripts and health checks.
    Ready(ready::Arguments),
    /// Buy something on the test channel of a shop that serves, look at every answer, and send it many requests if that is wanted.
    Smoke(smoke::Arguments),
    /// Print the version, the commit it was built from, and where its source is kept.
    Version,
}

/// Does what was asked and returns the process's exit code.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let log = telemetry::WrittenAtTheEnd;
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(Box::pin(perform(cli))));
    drop(log);
    outcome.unwrap_or_else(|error| {
        complain(format!("tradewind: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn perform(cli: Cli) -> anyhow::Result<ExitCode> {
    faults::refuse_unknown()?;
    let source = cli.config.as_deref();
    match cli.command.unwrap_or_else(|| Command::Serve(serve::Arguments::default())) {
        Command::Serve(arguments) => serve::run(source, &arguments).await?,
        Command::Migrate => migrate::run(source).await?,
        Command::Seed(arguments) => seed::run(source, &arguments).await?,
        Command::Staff(command) => staff::run(source, &command).await?,
        Command::Openapi(arguments) => openapi::run(&arguments)?,
        Command::Check(arguments) => return check::run(source, &arguments).await,
        Command::Config => config::run(source)?,
        Command::Doctor => return doctor::run(source).await,
        Command::Ready(arguments) => return ready::run(source, &arguments).await,
        Command::Smoke(arguments) => return smoke::run(&arguments).await,
        Command::Version => version::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a line for the person or program that called. A closed pipe is their affair.
pub(crate) fn say(line: impl Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Writes a line to standard error, for what went wrong before there were logs.
pub(crate) fn complain(line: impl Display) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
