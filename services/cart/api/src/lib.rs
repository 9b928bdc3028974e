//! The contract of the cart.

use std::collections::BTreeMap;

use catalog_api::{DeliveryMethod, MediaReference, ProductId, VariantId};
use garde::Validate;
use kernel::{Currency, Endpoint, Method, Money, Quantity, Timestamp, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

kernel::id_kind!(/// A cart.
    pub Cart => CartId, "crt");
kernel::id_kind!(/// A line of a cart.
    pub CartLine => CartLineId, "cln");

/// The cart endpoints. All but the first need the cart's secret in `X-Cart-Token`.
pub mod endpoints {
    use super::{AddLine, CartAnswer, CartCreated, Endpoint, Method, UpdateLine};

    /// Makes an empty cart and tells its secret once.
    pub const CREATE_CART: Endpoint<(), CartCreated> = Endpoint::new(Method::Post, "/store/v1/carts");
    /// The cart with present prices, stock and notices.
    pub const GET_CART: Endpoint<(), CartAnswer> = Endpoint::new(Method::Get, "/store/v1/carts/{id}");
    /// Adds units of a variant: a new line, or more of the line that has it.
    pub const ADD_LINE: Endpoint<AddLine, CartAnswer> = Endpoint::new(Method::Post, "/store/v1/carts/{id}/lines");
    /// Sets a line's quantity.
    pub const UPDATE_LINE: Endpoint<UpdateLine, CartAnswer> = Endpoint::new(Method::Patch, "/store/v1/carts/{id}/lines/{line_id}");
    /// Takes a line out.
    pub const DELETE_LINE: Endpoint<(), CartAnswer> = Endpoint::new(Method::Delete, "/store/v1/carts/{id}/lines/{line_id}");
}

/// A new cart and its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartCreated {
    /// The empty cart.
    pub cart: CartAnswer,
    /// The secret that opens it; send it in `X-Cart-Token`. The order made of this cart opens with it too.
    pub token: Token,
}

/// Where a cart stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartState {
    /// Open for changes.
    Active,
    /// A checkout has claimed it; changes are refused until it is done.
    Completing,
    /// It has become an order.
    Completed,
    /// Nobody came back for it.
    Abandoned,
    /// It went into another cart.
    Merged,
}

impl CartState {
    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completing => "completing",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
            Self::Merged => "merged",
        }
    }
}

/// A cart with present prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartAnswer {
    /// The cart's id.
    pub id: CartId,
    /// Grows with every change, also sent as `ETag`.
    pub version: i64,
    /// Where it stands.
    pub state: CartState,
    /// The code of the channel it buys in.
    pub channel: String,
    /// What its amounts count.
    pub currency: Currency,
    /// What is in it, in the order it was put in.
    pub lines: Vec<CartLineAnswer>,
    /// How it will be delivered.
    pub delivery: DeliveryMethod,
    /// What it comes to.
    pub totals: Totals,
    /// When it is forgotten if nobody touches it.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartLineAnswer {
    /// The line's id.
    pub id: CartLineId,
    /// The product.
    pub product_id: ProductId,
    /// The product's place in addresses.
    pub product_slug: String,
    /// What one buys.
    pub variant_id: VariantId,
    /// Its stock keeping unit.
    pub sku: String,
    /// The product's name.
    pub title: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// A picture.
    pub image: Option<MediaReference>,
    /// How many.
    pub quantity: Quantity,
    /// What one costs now, tax included.
    pub unit_price: Money,
    /// What the line comes to now.
    pub total: Money,
    /// What the shopper should know before buying.
    pub notices: Vec<Notice>,
}

/// Something that changed under the shopper's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Notice {
    /// The price is not what it was when the line was put in or last confirmed.
    PriceChanged {
        /// What one cost then.
        was: Money,
        /// What one costs now.
        now: Money,
    },
    /// There are fewer than the line asks for.
    InsufficientStock {
        /// How many there are.
        available: i64,
    },
    /// It is no longer sold; take it out to go on.
    Unavailable,
}

/// What a cart or order comes to. All prices are final and gross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// How many units in all.
    pub item_count: i64,
    /// The lines.
    pub subtotal: Money,
    /// The delivery; zero while the cart is empty.
    pub delivery: Money,
    /// All together.
    pub total: Money,
}

/// Units to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AddLine {
    /// Of what.
    #[garde(skip)]
    pub variant_id: VariantId,
    /// How many more.
    #[garde(skip)]
    pub quantity: Quantity,
}

/// A new quantity.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateLine {
    /// How many.
    #[garde(skip)]
    pub quantity: Quantity,
}
