//! How orders stand, for those who compare them with what others know.

use std::collections::{BTreeMap, HashMap};

use catalog_api::VariantId;
use inventory_api::HoldId;
use orders_api::{OrderId, OrderState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store;

/// How an order stands.
#[derive(Debug, Clone)]
pub struct OrderStand {
    /// Which.
    pub id: OrderId,
    /// The cart it is made of.
    pub cart_id: Uuid,
    /// The stock it takes.
    pub hold_id: HoldId,
    /// Where it stands.
    pub state: OrderState,
    /// Whether it is a sale, or was one.
    pub was_placed: bool,
    /// What it comes to, in minor units.
    pub total_minor: i64,
    /// Its currency's code.
    pub currency: String,
    /// How many units of which variant.
    pub units: BTreeMap<VariantId, i64>,
}

/// Up to `most` orders behind `after`.
///
/// # Errors
/// The database failed.
pub async fn list_order_stands_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<OrderStand>, sqlx::Error> {
    let ids = store::list_ids_after(conn, after, most).await?;
    list_order_stands(conn, &ids).await
}

/// How these orders stand, by id; those that do not exist are absent.
///
/// # Errors
/// The database failed.
pub async fn list_order_stands(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<OrderStand>, sqlx::Error> {
    let mut stands = store::list_stands(conn, ids).await?;
    let mut units: HashMap<OrderId, BTreeMap<VariantId, i64>> = HashMap::new();
    for (order, variant, quantity) in store::list_units(conn, ids).await? {
        let sum = units.entry(order).or_default().entry(variant).or_default();
        *sum = sum.saturating_add(quantity);
    }
    for stand in &mut stands {
        stand.units = units.remove(&stand.id).unwrap_or_default();
    }
    Ok(stands)
}

/// The orders that take these holds, and whether each is one that may take stock: neither canceled nor a draft.
///
/// # Errors
/// The database failed.
pub async fn list_orders_of_holds(conn: &mut PgConnection, holds: &[HoldId]) -> Result<HashMap<HoldId, (OrderId, OrderState)>, sqlx::Error> {
    store::list_orders_of_holds(conn, holds).await
}
