//! All the SQL of the cart.

use std::collections::{BTreeMap, HashMap};

use cart_api::{CartId, CartLineId, CartState};
use catalog::Offer;
use catalog_api::{ChannelId, MediaReference, ProductId, VariantId};
use kernel::{Currency, Money, Quantity, Timestamp, TokenHash};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::{self, CartEvent, KEPT, MAX_LINES};
use crate::stands::CartStand;
use crate::{LockedLine, NotedOffer};

/// A cart's row.
#[derive(Debug)]
pub(crate) struct CartRow {
    /// Where it buys.
    pub(crate) channel_id: ChannelId,
    /// The hash of its secret.
    pub(crate) token_hash: Vec<u8>,
    /// Where it stands.
    pub(crate) state: CartState,
    /// Grows with every change.
    pub(crate) version: i64,
    /// When the checkout's claim runs out, while there is one.
    pub(crate) completing_until: Option<Timestamp>,
    /// When it is forgotten.
    pub(crate) expires_at: Timestamp,
}

struct RawCart {
    channel_id: ChannelId,
    token_hash: Vec<u8>,
    state: String,
    version: i64,
    completing_until: Option<Timestamp>,
    expires_at: Timestamp,
}

impl From<RawCart> for CartRow {
    fn from(row: RawCart) -> Self {
        let RawCart { channel_id, token_hash, state, version, completing_until, expires_at } = row;
        Self { channel_id, token_hash, state: domain::state(&state), version, completing_until, expires_at }
    }
}

/// Writes an empty cart.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_cart(
    conn: &mut PgConnection,
    id: CartId,
    token: &TokenHash,
    channel: ChannelId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into cart.cart (id, token_hash, channel_id, created_at, updated_at, expires_at) values ($1, $2, $3, $4, $4, $5)",
        id.uuid(),
        token.as_bytes(),
        channel.uuid(),
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A cart as it is.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_cart(conn: &mut PgConnection, id: CartId) -> Result<Option<CartRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        RawCart,
        r#"select channel_id as "channel_id: ChannelId", token_hash, state, version, completing_until, expires_at from cart.cart where id = $1"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(CartRow::from))
}

/// A cart with its row locked until the transaction ends.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_cart(conn: &mut PgConnection, id: CartId) -> Result<Option<CartRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        RawCart,
        r#"select channel_id as "channel_id: ChannelId", token_hash, state, version, completing_until, expires_at from cart.cart where id = $1 for update"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(CartRow::from))
}

/// The lines of a cart, in the order they were put in.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_lines(conn: &mut PgConnection, cart: CartId) -> Result<Vec<LockedLine>, sqlx::Error> {
    let most = i64::try_from(MAX_LINES).unwrap_or(i64::MAX);
    let rows = sqlx::query!(
        r#"select id as "id: CartLineId", variant_id as "variant_id: VariantId", quantity as "quantity: Quantity", noted_price_minor,
                  noted_currency as "noted_currency: Currency", product_id as "product_id: ProductId", product_slug, sku, title,
                  options as "options: Json<BTreeMap<String, String>>", image as "image: Json<MediaReference>"
           from cart.line where cart_id = $1 order by position limit $2"#,
        cart.uuid(),
        most
    )
    .fetch_all(conn)
    .await?;
    let lines = rows.into_iter().map(|row| LockedLine {
        id: row.id,
        variant_id: row.variant_id,
        quantity: row.quantity,
        noted_unit_price: Money::new(row.noted_price_minor, row.noted_currency),
        noted: NotedOffer {
            product_id: row.product_id,
            product_slug: row.product_slug,
            sku: row.sku,
            title: row.title,
            options: row.options.0,
            image: row.image.map(|image| image.0),
        },
    });
    Ok(lines.collect())
}

/// A line that has just been written into a cart, whose version it has changed.
#[derive(Debug)]
pub(crate) struct Added {
    /// The cart's version.
    pub(crate) version: i64,
    /// The line's id.
    pub(crate) id: CartLineId,
    /// How many units it holds now.
    pub(crate) quantity: Quantity,
}

/// Puts units of an offered variant into an active cart: a new line, or more of the line that has it. The offer is noted as confirmed, the cart
/// gets time anew and a new version. Nothing if it is not active.
///
/// # Errors
/// The database failed, or the line would hold too many units (constraint `line_quantity_in_range`).
pub(crate) async fn add_units(
    conn: &mut PgConnection,
    cart: CartId,
    offer: &Offer,
    quantity: Quantity,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Option<Added>, sqlx::Error> {
    sqlx::query_as!(
        Added,
        r#"with touched as (
               update cart.cart set version = version + 1, updated_at = $13, expires_at = $14 where id = $2 and state = 'active' returning id, version
           ), added as (
               insert into cart.line as line (id, cart_id, variant_id, quantity, noted_price_minor, noted_currency, product_id, product_slug, sku, title,
                                              options, image, created_at, updated_at)
               select $1, touched.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13 from touched
               on conflict on constraint line_variant_once do update
               set quantity = line.quantity + excluded.quantity, noted_price_minor = excluded.noted_price_minor, noted_currency = excluded.noted_currency,
                   product_slug = excluded.product_slug, sku = excluded.sku, title = excluded.title, options = excluded.options, image = excluded.image,
                   updated_at = excluded.updated_at
               returning id, quantity
           )
           select touched.version as "version!", added.id as "id!: CartLineId", added.quantity as "quantity!: Quantity" from touched, added"#,
        CartLineId::new(now).uuid(),
        cart.uuid(),
        offer.variant_id.uuid(),
        quantity.get(),
        offer.unit_price.amount_minor(),
        offer.unit_price.currency().code(),
        offer.product_id.uuid(),
        offer.product_slug,
        offer.sku,
        offer.title,
        Json(&offer.options) as _,
        offer.image.as_ref().map(Json) as _,
        now,
        expires_at
    )
    .fetch_optional(conn)
    .await
}

