use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use db::check::Check;
use db::migrate::SchemaMigrations;
use db::{Outdates, Tx};
use futures_util::future::BoxFuture;
use kernel::Event;
use serde_json::Value;
use sqlx::migrate::Migrator;
use utoipa_axum::router::OpenApiRouter;

use crate::Failure;

/// Work on an event inside the transaction that also marks the job done: its effect in the database happens exactly once.
pub type EventHandler = Arc<dyn for<'a> Fn(&'a mut Tx, Value) -> BoxFuture<'a, Result<(), Failure>> + Send + Sync>;
/// Work that speaks to the outside world and opens its own transactions: at least once, so it must be idempotent.
pub type WorkHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// How a kind of job is done.
#[derive(Clone)]
pub enum JobHandler {
    /// In the transaction that marks it done.
    InTransaction(EventHandler),
    /// On its own, then marked done.
    Outside(WorkHandler),
}

/// A kind of job a service does.
#[derive(Clone)]
pub struct Job {
    /// The stable name, `<service>.<verb>_<what>`.
    pub kind: String,
    /// The newest version of the payload it understands.
    pub version: i32,
    /// The event that causes it, if one does.
    pub event: Option<&'static str>,
    /// What it does.
    pub handler: JobHandler,
}

/// A job that is enqueued at intervals.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The stable name.
    pub name: String,
    /// The kind of job.
    pub kind: String,
    /// How often.
    pub every: Duration,
}

/// One service as the binary sees it: routes, schema, jobs and schedules. All of a target's services make a process.
#[derive(Clone)]
pub struct Service {
    name: &'static str,
    migrator: &'static Migrator,
    store_api: OpenApiRouter,
    admin_api: OpenApiRouter,
    open_admin_api: OpenApiRouter,
    pages: Router,
    jobs: Vec<Job>,
    schedules: Vec<Schedule>,
    outdates: Vec<(&'static str, Outdates)>,
    checks: Vec<Check>,
}

impl Service {
    /// A service by its name, which is also its schema's, with its migrations.
    #[must_use]
    pub fn new(name: &'static str, migrator: &'static Migrator) -> Self {
        Self {
            name,
            migrator,
            store_api: OpenApiRouter::new(),
            admin_api: OpenApiRouter::new(),
            open_admin_api: OpenApiRouter::new(),
            pages: Router::new(),
            jobs: Vec::new(),
            schedules: Vec::new(),
            outdates: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// Routes under `/store/v1`, with their full paths.
    #[must_use]
    pub fn store_api(mut self, routes: OpenApiRouter) -> Self {
        self.store_api = self.store_api.merge(routes);
        self
    }

    /// Routes under `/admin/v1` that only signed-in staff reach.
    #[must_use]
    pub fn admin_api(mut self, routes: OpenApiRouter) -> Self {
        self.admin_api = self.admin_api.merge(routes);
        self
    }

    /// Routes under `/admin/v1` that need no session, such as signing in.
    #[must_use]
    pub fn open_admin_api(mut self, routes: OpenApiRouter) -> Self {
        self.open_admin_api = self.open_admin_api.merge(routes);
        self
    }

    /// Routes outside both surfaces: webhooks, and the sandbox's own pages.
    #[must_use]
    pub fn other_routes(mut self, routes: Router) -> Self {
        self.pages = self.pages.merge(routes);
        self
    }

    /// Hears an event: `kind` is done once for each, in a transaction of its own.
    #[must_use]
    pub fn on<E: Event>(mut self, kind: &str, handler: impl for<'a> Fn(&'a mut Tx, E) -> BoxFuture<'a, Result<(), Failure>> + Send + Sync + 'static) -> Self {
        let handler = Arc::new(handler);
        let in_transaction: EventHandler = Arc::new(move |tx, payload| match serde_json::from_value::<E>(payload) {
            Ok(event) => handler(tx, event),
            Err(error) => Box::pin(std::future::ready(Err(error.into()))),
        });
        self.jobs.push(Job { kind: kind.to_owned(), version: E::VERSION, event: Some(E::NAME), handler: JobHandler::InTransaction(in_transaction) });
        self
    }

    /// Says what an event makes stale, as tags of what is kept in memory: told to every process right after the commit. No job is written
    /// for it, and news may be lost with a process; what is kept ends by its time to live then.
    #[must_use]
    pub fn outdates<E: Event>(mut self, tags: impl Fn(&E) -> Vec<String> + Send + Sync + 'static) -> Self {
        let outdates: Outdates = Arc::new(move |payload| match E::deserialize(payload) {
            Ok(event) => tags(&event),
            // What cannot be told one by one is told as a whole.
            Err(_) => vec![stores::EVERYTHING.to_owned()],
        });
        self.outdates.push((E::NAME, outdates));
        self
    }

    /// Does jobs of `kind` that speak to the outside world.
    #[must_use]
    pub fn job(mut self, kind: &str, handler: impl Fn(Value) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + 'static) -> Self {
        self.jobs.push(Job { kind: kind.to_owned(), version: 1, event: None, handler: JobHandler::Outside(Arc::new(handler)) });
        self
    }

    /// Does `handler` at intervals, once across all processes.
    #[must_use]
    pub fn schedule(self, kind: &str, every: Duration, handler: impl Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + 'static) -> Self {
        let mut service = self.job(kind, move |_| handler());
        service.schedules.push(Schedule { name: kind.to_owned(), kind: kind.to_owned(), every });
        service
    }

    /// Says what must always hold of its tables; `tradewind check` and a schedule look after it.
    #[must_use]
    pub fn checks(mut self, checks: Vec<Check>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The migrations of its schema.
    #[must_use]
    pub const fn migrations(&self) -> SchemaMigrations {
        SchemaMigrations { schema: self.name, migrator: self.migrator }
    }

    /// Its routes under `/store/v1`.
    #[must_use]
    pub fn store_routes(&self) -> OpenApiRouter {
        self.store_api.clone()
    }

    /// Its closed routes under `/admin/v1`.
    #[must_use]
    pub fn admin_routes(&self) -> OpenApiRouter {
        self.admin_api.clone()
    }

    /// Its open routes under `/admin/v1`.
    #[must_use]
    pub fn open_admin_routes(&self) -> OpenApiRouter {
        self.open_admin_api.clone()
    }

    /// Its routes outside both surfaces.
    pub fn routes(&self) -> Router {
        self.pages.clone()
    }

    /// The jobs it does.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// What must always hold of its tables.
    #[must_use]
    pub fn invariants(&self) -> &[Check] {
        &self.checks
    }

    /// What events make stale.
    #[must_use]
    pub fn outdated(&self) -> &[(&'static str, Outdates)] {
        &self.outdates
    }

    /// What it does at intervals.
    #[must_use]
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }
}
