use std::sync::Arc;

use db::Db;
use http::HeaderMap;
use kernel::{Clock, Timestamp};
use platform::http::InternalCredential;
use platform::lifecycle::Tasks;
use stores::{CacheOptions, Stores};

use crate::Authenticator;

/// What the binary gives to every service. Cloning shares everything.
#[derive(Clone)]
pub struct Context {
    db: Db,
    tasks: Tasks,
    authenticator: Arc<dyn Authenticator>,
    internal_credential: InternalCredential,
    demo: bool,
    stores: Stores,
}

impl Context {
    /// Puts together what services need. `internal_credential` is the secret our own web tier sends along.
    #[must_use]
    pub fn new(db: Db, tasks: Tasks, authenticator: Arc<dyn Authenticator>, internal_credential: InternalCredential, demo: bool) -> Self {
        let stores = Stores::new(CacheOptions::default(), db.clock().clone(), tasks.clone());
        let bus = stores.bus().clone();
        db.on_outdated(move |tags| bus.tell(tags));
        Self { db, tasks, authenticator, internal_credential, demo, stores }
    }

    /// The same with other room and times for what is kept in memory. Said before services are made.
    #[must_use]
    pub fn with_cache(mut self, options: CacheOptions) -> Self {
        self.stores = self.stores.with_options(options);
        self
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
