//! Typed configuration: defaults, then `tradewind.toml`, then the environment. Every problem is told at once.

mod networks;
mod reader;
mod secret;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use networks::{Networks, NetworksError};
use reader::Reader;
pub use reader::Setting;
pub use secret::Secret;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where this process keeps what is its own: the private database, media, secrets.
    pub data_dir: PathBuf,
    /// Whether the shop runs with demo data: the sandbox provider may then serve live channels.
    pub demo: bool,
    /// The ports and their limits.
    pub http: Http,
    /// What is logged and how.
    pub log: Log,
    /// The databases.
    pub database: Database,
    /// What processes share.
    pub redis: Redis,
    /// How often shoppers may do things.
    pub limits: Limits,
    /// How the web tier reaches the API.
    pub web: Web,
    /// What is kept in memory of answers and pages.
    pub cache: Cache,
    /// How background work is done.
    pub worker: Worker,
    /// How payment providers are called.
    pub payments: Payments,
}

/// The ports and their limits.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where shoppers, staff and programs call.
    pub public_address: SocketAddr,
    /// Where probes and metrics are served.
    pub operations_address: SocketAddr,
    /// The address people use, when it differs from `public_address`, such as `https://shop.example`.
    pub public_url: Option<String>,
    /// The largest request body, in bytes.
    pub body_limit_bytes: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How many requests may be in work at once; more are told to come again.
    pub max_concurrent_requests: usize,
    /// The proxies whose `X-Forwarded-For` is believed; none unless they are named.
    pub trusted_proxies: Networks,
    /// How long readiness is off before the ports close, so that load balancers notice.
    pub drain_delay: Duration,
    /// How long requests in flight may take to end when the process stops.
    pub drain_timeout: Duration,
}

/// What is logged and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// `text`, `json`, or `auto`: text on a terminal, JSON otherwise.
    pub format: LogFormat,
    /// Which events, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be auto, text or json"),
        }
    }
}

/// The databases.
#[derive(Debug, Clone)]
pub struct Database {
    /// The writer; a private server in `data_dir` if absent.
    pub url: Option<Secret>,
    /// The readers; the writer if absent.
    pub read_url: Option<Secret>,
    /// The writer past any pooler; `url` if absent.
    pub direct_url: Option<Secret>,
    /// The most connections of each pool.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// Where PostgreSQL's programs are, for the private server; found by itself if absent.
    pub local_bin: Option<PathBuf>,
}

/// What processes share.
#[derive(Debug, Clone)]
pub struct Redis {
    /// One server, or nodes of a cluster; each process is on its own if absent.
    pub url: Option<Secret>,
    /// How every key and channel begins, so that several shops may share one Redis.
    pub prefix: String,
    /// How long a call may take.
    pub timeout: Duration,
}

/// How often shoppers may do things, by address; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests to the store API that change something.
    pub changes_per_minute: u32,
    /// Of these, attempts to buy.
    pub purchases_per_minute: u32,
}

/// How the web tier reaches the API.
#[derive(Debug, Clone)]
pub struct Web {
    /// The API's address; in this process if absent.
    pub api_url: Option<String>,
    /// The secret by which the API knows our own web tier; made anew at each start if absent and in one process.
    pub internal_credential: Option<Secret>,
    /// The file that closes the shop to shoppers as long as it is there; `maintenance` in the data folder if absent.
    pub maintenance_file: Option<PathBuf>,
}

/// What is kept in memory of answers and pages.
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    /// The most bytes.
    pub max_bytes: u64,
    /// How long something is served without asking whether it still holds; news of a change ends that at once.
    pub ttl: Duration,
    /// How long something of which no news came is served while the database is away.
    pub stale_for: Duration,
}

/// How background work is done.
#[derive(Debug, Clone)]
pub struct Worker {
    /// How many jobs at once.
    pub concurrency: usize,
    /// How often to look for work when nobody wakes us.
    pub poll: Duration,
    /// How long a job is one worker's own.
    pub lease: Duration,
    /// How often all invariants are looked after (`tradewind check` does it at once).
    pub check_every: Duration,
}

