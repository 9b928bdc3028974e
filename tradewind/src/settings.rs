//! Where the settings come from, and the checks that need more than one of them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use db::DbOptions;
use platform::config::{Config, ConfigErrors, Loaded, Secret};
use platform::telemetry;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use stores::{CacheOptions, RedisAddress, Shared, SharedOptions};

use crate::commands::version::{REVISION, VERSION};
use crate::target::Target;

/// The file that is read when none is named.
const USUAL_FILE: &str = "tradewind.toml";

/// The file to read: the named one, or the usual one if it is there.
pub(crate) fn file(named: Option<&Path>) -> Option<PathBuf> {
    named.map(Path::to_owned).or_else(|| Some(PathBuf::from(USUAL_FILE)).filter(|usual| usual.exists()))
}

/// Reads the configuration.
///
/// # Errors
/// Everything that is wrong with it, together.
pub(crate) fn load(named: Option<&Path>) -> Result<Loaded, ConfigErrors> {
    let loaded = Loaded::load(file(named).as_deref(), std::env::vars())?;
    let problems = problems_between_settings(&loaded.config);
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigErrors(problems)) }
}

/// Starts the logs of a tool, which speaks for itself: warnings only, unless a filter is set.
///
/// # Errors
/// The filter is not valid.
pub(crate) fn init_tool_logs(loaded: &Loaded) -> anyhow::Result<()> {
    let mut log = loaded.config.log.clone();
    if loaded.settings.iter().any(|setting| setting.key == "log.filter" && setting.source == "default") {
        "warn".clone_into(&mut log.filter);
    }
    Ok(telemetry::init_logs(&log)?)
}

/// Reads the configuration of a server together with what it shall serve.
///
/// # Errors
/// Everything that is wrong with either, together.
pub(crate) fn load_for(named: Option<&Path>, target: &str, services: &[&'static str]) -> Result<(Loaded, Target), ConfigErrors> {
    let target = Target::parse(target, services);
    match (load(named), target) {
        (Ok(loaded), Ok(target)) => {
            let problems = problems_of_target(&loaded.config, &target);
            if problems.is_empty() { Ok((loaded, target)) } else { Err(ConfigErrors(problems)) }
        }
        (Err(ConfigErrors(mut problems)), Err(unknown)) => {
            problems.push(unknown.to_string());
            Err(ConfigErrors(problems))
        }
        (Err(errors), Ok(_)) => Err(errors),
        (Ok(_), Err(unknown)) => Err(ConfigErrors(vec![unknown.to_string()])),
    }
}

fn problems_between_settings(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, secret) in [("url", &config.database.url), ("read_url", &config.database.read_url), ("direct_url", &config.database.direct_url)] {
        if let Some(Err(error)) = secret.as_ref().map(connect_options) {
            problems.push(format!("database.{key}: {error:#}"));
        }
    }
    if config.database.url.is_none() && (config.database.read_url.is_some() || config.database.direct_url.is_some()) {
        problems.push("database.url is not set, but database.read_url or database.direct_url is".to_owned());
    }
    if let Some(Err(error)) = config.redis.url.as_ref().map(redis_address) {
        problems.push(format!("redis.url: {error:#}"));
    }
    if config.redis.prefix.is_empty() || config.redis.prefix.contains(['{', '}', ' ']) {
        problems.push("redis.prefix: must be a word without blanks and braces".to_owned());
    }
    for (key, url) in [("http.public_url", &config.http.public_url), ("web.api_url", &config.web.api_url)] {
        if url.as_ref().is_some_and(|url| !is_web_address(url)) {
            problems.push(format!("{key}: must begin with http:// or https:// and have no path"));
        }
    }
    problems
}

fn is_web_address(text: &str) -> bool {
    let address: Option<http::Uri> = text.parse().ok();
    address.is_some_and(|address| matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some() && address.path() == "/")
}

