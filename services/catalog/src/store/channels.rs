//! Channels and their hosts.

use catalog_api::{ChannelId, ChannelKind, ChannelPatch, DeliveryMethod, Feature};
use kernel::{Country, Currency, Locale, Money};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::Channel;

/// A channel with the hosts it is reached by and what its home page tells.
#[derive(Debug, Clone)]
pub(crate) struct StoredChannel {
    /// The channel.
    pub(crate) channel: Channel,
    /// Its hosts, in order.
    pub(crate) hosts: Vec<String>,
    /// What its home page tells.
    pub(crate) features: Vec<Feature>,
}

/// Which channels to read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// All of them.
    All,
    /// The one with this id.
    Id(ChannelId),
    /// The one with this code.
    Code(&'a str),
    /// The one reached by this host, and `default`.
    Host(&'a str),
}

/// The wanted channels, the oldest first. A shop has a handful, and 100 at most are read.
///
/// # Errors
/// The database failed.
pub(crate) async fn list(conn: &mut PgConnection, wanted: Wanted<'_>) -> Result<Vec<StoredChannel>, sqlx::Error> {
    let (id, code, host) = match wanted {
        Wanted::All => (None, None, None),
        Wanted::Id(id) => (Some(id.uuid()), None, None),
        Wanted::Code(code) => (None, Some(code), None),
        Wanted::Host(host) => (None, None, Some(host)),
    };
    let rows = sqlx::query!(
        r#"select c.id as "id: ChannelId", c.code, c.name, c.kind, c.currency as "currency: Currency", c.locale as "locale: Locale",
                  c.countries as "countries: Vec<Country>", c.delivery_name, c.delivery_price_minor, c.order_number_prefix, c.version,
                  c.features as "features: Json<Vec<Feature>>",
                  array(select h.host from catalog.channel_host h where h.channel_id = c.id order by h.host) as "hosts!"
           from catalog.channel c
           where ($1::uuid is null or c.id = $1) and ($2::text is null or c.code = $2)
             and ($3::text is null or c.code = 'default' or c.id = (select h.channel_id from catalog.channel_host h where h.host = $3))
           order by c.created_at, c.id limit 100"#,
        id,
        code,
        host
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredChannel {
            channel: Channel {
                id: row.id,
                code: row.code,
                name: row.name,
                kind: kind(&row.kind),
                currency: row.currency,
                locale: row.locale,
                countries: row.countries,
                delivery: DeliveryMethod { name: row.delivery_name, price: Money::new(row.delivery_price_minor, row.currency) },
                order_number_prefix: row.order_number_prefix,
                version: row.version,
            },
            hosts: row.hosts,
            features: row.features.0,
        })
        .collect())
}

/// A kind as the table holds it. The constraint lets nothing else in; if it did, that would stay out of every figure.
fn kind(text: &str) -> ChannelKind {
    if text == ChannelKind::Live.as_str() { ChannelKind::Live } else { ChannelKind::Test }
}

/// Changes a channel that is still at `version`. False if it is not.
///
/// # Errors
/// The database failed.
#[expect(clippy::as_conversions, reason = "tells sqlx which type is meant")]
pub(crate) async fn update(conn: &mut PgConnection, id: ChannelId, version: i64, patch: &ChannelPatch) -> Result<bool, sqlx::Error> {
    let countries: Option<Vec<String>> = patch.countries.as_ref().map(|countries| countries.iter().map(ToString::to_string).collect());
    let updated = sqlx::query!(
        "update catalog.channel
         set name = coalesce($3, name), countries = coalesce($4, countries), delivery_name = coalesce($5, delivery_name),
             delivery_price_minor = coalesce($6, delivery_price_minor), features = coalesce($7, features), version = version + 1
         where id = $1 and version = $2",
        id.uuid(),
        version,
        patch.name,
        countries.as_deref(),
        patch.delivery_name,
        patch.delivery_price.map(Money::amount_minor),
        patch.features.as_ref().map(Json) as Option<Json<&Vec<Feature>>>
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Gives a channel these hosts in place of those it had.
///
/// # Errors
/// Another channel has one of them (constraint `channel_host_unique`); the database failed.
pub(crate) async fn replace_hosts(conn: &mut PgConnection, id: ChannelId, hosts: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from catalog.channel_host where channel_id = $1 and host <> all ($2)", id.uuid(), hosts).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into catalog.channel_host (host, channel_id)
         select distinct wanted.host, $1::uuid from unnest($2::text[]) as wanted (host)
         where not exists (select 1 from catalog.channel_host h where h.host = wanted.host and h.channel_id = $1)",
        id.uuid(),
        hosts
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The channels with these codes, or all of them for no code, as (id, code).
///
/// # Errors
/// The database failed.
pub(crate) async fn list_by_code(conn: &mut PgConnection, codes: &[String]) -> Result<Vec<(ChannelId, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: ChannelId", code from catalog.channel where cardinality($1::text[]) = 0 or code = any ($1) order by id limit 100"#,
        codes
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.code)).collect())
}
