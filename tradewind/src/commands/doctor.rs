use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use db::local::LocalPostgres;
use platform::config::{Config, Loaded};
use service::Service;

use crate::cli::say;
use crate::database::{Database, local_options};
use crate::{services, settings};

/// One thing that was looked at.
struct Finding {
    subject: &'static str,
    outcome: Result<String, String>,
}

/// Looks at everything a start needs, and says what is wrong and what to do. The exit code tells whether all is well.
///
/// # Errors
/// None of its own: what is wrong is a finding.
pub(crate) async fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let findings = match settings::load(file) {
        Ok(loaded) => examine(file, &loaded).await?,
        Err(errors) => vec![Finding { subject: "configuration", outcome: Err(errors.to_string()) }],
    };
    let mut problems = 0_usize;
    for finding in &findings {
        let (word, text) = match &finding.outcome {
            Ok(text) => ("ok     ", text),
            Err(text) => ("PROBLEM", text),
        };
        problems += usize::from(finding.outcome.is_err());
        say(format_args!("{word}  {:<14}{text}", finding.subject));
    }
    say(if problems == 0 { "Tradewind can run here.".to_owned() } else { format!("{problems} problem(s) to solve first.") });
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(file: Option<&Path>, loaded: &Loaded) -> anyhow::Result<Vec<Finding>> {
    let config = &loaded.config;
    let mut findings = vec![Finding { subject: "configuration", outcome: Ok(sources(file, loaded)) }];
    findings.push(Finding { subject: "data folder", outcome: writable(&config.data_dir) });
    // A private server that runs already belongs to a Tradewind that has the ports, too.
    let runs_here = config.database.url.is_none() && matches!(LocalPostgres::attach(&config.data_dir), Ok(Some(_)));
    if config.database.url.is_none() {
        let found = LocalPostgres::find_programs(&local_options(config));
        findings.push(Finding {
            subject: "PostgreSQL",
            outcome: found.map(|folder| format!("its programs are in {}", folder.display())).map_err(|error| error.to_string()),
        });
    }
    if runs_here || config.database.url.is_some() {
        findings.push(Finding { subject: "database", outcome: database(config).await.map_err(|error| format!("{error:#}")) });
    }
    if let Some(shared) = settings::shared(config)? {
        let outcome = shared.check().await.map(|()| "answers".to_owned());
        findings.push(Finding { subject: "Redis", outcome: outcome.map_err(|error| format!("{error}: a shop can run without it, each process for itself")) });
    }
    for (subject, address) in [("public port", config.http.public_address), ("operations", config.http.operations_address)] {
        findings.push(Finding { subject, outcome: port(address, runs_here).await });
    }
    Ok(findings)
}

fn sources(file: Option<&Path>, loaded: &Loaded) -> String {
    let changed = loaded.settings.iter().filter(|setting| setting.value.is_some() && setting.source != "default").count();
    let file = settings::file(file).map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
    format!("{file}; {changed} of {} settings are not the default", loaded.settings.len())
}

fn writable(folder: &Path) -> Result<String, String> {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b"probe")).and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Ok(format!("{} can be written", folder.display())),
        Err(error) => Err(format!("{} cannot be written ({error}): set TRADEWIND__DATA_DIR to another folder", folder.display())),
    }
}

/// Whether the database answers and is as new as this release.
async fn database(config: &Config) -> anyhow::Result<String> {
    let database = Database::for_tool(config).await?;
    let (_, services) = services::unconnected()?;
    let schemas: Vec<_> = services.iter().map(Service::migrations).collect();
    database.check(&schemas).await?;
    database.stop().await;
    Ok(format!("answers, and its {} schemas are as new as this release", schemas.len() + 1))
}

async fn port(address: SocketAddr, runs_here: bool) -> Result<String, String> {
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && runs_here => {
            Ok(format!("{address} is in use by the Tradewind that runs on this data folder"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Err(format!("{address} is taken by another program: stop it, or choose another address"))
        }
        Err(error) => Err(format!("{address} cannot be listened on: {error}")),
    }
}