fn problems_of_target(config: &Config, target: &Target) -> Vec<String> {
    let mut problems = Vec::new();
    let credential = config.web.internal_credential.is_some();
    if target.has_pages() && !target.has_whole_api() && config.web.api_url.is_none() {
        problems.push(format!("web.api_url is not set, and the target {target} has pages without the API they call"));
    }
    if target.has_pages() && config.web.api_url.is_some() && !credential {
        problems.push("web.internal_credential is not set, and the API at web.api_url must know these pages by it".to_owned());
    }
    problems
}

/// How much is kept in memory, and for how long.
pub(crate) const fn cache(config: &Config) -> CacheOptions {
    let platform::config::Cache { max_bytes, ttl, stale_for } = config.cache;
    CacheOptions { max_bytes, ttl, stale_for }
}

/// What the processes of the shop share, if they share anything. Nothing is connected yet.
///
/// # Errors
/// The secret cannot be read or is no address.
pub(crate) fn shared(config: &Config) -> anyhow::Result<Option<Shared>> {
    let Some(url) = &config.redis.url else { return Ok(None) };
    let address = redis_address(url).context("redis.url")?;
    Ok(Some(Shared::new(SharedOptions { address, prefix: config.redis.prefix.clone(), timeout: config.redis.timeout })))
}

/// Where Redis is by the present secret.
///
/// # Errors
/// The secret cannot be read or is no address; the error never shows it.
pub(crate) fn redis_address(secret: &Secret) -> anyhow::Result<RedisAddress> {
    Ok(secret.current()?.expose_secret().parse()?)
}

/// What must be the same in two processes before one serves what the other has rendered: the program, and what it is set to.
pub(crate) fn edition(config: &Config) -> String {
    let program = std::env::current_exe().and_then(std::fs::metadata).map(|file| (file.len(), file.modified().ok())).ok();
    let public = config.http.public_url.clone().unwrap_or_else(|| config.http.public_address.to_string());
    let told = format!("{VERSION} {REVISION} {program:?} {public} {}", config.demo);
    Sha256::digest(told).iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// How to reach the databases that are configured; nothing if the private one is to be used.
///
/// # Errors
/// A secret cannot be read or is no address.
pub(crate) fn database_options(config: &Config) -> anyhow::Result<Option<DbOptions>> {
    let Some(writer) = &config.database.url else { return Ok(None) };
    let optional = |secret: &Option<Secret>| secret.as_ref().map(connect_options).transpose();
    Ok(Some(DbOptions {
        reader: optional(&config.database.read_url)?,
        direct: optional(&config.database.direct_url)?,
        ..limits(config, connect_options(writer)?)
    }))
}

/// Whether a secret lies in a file, so that it may be rotated while we run.
pub(crate) fn has_rotating_secrets(config: &Config) -> bool {
    let secrets = [&config.database.url, &config.database.read_url, &config.database.direct_url, &config.redis.url, &config.web.internal_credential];
    secrets.into_iter().flatten().any(Secret::is_file)
}

/// The configured limits around a writer.
pub(crate) fn limits(config: &Config, writer: PgConnectOptions) -> DbOptions {
    let limits = &config.database;
    DbOptions {
        max_connections: limits.max_connections,
        acquire_timeout: limits.acquire_timeout,
        lock_timeout: limits.lock_timeout,
        statement_timeout: limits.statement_timeout,
        ..DbOptions::new(writer)
    }
}

/// The error names what is wrong with an address, never the address, which holds a password.
fn connect_options(secret: &Secret) -> anyhow::Result<PgConnectOptions> {
    let address = secret.current()?;
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| address.expose_secret().starts_with(scheme));
    anyhow::ensure!(is_postgres, "must begin with postgres://");
    Ok(address.expose_secret().parse()?)
}

/// Where people find the shop: the configured address, or the one we listen on.
pub(crate) fn public_url(config: &Config, listens_on: std::net::SocketAddr) -> String {
    if let Some(url) = &config.http.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    if listens_on.ip().is_unspecified() { format!("http://localhost:{}", listens_on.port()) } else { format!("http://{listens_on}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_have_a_scheme_and_a_host_and_no_path() {
        for good in ["http://localhost:8080", "https://shop.example", "https://shop.example/"] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in ["shop.example", "ftp://shop.example", "https://", "https://shop.example/shop", ""] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
