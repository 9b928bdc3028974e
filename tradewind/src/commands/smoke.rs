use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cli::{complain, say};
use crate::smoke::{self, Address, Plan, Surface};

/// What to try, and how hard.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Where the API is; something is bought through it.
    #[arg(long, value_name = "URL", required_unless_present_any = ["storefront", "backoffice"])]
    api: Option<Address>,
    /// Where the storefront is; something is bought through its pages.
    #[arg(long, value_name = "URL")]
    storefront: Option<Address>,
    /// Where the back office is; its sign-in page is opened.
    #[arg(long, value_name = "URL")]
    backoffice: Option<Address>,
    /// Send so many requests after that, evenly over `--seconds`: what is served there, some of it purchases. What is answered is told and not
    /// judged. By default 3,300 in a minute stay below what one address may change and buy.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: Option<u32>,
    /// How long the requests take.
    #[arg(long, default_value = "60", value_name = "SECONDS")]
    seconds: NonZeroU32,
    /// How many of the requests must be answered, whatever the answer is. All, if this is not said.
    #[arg(long, value_name = "NUMBER", requires = "requests")]
    at_least: Option<u32>,
}

/// How long one answer may take; longer than the shop's own limit, so that its refusal is heard.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Tries every surface that was named, one after the other; the exit code is the answer.
///
/// # Errors
/// The HTTP client cannot be made.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let http = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).connect_timeout(CONNECT_TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    let http = http.build().context("HTTP client")?;
    let named = [(Surface::Api, &arguments.api), (Surface::Storefront, &arguments.storefront), (Surface::Backoffice, &arguments.backoffice)];
    for (surface, address) in named {
        let Some(address) = address else { continue };
        if let Err(error) = Box::pin(prove(&http, surface, address, arguments)).await {
            complain(format_args!("tradewind: smoke: {surface} at {address}: {error:#}"));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn prove(http: &reqwest::Client, surface: Surface, address: &Address, arguments: &Arguments) -> anyhow::Result<()> {
    let begun = Instant::now();
    let trial = smoke::try_once(http, surface, address).await?;
    say(format_args!("{surface} at {address}: {trial} ({} ms)", begun.elapsed().as_millis()));
    let Some(requests) = arguments.requests.filter(|_| trial != smoke::Trial::Empty) else { return Ok(()) };
    let summary = smoke::load(http, surface, address, Plan { requests, seconds: arguments.seconds.get() }).await?;
    say(format_args!("{surface} at {address}: {summary}"));
    let wanted = arguments.at_least.unwrap_or(requests);
    anyhow::ensure!(summary.answered() >= wanted, "synthetic load: {} of {requests} requests were answered, fewer than {wanted}", summary.answered());
    Ok(())
}
