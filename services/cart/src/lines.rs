//! Changing what is in a cart. The cart is locked and active.

use cart_api::{AddLine, CartLineId, CartState, UpdateLine};
use catalog::Offer;
use catalog_api::VariantId;
use db::Tx;
use kernel::{Problem, Quantity};
use service::Failure;

use crate::domain::{CART_LIFE, MAX_LINES};
use crate::pricing::Present;
use crate::{CartError, LockedCart, LockedLine, NotedOffer, store};

/// A cart after a change, and what the shop said about its variants in the same transaction, so that it is not asked twice.
pub(crate) type Changed = (LockedCart, Present);

/// Why a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// A checkout has claimed it.
    #[error("cart is completing")]
    Completing,
    /// It has become an order.
    #[error("cart is completed")]
    Completed,
    /// It holds as many lines as it can.
    #[error("cart is full")]
    Full,
    /// It has no such line.
    #[error("no such line")]
    LineNotFound,
    /// The variant is not sold here: never was, or is no longer. Which of both is not said.
    #[error("variant is not sold here")]
    Unavailable,
    /// One line cannot hold that many.
    #[error("too many units for one line")]
    TooMany,
    /// There are fewer than asked for.
    #[error("{requested} units of {variant_id} asked for, {available} available")]
    InsufficientStock {
        /// Of what.
        variant_id: VariantId,
        /// How many the line would hold.
        requested: i64,
        /// How many there are.
        available: i64,
    },
    /// It could not be priced.
    #[error(transparent)]
    Cart(#[from] CartError),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Cart(error.into())
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let problem = match error {
            ChangeError::Cart(error) => return error.into(),
            ChangeError::Completing => Problem::new(409, "cart_completing", "The cart is being bought").detail("Wait until the payment has ended."),
            ChangeError::Completed => Problem::new(409, "cart_completed", "The cart has become an order").detail("Make a new cart."),
            ChangeError::Full => Problem::new(409, "cart_full", "The cart is full").detail(format!("A cart holds {MAX_LINES} lines at most.")),
            ChangeError::LineNotFound => Problem::not_found("cart_line"),
            ChangeError::Unavailable => {
                Problem::new(422, "variant_unavailable", "Not for sale").field("/variant_id", "unavailable", "must be a variant that is sold in this channel")
            }
            ChangeError::TooMany => Problem::new(422, "quantity_too_large", "Too many for one line").field(
                "/quantity",
                "too_large",
                format!("one line holds {} units at most", Quantity::MAX),
            ),
            ChangeError::InsufficientStock { variant_id, requested, available } => Problem::new(409, "insufficient_stock", "Not enough in stock")
                .detail(if available == 0 { "None is left.".to_owned() } else { format!("There are {available}.") })
                .context(serde_json::json!({ "variant_id": variant_id, "requested": requested, "available": available })),
        };
        problem.into()
    }
}

/// Refuses a cart that is not open for changes.
///
/// # Errors
/// [`ChangeError::Completing`], [`ChangeError::Completed`].
pub(crate) fn require_active(cart: &LockedCart) -> Result<(), ChangeError> {
    match cart.state {
        CartState::Active => Ok(()),
        CartState::Completing => Err(ChangeError::Completing),
        CartState::Completed | CartState::Abandoned | CartState::Merged => Err(ChangeError::Completed),
    }
}

/// Adds units of a variant: a new line, or more of the line that has it.
///
/// # Errors
/// See [`ChangeError`].
pub(crate) async fn add(tx: &mut Tx, cart: &LockedCart, wanted: &AddLine) -> Result<Changed, ChangeError> {
    let there = cart.lines.iter().find(|line| line.variant_id == wanted.variant_id);
    if there.is_none() && cart.lines.len() >= MAX_LINES {
        return Err(ChangeError::Full);
    }
    let sum = there.map_or(Ok(wanted.quantity), |line| line.quantity.checked_add(wanted.quantity)).map_err(|_| ChangeError::TooMany)?;
    let present = present(tx, cart, Some(wanted.variant_id)).await?;
    let offer = check(&present, wanted.variant_id, sum)?;
    let now = tx.now();
    let expires_at = now + CART_LIFE;
    let added = store::add_units(tx.conn(), cart.id, offer, wanted.quantity, now, expires_at).await?.ok_or(ChangeError::Completing)?;
    let (version, lines) = (added.version, with_line(&cart.lines, offer, &added));
    Ok((LockedCart { version, expires_at, lines, ..cart.clone() }, present))
}

