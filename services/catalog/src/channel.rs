//! Channels as other services see them, and how a request finds its own.

use std::sync::Arc;

use catalog_api::{ChannelAnswer, ChannelId, ChannelKind, DeliveryMethod};
use kernel::{Country, Currency, Locale, Problem};
use service::{Call, Failure};
use sqlx::PgConnection;

use crate::store::channels::{self, StoredChannel, Wanted};

/// Where and how it is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The channel's id.
    pub id: ChannelId,
    /// The short name used in `X-Channel`.
    pub code: String,
    /// The shop's name, as shoppers see it.
    pub name: String,
    /// Whether its sales are real.
    pub kind: ChannelKind,
    /// The currency prices are in.
    pub currency: Currency,
    /// The language of its texts.
    pub locale: Locale,
    /// Where it delivers to, at least one country.
    pub countries: Vec<Country>,
    /// How it delivers, and for how much, in the channel's currency.
    pub delivery: DeliveryMethod,
    /// What stands before its order numbers.
    pub order_number_prefix: String,
    /// Counts its changes.
    pub version: i64,
}

impl StoredChannel {
    /// The channel as the API answers it.
    pub(crate) fn into_answer(self) -> ChannelAnswer {
        let Self { channel, hosts, features } = self;
        ChannelAnswer {
            id: channel.id,
            code: channel.code,
            name: channel.name,
            kind: channel.kind,
            currency: channel.currency,
            locale: channel.locale,
            countries: channel.countries,
            hosts,
            delivery: channel.delivery,
            order_number_prefix: channel.order_number_prefix,
            features,
            version: channel.version,
        }
    }
}

/// The channel a shopper's request belongs to: the one named in `X-Channel`, else the one reached by this host, else `default`.
///
/// # Errors
/// 404 `channel_not_found` when `X-Channel` names none; the database failed.
pub async fn channel_of(conn: &mut PgConnection, call: &Call) -> Result<Channel, Failure> {
    let host = host_of(call);
    let wanted = call.channel_code().map_or(Wanted::Host(&host), Wanted::Code);
    let found: Vec<_> = channels::list(conn, wanted).await?.into_iter().map(Arc::new).collect();
    Ok(choose(&found, call)?.channel.clone())
}

/// The channel among `known` that a request belongs to.
///
/// # Errors
/// 404 `channel_not_found` when `X-Channel` names none.
pub(crate) fn choose<'known>(known: &'known [Arc<StoredChannel>], call: &Call) -> Result<&'known Arc<StoredChannel>, Problem> {
    let find = |is_it: &dyn Fn(&StoredChannel) -> bool| known.iter().find(|stored| is_it(stored));
    let found = match call.channel_code() {
        Some(code) => find(&|stored| stored.channel.code == code),
        None => {
            let host = host_of(call);
            find(&|stored| stored.hosts.contains(&host)).or_else(|| find(&|stored| stored.channel.code == "default"))
        }
    };
    found.ok_or_else(|| Problem::not_found("channel").detail("X-Channel names no channel of this shop."))
}

fn host_of(call: &Call) -> String {
    call.host().unwrap_or_default().to_ascii_lowercase()
}

/// One channel, by id.
///
/// # Errors
/// The database failed.
pub async fn find_channel(conn: &mut PgConnection, id: ChannelId) -> Result<Option<Channel>, sqlx::Error> {
    Ok(channels::list(conn, Wanted::Id(id)).await?.pop().map(|stored| stored.channel))
}

/// Every channel, the oldest first.
///
/// # Errors
/// The database failed.
pub async fn list_channels(conn: &mut PgConnection) -> Result<Vec<Channel>, sqlx::Error> {
    Ok(channels::list(conn, Wanted::All).await?.into_iter().map(|stored| stored.channel).collect())
}
