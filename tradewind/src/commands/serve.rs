//! The ordered life of a server: ports, database, services, work; ready; drain; and all of it in reverse.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use db::Db;
use platform::config::{Config, ConfigErrors};
use platform::http::{InternalCredential, Kit, bind, see_through};
use platform::lifecycle::{self, Tasks};
use platform::operations::{self, Readiness};
use platform::telemetry::{self, Metrics};
use service::worker::{self, WorkerOptions};
use service::{Context, Service, Surfaces};
use stores::{Shared, Stores};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::say;
use crate::commands::version::{REVISION, VERSION};
use crate::database::Database;
use crate::pages::Pages;
use crate::public::{self, Parts};
use crate::target::{Surroundings, Target};
use crate::{credential, docs, elsewhere, faults, figures, inside, inspection, services, settings};

/// What to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What this process serves: `all`, or a list of `api`, `worker`, `storefront`, `backoffice` and names of services.
    #[arg(long, default_value = "all", value_name = "PART,…")]
    target: String,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { target: "all".to_owned() }
    }
}

/// How often secrets in files are read again.
const SECRETS_EVERY: Duration = Duration::from_secs(5);
/// How often the size of what is kept in memory is told, and figures are summed up.
const FIGURES_EVERY: Duration = Duration::from_secs(5);
/// How long pools and probes may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves until a signal comes or the private database is lost.
///
/// # Errors
/// The start failed, or the private database was lost.
pub(crate) async fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<()> {
    let (loaded, target) = settings::load_for(file, &arguments.target, &service_names()?)?;
    let config = loaded.config;
    telemetry::init_logs(&config.log).map_err(|error| ConfigErrors(vec![format!("{:#}", anyhow::Error::from(error))]))?;
    let metrics = Metrics::install()?;
    figures::report_release(&target);
    let stop = CancellationToken::new();
    lifecycle::stop_on_signal(stop.clone())?;
    let ports = Ports::open(&config, &target).await?;
    let addresses = ports.addresses()?;
    let readiness = Readiness::default();
    let operations = Part::begin("operations", |tasks, stop| {
        platform::http::serve(ports.operations, operations::router(readiness.clone(), metrics.clone()), tasks, stop, CLOSING)
    });
    let outcome = match stop.run_until_cancelled(Box::pin(Shop::start(&config, &target, addresses.public))).await {
        Some(Ok(shop)) => Box::pin(shop.serve(&config, ports.public, &readiness, metrics, &stop, || announce(&config, &target, addresses))).await,
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    operations.end(CLOSING).await;
    tracing::info!("stopped");
    outcome
}

fn service_names() -> anyhow::Result<Vec<&'static str>> {
    Ok(services::unconnected()?.1.iter().map(Service::name).collect())
}

/// The ports, opened before anything else, so that a taken one is told at once.
struct Ports {
    public: Option<TcpListener>,
    operations: TcpListener,
}

impl Ports {
    async fn open(config: &Config, target: &Target) -> anyhow::Result<Self> {
        let public = match target.is_public() {
            true => Some(bind(config.http.public_address, "http.public_address").await?),
            false => None,
        };
        Ok(Self { public, operations: bind(config.http.operations_address, "http.operations_address").await? })
    }

    /// Where they are in the end; port 0 lets the system choose.
    fn addresses(&self) -> anyhow::Result<Addresses> {
        let public = self.public.as_ref().map(TcpListener::local_addr).transpose()?;
        Ok(Addresses { public, operations: self.operations.local_addr()? })
    }
}

/// Where the ports are.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    public: Option<SocketAddr>,
    operations: SocketAddr,
}

/// A part of the process that runs until it is told to end.
struct Part {
    tasks: Tasks,
    stop: CancellationToken,
}

impl Part {
    fn begin<F: Future<Output = ()> + Send + 'static>(name: &'static str, run: impl FnOnce(Tasks, CancellationToken) -> F) -> Self {
        let part = Self { tasks: Tasks::new(), stop: CancellationToken::new() };
        part.tasks.spawn(name, run(part.tasks.clone(), part.stop.clone()));
        part
    }

    /// Ends the part and waits for what it still does, for so long at most.
    async fn end(self, patience: Duration) {
        self.stop.cancel();
        if !self.tasks.finish(patience).await {
            tracing::warn!(?patience, "something did not end in time");
        }
    }
}

/// What stands between the database and the ports.
struct Shop {
    target: Target,
    kit: Kit,
    parts: Parts,
    backing: Option<Backing>,
    stores: Stores,
    credential: InternalCredential,
}

