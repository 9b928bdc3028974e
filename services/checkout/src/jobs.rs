//! Background work: news of payments that came without the shopper, and retention.

use db::{Actor, Tx};
use payments_api::AttemptChanged;
use service::{Context, Failure};

use crate::faults::{FaultPoint, reach};
use crate::settle::settle;
use crate::{answer, store};

/// Settles the completion of an attempt that moved: a provider's late answer, or the reconciler's finding.
///
/// # Errors
/// The database failed; the job is tried again.
pub(crate) async fn settle_attempt(tx: &mut Tx, event: AttemptChanged) -> Result<(), Failure> {
    let Some(order) = store::find_order_of_attempt(tx.conn(), event.attempt_id).await? else { return Ok(()) };
    let Some(completion) = store::lock(tx.conn(), order).await? else { return Ok(()) };
    let Some(attempt) = payments::find_attempt(tx.conn(), event.attempt_id).await? else { return Ok(()) };
    if !completion.state.is_open() {
        return Ok(());
    }
    let completion = settle(tx, completion, &attempt).await?;
    answer::give(tx, &completion, &attempt).await?;
    reach(FaultPoint::NewsWritten);
    Ok(())
}

/// Forgets completions that settled long ago, a batch at a time.
///
/// # Errors
/// The database failed.
pub(crate) async fn sweep(context: Context) -> Result<(), Failure> {
    loop {
        let mut tx = context.db().begin(Actor::system("checkout.sweep")).await?;
        let now = tx.now();
        let deleted = store::delete_old(tx.conn(), now).await?;
        tx.commit().await?;
        if deleted < 1_000 {
            return Ok(());
        }
    }
}
