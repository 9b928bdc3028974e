//! What the cart does in the background: forgetting.

use std::time::Duration;

use db::Actor;
use service::{Context, Failure};

use crate::store;

/// How often carts that have run out are looked for.
pub(crate) const ABANDON_EVERY: Duration = Duration::from_secs(300);
/// How many carts one transaction takes, so that none holds many locks for long.
const BATCH: i64 = 500;
/// How many transactions one run makes; the next run goes on.
const BATCHES: usize = 20;

/// Marks carts that have run out as abandoned, and deletes those that have been over for long enough.
///
/// # Errors
/// The database failed; the next run goes on from where this one stopped.
pub(crate) async fn abandon(context: Context) -> Result<(), Failure> {
    let (mut abandoned, mut deleted) = (0, 0);
    for _ in 0..BATCHES {
        let mut tx = context.db().begin(Actor::system("cart.abandon")).await?;
        let now = tx.now();
        let newly_abandoned = store::abandon_expired(tx.conn(), now, BATCH).await?;
        let newly_deleted = store::delete_old(tx.conn(), now, BATCH).await?;
        tx.commit().await?;
        (abandoned, deleted) = (abandoned + newly_abandoned, deleted + newly_deleted);
        if newly_abandoned == 0 && newly_deleted == 0 {
            break;
        }
    }
    tracing::debug!(abandoned, deleted, "old carts swept");
    Ok(())
}
