//! Answers that are made once and served to everybody.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::response::Response;
use http::{HeaderValue, header};
use kernel::Problem;
use service::{Call, Context, Failure};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use stores::{Cache, Fill, Filled, Key, Lost, Miss, Render, Surface, Weight};

use crate::channel;
use crate::outdated::CHANNELS;
use crate::store::channels::{self, StoredChannel, Wanted};

/// Long enough to carry a rush, short enough that nobody minds: prices and stock are checked again in the cart.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=10, stale-while-revalidate=30");
/// The answer is the channel's; a host that leads to another channel is another address anyway.
const VARY: HeaderValue = HeaderValue::from_static("X-Channel");
/// What a channel weighs, about.
const CHANNEL_BYTES: usize = 4_096;

/// Where answers to shoppers come from: kept ones, else the database. What is kept needs no statement, not even to find the channel.
#[derive(Clone)]
pub(super) struct Shelf {
    context: Context,
    channels: Cache<Channels, Problem>,
}

/// Every channel.
pub(super) struct Channels(Vec<Arc<StoredChannel>>);

impl Weight for Channels {
    fn weight(&self) -> usize {
        self.0.len().saturating_mul(CHANNEL_BYTES)
    }
}

impl FromRef<Shelf> for Context {
    fn from_ref(shelf: &Shelf) -> Self {
        shelf.context.clone()
    }
}

impl Shelf {
    pub(super) fn new(context: &Context) -> Self {
        Self { context: context.clone(), channels: context.stores().lookup("channels") }
    }

    /// The channel a request belongs to, by the rules of [`crate::channel_of`].
    pub(super) async fn channel_of(&self, call: &Call) -> Result<Arc<StoredChannel>, Failure> {
        let context = self.context.clone();
        let key = Key::lookup("channels");
        let channels = self.channels.get(&key, call.wish(), move |fill, _| async move {
            match list_channels(&context, fill).await {
                Ok(channels) => Ok(Filled::new(Channels(channels.into_iter().map(Arc::new).collect()), vec![CHANNELS.to_owned()])),
                Err(failure) => Err(miss(failure)),
            }
        });
        let channels = channels.await.map_err(|lost| match lost {
            Lost::Refused(problem) => problem,
            Lost::Broken => Problem::internal(),
        })?;
        Ok(Arc::clone(channel::choose(&channels.0, call)?))
    }

    /// Answers what is kept for this channel by path and closed query, else what `read` reads from a connection that is as fresh as needed.
    pub(super) async fn answer<F, R>(&self, call: &Call, channel: &StoredChannel, path: &str, query: &str, read: F) -> Response
    where
        F: FnOnce(PoolConnection<Postgres>) -> R + Send + 'static,
        R: Future<Output = Result<Render, Failure>> + Send + 'static,
    {
        let key = Key::new(Surface::Api, &channel.channel.code, channel.channel.locale.as_str(), path, query);
        let context = self.context.clone();
        let render = move |fill: Fill| async move {
            let read = async { read(connection(&context, fill).await?).await };
            let render = read.await.map_err(miss)?;
            Ok(render.header(header::CACHE_CONTROL, CACHE_CONTROL).header(header::VARY, VARY))
        };
        self.context.stores().renders().answer(&key, call.headers(), call.wish(), render).await
    }
}

async fn list_channels(context: &Context, fill: Fill) -> Result<Vec<StoredChannel>, Failure> {
    Ok(channels::list(&mut *connection(context, fill).await?, Wanted::All).await?)
}

/// A reader may not have yet what was changed a moment ago.
async fn connection(context: &Context, fill: Fill) -> Result<PoolConnection<Postgres>, Failure> {
    Ok(if fill.changed_ago.is_some() { context.db().read_latest().await? } else { context.db().read().await? })
}

fn miss<E: From<Problem>>(failure: Failure) -> Miss<E> {
    let problem = failure.into_problem();
    Miss { is_away: problem.status() >= 500, error: problem.into() }
}
