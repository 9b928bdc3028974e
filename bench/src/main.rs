//! Measures the optimised build: reads beside a bare handler, purchases beside pgbench, memory, starts. Client, server and database share
//! the machine, so ratios count, and both sides are measured by the same client in the same run.

mod connection;
mod crowd;
mod journal;
mod line;
mod load;
mod postgres;
mod process;
mod reads;
mod reference;
mod report;
mod server;
mod shoppers;
mod starts;
mod visitors;

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::sync::mpsc;

use crate::crowd::{Pace, Stop};
use crate::journal::{About, Journal};
use crate::postgres::Cluster;
use crate::report::Report;
use crate::visitors::{Anybody, Kept, Shop};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the optimised build.
#[derive(Debug, Parser)]
#[command(name = "bench", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the shop and write the report.
    Run(Arguments),
    /// Make load on one address of any server, and print what came of it.
    Load(Load),
    /// Let shoppers buy from a shop that runs, as when one looks for what a purchase costs.
    Buy(Buy),
    /// Visit a shop that runs, looking around and buying at a constant rate whatever becomes of it, and write down second by second what came of it.
    Shop(Visit),
    /// Visit a shop as much as it can bear, to know what it can.
    Capacity(Capacity),
    /// Be the bare handler (started by `run`).
    #[command(hide = true)]
    Reference(Reference),
}

/// What to measure, and how.
#[derive(Debug, clap::Args)]
struct Arguments {
    /// The program.
    #[arg(long, value_name = "FILE", default_value = "target/release/tradewind")]
    program: PathBuf,
    /// The demo data.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    demo: PathBuf,
    /// Where the shop lives meanwhile, and where `report.json` is written. It is emptied.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    into: PathBuf,
    /// Only a part.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// A look in a minute: short runs, and figures that scatter.
    #[arg(long)]
    short: bool,
    /// Connections of the client, of the shop to its database, and of pgbench.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    connections: u32,
    /// Fail when a goal is missed.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// What shoppers read.
    Reads,
    /// What they buy.
    Purchases,
}

/// Load on one address.
#[derive(Debug, clap::Args)]
struct Load {
    /// Where the server listens.
    address: SocketAddr,
    /// What to ask for.
    path: String,
    #[arg(long, default_value_t = 16)]
    connections: u32,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Requests per second, by schedule; as many as there can be if absent.
    #[arg(long)]
    rate: Option<u64>,
}