/// How payment providers are called.
#[derive(Debug, Clone)]
pub struct Payments {
    /// How long a provider may take to answer.
    pub provider_timeout: Duration,
    /// How often open payments are asked after.
    pub reconcile_every: Duration,
    /// How long a shopper's second step may take before the payment is canceled and the stock let go.
    pub action_timeout: Duration,
}

/// A configuration, and where each setting came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Every setting with its value (secrets redacted) and its source.
    pub settings: Vec<Setting>,
}

/// Everything that is wrong with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// The environment variables everybody knows, and the settings they stand for.
const ALIASES: &[(&str, &str)] =
    &[("DATABASE_URL", "database.url"), ("DATABASE_READ_URL", "database.read_url"), ("DATABASE_DIRECT_URL", "database.direct_url"), ("REDIS_URL", "redis.url")];

impl Loaded {
    /// Reads the configuration from a file, if there is one, and an environment.
    ///
    /// # Errors
    /// All problems together.
    pub fn load(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(file, environment, ALIASES);
        let config = Config {
            data_dir: reader.value("data_dir", "./data"),
            demo: reader.value("demo", "false"),
            http: Http {
                public_address: reader.value("http.public_address", "127.0.0.1:8080"),
                operations_address: reader.value("http.operations_address", "127.0.0.1:8081"),
                public_url: reader.optional("http.public_url"),
                body_limit_bytes: reader.number("http.body_limit_bytes", 1_048_576, 1_024..=104_857_600),
                request_timeout: reader.milliseconds("http.request_timeout_ms", 20_000, 100..=600_000),
                max_concurrent_requests: reader.number("http.max_concurrent_requests", 1_024, 1..=1_000_000),
                trusted_proxies: reader.optional("http.trusted_proxies").unwrap_or_default(),
                drain_delay: reader.milliseconds("http.drain_delay_ms", 0, 0..=300_000),
                drain_timeout: reader.milliseconds("http.drain_timeout_ms", 20_000, 0..=600_000),
            },
            log: Log { format: reader.value("log.format", "auto"), filter: reader.value("log.filter", "info,sqlx=warn,hyper=warn") },
            database: Database {
                url: reader.secret("database.url"),
                read_url: reader.secret("database.read_url"),
                direct_url: reader.secret("database.direct_url"),
                max_connections: reader.number("database.max_connections", 20, 2..=10_000),
                acquire_timeout: reader.milliseconds("database.acquire_timeout_ms", 5_000, 10..=60_000),
                lock_timeout: reader.milliseconds("database.lock_timeout_ms", 10_000, 10..=60_000),
                statement_timeout: reader.milliseconds("database.statement_timeout_ms", 15_000, 10..=600_000),
                local_bin: reader.optional("database.local_bin"),
            },
            redis: Redis {
                url: reader.secret("redis.url"),
                prefix: reader.value("redis.prefix", "tradewind"),
                timeout: reader.milliseconds("redis.timeout_ms", 100, 1..=5_000),
            },
            limits: Limits {
                changes_per_minute: reader.number("limits.changes_per_minute", 1_200, 0..=1_000_000),
                purchases_per_minute: reader.number("limits.purchases_per_minute", 60, 0..=1_000_000),
            },
            web: Web {
                api_url: reader.optional("web.api_url"),
                internal_credential: reader.secret("web.internal_credential"),
                maintenance_file: reader.optional("web.maintenance_file"),
            },
            cache: Cache {
                max_bytes: reader.number("cache.max_bytes", 64 * 1024 * 1024, 0..=64 * 1024 * 1024 * 1024),
                ttl: reader.milliseconds("cache.ttl_ms", 30_000, 0..=3_600_000),
                stale_for: reader.milliseconds("cache.stale_ms", 3_600_000, 0..=86_400_000),
            },
            worker: Worker {
                concurrency: reader.number("worker.concurrency", 4, 1..=256),
                poll: reader.milliseconds("worker.poll_ms", 1_000, 10..=60_000),
                lease: reader.milliseconds("worker.lease_ms", 60_000, 1_000..=3_600_000),
                check_every: reader.milliseconds("worker.check_every_ms", 3_600_000, 1_000..=604_800_000),
            },
            payments: Payments {
                provider_timeout: reader.milliseconds("payments.provider_timeout_ms", 3_000, 50..=60_000),
                reconcile_every: reader.milliseconds("payments.reconcile_every_ms", 5_000, 1_000..=3_600_000),
                action_timeout: reader.milliseconds("payments.action_timeout_ms", 900_000, 1_000..=86_400_000),
            },
        };
        reader.finish().map(|settings| Self { config, settings })
    }