/// The database and what works on it; pages that call an API elsewhere have none.
struct Backing {
    database: Database,
    context: Context,
    workers: Vec<Service>,
}

impl Shop {
    async fn start(config: &Config, target: &Target, public: Option<SocketAddr>) -> anyhow::Result<Self> {
        let credential = InternalCredential::from(credential::internal(config, target)?);
        let kit = Kit::new(&config.http, kernel::Clock::system(), credential.clone());
        let stores = inside::stores(config, Tasks::new())?;
        let mut parts = Parts { elsewhere: elsewhere::api(target)?, ..Parts::default() };
        let mut backing = None;
        if target.needs_database() {
            let database = Database::for_server(config).await?;
            let context = inside::context(&database, stores.clone(), credential.clone(), config);
            let services = services::all(&context, config);
            database.prepare(&services.iter().map(Service::migrations).chain(faults::expansion()).collect::<Vec<_>>()).await?;
            context.db().set_subscriptions(worker::subscriptions(&services));
            let surfaces = Surfaces::of(&context, &chosen(&services, |name| target.routes(name)));
            parts.docs = target.has_whole_api().then(|| docs::router(&surfaces.store_document, &surfaces.admin_document)).transpose()?;
            parts.api = surfaces.router;
            let mut workers = chosen(&services, |name| target.works(name));
            if target.has_whole_work() {
                workers.push(inspection::service(&context, inspection::checks(&services), &config.worker));
            }
            backing = Some(Backing { workers, database, context });
        }
        if let Some(address) = public.filter(|_| target.has_pages()) {
            parts.pages = Pages::of(config, target, address, &credential, &parts.api, &stores)?;
        }
        Ok(Self { target: target.clone(), kit, parts, backing, stores, credential })
    }

    /// Serves until told to stop, then drains in order: no new requests, those in flight end, jobs in hand end, pools close, the
    /// private database stops.
    async fn serve(
        self,
        config: &Config,
        port: Option<TcpListener>,
        readiness: &Readiness,
        metrics: Metrics,
        stop: &CancellationToken,
        announce: impl FnOnce(),
    ) -> anyhow::Result<()> {
        let Self { target, kit, parts, backing, stores, credential } = self;
        let router = faults::port(&stores, see_through(public::router(parts, &target, &kit), &config.http.trusted_proxies));
        let drain_timeout = config.http.drain_timeout;
        let public = port.map(|port| Part::begin("public port", |tasks, stop| platform::http::serve(port, router, tasks, stop, drain_timeout)));
        let (shared, bus) = (stores.shared().cloned(), stores.bus().clone());
        let sharing = shared.clone().map(|shared| {
            report_on_redis(&shared, readiness);
            Part::begin("redis", |_, stop| async move { shared.run(bus, stop).await })
        });
        let (db, data_dir) = (backing.as_ref().map(|backing| backing.context.db().clone()), config.data_dir.clone());
        let figures = Part::begin("figures", |_, stop| keep_figures(stores, metrics, db, data_dir, stop));
        let work = backing.as_ref().map(|backing| backing.begin_work(config));
        let secrets = settings::has_rotating_secrets(config).then(|| {
            let (config, db) = (config.clone(), backing.as_ref().map(|backing| backing.context.db().clone()));
            Part::begin("secrets", |_, stop| follow_secrets(config, db, shared, credential, stop))
        });
        if let Some(backing) = &backing {
            backing.report_on(readiness);
        }
        readiness.set_started();
        announce();
        faults::crash_later();

        let lost = match &backing {
            Some(backing) => stop.run_until_cancelled(backing.database.ended_by_itself()).await,
            None => stop.run_until_cancelled(std::future::pending()).await,
        };
        readiness.set_draining();
        if lost.is_none() {
            tokio::time::sleep(config.http.drain_delay).await;
        }
        // What was done last is told, too.
        for part in [public, work, sharing, secrets, Some(figures)].into_iter().flatten() {
            part.end(drain_timeout + CLOSING).await;
        }
        if let Some(backing) = backing {
            backing.close(drain_timeout).await;
        }
        lost.map_or(Ok(()), Err)
    }
}

impl Backing {
    /// Begins the work of this target's services; without any, the process still tells others what it changed, and hears it from them.
    fn begin_work(&self, config: &Config) -> Part {
        let context = self.context.clone();
        if self.workers.is_empty() {
            return Part::begin("news", |_, stop| async move { worker::pass_news_on(&context, &stop).await });
        }
        let options = WorkerOptions { concurrency: config.worker.concurrency, poll: config.worker.poll, lease: config.worker.lease };
        Part::begin("worker", |_, stop| worker::run(context, self.workers.clone(), options, stop))
    }

