use std::sync::{Arc, OnceLock};

use kernel::audit::AuditEntryId;
use kernel::jobs::JobId;
use kernel::{Event, Timestamp};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::jobs::{self, Subscriptions};
use crate::{Actor, DbError, Wake};

kernel::id_kind!(pub(crate) OutboxEvent => OutboxEventId, "evt");

/// The unit of work: one transaction with its actor, its moment, its outbox and its audit.
///
/// Commit is explicit; dropping rolls everything back, events and jobs with it.
pub struct Tx {
    transaction: Transaction<'static, Postgres>,
    actor: Actor,
    now: Timestamp,
    wake: Wake,
    subscriptions: Arc<OnceLock<Subscriptions>>,
    left_work: bool,
    outdated: Vec<String>,
    after_commit: Vec<AfterCommit>,
}

/// What is done once a commit is known to have happened.
type AfterCommit = Box<dyn FnOnce() + Send + Sync>;

impl Tx {
    pub(crate) fn new(
        transaction: Transaction<'static, Postgres>,
        actor: Actor,
        now: Timestamp,
        wake: Wake,
        subscriptions: Arc<OnceLock<Subscriptions>>,
    ) -> Self {
        Self { transaction, actor, now, wake, subscriptions, left_work: false, outdated: Vec::new(), after_commit: Vec::new() }
    }

    /// The connection, for statements.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The moment the unit of work began; all its rows bear it.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Tells what happened, to everyone who listens, once this commits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn publish<E: Event>(&mut self, event: &E) -> Result<(), DbError> {
        let payload = serde_json::to_value(event)?;
        let id = OutboxEventId::new(self.now);
        let subscribers = self.subscriptions.get().map(|all| all.of(E::NAME)).unwrap_or_default();
        jobs::insert_event(&mut self.transaction, id.uuid(), E::NAME, E::VERSION, &payload, self.actor.as_str(), subscribers, self.now).await?;
        self.left_work |= !subscribers.is_empty();
        self.outdated.extend(self.subscriptions.get().map(|all| all.outdated_by(E::NAME, &payload)).unwrap_or_default());
        Ok(())
    }

    /// Leaves work to be done once this commits, at `run_at` or at once. A second job of the same kind and `dedup_key` is not
    /// written while the first waits or runs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enqueue(&mut self, kind: &str, payload: &Value, dedup_key: Option<&str>, run_at: Option<Timestamp>) -> Result<(), DbError> {
        jobs::insert(&mut self.transaction, kind, payload, dedup_key, run_at.unwrap_or(self.now), self.now).await?;
        self.left_work = true;
        Ok(())
    }

    /// Puts a dead job back in the queue, as [`jobs::replay`] says.
    ///
    /// # Errors
    /// The database failed; or another job of its dedup key was written at the same moment, which breaks `job_dedup_unique`.
    pub async fn replay(&mut self, job: JobId) -> Result<bool, sqlx::Error> {
        let is_back = jobs::replay(&mut self.transaction, job.uuid(), self.now).await?;
        self.left_work |= is_back;
        Ok(is_back)
    }

    /// Writes down who did what to which record.
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit(&mut self, action: &str, subject: &str, detail: Value) -> Result<(), DbError> {
        let id: Uuid = AuditEntryId::new(self.now).uuid();
        sqlx::query!(
            "insert into ops.audit_entry (id, actor, action, subject, detail, occurred_at) values ($1, $2, $3, $4, $5, $6)",
            id,
            self.actor.as_str(),
            action,
            subject,
            detail,
            self.now
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Says that whatever is kept in memory and bears one of these tags is stale, once this commits. What an event makes stale is said with the
    /// event (`Service::outdates`).
    pub fn outdate(&mut self, tags: impl IntoIterator<Item = String>) {
        self.outdated.extend(tags);
    }

    /// Does something quick once this has committed, such as counting it: figures then never tell of what was taken back. A commit whose answer
    /// is lost is not counted.
    pub fn after_commit(&mut self, work: impl FnOnce() + Send + Sync + 'static) {
        self.after_commit.push(Box::new(work));
    }

    /// Makes everything true at once, wakes the workers if work was left for them, and tells what is stale now.
    ///
    /// # Errors
    /// The database failed; whether the commit happened is then unknown, so callers repeat idempotently.
    pub async fn commit(self) -> Result<(), DbError> {
        let outcome = self.transaction.commit().await;
        // Told in any case: where the answer was lost, it may have been committed.
        self.wake.tell_outdated(self.outdated);
        outcome?;
        if self.left_work {
            self.wake.wake();
        }
        for work in self.after_commit {
            work();
        }
        Ok(())
    }

    /// Takes everything back at once.
    ///
    /// # Errors
    /// The database failed; the server then rolls back by itself.
    pub async fn rollback(self) -> Result<(), DbError> {
        Ok(self.transaction.rollback().await?)
    }
}
