//! The reconciler: asks about everything a crash or a silent provider left open, and finishes it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use db::Actor;
use futures_util::{StreamExt, stream};
use payments_api::AttemptState;
use service::Failure;

use crate::Payments;
use crate::attempts::{Attempt, take_in};
use crate::domain::AttemptEvent;
use crate::provider::Outcome;
use crate::store;

/// How long the one who wrote an attempt, a capture or a void has to finish it itself, in times a provider may take to answer.
const PATIENCE: i32 = 2;
/// After so many such times a provider that knows no such payment will not hear of it by itself.
const UNHEARD_AFTER: i32 = 6;
/// The most of each kind in one run; the rest comes first in the next.
const BATCH: i64 = 200;
/// How many providers' answers are waited for at once.
const AT_ONCE: usize = 8;
/// After this long a run begins nothing new, so that it ends within its job's lease.
const RUN_BEGINS_WITHIN: Duration = Duration::from_secs(25);

impl Payments {
    /// Asks the providers about open attempts, captures and voids, and records what they say; each change is told to the others. Returns how
    /// many attempts moved. Runs on a schedule; may run at any time.
    ///
    /// # Errors
    /// The database failed. What one attempt fails with is logged and does not stop the others.
    pub async fn reconcile(&self) -> Result<usize, Failure> {
        let begun = Instant::now();
        let in_time = || begun.elapsed() < RUN_BEGINS_WITHIN;
        let (attempts, captures, voids) = self.list_open().await?;
        let moved = stream::iter(attempts)
            .map(|attempt| async move { if in_time() { self.reconcile_attempt(&attempt).await } else { false } })
            .buffer_unordered(AT_ONCE)
            .fold(0, async |moved, is_moved| moved + usize::from(is_moved));
        let moved = moved.await;
        for id in captures.into_iter().take_while(|_| in_time()) {
            if let Err(failure) = self.capture(id).await {
                tracing::warn!(capture = %id, ?failure, "capture not reconciled");
            }
        }
        for id in voids.into_iter().take_while(|_| in_time()) {
            if let Err(failure) = self.void(id).await {
                tracing::warn!(void = %id, ?failure, "void not reconciled");
            }
        }
        Ok(moved)
    }

    async fn list_open(&self) -> Result<(Vec<Attempt>, Vec<payments_api::CaptureId>, Vec<payments_api::VoidId>), Failure> {
        let mut tx = self.context().db().begin(Actor::system("payments.reconcile")).await?;
        let now = tx.now();
        let patience = self.provider_timeout() * PATIENCE;
        let attempts = store::attempts::list_open(tx.conn(), now - patience, BATCH).await?;
        let captures = store::captures::list_open(tx.conn(), now - patience, BATCH, now).await?;
        let voids = store::voids::list_open(tx.conn(), now - patience, BATCH, now).await?;
        tx.commit().await?;
        Ok((attempts, captures, voids))
    }

    fn provider_timeout(&self) -> TimeDelta {
        // A setting of at most a minute.
        TimeDelta::from_std(self.settings().provider_timeout).unwrap_or(TimeDelta::MAX / 8)
    }

    async fn reconcile_attempt(&self, attempt: &Attempt) -> bool {
        match self.settle_attempt(attempt).await {
            Ok(is_moved) => is_moved,
            Err(failure) => {
                tracing::warn!(attempt = %attempt.id, ?failure, "attempt not reconciled");
                false
            }
        }
    }

    /// Asks about one attempt and records the answer. What nobody finished in time, and what the provider never heard of, is canceled at the
    /// provider first: only then is it certain that no authorization comes after.
    async fn settle_attempt(&self, attempt: &Attempt) -> Result<bool, Failure> {
        let age = self.context().now() - attempt.created_at;
        let action_timeout = TimeDelta::from_std(self.settings().action_timeout).unwrap_or(TimeDelta::MAX);
        let is_overdue = attempt.state != AttemptState::Created && age > action_timeout;
        let mut outcome = if is_overdue { self.cancel(attempt).await } else { self.look_up(attempt).await };
        if outcome == Outcome::Unheard && age > self.provider_timeout() * UNHEARD_AFTER {
            outcome = self.cancel(attempt).await;
        }
        let cancellation = if is_overdue { AttemptEvent::Expire } else { AttemptEvent::Cancel };
        let mut tx = self.context().db().begin(Actor::system("payments.reconcile")).await?;
        let now = tx.now();
        store::attempts::update_checked(tx.conn(), attempt.id, now).await?;
        let recorded = take_in(&mut tx, attempt.id, &outcome, cancellation).await?;
        tx.commit().await?;
        Ok(recorded.changed)
    }
}
