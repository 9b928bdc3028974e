//! All the SQL of checkout.

pub(crate) mod stands;

use cart_api::CartId;
use catalog_api::{ChannelId, ChannelKind};
use db::idempotency::IdempotencyKey;
use inventory_api::HoldId;
use kernel::Timestamp;
use orders_api::OrderId;
use payments_api::AttemptId;
use sqlx::PgConnection;

use crate::domain::{CompletionState, KEPT};

/// One step from cart to order.
#[derive(Debug, Clone)]
pub(crate) struct CompletionRow {
    /// The order it makes.
    pub(crate) order_id: OrderId,
    /// The cart it takes.
    pub(crate) cart_id: CartId,
    /// Where it is sold.
    pub(crate) channel_id: ChannelId,
    /// Whether it is a real sale.
    pub(crate) channel_kind: ChannelKind,
    /// The try to pay.
    pub(crate) attempt_id: AttemptId,
    /// The stock it reserves.
    pub(crate) hold_id: HoldId,
    /// Where it stands.
    pub(crate) state: CompletionState,
    /// Why it came to nothing.
    pub(crate) failure_code: Option<String>,
}

/// The columns as the tables hold them.
struct Columns {
    order_id: OrderId,
    cart_id: CartId,
    channel_id: ChannelId,
    channel_kind: String,
    attempt_id: AttemptId,
    hold_id: HoldId,
    state: String,
    failure_code: Option<String>,
}

impl From<Columns> for CompletionRow {
    fn from(row: Columns) -> Self {
        Self {
            order_id: row.order_id,
            cart_id: row.cart_id,
            channel_id: row.channel_id,
            channel_kind: if row.channel_kind == ChannelKind::Live.as_str() { ChannelKind::Live } else { ChannelKind::Test },
            attempt_id: row.attempt_id,
            hold_id: row.hold_id,
            // The constraint lets no other word in.
            state: CompletionState::of(&row.state).unwrap_or(CompletionState::Started),
            failure_code: row.failure_code,
        }
    }
}

/// Writes a new completion, and lets a key wait for its answer.
///
/// # Errors
/// The database failed; `completion_one_open_per_cart` when the cart has an open one.
pub(crate) async fn insert_completion(
    conn: &mut PgConnection,
    completion: &CompletionRow,
    key: Option<&IdempotencyKey>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with completion as (
             insert into checkout.completion (order_id, cart_id, channel_id, channel_kind, attempt_id, hold_id, state, created_at, settled_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         )
         insert into checkout.completion_key (surface, actor, route, key, order_id)
         select waiting.* from (values ($10::text, $11::text, $12::text, $13::text, $1)) as waiting (surface, actor, route, key, order_id)
         where waiting.key is not null
         on conflict (surface, actor, route, key) do update set order_id = excluded.order_id",
        completion.order_id.uuid(),
        completion.cart_id.uuid(),
        completion.channel_id.uuid(),
        completion.channel_kind.as_str(),
        completion.attempt_id.uuid(),
        completion.hold_id.uuid(),
        completion.state.as_str(),
        now,
        (!completion.state.is_open()).then_some(now),
        key.map(|key| key.surface.as_str()),
        key.map(|key| key.actor.as_str()),
        key.map(|key| key.route.as_str()),
        key.map(|key| key.key.as_str())
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets a key wait for the answer of a completion.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_key(conn: &mut PgConnection, key: &IdempotencyKey, order: OrderId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into checkout.completion_key (surface, actor, route, key, order_id) values ($1, $2, $3, $4, $5)
         on conflict (surface, actor, route, key) do update set order_id = excluded.order_id",
        key.surface,
        key.actor,
        key.route,
        key.key,
        order.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the keys that wait for the answer of a completion, to give it to them.
///
/// # Errors
/// The database failed.
pub(crate) async fn take_keys(conn: &mut PgConnection, order: OrderId) -> Result<Vec<IdempotencyKey>, sqlx::Error> {
    // The hash was compared when the key was claimed; giving the answer does not need it.
    let rows =
        sqlx::query!("delete from checkout.completion_key where order_id = $1 returning surface, actor, route, key", order.uuid()).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| IdempotencyKey { surface: row.surface, actor: row.actor, route: row.route, key: row.key, request_hash: Vec::new() })
        .collect())
}

/// The completion a key waits for.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_by_key(conn: &mut PgConnection, key: &IdempotencyKey) -> Result<Option<CompletionRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"select c.order_id as "order_id: OrderId", c.cart_id as "cart_id: CartId", c.channel_id as "channel_id: ChannelId", c.channel_kind,
                  c.attempt_id as "attempt_id: AttemptId", c.hold_id as "hold_id: HoldId", c.state, c.failure_code
           from checkout.completion_key k join checkout.completion c on c.order_id = k.order_id
           where k.surface = $1 and k.actor = $2 and k.route = $3 and k.key = $4"#,
        key.surface,
        key.actor,
        key.route,
        key.key
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// One completion.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(conn: &mut PgConnection, order: OrderId) -> Result<Option<CompletionRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: OrderId", cart_id as "cart_id: CartId", channel_id as "channel_id: ChannelId", channel_kind,
                  attempt_id as "attempt_id: AttemptId", hold_id as "hold_id: HoldId", state, failure_code
           from checkout.completion where order_id = $1"#,
        order.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// The newest completion of a cart.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_latest_of_cart(conn: &mut PgConnection, cart: CartId) -> Result<Option<CompletionRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: OrderId", cart_id as "cart_id: CartId", channel_id as "channel_id: ChannelId", channel_kind,
                  attempt_id as "attempt_id: AttemptId", hold_id as "hold_id: HoldId", state, failure_code
           from checkout.completion where cart_id = $1 order by created_at desc, order_id desc limit 1"#,
        cart.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// One completion, locked against others that would settle it. `no key update`, so that a key may join it meanwhile.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock(conn: &mut PgConnection, order: OrderId) -> Result<Option<CompletionRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"select order_id as "order_id: OrderId", cart_id as "cart_id: CartId", channel_id as "channel_id: ChannelId", channel_kind,
                  attempt_id as "attempt_id: AttemptId", hold_id as "hold_id: HoldId", state, failure_code
           from checkout.completion where order_id = $1 for no key update"#,
        order.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// The order an attempt pays, if this completion is known.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_order_of_attempt(conn: &mut PgConnection, attempt: AttemptId) -> Result<Option<OrderId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select order_id as "order_id: OrderId" from checkout.completion where attempt_id = $1"#, attempt.uuid()).fetch_optional(conn).await
}

/// Moves an open completion on. False when it has ended meanwhile.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_state(
    conn: &mut PgConnection,
    order: OrderId,
    to: CompletionState,
    failure_code: Option<&str>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let settled_at = (!to.is_open()).then_some(now);
    let rows = sqlx::query!(
        "update checkout.completion set state = $2, failure_code = $3, settled_at = $4 where order_id = $1 and state in ('started', 'waiting')",
        order.uuid(),
        to.as_str(),
        failure_code,
        settled_at
    )
    .execute(conn)
    .await?;
    Ok(rows.rows_affected() == 1)
}

/// Forgets up to 1,000 completions that settled long ago, and returns how many.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_old(conn: &mut PgConnection, now: Timestamp) -> Result<u64, sqlx::Error> {
    let rows = sqlx::query!(
        "delete from checkout.completion where order_id in (select order_id from checkout.completion where settled_at < $1 order by settled_at limit 1000)",
        now - KEPT
    )
    .execute(conn)
    .await?;
    Ok(rows.rows_affected())
}
