//! The list of staff, and how many orders wait for somebody.

use catalog_api::ChannelKind;
use kernel::{Currency, Timestamp};
use orders_api::{OrderFigures, OrderId, OrderSort, OrderState};
use payments_api::PaymentStatus;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::domain;

/// Sorts behind every letter an address can hold.
const LAST_LETTER: char = char::MAX;

/// Which orders to list.
#[derive(Debug, Default)]
pub(crate) struct OrderFilter {
    /// The start of an order number or of an e-mail address.
    pub(crate) q: Option<String>,
    /// Only those that stand here.
    pub(crate) state: Option<OrderState>,
    /// Only those of this channel.
    pub(crate) channel: Option<String>,
    /// Only those of channels of this kind; of live ones if neither this nor a channel is named.
    pub(crate) kind: Option<ChannelKind>,
    /// Only those that stand in money in one of these ways; in any if empty.
    pub(crate) payment: Vec<PaymentStatus>,
    /// Only those of which a capture came to nothing, or all others.
    pub(crate) capture_failed: Option<bool>,
    /// Only those made at this moment or later.
    pub(crate) from: Option<Timestamp>,
    /// Only those made before this moment.
    pub(crate) before: Option<Timestamp>,
    /// Which come first.
    pub(crate) sort: OrderSort,
    /// Only those that come after this one.
    pub(crate) after: Option<(Timestamp, OrderId)>,
}

/// An order in a list.
#[derive(Debug, FromRow)]
pub(crate) struct ListedOrder {
    pub(crate) id: OrderId,
    pub(crate) number: Option<String>,
    pub(crate) state: String,
    pub(crate) payment_status: String,
    pub(crate) capture_failed: bool,
    pub(crate) channel_code: String,
    pub(crate) channel_kind: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) item_count: i64,
    pub(crate) total_minor: i64,
    pub(crate) currency: Currency,
    pub(crate) created_at: Timestamp,
    pub(crate) placed_at: Option<Timestamp>,
}

/// Up to `most` orders.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_orders(conn: &mut PgConnection, filter: &OrderFilter, most: i64) -> Result<Vec<ListedOrder>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select id, number, state, payment_status, capture_failed, channel_code, channel_kind, email, name, item_count, total_minor, currency, created_at,
                placed_at from orders.order where ",
    );
    match &filter.channel {
        Some(code) => query.push("channel_code = ").push_bind(code),
        None => query.push("channel_kind = ").push_bind(filter.kind.unwrap_or(ChannelKind::Live).as_str()),
    };
    if let (Some(_), Some(kind)) = (&filter.channel, filter.kind) {
        query.push(" and channel_kind = ").push_bind(kind.as_str());
    }
    push_stand(&mut query, filter);
    if let Some(q) = &filter.q {
        query.push(" and (");
        push_start(&mut query, "number", &q.to_uppercase());
        query.push(" or ");
        push_start(&mut query, "number", q);
        query.push(" or ");
        push_start(&mut query, "lower(email)", &q.to_lowercase());
        query.push(")");
    }
    if let Some(from) = filter.from {
        query.push(" and created_at >= ").push_bind(from);
    }
    if let Some(before) = filter.before {
        query.push(" and created_at < ").push_bind(before);
    }
    let (behind, direction) = match filter.sort {
        OrderSort::Newest => ("<", "desc"),
        OrderSort::Oldest => (">", "asc"),
    };
    if let Some((created_at, id)) = filter.after {
        query.push(format!(" and (created_at, id) {behind} (")).push_bind(created_at).push(", ").push_bind(id.uuid()).push(")");
    }
    query.push(format!(" order by created_at {direction}, id {direction} limit ")).push_bind(most);
    query.build_query_as().fetch_all(conn).await
}

/// The words of closed sets are written out instead of bound: a plan for any word could not use the indexes over a few of them.
fn push_stand(query: &mut QueryBuilder<Postgres>, filter: &OrderFilter) {
    if let Some(state) = filter.state {
        query.push(format!(" and state = '{}'", state.as_str()));
    }
    if !filter.payment.is_empty() {
        let words: Vec<_> = filter.payment.iter().map(|status| format!("'{}'", status.as_str())).collect();
        query.push(format!(" and payment_status in ({})", words.join(", ")));
    }
    match filter.capture_failed {
        Some(true) => query.push(" and capture_failed"),
        Some(false) => query.push(" and not capture_failed"),
        None => query,
    };
}

/// A range and not LIKE: only so can a plan made for any text use the index.
fn push_start(query: &mut QueryBuilder<Postgres>, column: &str, start: &str) {
    query.push(format!("({column} ~>=~ ")).push_bind(start.to_owned());
    query.push(format!(" and {column} ~<~ ")).push_bind(format!("{start}{LAST_LETTER}")).push(")");
}

/// How an order is noted to stand in money.
#[derive(Debug)]
pub(crate) struct NotedPayment {
    pub(crate) id: Uuid,
    pub(crate) was_placed: bool,
    pub(crate) status: PaymentStatus,
    pub(crate) capture_failed: bool,
}

/// The notes of the orders behind an id.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_noted_payments(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<NotedPayment>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, placed_at is not null as "was_placed!", payment_status, capture_failed from orders.order where id > $1 order by id limit $2"#,
        after,
        most
    )
    .fetch_all(conn)
    .await?;
    let noted = rows.into_iter().map(|row| NotedPayment {
        id: row.id,
        was_placed: row.was_placed,
        status: domain::payment_status(&row.payment_status),
        capture_failed: row.capture_failed,
    });
    Ok(noted.collect())
}

/// How many orders of live channels wait for somebody; no count goes on beyond 1,000.
///
/// # Errors
/// The database failed.
pub(crate) async fn figures(conn: &mut PgConnection) -> Result<OrderFigures, sqlx::Error> {
    sqlx::query_as!(
        OrderFigures,
        r#"select
             (select count(*) from (select from orders.order where channel_kind = 'live' and state = 'placed'
                 and payment_status in ('authorized', 'partially_paid') limit 1000) as to_capture) as "to_capture!",
             (select count(*) from (select from orders.order where channel_kind = 'live' and capture_failed limit 1000) as failed) as "capture_failed!",
             (select count(*) from (select from orders.order where channel_kind = 'live' and state = 'pending' limit 1000) as pending) as "pending!""#
    )
    .fetch_one(conn)
    .await
}
