//! The contract of the stock: where it lies, how much there is, what moved.

use catalog_api::{ChannelId, List, StockBand, VariantId};
use garde::Validate;
use kernel::{Endpoint, Event, Method, Page, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

kernel::id_kind!(/// A stock location.
    pub StockLocation => LocationId, "loc");
kernel::id_kind!(/// A timed reservation of stock for one checkout.
    pub Hold => HoldId, "hld");
kernel::id_kind!(/// A movement of stock.
    pub Movement => MovementId, "mov");

/// The stock endpoints, all for staff.
pub mod endpoints {
    use super::{AdjustLevel, Endpoint, LevelAnswer, List, LocationAnswer, LocationDraft, Method, MovementAnswer, Page};

    /// Every stock location.
    pub const ADMIN_LIST_LOCATIONS: Endpoint<(), List<LocationAnswer>> = Endpoint::new(Method::Get, "/admin/v1/stock-locations");
    /// Makes a stock location that serves the named channels.
    pub const ADMIN_CREATE_LOCATION: Endpoint<LocationDraft, LocationAnswer> = Endpoint::new(Method::Post, "/admin/v1/stock-locations");
    /// Levels; query [`super::LevelQuery`].
    pub const ADMIN_LIST_LEVELS: Endpoint<(), Page<LevelAnswer>> = Endpoint::new(Method::Get, "/admin/v1/stock-levels");
    /// Sets or adjusts what is on hand of a variant at a location; makes the level if there is none.
    pub const ADMIN_ADJUST_LEVEL: Endpoint<AdjustLevel, LevelAnswer> = Endpoint::new(Method::Post, "/admin/v1/stock-levels");
    /// The journal of a variant, newest first; query [`super::MovementQuery`].
    pub const ADMIN_LIST_MOVEMENTS: Endpoint<(), Page<MovementAnswer>> = Endpoint::new(Method::Get, "/admin/v1/stock-movements");
}

/// A place where stock lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LocationAnswer {
    /// The location's id.
    pub id: LocationId,
    /// Its short name.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The channels it serves.
    pub channel_ids: Vec<ChannelId>,
}

/// A new stock location.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LocationDraft {
    /// Its short name: small letters, digits, hyphens.
    #[garde(length(min = 1, max = 60), pattern("^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub code: String,
    /// Its name.
    #[garde(custom(filled), length(chars, max = 200))]
    pub name: String,
    /// The channels it serves; several locations of one channel are used in the order they were made.
    #[garde(length(max = 50))]
    pub channel_ids: Vec<ChannelId>,
}

fn filled(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(garde::Error::new("must hold more than spaces, and no control characters"));
    }
    Ok(())
}

/// Which levels to list; add `limit` and `after`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LevelQuery {
    /// Only this variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub variant_id: Option<VariantId>,
    /// Only these variants, parted by commas, 100 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_ids: Option<String>,
    /// Only this location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub location_id: Option<LocationId>,
    /// Only what is low or sold out for the shoppers of some channel; cannot be narrowed further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scarce: Option<bool>,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How much of a variant lies at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelAnswer {
    /// Where.
    pub location_id: LocationId,
    /// Of what.
    pub variant_id: VariantId,
    /// Units that lie there.
    pub on_hand: i64,
    /// Units of those that are held for checkouts or committed to orders.
    pub reserved: i64,
    /// Units one can still sell: on hand less reserved.
    pub available: i64,
    /// Grows with every change; send it back in `If-Match` to set the level.
    pub version: i64,
}

/// Why staff change a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    /// Goods came in.
    Received,
    /// A count put the level right.
    Counted,
    /// Broken, lost or given away.
    WrittenOff,
}

/// A change of what is on hand: either to a figure (`on_hand`) or by one (`delta`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AdjustLevel {
    /// Where.
    #[garde(skip)]
    pub location_id: LocationId,
    /// Of what.
    #[garde(skip)]
    pub variant_id: VariantId,
    /// The new figure; needs `If-Match` when the level exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(range(min = 0, max = 1_000_000_000)))]
    pub on_hand: Option<i64>,
    /// How many more (or, negative, fewer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(range(min = -1_000_000_000, max = 1_000_000_000)))]
    pub delta: Option<i64>,
    /// Why.
    #[garde(skip)]
    pub reason: AdjustmentReason,
}

/// Which movements to list; add `limit` and `after`.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MovementQuery {
    /// Of what.
    #[param(value_type = String)]
    pub variant_id: VariantId,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What moved a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Goods came in.
    Received,
    /// A count put the level right.
    Counted,
    /// Broken, lost or given away.
    WrittenOff,
    /// Reserved for a checkout.
    Held,
    /// No longer reserved.
    Released,
}

impl MovementKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Received, Self::Counted, Self::WrittenOff, Self::Held, Self::Released];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Counted => "counted",
            Self::WrittenOff => "written_off",
            Self::Held => "held",
            Self::Released => "released",
        }
    }
}

impl From<AdjustmentReason> for MovementKind {
    fn from(reason: AdjustmentReason) -> Self {
        match reason {
            AdjustmentReason::Received => Self::Received,
            AdjustmentReason::Counted => Self::Counted,
            AdjustmentReason::WrittenOff => Self::WrittenOff,
        }
    }
}

/// One entry of the append-only journal: the sums of its deltas are the level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovementAnswer {
    /// The movement's id.
    pub id: MovementId,
    /// Where.
    pub location_id: LocationId,
    /// Of what.
    pub variant_id: VariantId,
    /// What kind.
    pub kind: MovementKind,
    /// The change of what is on hand.
    pub on_hand_delta: i64,
    /// The change of what is reserved.
    pub reserved_delta: i64,
    /// The hold it belongs to, if any.
    pub hold_id: Option<HoldId>,
    /// Who did it.
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

/// The stock of a variant crossed a band in a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StockBandChanged {
    /// Where it is sold.
    pub channel_id: ChannelId,
    /// Of what.
    pub variant_id: VariantId,
    /// The band now.
    pub band: StockBand,
    /// Orders the changes of one variant: a smaller number is older news.
    pub sequence: i64,
}

impl Event for StockBandChanged {
    const NAME: &'static str = "inventory.StockBandChanged";
    const VERSION: i32 = 1;
}
