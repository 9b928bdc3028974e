use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, TimeDelta};
use db::migrate::SchemaMigrations;
use db::{Actor, Db, DbOptions, Tx};
use kernel::Clock;
use platform::lifecycle::Tasks;
use service::{Authenticator, Context, Service, Surfaces, worker};
use stores::{CacheOptions, Stores};

use crate::{Reply, StaffPass, TestDatabase, TestRequest};

/// Some services on a database of their own, reached through the router that is served, on a clock that stands still
/// (it begins on 1 March 2026 at noon UTC).
#[derive(Clone)]
pub struct Shop {
    context: Context,
    services: Vec<Service>,
    router: Router,
    database: TestDatabase,
    clock: Clock,
    pass: StaffPass,
}

impl Shop {
    /// Opens a shop of the services that `build` names; staff come in by [`Shop::pass`].
    pub async fn open(build: impl Fn(&Context) -> Vec<Service>) -> Self {
        let pass = StaffPass::default();
        let staff = pass.clone();
        Self::open_for(pass, move |_, _| Arc::new(staff), build).await
    }

    /// Opens a shop whose staff is let in by `authenticator`.
    pub async fn open_with(authenticator: impl FnOnce(&Db, &Stores) -> Arc<dyn Authenticator>, build: impl Fn(&Context) -> Vec<Service>) -> Self {
        Self::open_for(StaffPass::default(), authenticator, build).await
    }

    async fn open_for(pass: StaffPass, authenticator: impl FnOnce(&Db, &Stores) -> Arc<dyn Authenticator>, build: impl Fn(&Context) -> Vec<Service>) -> Self {
        let clock = Clock::frozen(DateTime::from_timestamp(1_772_366_400, 0).unwrap());
        // The services name their schemas before there is a database, so they are built once on pools that never connect.
        let schemas: Vec<SchemaMigrations> = build(&context(&nowhere(&clock), Arc::new(pass.clone()))).iter().map(Service::migrations).collect();
        let database = TestDatabase::create(&schemas).await;
        let db = Db::new(&DbOptions::new(database.options()), clock.clone());
        let stores = Stores::new(CacheOptions::default(), clock.clone(), Tasks::new());
        let authenticator = authenticator(&db, &stores);
        let context = Context::on(db.clone(), stores, authenticator, "internal".into(), true);
        let services = build(&context);
        db.set_subscriptions(worker::subscriptions(&services));
        let router = platform::http::api_fallbacks(Surfaces::of(&context, &services).router);
        Self { context, services, router, database, clock, pass }
    }

    /// What services are given.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The database's address.
    #[must_use]
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The router.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The staff passes.
    #[must_use]
    pub const fn pass(&self) -> &StaffPass {
        &self.pass
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the clock on.
    pub fn wait(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Opens a unit of work.
    pub async fn begin(&self) -> Tx {
        self.context.db().begin(Actor::system("test")).await.unwrap()
    }

    /// Does every job that is due.
    pub async fn work_off(&self) -> usize {
        worker::work_off(&self.context, &self.services).await.unwrap()
    }

    /// Lets the schedules tick: enqueues every run that is due, and returns how many. [`Shop::work_off`] then does them.
    pub async fn tick(&self) -> usize {
        worker::tick(&self.context, &self.services).await.unwrap()
    }

    /// Begins a request by method and path.
    pub fn request(&self, method: &str, path: &str) -> TestRequest {
        TestRequest::new(self.router(), method, path)
    }

    /// Begins a GET.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request("GET", path)
    }

    /// Begins a POST.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request("POST", path)
    }

    /// Begins a request of staff who may do everything.
    pub fn staff(&self, method: &str, path: &str) -> TestRequest {
        self.request(method, path).bearer(self.pass.everything())
    }

    /// Gets a path and expects 200.
    pub async fn read(&self, path: &str) -> Reply {
        let reply = self.get(path).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }
}

fn context(db: &Db, authenticator: Arc<dyn Authenticator>) -> Context {
    Context::new(db.clone(), Tasks::new(), authenticator, "internal".into(), true)
}

fn nowhere(clock: &Clock) -> Db {
    Db::new(&DbOptions::new(sqlx::postgres::PgConnectOptions::new_without_pgpass().host("/nonexistent")), clock.clone())
}
