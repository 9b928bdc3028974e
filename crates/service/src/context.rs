use std::sync::Arc;

use db::Db;
use http::HeaderMap;
use kernel::{Clock, Timestamp};
use platform::config::Networks;
use platform::http::InternalCredential;
use platform::lifecycle::Tasks;
use stores::{CacheOptions, Stores};

use crate::{Authenticator, ShopperLimits};

/// What the binary gives to every service. Cloning shares everything.
#[derive(Clone)]
pub struct Context {
    db: Db,
    tasks: Tasks,
    authenticator: Arc<dyn Authenticator>,
    internal_credential: InternalCredential,
    demo: bool,
    stores: Stores,
    limits: ShopperLimits,
}

impl Context {
    /// Puts together what services need, with stores of their own. `internal_credential` is the secret our own web tier sends along.
    #[must_use]
    pub fn new(db: Db, tasks: Tasks, authenticator: Arc<dyn Authenticator>, internal_credential: InternalCredential, demo: bool) -> Self {
        let stores = Stores::new(CacheOptions::default(), db.clock().clone(), tasks);
        Self::on(db, stores, authenticator, internal_credential, demo)
    }

    /// The same on stores that others know, too. What commits make stale is told on their bus, and to other processes.
    #[must_use]
    pub fn on(db: Db, stores: Stores, authenticator: Arc<dyn Authenticator>, internal_credential: InternalCredential, demo: bool) -> Self {
        let bus = stores.bus().clone();
        db.on_outdated(move |tags| bus.tell(tags));
        if let Some(shared) = stores.shared().cloned() {
            db.on_outdated_here(move |tags| shared.tell(tags));
        }
        Self { db, tasks: stores.tasks().clone(), authenticator, internal_credential, demo, stores, limits: ShopperLimits::new(0, 0, Networks::default()) }
    }

    /// The same with limits for shoppers; without this there are none.
    #[must_use]
    pub fn with_limits(mut self, limits: ShopperLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How often one address may do things.
    #[must_use]
    pub const fn limits(&self) -> &ShopperLimits {
        &self.limits
    }

    /// The database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.db.clock()
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.db.clock().now()
    }

    /// What is kept in memory, and the bus that says what of it is stale.
    #[must_use]
    pub const fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Where work is spawned that must outlive its caller.
    #[must_use]
    pub const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Whether the shop runs with demo data, so that the sandbox provider may serve live channels.
    #[must_use]
    pub const fn demo(&self) -> bool {
        self.demo
    }

    /// Who turns bearer tokens into principals.
    #[must_use]
    pub fn authenticator(&self) -> &dyn Authenticator {
        self.authenticator.as_ref()
    }

    /// Whether a request comes from our own web tier.
    #[must_use]
    pub fn is_internal(&self, headers: &HeaderMap) -> bool {
        self.internal_credential.is_sent_in(headers)
    }
}