/// Shoppers of a shop that runs.
#[derive(Debug, clap::Args)]
struct Buy {
    /// Where the shop listens.
    address: SocketAddr,
    #[arg(long, default_value_t = 16)]
    connections: u32,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// A constant stream of visitors.
#[derive(Debug, clap::Args)]
struct Visit {
    /// Where the shop listens.
    address: SocketAddr,
    /// Requests per second.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// How long, at most: SIGTERM and Ctrl-C end it earlier, and the report is written all the same.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=7_200))]
    seconds: u64,
    /// The file for the report, as JSON.
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
    /// How many visitors there are; each waits for its answer before it goes on.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    visitors: u32,
    /// Fail when a request failed, or a cart, checkout or key was not kept.
    #[arg(long)]
    strict: bool,
}

/// As many visitors as can be.
#[derive(Debug, clap::Args)]
struct Capacity {
    /// Where the shop listens.
    address: SocketAddr,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many requests there are at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    at_once: u32,
    /// The file for the report, as JSON.
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
}

/// The bare handler's process.
#[derive(Debug, clap::Args)]
struct Reference {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    from: PathBuf,
}

fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(Box::pin(async {
            match Cli::parse().command {
                Command::Run(arguments) => run(&arguments).await,
                Command::Load(arguments) => load(arguments).await,
                Command::Buy(arguments) => buy(arguments).await,
                Command::Shop(arguments) => visit(arguments).await,
                Command::Capacity(arguments) => capacity(arguments).await,
                Command::Reference(Reference { address, from }) => reference::serve(address, &from).await.map(|()| ExitCode::SUCCESS),
            }
        }))
    });
    outcome.unwrap_or_else(|error| {
        drop(writeln!(std::io::stderr(), "bench: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Writes a line for whoever watches.
fn say(line: impl Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // The program is started in this folder, so its name must hold from everywhere.
    let into = std::path::absolute(&arguments.into)?;
    let shop = server::Shop::new(&arguments.program, &into, arguments.connections)?;
    let demo = starts::stock_up(&arguments.demo, &into)?;
    say("starting, filling, stopping, killing, starting ...");
    let (starts, running) = starts::measure(&shop, &demo).await?;
    let idle = starts::idle(&running).await?;
    let (readings, variants) = reads::discover(running.address).await?;
    let cpus = std::thread::available_parallelism()?.get();
    let mut report = Report { cpus, connections: arguments.connections, starts: Some(starts), ..Report::default() };
    if arguments.only != Some(Part::Purchases) {
        say("reads, the bare handler and the shop in turns:");
        report.reads = reads::measure(&running, &into, &readings, arguments.reads()).await?;
    }
    if arguments.only != Some(Part::Reads) {
        say("purchases, and pgbench before and after:");
        let mut cluster = Cluster::attach(&shop.data()).await?;
        report.purchases = Some(shoppers::measure(&running, &mut cluster, &variants, arguments.purchases()).await?);
    }
    let process::Memory { resident, peak } = process::memory(running.pid()?)?;
    say("every invariant of the shop, re-summed ...");
    let took = shop.check().await?;
    say(format_args!("  all hold ({} ms)", took.as_millis()));
    report.memory = Some(starts::Memory { idle, loaded: resident, peak });
    running.stop().await?;
    report.judge();
    let file = into.join("report.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&report)?)?;
    say(&report);
    say(format_args!("The same for machines: {}", file.display()));
    let missed = report.goals.iter().any(|goal| !goal.met);
    Ok(if missed && arguments.strict { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Arguments {
    fn reads(&self) -> reads::Plan {
        let (rounds, warm_up, lasting) = if self.short { (1, 500, 1_000) } else { (3, 1_000, 3_000) };
        reads::Plan { connections: self.connections, rounds, warm_up: Duration::from_millis(warm_up), lasting: Duration::from_millis(lasting) }
    }

    fn purchases(&self) -> shoppers::Plan {
        let (warm_up, lasting, seconds) = if self.short { (1, 4, 3) } else { (3, 20, 10) };
        shoppers::Plan { connections: self.connections, warm_up: Duration::from_secs(warm_up), lasting: Duration::from_secs(lasting), seconds }
    }
}

async fn load(arguments: Load) -> anyhow::Result<ExitCode> {
    let reading = reads::Reading { name: "load", path: arguments.path, goal: None };
    let expected = reads::Expected::of(arguments.address, &reading.path).await?;
    let readers = reads::readers(arguments.address, &reading, &expected, arguments.connections).await?;
    let lasting = Duration::from_secs(arguments.seconds);
    let (measured, _) = match arguments.rate {
        Some(rate) => load::open(readers, rate, lasting).await?,
        None => load::closed(readers, Duration::from_millis(500), lasting).await?,
    };
    tell(&measured);
    Ok(ExitCode::SUCCESS)
}

async fn buy(arguments: Buy) -> anyhow::Result<ExitCode> {
    let (_, variants) = reads::discover(arguments.address).await?;
    let shoppers = shoppers::shoppers(arguments.address, &variants, arguments.connections).await?;
    let (measured, shoppers) = load::closed(shoppers, Duration::from_millis(500), Duration::from_secs(arguments.seconds)).await?;
    tell(&measured);
    say(format_args!("{} orders", shoppers::count_sales(&shoppers)?));
    Ok(ExitCode::SUCCESS)
}

async fn visit(arguments: Visit) -> anyhow::Result<ExitCode> {
    let Visit { address, rate, seconds, into, visitors, strict } = arguments;
    let journal = journal(address, Pace::Open { rate }, visitors, Duration::from_secs(seconds)).await?;
    write(&journal, &into)?;
    let kept = journal.kept;
    let is_clean = journal.failures == 0 && kept.carts_lost + kept.keys_answered_otherwise + kept.checkouts_lost == 0 && journal.unanswered.is_empty();
    Ok(if strict && !is_clean { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn capacity(arguments: Capacity) -> anyhow::Result<ExitCode> {
    let Capacity { address, seconds, at_once, into } = arguments;
    // So many more than at once that turns are taken, as in the open loop.
    let journal = journal(address, Pace::Closed { at_once }, at_once.saturating_mul(4).max(40), Duration::from_secs(seconds)).await?;
    write(&journal, &into)?;
    Ok(ExitCode::SUCCESS)
}

async fn journal(address: SocketAddr, pace: Pace, visitors: u32, lasting: Duration) -> anyhow::Result<Journal> {
    anyhow::ensure!(address.ip().is_loopback(), "{address}: load is made on this machine's own address alone");
    let began_ms = kernel::Clock::system().now().timestamp_millis();
    let run = format!("run{began_ms}");
    let shop = Arc::new(Shop::discover(address, &run).await?);
    let (stop, (notes, mut noted)) = (Stop::default(), mpsc::unbounded_channel());
    let began_ms = kernel::Clock::system().now().timestamp_millis();
    let visiting = crowd::visit(visitors::crowd(&shop, visitors)?, pace, lasting, &stop, notes);
    let reading = async {
        let mut entries = Vec::new();
        while let Some(entry) = noted.recv().await {
            entries.push(entry);
        }
        entries
    };
    let both = async { tokio::join!(visiting, reading) };
    let (visitors, entries) = tokio::select! {
        both = both => both,
        never = asked_to_stop(&stop) => match never? {},
    };
    let visitors = visitors?;
    let rate = match pace {
        Pace::Open { rate } => Some(rate),
        Pace::Closed { .. } => None,
    };
    let about = About { address: address.to_string(), run, rate, began_ms };
    let sales = visitors.iter().flat_map(Anybody::sales).cloned().collect();
    let unanswered = visitors.iter().filter_map(Anybody::unanswered).collect();
    let kept = visitors.iter().map(Anybody::kept).fold(Kept::default(), Kept::and);
    Journal::of(about, &entries, sales, unanswered, kept)
}

/// Passes on every wish to end, and never ends itself.
async fn asked_to_stop(stop: &Stop) -> anyhow::Result<std::convert::Infallible> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    loop {
        tokio::select! {
            _ = terminate.recv() => stop.now(),
            _ = interrupt.recv() => stop.now(),
        }
    }
}

fn write(journal: &Journal, into: &Path) -> anyhow::Result<()> {
    std::fs::write(into, serde_json::to_vec_pretty(journal)?).with_context(|| into.display().to_string())?;
    say(journal);
    Ok(())
}

fn tell(measured: &load::Measured) {
    let load::Latency { p50, p90, p99, p999, max } = measured.latency();
    say(format_args!("{} /s   p50 {p50} µs   p90 {p90} µs   p99 {p99} µs   p99.9 {p999} µs   max {max} µs", measured.per_second()));
}
