//! What the stock does in the background: giving back what was held too long, and forgetting.

use std::time::Duration;

use chrono::TimeDelta;
use db::Actor;
use service::{Context, Failure};

use crate::{holds, store};

/// How often overdue holds are looked for.
pub(crate) const EXPIRE_EVERY: Duration = Duration::from_secs(10);
/// How often ended holds are looked for.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How many holds one transaction expires; their levels stay locked as long as it lasts.
const EXPIRE_BATCH: i64 = 100;
/// How many batches one run does at most; the next run does the rest.
const EXPIRE_BATCHES: usize = 50;
/// How many holds one run forgets at most.
const SWEEP_BATCH: i64 = 5_000;
/// How long ended holds are kept; their movements stay.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Expires overdue holds, batch by batch.
///
/// # Errors
/// The database failed; the next run goes on.
pub(crate) async fn expire_holds(context: Context) -> Result<(), Failure> {
    for _ in 0..EXPIRE_BATCHES {
        let mut tx = context.db().begin(Actor::system("inventory.expire_holds")).await?;
        let expired = holds::expire_overdue(&mut tx, EXPIRE_BATCH).await?;
        tx.commit().await?;
        tracing::debug!(expired, "overdue holds expired");
        if i64::try_from(expired).unwrap_or(i64::MAX) < EXPIRE_BATCH {
            break;
        }
    }
    Ok(())
}

/// Deletes holds that were released or expired long ago.
///
/// # Errors
/// The database failed; the next run does it.
pub(crate) async fn sweep(context: Context) -> Result<(), Failure> {
    let mut tx = context.db().begin(Actor::system("inventory.sweep")).await?;
    let before = tx.now() - KEPT;
    let deleted = store::delete_ended_holds(tx.conn(), before, SWEEP_BATCH).await?;
    tx.commit().await?;
    tracing::debug!(deleted, "ended holds deleted");
    Ok(())
}