    /// Tells the state of the database on the operations port. It does not decide readiness.
    fn report_on(&self, readiness: &Readiness) {
        let db = self.context.db().clone();
        readiness.register_dependency("postgres", move || {
            let db = db.clone();
            Box::pin(async move {
                let mut conn = db.read_latest().await.map_err(|error| error.to_string())?;
                sqlx::Connection::ping(&mut *conn).await.map_err(|error| error.to_string())
            })
        });
    }

    async fn close(self, patience: Duration) {
        if !self.context.tasks().finish(patience).await {
            tracing::warn!(?patience, "a unit of work did not end in time; it is rolled back");
        }
        if tokio::time::timeout(CLOSING, self.context.db().close()).await.is_err() {
            tracing::warn!("the database's connections did not close in time");
        }
        self.database.stop().await;
    }
}

/// Tells on the operations port whether Redis is used. It does not decide readiness.
fn report_on_redis(shared: &Shared, readiness: &Readiness) {
    let shared = shared.clone();
    readiness.register_dependency("redis", move || {
        let state = if shared.is_up() { Ok(()) } else { Err("each process goes by what it knows itself".to_owned()) };
        Box::pin(std::future::ready(state))
    });
}

/// Reads secrets in files again and again, until stopped: a rotated one holds for the next connection and the next request, without a restart.
async fn follow_secrets(config: Config, db: Option<Db>, shared: Option<Shared>, credential: InternalCredential, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SECRETS_EVERY)).await.is_some() {
        if let Err(error) = read_secrets(&config, db.as_ref(), shared.as_ref(), &credential) {
            tracing::warn!(error = format!("{error:#}"), "secrets were not read again; the last ones hold");
        }
    }
}

fn read_secrets(config: &Config, db: Option<&Db>, shared: Option<&Shared>, credential: &InternalCredential) -> anyhow::Result<()> {
    if let (Some(db), Some(options)) = (db, settings::database_options(config)?) {
        db.set_addresses(&options);
    }
    if let Some((shared, secret)) = shared.zip(config.redis.url.as_ref()) {
        shared.set_address(settings::redis_address(secret)?);
    }
    if let Some(secret) = &config.web.internal_credential {
        credential.set(secret.current()?);
    }
    Ok(())
}

/// Tells the size and age of what is kept in memory to the metrics, and sums these up whether or not anybody asks for them, until stopped.
async fn keep_figures(stores: Stores, metrics: Metrics, db: Option<Db>, data_dir: PathBuf, stop: CancellationToken) {
    loop {
        stores.renders().report().await;
        figures::report(db.as_ref(), &data_dir);
        metrics.run_upkeep();
        if stop.run_until_cancelled(tokio::time::sleep(FIGURES_EVERY)).await.is_none() {
            return;
        }
    }
}

fn chosen(services: &[Service], choose: impl Fn(&str) -> bool) -> Vec<Service> {
    services.iter().filter(|service| choose(service.name())).cloned().collect()
}

/// Says where everything is. Never says how to get into the back office: `tradewind staff invite` does.
fn announce(config: &Config, target: &Target, addresses: Addresses) {
    let url = addresses.public.map(|address| settings::public_url(config, address));
    let page = |shown: bool, name: &str, path: &str| url.as_ref().filter(|_| shown).map(|url| format!("  {name:<13}{url}{path}\n"));
    let lines = [
        page(target.has_storefront(), "Shop", "/"),
        page(target.has_backoffice(), "Back office", "/backoffice"),
        page(target.has_whole_api(), "API docs", "/docs"),
        page(target.has_routes() && !target.has_whole_api(), "API", "/"),
        Some(format!("  {:<13}http://{}/readyz\n", "Operations", addresses.operations)),
    ];
    let around = Surroundings {
        api_url: config.web.api_url.as_deref(),
        has_redis: config.redis.url.is_some(),
        has_credential: config.web.internal_credential.is_some(),
    };
    let lacks = target.lacks(&around);
    let lacks = lacks.into_iter().map(|lack| format!("  {:<13}{lack}\n", "Not here")).collect::<String>();
    say(format_args!("\nTradewind {VERSION} is ready ({target})\n{lacks}{}", lines.into_iter().flatten().collect::<String>()));
    tracing::info!(serves = %target, version = VERSION, revision = REVISION, "ready");
}
