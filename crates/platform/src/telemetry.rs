//! Logs and metrics of the process.

mod lines;

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use lines::Lines;

/// The log of this process.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not in the syntax of `EnvFilter`.
    #[error("log.filter is not valid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else has taken the logs already.
    #[error("logs are set up already")]
    Logs(#[from] tracing_subscriber::util::TryInitError),
    /// There is no thread to write them.
    #[error("logs cannot be written")]
    Thread(#[from] std::io::Error),
    /// Something else has taken the metrics already.
    #[error("metrics are set up already")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Writes what was logged when it is dropped: held around everything a process does, so that nothing is lost when that ends, by a panic too.
#[must_use = "what is gathered is written when this is dropped"]
pub struct WrittenAtTheEnd;

impl Drop for WrittenAtTheEnd {
    fn drop(&mut self) {
        flush_logs();
    }
}

/// Writes everything that was logged so far, for those who end the process at once.
pub fn flush_logs() {
    if let Some(lines) = LINES.get() {
        lines.flush();
    }
}

/// Starts the logs: text on a terminal, JSON otherwise, on standard error. They are gathered, so whoever starts them holds [`WrittenAtTheEnd`].
///
/// # Errors
/// The filter is not valid, or logs are set up already.
pub fn init_logs(log: &Log) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::try_new(&log.filter)?;
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = Lines::to(std::io::stderr())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.clone());
    if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).finish().try_init()?;
    } else {
        builder.compact().finish().try_init()?;
    }
    // Nobody has set up logs before, or we would not have come here.
    drop(LINES.set(lines));
    Ok(())
}

/// The process's metrics, rendered for Prometheus.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts the metrics of this process.
    ///
    /// # Errors
    /// Metrics are set up already.
    pub fn install() -> Result<Self, TelemetryError> {
        let metrics = Self(builder()?.install_recorder()?);
        let now = kernel::Clock::system().now().timestamp();
        metrics::gauge!("process_start_time_seconds").set(f64::from(u32::try_from(now).unwrap_or(u32::MAX)));
        Ok(metrics)
    }

    /// Metrics that only this handle sees, for tests of the operations port.
    ///
    /// # Errors
    /// The buckets are not valid.
    pub fn detached() -> Result<Self, TelemetryError> {
        Ok(Self(builder()?.build_recorder().handle()))
    }

    /// Sums up what was recorded since. Until then every single duration is kept, so somebody has to do this from time to time.
    pub fn run_upkeep(&self) {
        self.0.run_upkeep();
    }

    /// The text format of Prometheus, with the process's own figures as they are now.
    #[must_use]
    pub fn render(&self) -> String {
        report_process();
        self.0.run_upkeep();
        self.0.render()
    }
}

fn builder() -> Result<PrometheusBuilder, TelemetryError> {
    /// Seconds. Shop pages are ready in well under a millisecond; a purchase may take a second.
    const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?)
}

/// Resident memory, open files and threads, where Linux tells them.
fn report_process() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u32>().ok());
    if let Some(kib) = figure("VmRSS:") {
        metrics::gauge!("process_resident_memory_bytes").set(f64::from(kib).mul_add(1_024.0, 0.0));
    }
    if let Some(threads) = figure("Threads:") {
        metrics::gauge!("process_threads").set(f64::from(threads));
    }
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    metrics::gauge!("process_open_fds").set(f64::from(u32::try_from(open).unwrap_or(u32::MAX)));
}