/// Sets how many units a line holds, and notes the offer as confirmed.
///
/// # Errors
/// The database failed.
pub(crate) async fn update_line(
    conn: &mut PgConnection,
    cart: CartId,
    line: CartLineId,
    offer: &Offer,
    quantity: Quantity,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update cart.line
         set quantity = $3, noted_price_minor = $4, noted_currency = $5, product_slug = $6, sku = $7, title = $8, options = $9, image = $10, updated_at = $11
         where cart_id = $1 and id = $2",
        cart.uuid(),
        line.uuid(),
        quantity.get(),
        offer.unit_price.amount_minor(),
        offer.unit_price.currency().code(),
        offer.product_slug,
        offer.sku,
        offer.title,
        Json(&offer.options) as _,
        offer.image.as_ref().map(Json) as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a line out.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_line(conn: &mut PgConnection, cart: CartId, line: CartLineId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from cart.line where cart_id = $1 and id = $2", cart.uuid(), line.uuid()).execute(conn).await?;
    Ok(())
}

/// Notes that the lines of an active cart changed: time anew, and a new version, which is returned. Nothing if it is not active.
///
/// # Errors
/// The database failed.
pub(crate) async fn touch(conn: &mut PgConnection, cart: CartId, now: Timestamp, expires_at: Timestamp) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "update cart.cart set version = version + 1, updated_at = $2, expires_at = $3 where id = $1 and state = 'active' returning version",
        cart.uuid(),
        now,
        expires_at
    )
    .fetch_optional(conn)
    .await
}

/// Moves a cart by the table of transitions, with the time it gets anew and the deadline of a claim. False if it does not stand where the
/// event can happen.
///
/// # Errors
/// The database failed.
pub(crate) async fn move_cart(
    conn: &mut PgConnection,
    cart: CartId,
    event: CartEvent,
    completing_until: Option<Timestamp>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let (from, to) = domain::moves(event);
    let moved = sqlx::query!(
        "update cart.cart set state = move.target, version = version + 1, completing_until = $4, updated_at = $5, expires_at = $6
         from unnest($2::text[], $3::text[]) as move (source, target)
         where id = $1 and state = move.source",
        cart.uuid(),
        &from,
        &to,
        completing_until,
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Marks up to `most` carts that have run out as abandoned. A cart somebody is changing at this moment is left alone. The number of carts.
///
/// # Errors
/// The database failed.
pub(crate) async fn abandon_expired(conn: &mut PgConnection, now: Timestamp, most: i64) -> Result<u64, sqlx::Error> {
    let (from, to) = domain::moves(CartEvent::Abandon);
    let abandoned = sqlx::query!(
        "with due as (
             select cart.id from cart.cart where state = 'active' and expires_at <= $1 order by expires_at, id limit $2 for update skip locked
         )
         update cart.cart set state = move.target, version = cart.version + 1, updated_at = $1
         from due, unnest($3::text[], $4::text[]) as move (source, target)
         where cart.id = due.id and cart.state = move.source",
        now,
        most,
        &from,
        &to
    )
    .execute(conn)
    .await?;
    Ok(abandoned.rows_affected())
}

/// Deletes up to `most` carts that have been over for long enough. The number of carts.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_old(conn: &mut PgConnection, now: Timestamp, most: i64) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "delete from cart.cart where id in (
             select id from cart.cart where state in ('completed', 'abandoned', 'merged') and updated_at < $1
             order by updated_at, id limit $2 for update skip locked
         )",
        now - KEPT,
        most
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Carts behind an id, with their states.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_carts_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<CartStand>, sqlx::Error> {
    let rows =
        sqlx::query!(r#"select id as "id: CartId", state, updated_at from cart.cart where id > $1 order by id limit $2"#, after, most).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| CartStand { id: row.id, state: domain::state(&row.state), updated_at: row.updated_at }).collect())
}

/// The states of these carts.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_cart_states(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<CartId, CartState>, sqlx::Error> {
    let rows = sqlx::query!(r#"select id as "id: CartId", state from cart.cart where id = any($1)"#, ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, domain::state(&row.state))).collect())
}
