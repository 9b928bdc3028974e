//! The channels of the shop, kept in memory. There is a handful, everybody needs one, and they hardly ever change.

use std::sync::Arc;

use catalog_api::ChannelId;
use kernel::Problem;
use service::{Call, Context, Failure};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use stores::{Cache, Entry, Fill, Filled, Key, Lost, Miss, Weight, Wish};

use crate::Channel;
use crate::channel;
use crate::outdated::CHANNELS;
use crate::store::channels::{self, StoredChannel, Wanted};

/// What a channel weighs, about.
const CHANNEL_BYTES: usize = 4_096;

/// Finds channels in memory, and in the database only after news of them or the cache's time to live. Cheap to clone.
#[derive(Clone)]
pub struct Channels {
    context: Context,
    kept: Cache<All, Problem>,
}

/// Every channel, as of this moment. Asked for before a unit of work begins, which then needs no statement to find one.
#[derive(Clone)]
pub struct KnownChannels(Arc<Entry<All>>);

struct All(Vec<Arc<StoredChannel>>);

impl Weight for All {
    fn weight(&self) -> usize {
        self.0.len().saturating_mul(CHANNEL_BYTES)
    }
}

impl Channels {
    /// Nothing is kept yet.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        Self { context: context.clone(), kept: context.stores().lookup("channels") }
    }

    /// The channels as they are known at this moment.
    ///
    /// # Errors
    /// None is known and the database failed.
    pub async fn known(&self) -> Result<KnownChannels, Failure> {
        self.known_as_of(Wish::default()).await
    }

    /// The channel a request belongs to, by the rules of [`crate::channel_of`].
    ///
    /// # Errors
    /// As there.
    pub async fn of(&self, call: &Call) -> Result<Channel, Failure> {
        Ok(self.stored_of(call).await?.channel.clone())
    }

    pub(crate) async fn stored_of(&self, call: &Call) -> Result<Arc<StoredChannel>, Failure> {
        let known = self.known_as_of(call.wish()).await?;
        Ok(Arc::clone(channel::choose(&known.0.0, call)?))
    }

    async fn known_as_of(&self, wish: Wish) -> Result<KnownChannels, Failure> {
        let context = self.context.clone();
        let key = Key::lookup("channels");
        let kept = self.kept.get(&key, wish, move |fill, _| async move {
            let all = list(&context, fill).await.map_err(miss)?;
            Ok(Filled::new(All(all.into_iter().map(Arc::new).collect()), vec![CHANNELS.to_owned()]))
        });
        kept.await.map(KnownChannels).map_err(|lost| match lost {
            Lost::Refused(problem) => problem.into(),
            Lost::Broken => Problem::internal().into(),
        })
    }
}

impl KnownChannels {
    /// One channel. One that was made a moment ago may not be known yet; it is looked for in the database.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find(&self, conn: &mut PgConnection, id: ChannelId) -> Result<Option<Channel>, sqlx::Error> {
        match self.0.0.iter().find(|stored| stored.channel.id == id) {
            Some(stored) => Ok(Some(stored.channel.clone())),
            None => channel::find_channel(conn, id).await,
        }
    }
}

async fn list(context: &Context, fill: Fill) -> Result<Vec<StoredChannel>, Failure> {
    Ok(channels::list(&mut *connection(context, fill).await?, Wanted::All).await?)
}

/// A connection to fill what is kept from. A reader may not have yet what was changed a moment ago.
pub(crate) async fn connection(context: &Context, fill: Fill) -> Result<PoolConnection<Postgres>, Failure> {
    Ok(if fill.changed_ago.is_some() { context.db().read_latest().await? } else { context.db().read().await? })
}

/// Why nothing is kept.
pub(crate) fn miss<E: From<Problem>>(failure: Failure) -> Miss<E> {
    let problem = failure.into_problem();
    Miss { is_away: problem.status() >= 500, error: problem.into() }
}
