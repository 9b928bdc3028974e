use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use db::check::Check;
use serde_json::{Value, json};

use crate::cli::say;
use crate::inside::Inside;
use crate::inspection::{self, Inspection, Outcome};
use crate::settings;

/// How the result is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print the result as one JSON document.
    #[arg(long)]
    json: bool,
}

/// How often the line that shows the progress is written anew.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// Looks after every invariant. The exit code is 1 where one does not hold.
///
/// # Errors
/// The database cannot be reached, or is older than this release.
pub(crate) async fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let loaded = settings::load(file)?;
    settings::init_tool_logs(&loaded)?;
    let inside = Inside::open(&loaded.config).await?;
    let checks = inspection::checks(inside.services());
    let begun = Instant::now();
    let outcome = inspect(&inside, &checks).await;
    inside.close().await;
    let inspection = outcome?;
    if arguments.json {
        say(serde_json::to_string_pretty(&document(&checks, &inspection))?);
    } else {
        say(report(&checks, &inspection, begun.elapsed()));
    }
    Ok(if inspection.findings() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn inspect(inside: &Inside, checks: &[Check]) -> anyhow::Result<Inspection> {
    let mut inspection = Inspection::new(checks, inside.context().now());
    let mut progress = Progress::new();
    while let Some(name) = inspection.in_work() {
        progress.show(checks, name, inspection.rows());
        inspection.step(inside.context().db(), checks).await?;
    }
    progress.clear();
    Ok(inspection)
}

/// A line on a terminal that says how far it is; nothing elsewhere.
struct Progress {
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self { shown: None, is_terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, checks: &[Check], name: &str, rows: u64) {
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < SHOWN_EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let number = checks.iter().take_while(|check| check.name != name).count() + 1;
        self.write(&format!("\r\x1b[K{number} of {}: {name} ({rows} rows so far)", checks.len()));
    }

    fn clear(&self) {
        if self.is_terminal {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        let mut stderr = std::io::stderr();
        drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
    }
}

fn report(checks: &[Check], inspection: &Inspection, took: Duration) -> String {
    let mut lines = Vec::new();
    for check in checks {
        let outcome = inspection.outcome(check.name).cloned().unwrap_or_default();
        if outcome.findings == 0 {
            lines.push(format!("ok       {:<24}{} ({} looked at)", check.name, check.rule, outcome.rows));
        } else {
            lines.extend(broken(check, &outcome));
        }
    }
    let looked = format!("{} invariants over {} rows in {}.{:03} s", checks.len(), inspection.rows(), took.as_secs(), took.subsec_millis());
    lines.push(match inspection.findings() {
        0 => format!("Everything holds: {looked}."),
        findings => format!("{findings} finding(s): {looked}. Nothing was changed."),
    });
    lines.join("\n")
}

fn broken(check: &Check, outcome: &Outcome) -> Vec<String> {
    let mut lines = vec![format!("PROBLEM  {:<24}{} ({} of {} do not)", check.name, check.rule, outcome.findings, outcome.rows)];
    lines.extend(outcome.words.iter().map(|words| format!("           - {words}")));
    let told = u64::try_from(outcome.words.len()).unwrap_or(u64::MAX);
    if outcome.findings > told {
        lines.push(format!("           - and {} more", outcome.findings - told));
    }
    lines.push(format!("         What to do: {}", check.remedy));
    lines
}

fn document(checks: &[Check], inspection: &Inspection) -> Value {
    let each = checks.iter().map(|check| {
        let outcome = inspection.outcome(check.name).cloned().unwrap_or_default();
        json!({
            "check": check.name, "rule": check.rule, "remedy": check.remedy, "rows": outcome.rows,
            "findings": outcome.findings, "amount": outcome.amount, "first": outcome.words,
        })
    });
    json!({ "findings": inspection.findings(), "rows": inspection.rows(), "checks": each.collect::<Vec<_>>() })
}
