//! Promising stock: taking holds, keeping them, giving them back.

use std::collections::BTreeMap;

use catalog_api::{ChannelId, VariantId};
use db::{DbError, Tx};
use inventory_api::{HoldId, LocationId, MovementKind};
use kernel::{Problem, Quantity, Timestamp};
use service::Failure;

use crate::bands;
use crate::domain::{Allocation, HoldEvent, HoldState, Shortage, allocate};
use crate::store::{self, HeldLine, NewHold, ReservedMove};

/// So many units of a variant to be held. Lines of the same variant add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldLine {
    /// Of what.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: Quantity,
}

/// How long stock is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldUntil {
    /// Until this moment; the schedule `inventory.expire_holds` gives the stock back some seconds later.
    Expires(Timestamp),
    /// For good, as for an order that is placed in the same transaction.
    Committed,
}

/// Why no stock was promised or moved.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is not enough: every variant that runs short. Nothing was written.
    #[error("not enough stock of {} variants", .0.len())]
    Insufficient(Vec<Shortage>),
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// An event could not be written.
    #[error("stock band change could not be told")]
    Db(#[from] DbError),
}

/// Holds the lines' units in the channel's locations, in the locations' order, or refuses all of them. Part of the caller's transaction.
///
/// The levels are locked in one order everywhere, so holds wait for each other and never deadlock; a transaction that does more than
/// one thing to holds releases before it holds anew.
///
/// # Errors
/// [`HoldError::Insufficient`] names every variant that runs short, and nothing was written: the transaction may go on. After any
/// other error it must be rolled back.
pub async fn hold(tx: &mut Tx, channel: ChannelId, lines: &[HoldLine], until: HoldUntil) -> Result<HoldId, HoldError> {
    let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
    for line in lines {
        *wanted.entry(line.variant_id).or_default() += i64::from(line.quantity);
    }
    let variants: Vec<VariantId> = wanted.keys().copied().collect();
    let free = store::lock_free_stock(tx.conn(), channel, &variants).await?;
    let allocations = allocate(&wanted, &free).map_err(HoldError::Insufficient)?;

    let id = HoldId::new(tx.now());
    let moves: Vec<ReservedMove> = allocations.iter().map(|taken| ReservedMove::new(tx.now(), id, taken, taken.quantity)).collect();
    let (state, expires_at) = match until {
        HoldUntil::Expires(at) => (HoldState::Held, Some(at)),
        HoldUntil::Committed => (HoldState::Committed, None),
    };
    move_reserved(tx, MovementKind::Held, &moves, Some(&NewHold { id, channel, state, expires_at })).await?;
    announce_bands(tx, &moves).await?;
    Ok(id)
}

/// Keeps a held one from expiring, as long as its payment is under way. False if it is not held any more.
///
/// # Errors
/// The database failed.
pub async fn pin_hold(tx: &mut Tx, id: HoldId) -> Result<bool, sqlx::Error> {
    store::pin_hold(tx.conn(), id, HoldState::Held).await
}

/// Makes a hold's promise good for an order: `held` becomes `committed`, and `committed` stays. False if its stock was given back; then
/// the caller holds anew or gives up.
///
/// The state decides, not the clock: as long as the schedule has not expired an overdue hold, its stock is still there.
///
/// # Errors
/// The database failed.
pub async fn commit_hold(tx: &mut Tx, id: HoldId) -> Result<bool, HoldError> {
    // Most are: what is paid at once is held for good in the same transaction.
    if store::is_hold_in(tx.conn(), id, HoldState::Committed).await? {
        return Ok(true);
    }
    let now = tx.now();
    if store::move_hold(tx.conn(), id, HoldEvent::Commit, now).await? {
        return Ok(true);
    }
    // Another transaction may have done it meanwhile.
    Ok(store::is_hold_in(tx.conn(), id, HoldState::Committed).await?)
}

/// Gives a hold's stock back, held or committed. False if there was nothing to give back.
///
/// # Errors
/// The database failed.
pub async fn release_hold(tx: &mut Tx, id: HoldId) -> Result<bool, HoldError> {
    let now = tx.now();
    if !store::move_hold(tx.conn(), id, HoldEvent::Release, now).await? {
        return Ok(false);
    }
    give_back(tx, &[id]).await?;
    Ok(true)
}

/// Expires up to `most` holds that are overdue and that nobody is working on. Returns how many.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire_overdue(tx: &mut Tx, most: i64) -> Result<usize, HoldError> {
    let now = tx.now();
    let expired = store::expire_overdue_holds(tx.conn(), now, most).await?;
    give_back(tx, &expired).await?;
    Ok(expired.len())
}

async fn give_back(tx: &mut Tx, holds: &[HoldId]) -> Result<(), HoldError> {
    let lines = store::lock_levels_of_holds(tx.conn(), holds).await?;
    let back = |HeldLine { hold_id, taken }: &HeldLine| ReservedMove::new(tx.now(), *hold_id, taken, -taken.quantity);
    let moves: Vec<ReservedMove> = lines.iter().map(back).collect();
    move_reserved(tx, MovementKind::Released, &moves, None).await?;
    announce_bands(tx, &moves).await
}

async fn move_reserved(tx: &mut Tx, kind: MovementKind, moves: &[ReservedMove], new: Option<&NewHold>) -> Result<(), HoldError> {
    let actor = tx.actor().clone();
    let now = tx.now();
    if store::move_reserved(tx.conn(), kind, moves, new, actor.as_str(), now).await? {
        return Ok(());
    }
    // The levels are locked and were summed up under the lock, so this is a bug of ours, and the transaction must not commit.
    Err(sqlx::Error::Protocol("a stock level changed under its lock".to_owned()).into())
}

async fn announce_bands(tx: &mut Tx, moves: &[ReservedMove]) -> Result<(), HoldError> {
    let variants: Vec<VariantId> = moves.iter().map(|one| one.taken.variant_id).collect();
    let locations: Vec<LocationId> = moves.iter().map(|one| one.taken.location_id).collect();
    Ok(bands::announce(tx, &variants, &locations).await?)
}

impl ReservedMove {
    fn new(now: Timestamp, hold_id: HoldId, taken: &Allocation, delta: i64) -> Self {
        Self { id: inventory_api::MovementId::new(now), hold_id, taken: *taken, delta }
    }
}

impl From<HoldError> for Failure {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Insufficient(shortages) => insufficient_stock(&shortages).into(),
            HoldError::Database(error) => error.into(),
            HoldError::Db(error) => error.into(),
        }
    }
}

/// 409: there is less than was asked for.
fn insufficient_stock(shortages: &[Shortage]) -> Problem {
    let lines: Vec<_> = shortages
        .iter()
        .map(|short| serde_json::json!({ "variant_id": short.variant_id, "requested": short.requested, "available": short.available }))
        .collect();
    Problem::new(409, "insufficient_stock", "Not enough in stock").context(serde_json::json!({ "shortages": lines }))
}
