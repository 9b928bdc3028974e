//! The house's own tools: `cargo xtask tidy`, `cargo xtask sql`, `cargo xtask new-service`.

mod junit;
mod roots;
mod sbom;
mod scaffold;
mod server;
mod slo;
mod sql;
mod tidy;
mod workspace;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The house's own tools", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the rules that the compiler cannot: who may depend on whom, whose SQL names which schema, safe migrations, names.
    Tidy,
    /// Makes `.sqlx` anew: what every query looks like to PostgreSQL, so that a build needs no database.
    Sql {
        /// Changes nothing; fails when the committed files are not what the queries and migrations say.
        #[arg(long)]
        check: bool,
        /// Only these packages, leaving the files of all others alone. For trying things out.
        #[arg(long = "package", short = 'p')]
        packages: Vec<String>,
    },
    /// Writes what follows from the objectives in `deploy/observability/slo`: rules, their tests, dashboards, analysis templates.
    Slo {
        /// Changes nothing; fails when the committed files are not what the sources say, or an alert lacks its runbook.
        #[arg(long)]
        check: bool,
    },
    /// Writes a new service that compiles, is tidy and passes its test.
    NewService {
        /// Its name: small letters, which are also the name of its schema.
        name: String,
    },
    /// Runs a command such as `cargo test` and writes its tests as JUnit XML.
    Junit(junit::Arguments),
    /// Runs a command beside a throw-away PostgreSQL on a free port; its address is in `DATABASE_URL`.
    Postgres {
        /// The command.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Prints the image's certificate authorities as PEM, from the crate that Cargo.lock pins.
    Roots,
    /// Prints what the image is made of as CycloneDX.
    Sbom(sbom::Facts),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads, the exit code still tells.
            drop(writeln!(std::io::stderr(), "{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = workspace::root()?;
    match command {
        Command::Tidy => tidy::run(&root),
        Command::Sql { check, packages } => sql::run(&root, check, &packages),
        Command::Slo { check } => slo::run(&root, check),
        Command::NewService { name } => scaffold::run(&root, &name),
        Command::Junit(arguments) => junit::run(&arguments),
        Command::Postgres { command } => server::Server::start_on_loopback()?.run_beside(&command),
        Command::Roots => print(&roots::pem()),
        Command::Sbom(facts) => print(&sbom::document(&root, &facts)?),
    }
}

/// Writes a file's text to standard output, as it is.
fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Tells the person at the terminal.
fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
