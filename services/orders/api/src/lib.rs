//! The contract of orders.

use std::collections::BTreeMap;

use catalog_api::{ChannelId, ChannelKind, MediaReference, ProductId, VariantId};
use garde::Validate;
use kernel::{Country, Currency, Endpoint, Event, Method, Money, Page, Quantity, Timestamp};
use payments_api::{PaymentStatus, PaymentSummary};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

kernel::id_kind!(/// An order.
    pub Order => OrderId, "ord");
kernel::id_kind!(/// A line of an order.
    pub OrderLine => OrderLineId, "oln");
kernel::id_kind!(/// An entry of an order's timeline.
    pub TimelineEntry => TimelineEntryId, "tle");

/// The order endpoints.
pub mod endpoints {
    use super::{AdminOrder, CancelOrder, CaptureOrder, CommentOrder, Endpoint, Method, OrderAnswer, OrderFigures, OrderSummary, Page, SalesAnswer};

    /// A guest's order; needs its secret in `X-Order-Token`.
    pub const GET_ORDER: Endpoint<(), OrderAnswer> = Endpoint::new(Method::Get, "/store/v1/orders/{id}");
    /// Orders, newest first; query [`super::OrderQuery`].
    pub const ADMIN_LIST_ORDERS: Endpoint<(), Page<OrderSummary>> = Endpoint::new(Method::Get, "/admin/v1/orders");
    /// How many orders wait for somebody.
    pub const ADMIN_GET_ORDER_FIGURES: Endpoint<(), OrderFigures> = Endpoint::new(Method::Get, "/admin/v1/order-figures");
    /// The sales of a day by hour; query [`super::SalesQuery`].
    pub const ADMIN_GET_SALES: Endpoint<(), SalesAnswer> = Endpoint::new(Method::Get, "/admin/v1/sales");
    /// One order with payments and timeline.
    pub const ADMIN_GET_ORDER: Endpoint<(), AdminOrder> = Endpoint::new(Method::Get, "/admin/v1/orders/{id}");
    /// Captures held money; needs `If-Match`.
    pub const ADMIN_CAPTURE_ORDER: Endpoint<CaptureOrder, AdminOrder> = Endpoint::new(Method::Post, "/admin/v1/orders/{id}/capture");
    /// Cancels an order of which nothing is captured, lets its money and stock go; needs `If-Match`.
    pub const ADMIN_CANCEL_ORDER: Endpoint<CancelOrder, AdminOrder> = Endpoint::new(Method::Post, "/admin/v1/orders/{id}/cancel");
    /// Adds a comment to the timeline; needs `If-Match`.
    pub const ADMIN_COMMENT_ORDER: Endpoint<CommentOrder, AdminOrder> = Endpoint::new(Method::Post, "/admin/v1/orders/{id}/comments");
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Made by staff, not yet sent.
    Draft,
    /// Waiting for its payment.
    Pending,
    /// A sale.
    Placed,
    /// A sale that is done.
    Closed,
    /// Not, or no longer, a sale.
    Canceled,
}

impl OrderState {
    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Placed => "placed",
            Self::Closed => "closed",
            Self::Canceled => "canceled",
        }
    }
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Given and family name.
    #[garde(custom(filled), length(chars, max = 200))]
    pub name: String,
    /// Company, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 200), custom(one_line)))]
    pub company: Option<String>,
    /// Street and number.
    #[garde(custom(filled), length(chars, max = 200))]
    pub street: String,
    /// Flat, floor, care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 200), custom(one_line)))]
    pub extra: Option<String>,
    /// Postcode; countries without postcodes leave it empty.
    #[garde(length(chars, max = 20), custom(one_line))]
    pub postcode: String,
    /// Town.
    #[garde(custom(filled), length(chars, max = 200))]
    pub city: String,
    /// State, province or county where the country's addresses need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 100), custom(one_line)))]
    pub region: Option<String>,
    /// Country.
    #[garde(skip)]
    pub country: Country,
    /// Telephone, for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 40), custom(one_line)))]
    pub phone: Option<String>,
}

fn filled(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not be empty or hold control characters"));
    }
    Ok(())
}

fn one_line(text: &str, (): &()) -> garde::Result {
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not hold control characters"));
    }
    Ok(())
}

/// What an order comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderTotals {
    /// How many units in all.
    pub item_count: i64,
    /// The lines.
    pub subtotal: Money,
    /// The delivery.
    pub delivery: Money,
    /// All together.
    pub total: Money,
}

/// One line of an order: a snapshot that later changes to the catalogue do not touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderLineAnswer {
    /// The line's id.
    pub id: OrderLineId,
    /// The product then.
    pub product_id: ProductId,
    /// The variant then.
    pub variant_id: VariantId,
    /// The product's place in addresses then.
    pub product_slug: String,
    /// The stock keeping unit then.
    pub sku: String,
    /// The product's name then.
    pub title: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// A picture.
    pub image: Option<MediaReference>,
    /// How many.
    pub quantity: Quantity,
    /// What one cost.
    pub unit_price: Money,
    /// What the line came to.
    pub total: Money,
}

