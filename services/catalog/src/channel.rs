//! Channels as other services see them, and how a request finds its own.

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
    Ok(stored_channel_of(conn, call).await?.channel)
}

/// The same, with the channel's hosts.
///
/// # Errors
/// As [`channel_of`].
pub(crate) async fn stored_channel_of(conn: &mut PgConnection, call: &Call) -> Result<StoredChannel, Failure> {
    let host = call.host().unwrap_or_default().to_ascii_lowercase();
    let wanted = call.channel_code().map_or(Wanted::Host(&host), Wanted::Code);
    let mut found = channels::list(conn, wanted).await?;
    // A host that no channel claims finds `default` alone; one that is claimed finds both.
    let claimed = found.iter().position(|stored| stored.hosts.contains(&host)).unwrap_or(0);
    if found.is_empty() {
        return Err(Problem::not_found("channel").detail("X-Channel names no channel of this shop.").into());
    }
    Ok(found.swap_remove(claimed))
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
