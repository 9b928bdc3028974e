//! Answers that are made once and served to everybody.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::response::Response;
use http::{HeaderValue, header};
use service::{Call, Context, Failure};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use stores::{Fill, Key, Render, Surface};

use crate::known::{Channels, connection, miss};
use crate::store::channels::StoredChannel;

/// Long enough to carry a rush, short enough that nobody minds: prices and stock are checked again in the cart.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=10, stale-while-revalidate=30");
/// The answer is the channel's; a host that leads to another channel is another address anyway.
const VARY: HeaderValue = HeaderValue::from_static("X-Channel");
/// Where answers to shoppers come from: kept ones, else the database. What is kept needs no statement, not even to find the channel.
#[derive(Clone)]
pub(super) struct Shelf {
    context: Context,
    channels: Channels,
}

impl FromRef<Shelf> for Context {
    fn from_ref(shelf: &Shelf) -> Self {
        shelf.context.clone()
    }
}

impl Shelf {
    pub(super) fn new(context: &Context) -> Self {
        Self { context: context.clone(), channels: Channels::new(context) }
    }

    /// The channel a request belongs to, by the rules of [`crate::channel_of`].
    pub(super) async fn channel_of(&self, call: &Call) -> Result<Arc<StoredChannel>, Failure> {
        self.channels.stored_of(call).await
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
