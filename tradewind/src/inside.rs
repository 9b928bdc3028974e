//! The shop as a command works on it from inside: database, services and the API's router, without ports.

use client::Client;
use db::{Actor, Db};
use kernel::{Clock, Token};
use platform::config::{Config, Http};
use platform::http::InternalCredential;
use platform::http::{Kit, api_fallbacks};
use platform::lifecycle::Tasks;
use service::{Context, Service, ShopperLimits, Surfaces, worker};
use stores::Stores;

use crate::database::Database;
use crate::{services, settings};

/// The shop without ports.
pub(crate) struct Inside {
    database: Database,
    context: Context,
    services: Vec<Service>,
}

impl Inside {
    /// Opens the shop's database, here or beside a running server, and puts the services on it.
    ///
    /// # Errors
    /// The database cannot be reached or is too old.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let database = Database::for_tool(config).await?;
        let (_, unconnected) = services::unconnected()?;
        let schemas: Vec<_> = unconnected.iter().map(Service::migrations).collect();
        database.prepare_for_tool(&schemas).await?;
        let context = context(&database, stores(config, Tasks::new())?, "".into(), config);
        let services = services::all(&context, config);
        context.db().set_subscriptions(worker::subscriptions(&services));
        Ok(Self { database, context, services })
    }

    /// What services are given.
    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// Every service.
    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }

    /// Calls the whole API in this process. The layers stand around it as on the public port.
    pub(crate) fn client(&self, http: &Http) -> Client {
        let credential = InternalCredential::from(Token::generate().reveal().as_str());
        let kit = Kit::new(http, Clock::system(), credential.clone());
        Client::in_process(kit.around(api_fallbacks(Surfaces::of(&self.context, &self.services).router), "inside"), credential)
    }

    /// A bearer token that may do everything for so many minutes, as the named part of Tradewind.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn pass(&self, name: &str, minutes: u32) -> anyhow::Result<Token> {
        let mut tx = self.context.db().begin(Actor::system(name)).await?;
        let token = identity::issue_system_session(&mut tx, name, minutes).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Does the jobs that the command left, so that the shop shows what was done even while no server runs.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn work_off(&self) -> anyhow::Result<usize> {
        worker::work_off(&self.context, &self.services).await.map_err(|failure| anyhow::anyhow!("{}", failure.into_problem()))
    }

    /// Closes everything in order.
    pub(crate) async fn close(self) {
        // A server beside us shows what we changed at once, if it can be told.
        let db = self.context.db();
        if let Err(error) = db.wake().tell_now(db.writer()).await {
            tracing::debug!(%error, "what is stale was not told");
        }
        if let Some(shared) = self.context.stores().shared() {
            shared.tell_now().await;
        }
        db.close().await;
        self.database.stop().await;
    }
}

/// What is kept in memory, and shared with other processes if that is set.
///
/// # Errors
/// The address of Redis cannot be read.
pub(crate) fn stores(config: &Config, tasks: Tasks) -> anyhow::Result<Stores> {
    let stores = Stores::new(settings::cache(config), Clock::system(), tasks);
    Ok(match settings::shared(config)? {
        Some(shared) => stores.with_shared(shared, &settings::edition(config)),
        None => stores,
    })
}

/// What services are given, on this database.
pub(crate) fn context(database: &Database, stores: Stores, internal_credential: InternalCredential, config: &Config) -> Context {
    let db = Db::new(database.options(), Clock::system());
    let authenticator = identity::authenticator(db.clone(), &stores);
    let platform::config::Limits { changes_per_minute, purchases_per_minute } = config.limits;
    let limits = ShopperLimits::new(changes_per_minute, purchases_per_minute, config.http.trusted_proxies.clone());
    Context::on(db, stores, authenticator, internal_credential, config.demo).with_limits(limits)
}
