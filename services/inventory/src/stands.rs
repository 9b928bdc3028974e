//! How holds and bands stand, for those who compare them with what others know.

use std::collections::{BTreeMap, HashMap};

use catalog_api::{ChannelId, VariantId};
use inventory_api::HoldId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::HoldState;
use crate::store;

/// How a hold stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldStand {
    /// Whether it is bound to an order for good.
    pub is_committed: bool,
    /// Whether it takes units out of the stock that is for sale.
    pub reserves: bool,
    /// How many units of which variant it is about.
    pub units: BTreeMap<VariantId, i64>,
}

/// What was last told of a variant in a channel.
#[derive(Debug, Clone)]
pub struct BandStand {
    /// Where it is sold.
    pub channel_id: ChannelId,
    /// Of what.
    pub variant_id: VariantId,
    /// The band, as tables name it.
    pub band: String,
    /// How many changes were told.
    pub sequence: i64,
}

/// How these holds stand; those that are forgotten are absent.
///
/// # Errors
/// The database failed.
pub async fn list_hold_stands(conn: &mut PgConnection, ids: &[HoldId]) -> Result<HashMap<HoldId, HoldStand>, sqlx::Error> {
    let mut stands: HashMap<HoldId, HoldStand> = HashMap::new();
    for line in store::list_lines_of_holds(conn, ids).await? {
        let state = HoldState::of(&line.state);
        let stand = stands.entry(line.hold_id).or_insert_with(|| HoldStand {
            is_committed: state == Some(HoldState::Committed),
            reserves: state.is_some_and(HoldState::reserves),
            units: BTreeMap::new(),
        });
        let units = stand.units.entry(line.variant_id).or_default();
        *units = units.saturating_add(line.quantity);
    }
    Ok(stands)
}

/// Up to `most` ids of holds behind `after`, and whether each takes units out of what is for sale.
///
/// # Errors
/// The database failed.
pub async fn list_holds_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<Vec<(HoldId, bool)>, sqlx::Error> {
    let rows = store::list_holds_after(conn, after, most).await?;
    Ok(rows.into_iter().map(|(id, state)| (id, HoldState::of(&state).is_some_and(HoldState::reserves))).collect())
}

/// Variants behind `after`, up to `most`, with what was last told of them. Returns the variants that were looked at, too.
///
/// # Errors
/// The database failed.
pub async fn list_bands_after(conn: &mut PgConnection, after: Uuid, most: i64) -> Result<(Vec<Uuid>, Vec<BandStand>), sqlx::Error> {
    let variants = store::list_banded_variants(conn, after, most).await?;
    let bands = store::list_bands_of(conn, &variants).await?;
    Ok((variants, bands))
}