/// The lines of a locked cart with the one that was just written: in its place, or behind all others.
fn with_line(before: &[LockedLine], offer: &Offer, added: &store::Added) -> Vec<LockedLine> {
    let line = LockedLine {
        id: added.id,
        variant_id: offer.variant_id,
        quantity: added.quantity,
        noted_unit_price: offer.unit_price,
        noted: NotedOffer {
            product_id: offer.product_id,
            product_slug: offer.product_slug.clone(),
            sku: offer.sku.clone(),
            title: offer.title.clone(),
            options: offer.options.clone(),
            image: offer.image.clone(),
        },
    };
    let mut lines = before.to_vec();
    match lines.iter_mut().find(|old| old.id == line.id) {
        Some(old) => *old = line,
        None => lines.push(line),
    }
    lines
}

/// Sets a line's quantity.
///
/// # Errors
/// See [`ChangeError`].
pub(crate) async fn update(tx: &mut Tx, cart: &LockedCart, id: CartLineId, wanted: &UpdateLine) -> Result<Changed, ChangeError> {
    let line = cart.lines.iter().find(|line| line.id == id).ok_or(ChangeError::LineNotFound)?;
    let present = present(tx, cart, None).await?;
    let offer = check(&present, line.variant_id, wanted.quantity)?;
    let now = tx.now();
    store::update_line(tx.conn(), cart.id, id, offer, wanted.quantity, now).await?;
    Ok((touch(tx, cart).await?, present))
}

/// Takes a line out.
///
/// # Errors
/// See [`ChangeError`].
pub(crate) async fn delete(tx: &mut Tx, cart: &LockedCart, id: CartLineId) -> Result<Changed, ChangeError> {
    let line = cart.lines.iter().find(|line| line.id == id).ok_or(ChangeError::LineNotFound)?;
    let present = present(tx, cart, None).await?;
    store::delete_line(tx.conn(), cart.id, line.id).await?;
    Ok((touch(tx, cart).await?, present))
}

/// What the shop says about the variants of a cart, and about one more.
async fn present(tx: &mut Tx, cart: &LockedCart, more: Option<VariantId>) -> Result<Present, ChangeError> {
    let mut variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
    variants.extend(more.filter(|more| !variants.contains(more)));
    Ok(crate::present(tx.conn(), &cart.channel, &variants).await?)
}

/// The offer of a variant, if it is sold here and there are enough for now. The stock is not held: that is the checkout's to do.
fn check(present: &Present, variant_id: VariantId, quantity: Quantity) -> Result<&Offer, ChangeError> {
    let offer = present.offers.get(&variant_id).ok_or(ChangeError::Unavailable)?;
    let available = present.available.get(&variant_id).copied().unwrap_or(0).max(0);
    let requested = i64::from(quantity);
    if available < requested {
        return Err(ChangeError::InsufficientStock { variant_id, requested, available });
    }
    Ok(offer)
}

/// Notes that the lines changed. The cart as it is then; its row is locked, so nobody else has changed it.
async fn touch(tx: &mut Tx, cart: &LockedCart) -> Result<LockedCart, ChangeError> {
    let now = tx.now();
    let expires_at = now + CART_LIFE;
    let version = store::touch(tx.conn(), cart.id, now, expires_at).await?.ok_or(ChangeError::Completing)?;
    let lines = store::list_lines(tx.conn(), cart.id).await?;
    Ok(LockedCart { version, expires_at, lines, ..cart.clone() })
}
