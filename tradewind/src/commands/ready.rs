use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cli::{complain, say};
use crate::settings;

/// How long to wait.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Wait this many seconds at most for it to become ready.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    within: u64,
}

/// How often to ask while waiting.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks the operations port of this machine's Tradewind; the exit code is the answer.
///
/// # Errors
/// The configuration is not valid.
pub(crate) async fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = settings::load(file)?.config;
    let address = config.http.operations_address;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build().context("HTTP client")?;
    let begun = Instant::now();
    loop {
        match ask(&client, address).await {
            Ok(()) => {
                say("ready");
                return Ok(ExitCode::SUCCESS);
            }
            Err(reason) if begun.elapsed() >= Duration::from_secs(arguments.within) => {
                complain(format_args!("tradewind: not ready: {reason}"));
                return Ok(ExitCode::FAILURE);
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether the process behind an operations port is ready; if not, why.
async fn ask(client: &reqwest::Client, operations: SocketAddr) -> Result<(), String> {
    let host = if operations.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { operations.ip() };
    let answer = client.get(format!("http://{}/readyz", SocketAddr::new(host, operations.port()))).send().await;
    let answer = answer.map_err(|_| format!("nothing answers at {operations} (http.operations_address)"))?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
}
