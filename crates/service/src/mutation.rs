use std::time::Duration;

use db::Tx;
use db::idempotency::{self, Claim, IdempotencyKey};
use futures_util::future::BoxFuture;
use kernel::Problem;

use crate::{Answer, Call, Context, Failure};

/// How long a single-transaction request may hold its key; it is never seen by others before it commits or vanishes.
const LEASE: Duration = Duration::from_secs(60);

impl Context {
    /// Does the work of a mutating request in one transaction, detached from the client: when the client hangs up, the work still
    /// ends in a commit or a rollback. With a key, the answer is kept in the same transaction and a repeat gets it again.
    ///
    /// # Errors
    /// What `work` refuses (nothing is written then, the key may be used again); 422 `idempotency_key_reused` for another body under the
    /// same key; 409 `in_progress` when its first use goes on for longer than the lock timeout.
    pub async fn mutate<F>(&self, call: &Call, key: Option<IdempotencyKey>, work: F) -> Result<Answer, Failure>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<Answer, Failure>> + Send + 'static,
    {
        let context = self.clone();
        let actor = call.actor();
        self.detached("mutation", async move {
            let mut tx = context.db().begin(actor).await?;
            if let Some(key) = &key {
                match claim_key(&mut tx, key, LEASE).await? {
                    Claim::Fresh | Claim::TakenOver => {}
                    Claim::Done(kept) => return Ok(Answer::replayed(kept)),
                    Claim::Running => return Err(in_progress().into()),
                    Claim::Mismatch => return Err(key_reused().into()),
                }
            }
            let answer = work(&mut tx).await?;
            if let Some(key) = &key {
                idempotency::keep(&mut tx, key, &answer.to_kept()).await?;
            }
            tx.commit().await?;
            Ok(answer)
        })
        .await
    }

    /// Runs `work` to its end even when the caller goes away.
    ///
    /// # Errors
    /// What `work` fails with, or an internal failure when it panicked.
    pub async fn detached<T, W>(&self, name: &'static str, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let (done, outcome) = tokio::sync::oneshot::channel();
        self.tasks().spawn(name, async move {
            // Nobody may be listening any more; the work is done all the same.
            drop(done.send(work.await));
        });
        outcome.await.map_err(|_| Failure::Internal(anyhow::anyhow!("the task `{name}` did not end")))?
    }
}

/// Claims a key, telling a wait that took too long as [`Claim::Running`].
///
/// # Errors
/// The database failed.
pub async fn claim_key(tx: &mut Tx, key: &IdempotencyKey, lease: Duration) -> Result<Claim, Failure> {
    match idempotency::claim(tx, key, lease).await {
        Err(error) if db::is_lock_timeout(&error) => Ok(Claim::Running),
        other => Ok(other?),
    }
}

/// 409: the first request with this key has not ended yet.
#[must_use]
pub fn in_progress() -> Problem {
    Problem::new(409, "in_progress", "The same request is still being worked on").retry_after(2)
}

/// 422: the key was used for another request.
#[must_use]
pub fn key_reused() -> Problem {
    Problem::new(422, "idempotency_key_reused", "This Idempotency-Key was used for another request").detail("Use a new key for a new request.")
}
