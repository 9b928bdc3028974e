//! What somebody means to buy: carts, their lines, and what they come to at present prices.

mod domain;
mod http;
mod jobs;
mod lines;
mod pricing;
mod stands;
mod store;

pub use stands::{CartStand, list_cart_states, list_carts_after};

use std::collections::{BTreeMap, HashMap};

use cart_api::{CartAnswer, CartId, CartLineId, CartState};
use catalog::{Channel, KnownChannels, Offer};
use catalog_api::{MediaReference, ProductId, VariantId};
use db::Tx;
use kernel::{Money, MoneyError, Problem, Quantity, Timestamp, TokenHash};
use service::{Context, Failure, Service};
use sqlx::PgConnection;

use crate::domain::{CART_LIFE, CartEvent};
use crate::pricing::Present;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service as the binary mounts it.
#[must_use]
pub fn service(context: &Context) -> Service {
    let sweeping = context.clone();
    Service::new("cart", &MIGRATOR)
        .store_api(http::routes(context))
        .schedule("cart.abandon", jobs::ABANDON_EVERY, move || Box::pin(jobs::abandon(sweeping.clone())))
}

/// A cart in the hands of a transaction: [`lock`] gives it out with its row locked until the transaction ends.
#[derive(Debug, Clone)]
pub struct LockedCart {
    /// The cart's id.
    pub id: CartId,
    /// Where it buys.
    pub channel: Channel,
    /// Where it stands.
    pub state: CartState,
    /// Grows with every change.
    pub version: i64,
    /// The hash of the secret that opened it; it opens the order made of the cart too.
    pub token_hash: TokenHash,
    /// What is in it, in the order it was put in.
    pub lines: Vec<LockedLine>,
    /// When the checkout's claim runs out, while there is one.
    pub completing_until: Option<Timestamp>,
    /// When it is forgotten if nobody touches it.
    pub expires_at: Timestamp,
}

/// A line of a [`LockedCart`].
#[derive(Debug, Clone)]
pub struct LockedLine {
    /// The line's id.
    pub id: CartLineId,
    /// Of what.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: Quantity,
    /// What one cost when the shopper last confirmed the line.
    pub noted_unit_price: Money,
    /// What it was then, to show it when it is no longer sold.
    pub(crate) noted: NotedOffer,
}

/// What a variant was when its line was last confirmed.
#[derive(Debug, Clone)]
pub(crate) struct NotedOffer {
    pub(crate) product_id: ProductId,
    pub(crate) product_slug: String,
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) image: Option<MediaReference>,
}

/// Why a cart could not be priced.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// Its amounts do not fit 64 bits of minor units.
    #[error("amounts do not add up")]
    Money(#[from] MoneyError),
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
}

impl From<CartError> for Failure {
    fn from(error: CartError) -> Self {
        match error {
            CartError::Money(MoneyError::Overflow) => Problem::new(422, "amount_out_of_range", "The cart comes to more than can be counted").into(),
            CartError::Money(error) => error.into(),
            CartError::Database(error) => error.into(),
        }
    }
}

/// Locks a cart until the transaction ends. Nothing if it is unknown or forgotten, or the secret is another's: the two look alike.
///
/// # Errors
/// The database failed.
pub async fn lock(tx: &mut Tx, channels: &KnownChannels, id: CartId, token_hash: &TokenHash) -> Result<Option<LockedCart>, sqlx::Error> {
    let now = tx.now();
    let row = store::lock_cart(tx.conn(), id).await?;
    open(tx.conn(), channels, id, token_hash, row, now).await
}