    /// The effective configuration as a commented TOML file, secrets redacted.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for setting in &self.settings {
            let (head, name) = setting.key.rsplit_once('.').unwrap_or(("", &setting.key));
            if head != section {
                section = head;
                text.push_str(&format!("\n[{section}]\n"));
            }
            match &setting.value {
                Some(value) => text.push_str(&format!("{name} = {value:?}  # {}\n", setting.source)),
                None => text.push_str(&format!("# {name} is not set\n")),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use secrecy::ExposeSecret;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_any_source_the_defaults_hold() {
        let loaded = Loaded::load(None, env(&[])).unwrap();
        assert_eq!(loaded.config.http.public_address.to_string(), "127.0.0.1:8080");
        assert!(loaded.config.database.url.is_none());
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_source() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tradewind.toml");
        std::fs::write(&file, "colour = 1\n[http]\nbody_limit_bytes = 1\npublic_adress = 'x'\n").unwrap();
        let errors = Loaded::load(
            Some(&file),
            env(&[("TRADEWIND__HTTP__PUBLIC_ADDRESS", "nowhere"), ("TRADEWIND__NONSENSE", "1"), ("PATH", "/bin"), ("DATABASE_URL_FILE", "/does/not/exist")]),
        )
        .unwrap_err()
        .0;
        let all = errors.join("\n");
        for part in ["colour", "http.body_limit_bytes", "http.public_adress", "TRADEWIND__HTTP__PUBLIC_ADDRESS", "TRADEWIND__NONSENSE", "/does/not/exist"] {
            assert!(all.contains(part), "{part} is missing in {all}");
        }
        assert_eq!(errors.len(), 6, "{all}");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tradewind.toml");
        std::fs::write(&file, "[worker]\nconcurrency = 7\n").unwrap();
        assert_eq!(Loaded::load(Some(&file), env(&[])).unwrap().config.worker.concurrency, 7);
        assert_eq!(Loaded::load(Some(&file), env(&[("TRADEWIND__WORKER__CONCURRENCY", "9")])).unwrap().config.worker.concurrency, 9);
    }

    #[test]
    fn secrets_are_redacted_and_follow_their_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        std::fs::write(&file, "postgres://one\n").unwrap();
        let loaded = Loaded::load(None, env(&[("DATABASE_URL_FILE", file.to_str().unwrap()), ("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "hush")])).unwrap();
        let url = loaded.config.database.url.clone().unwrap();
        assert_eq!(url.current().unwrap().expose_secret(), "postgres://one");
        std::fs::write(&file, "postgres://two\n").unwrap();
        assert_eq!(url.current().unwrap().expose_secret(), "postgres://two");
        let text = format!("{}{:?}", loaded.to_toml(), loaded);
        assert!(!text.contains("hush") && !text.contains("postgres://"), "{text}");
    }

    #[test]
    fn a_secret_given_twice_is_refused() {
        let errors = Loaded::load(None, env(&[("DATABASE_URL", "a"), ("DATABASE_URL_FILE", "/etc/hostname")])).unwrap_err();
        assert!(errors.to_string().contains("database.url"), "{errors}");
    }
}