/// An order as its shopper sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderAnswer {
    /// The order's id.
    pub id: OrderId,
    /// The human order number, once placed.
    pub number: Option<String>,
    /// Where it stands.
    pub state: OrderState,
    /// How it stands in money.
    pub payment_status: PaymentStatus,
    /// How one pays, as the provider's code.
    pub payment_provider: Option<String>,
    /// Why it was canceled, as a stable code.
    pub cancel_reason: Option<String>,
    /// What its amounts count.
    pub currency: Currency,
    /// What was bought.
    pub lines: Vec<OrderLineAnswer>,
    /// What it comes to.
    pub totals: OrderTotals,
    /// How it is delivered.
    pub delivery_name: String,
    /// Where the shopper can be reached.
    pub email: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Where the bill goes.
    pub billing_address: Address,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it became a sale.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub placed_at: Option<Timestamp>,
}

/// Which orders to list; add `limit` and `after`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OrderQuery {
    /// The start of an order number or of an e-mail address, 254 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only orders that stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<OrderState>,
    /// Only orders of this channel, by code; without it those of all channels of a `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Only orders of channels of this kind; of live ones if neither this nor a channel is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<ChannelKind>,
    /// Only orders that stand so in money: one [`PaymentStatus`], or several parted by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<String>,
    /// Only orders of which the newest capture came to nothing while its money is still held; or all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_failed: Option<bool>,
    /// Only orders made on this day in UTC or later, such as `2026-11-23`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only orders made on this day in UTC or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The order of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<OrderSort>,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The order of a list of orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderSort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// How many orders of live channels wait for somebody. Nothing is counted beyond 1,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderFigures {
    /// Sales whose money is held and not, or not wholly, captured.
    pub to_capture: i64,
    /// Sales of which the newest capture came to nothing.
    pub capture_failed: i64,
    /// Orders that wait for their payment.
    pub pending: i64,
}

/// Which day's sales.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SalesQuery {
    /// The day in UTC, such as `2026-11-23`; today if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// The sales of live channels on a day in UTC and on the same weekday before, by the hour in which they were placed. Canceled ones are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SalesAnswer {
    /// The day's first moment.
    #[schema(value_type = String, format = DateTime)]
    pub begins_at: Timestamp,
    /// The moment of the answer.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// The day's sales.
    pub day: Vec<SalesOfHour>,
    /// Those of seven days before.
    pub week_before: Vec<SalesOfHour>,
}

/// The sales of an hour in one currency; hours without any are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SalesOfHour {
    /// The hour, 0 to 23.
    pub hour: i32,
    /// How many orders.
    pub order_count: i64,
    /// What they come to.
    pub total: Money,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderSummary {
    /// The order's id.
    pub id: OrderId,
    /// The human order number, once placed.
    pub number: Option<String>,
    /// Where it stands.
    pub state: OrderState,
    /// How it stands in money, as far as the list has heard; the order itself says it to the moment.
    pub payment_status: PaymentStatus,
    /// Whether the newest capture came to nothing while its money is still held.
    #[serde(default)]
    pub capture_failed: bool,
    /// Where it was sold, as the channel's code.
    #[serde(default)]
    pub channel: String,
    /// Whether it is a real sale.
    pub channel_kind: ChannelKind,
    /// Where the shopper can be reached.
    pub email: String,
    /// The shopper's name.
    pub name: String,
    /// How many units.
    pub item_count: i64,
    /// What it comes to.
    pub total: Money,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it became a sale.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub placed_at: Option<Timestamp>,
}

/// An order as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminOrder {
    /// What the shopper sees.
    pub order: OrderAnswer,
    /// Where it was sold.
    pub channel_id: ChannelId,
    /// Whether it is a real sale.
    pub channel_kind: ChannelKind,
    /// The version to send back in `If-Match`, also sent as `ETag`.
    pub version: i64,
    /// How it stands in money, attempt by attempt.
    pub payment: PaymentSummary,
    /// What happened to it, oldest first.
    pub timeline: Vec<TimelineEntryAnswer>,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntryAnswer {
    /// The entry's id.
    pub id: TimelineEntryId,
    /// The stable name of what happened: `created`, `placed`, `canceled`, `capture_requested`, `capture_succeeded`, `capture_failed`,
    /// `payment_voided`, `comment`.
    pub kind: String,
    /// What was said or what it was about.
    pub detail: Option<String>,
    /// Who did it.
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

/// How much to capture.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CaptureOrder {
    /// The amount; everything that is held and not captured if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub amount: Option<Money>,
}

/// Why an order is canceled.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// A sentence for the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 1_000), custom(running_text)))]
    pub reason: Option<String>,
}

/// A comment for the timeline.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CommentOrder {
    /// What to say.
    #[garde(custom(filled_text), length(chars, max = 5_000))]
    pub text: String,
}

fn running_text(text: &str, (): &()) -> garde::Result {
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
        return Err(garde::Error::new("must not hold control characters"));
    }
    Ok(())
}

fn filled_text(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be empty"));
    }
    running_text(text, &())
}

/// An order became a sale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// Whether it is a real sale.
    pub channel_kind: ChannelKind,
    /// What it comes to.
    pub total: Money,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "orders.OrderPlaced";
    const VERSION: i32 = 1;
}

/// An order is not, or no longer, a sale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderCanceled {
    /// The order.
    pub order_id: OrderId,
    /// Whether it was a real sale.
    pub channel_kind: ChannelKind,
    /// Why, as a stable code.
    pub reason: String,
}

impl Event for OrderCanceled {
    const NAME: &'static str = "orders.OrderCanceled";
    const VERSION: i32 = 1;
}