/// The cart as it is, its row not locked: for reading only.
async fn find(
    conn: &mut PgConnection,
    channels: &KnownChannels,
    id: CartId,
    token_hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<LockedCart>, sqlx::Error> {
    let row = store::find_cart(conn, id).await?;
    open(conn, channels, id, token_hash, row, now).await
}

/// Opens a cart's row with its secret and takes the lines along.
async fn open(
    conn: &mut PgConnection,
    channels: &KnownChannels,
    id: CartId,
    token_hash: &TokenHash,
    row: Option<store::CartRow>,
    now: Timestamp,
) -> Result<Option<LockedCart>, sqlx::Error> {
    let opened = row.filter(|row| token_hash.matches(&row.token_hash) && domain::is_reachable(row.state, row.expires_at, now));
    let Some(row) = opened else { return Ok(None) };
    let Some(channel) = channels.find(conn, row.channel_id).await? else { return Ok(None) };
    let lines = store::list_lines(conn, id).await?;
    let store::CartRow { state, version, completing_until, expires_at, .. } = row;
    Ok(Some(LockedCart { id, channel, state, version, token_hash: *token_hash, lines, completing_until, expires_at }))
}

/// The cart at present prices, with what the shopper should know before buying, and what it comes to.
///
/// # Errors
/// See [`CartError`].
pub async fn price(conn: &mut PgConnection, cart: &LockedCart) -> Result<CartAnswer, CartError> {
    let variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
    price_with(cart, &present(conn, &cart.channel, &variants).await?)
}

/// The cart at present prices for who buys it at this moment. Nothing is said about stock: it is taken in the same transaction, or refused.
///
/// # Errors
/// See [`CartError`].
pub async fn price_to_buy(conn: &mut PgConnection, cart: &LockedCart) -> Result<CartAnswer, CartError> {
    let variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
    let offers = offers(conn, &cart.channel, &variants).await?;
    let available = cart.lines.iter().map(|line| (line.variant_id, i64::from(line.quantity))).collect();
    price_with(cart, &Present { offers, available })
}

/// The same with what the shop has said already.
fn price_with(cart: &LockedCart, present: &Present) -> Result<CartAnswer, CartError> {
    let (lines, totals) = pricing::price(&cart.channel, cart.state, &cart.lines, present)?;
    Ok(CartAnswer {
        id: cart.id,
        version: cart.version,
        state: cart.state,
        channel: cart.channel.code.clone(),
        currency: cart.channel.currency,
        lines,
        delivery: cart.channel.delivery.clone(),
        totals,
        expires_at: cart.expires_at,
    })
}

/// What the shop says about these variants at this moment.
async fn present(conn: &mut PgConnection, channel: &Channel, variants: &[VariantId]) -> Result<Present, sqlx::Error> {
    if variants.is_empty() {
        return Ok(Present { offers: HashMap::new(), available: HashMap::new() });
    }
    let offers = offers(conn, channel, variants).await?;
    let available = inventory::list_available(conn, channel.id, variants).await?;
    Ok(Present { offers, available })
}

async fn offers(conn: &mut PgConnection, channel: &Channel, variants: &[VariantId]) -> Result<HashMap<VariantId, Offer>, sqlx::Error> {
    Ok(catalog::list_offers(conn, channel, variants).await?.into_iter().map(|offer| (offer.variant_id, offer)).collect())
}

/// Claims a cart for a checkout until a deadline: active to completing. False if it is not active.
///
/// # Errors
/// The database failed.
pub async fn begin_completion(tx: &mut Tx, id: CartId, until: Timestamp) -> Result<bool, sqlx::Error> {
    move_cart(tx, id, CartEvent::Claim, Some(until)).await
}

/// Ends a checkout in an order: completing to completed. False if it is not completing.
///
/// # Errors
/// The database failed.
pub async fn finish_completion(tx: &mut Tx, id: CartId) -> Result<bool, sqlx::Error> {
    move_cart(tx, id, CartEvent::Finish, None).await
}

/// Makes an order of a cart at once, in the transaction that has it locked: active to completed. False if it is not active.
///
/// # Errors
/// The database failed.
pub async fn buy(tx: &mut Tx, id: CartId) -> Result<bool, sqlx::Error> {
    move_cart(tx, id, CartEvent::Buy, None).await
}

/// Ends a checkout in nothing: completing to active, open for changes again. False if it is not completing.
///
/// # Errors
/// The database failed.
pub async fn reopen(tx: &mut Tx, id: CartId) -> Result<bool, sqlx::Error> {
    move_cart(tx, id, CartEvent::Reopen, None).await
}

async fn move_cart(tx: &mut Tx, id: CartId, event: CartEvent, completing_until: Option<Timestamp>) -> Result<bool, sqlx::Error> {
    let now = tx.now();
    store::move_cart(tx.conn(), id, event, completing_until, now, now + CART_LIFE).await
}
