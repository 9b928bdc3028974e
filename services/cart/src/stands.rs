//! How carts stand, for those who compare them with what others know.

use std::collections::HashMap;

use cart_api::{CartId, CartState};
use kernel::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store;

/// How a cart stands.
#[derive(Debug, Clone, Copy)]
pub struct CartStand {
    /// Which.
    pub id: CartId,
    /// Where it stands.
    pub state: CartState,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Up to `most` carts behind `after`, and where they stand.
///
/// # Errors
/// The database failed.
pub async fn list_carts_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<CartStand>, sqlx::Error> {
    store::list_carts_after(conn, after, most).await
}

/// Where these carts stand; those that are forgotten are absent.
///
/// # Errors
/// The database failed.
pub async fn list_cart_states(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<CartId, CartState>, sqlx::Error> {
    store::list_cart_states(conn, ids).await
}
