//! Durable idempotency keys: the answer to a mutating request is kept in the transaction of its effect, so a repeat gets
//! the same answer and no second effect.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::Timestamp;
use sqlx::PgConnection;

use crate::Tx;

/// How long answers are kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// A client's key, and what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// `store` or `admin`.
    pub surface: String,
    /// Who may see the kept answer: a member of staff, or the holder of a secret.
    pub actor: String,
    /// Method and route template with its parameters filled in.
    pub route: String,
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the body.
    pub request_hash: Vec<u8>,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: i32,
    /// The body, byte by byte; nothing for 204.
    pub body: Option<Vec<u8>>,
    /// The version sent as `ETag`.
    pub version: Option<i64>,
}

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has used it: it is ours now, with a lease.
    Fresh,
    /// Its first use did not finish before its lease ended: it is ours to finish.
    TakenOver,
    /// Its first use goes on.
    Running,
    /// It was used: this was the answer.
    Done(KeptAnswer),
    /// It was used for another request.
    Mismatch,
}

/// Claims a key inside the transaction of the effect. A concurrent claim of the same key waits here until the first transaction ends, or
/// fails with a lock timeout.
///
/// # Errors
/// The database failed, or the wait for the first use took too long (lock timeout).
pub async fn claim(tx: &mut Tx, key: &IdempotencyKey, lease: Duration) -> Result<Claim, sqlx::Error> {
    let now = tx.now();
    // A century of lease is as good as the longest span there is, and stays within what a timestamp can hold.
    let lease_until = now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::days(36_525)).min(TimeDelta::days(36_525));
    loop {
        if insert(tx, key, lease_until).await? {
            return Ok(Claim::Fresh);
        }
        match find(tx.conn(), key, now).await? {
            // Released or swept between the two statements: nobody has it, so take it.
            Claim::Fresh => {}
            Claim::TakenOver if renew(tx, key, lease_until).await? => return Ok(Claim::TakenOver),
            // Another was faster: look again.
            Claim::TakenOver => {}
            other => return Ok(other),
        }
    }
}

/// Writes the key as running; false if somebody has it.
async fn insert(tx: &mut Tx, key: &IdempotencyKey, lease_until: Timestamp) -> Result<bool, sqlx::Error> {
    let now = tx.now();
    let inserted = sqlx::query!(
        "insert into ops.idempotency_key (surface, actor, route, key, request_hash, state, lease_until, created_at, expires_at)
         values ($1, $2, $3, $4, $5, 'running', $6, $7, $8) on conflict do nothing",
        key.surface,
        key.actor,
        key.route,
        key.key,
        key.request_hash,
        lease_until,
        now,
        now + KEPT
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Looks a key up without claiming it. [`Claim::Fresh`] when it is unknown, [`Claim::TakenOver`] when it could be taken over.
///
/// # Errors
/// The database failed.
pub async fn find(conn: &mut PgConnection, key: &IdempotencyKey, now: Timestamp) -> Result<Claim, sqlx::Error> {
    let row = sqlx::query!(
        "select request_hash, lease_until, status, body, version from ops.idempotency_key where surface = $1 and actor = $2 and route = $3 and key = $4",
        key.surface,
        key.actor,
        key.route,
        key.key
    )
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        None => Claim::Fresh,
        Some(row) if row.request_hash != key.request_hash => Claim::Mismatch,
        Some(row) => match row.status {
            Some(status) => Claim::Done(KeptAnswer { status, body: row.body, version: row.version }),
            None if row.lease_until < now => Claim::TakenOver,
            None => Claim::Running,
        },
    })
}

/// Takes a key over whose lease is over; false if somebody was faster.
async fn renew(tx: &mut Tx, key: &IdempotencyKey, lease_until: Timestamp) -> Result<bool, sqlx::Error> {
    let now = tx.now();
    let renewed = sqlx::query!(
        "update ops.idempotency_key set lease_until = $5 where surface = $1 and actor = $2 and route = $3 and key = $4 and state = 'running' and lease_until < $6",
        key.surface,
        key.actor,
        key.route,
        key.key,
        lease_until,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Keeps the answer, in the transaction that makes it true. An answer already kept stays.
///
/// # Errors
/// The database failed.
pub async fn keep(tx: &mut Tx, key: &IdempotencyKey, answer: &KeptAnswer) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update ops.idempotency_key set state = 'done', status = $5, body = $6, version = $7
         where surface = $1 and actor = $2 and route = $3 and key = $4 and state = 'running'",
        key.surface,
        key.actor,
        key.route,
        key.key,
        answer.status,
        answer.body,
        answer.version
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets a running key, so that the client may try again with it.
///
/// # Errors
/// The database failed.
pub async fn release(tx: &mut Tx, key: &IdempotencyKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from ops.idempotency_key where surface = $1 and actor = $2 and route = $3 and key = $4 and state = 'running'",
        key.surface,
        key.actor,
        key.route,
        key.key
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
