//! The contract of the checkout: from cart to order.

use garde::Validate;
use kernel::{Endpoint, Method, Money};
use orders_api::{Address, OrderAnswer};
use payments_api::{NextAction, PaymentChoice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The checkout endpoints. Both need the cart's secret in `X-Cart-Token`.
pub mod endpoints {
    use super::{CompleteCart, Completion, Endpoint, Method};

    /// Turns the cart into an order and pays it. Send an `Idempotency-Key`: the same key gives the same answer.
    ///
    /// 200 placed · 202 the shopper has to act, or the provider is still working · 402 `payment_declined` ·
    /// 409 `cart_changed` (price or total is not what the shopper saw; `context` holds the cart),
    /// `insufficient_stock`, `cart_completed`, `in_progress` · 422 invalid content.
    pub const COMPLETE_CART: Endpoint<CompleteCart, Completion> = Endpoint::new(Method::Post, "/store/v1/carts/{id}/complete");
    /// Asks the provider how the cart's running payment stands, after the shopper came back, and goes on from there.
    pub const RESUME_CART: Endpoint<(), Completion> = Endpoint::new(Method::Post, "/store/v1/carts/{id}/resume");
}

/// Everything it takes to buy a cart.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CompleteCart {
    /// Where the shopper can be reached.
    #[garde(email, length(max = 254))]
    pub email: String,
    /// Where it goes; the country must be one the channel delivers to.
    #[garde(dive)]
    pub shipping_address: Address,
    /// Where the bill goes; the shipping address if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub billing_address: Option<Address>,
    /// How the shopper pays.
    #[garde(dive)]
    pub payment: PaymentChoice,
    /// The total the shopper saw and agreed to. Another total now is refused with `cart_changed`.
    #[garde(skip)]
    pub expected_total: Money,
    /// Where a second step leads back to, on this shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = 500)))]
    pub return_url: Option<String>,
}

/// How a completion stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Completion {
    /// Where it stands.
    pub status: CompletionStatus,
    /// The order; it opens with the cart's secret.
    pub order: OrderAnswer,
    /// What the shopper has to do, when `status` is `requires_action`.
    pub next_action: Option<NextAction>,
}

/// Where a completion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompletionStatus {
    /// It is a sale.
    Placed,
    /// The shopper has to do something.
    RequiresAction,
    /// The provider is still working; ask again or wait for the mail.
    Processing,
}
