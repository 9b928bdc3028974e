//! Voids: an authorization let go.

use db::{DbError, Tx};
use kernel::Problem;
use payments_api::{AttemptId, AttemptState, PaymentVoided, VoidId, VoidState};
use serde_json::json;
use service::Failure;
use uuid::Uuid;

use crate::attempts::Attempt;
use crate::domain::{SettlementEvent, VOID_TRANSITIONS, step};
use crate::provider::{SettlementOutcome, manual};
use crate::store::{attempts, voids as store};

/// The job that lets money go at the provider.
pub(crate) const JOB: &str = "payments.settle_void";

/// Why money is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody asked for it.
    Requested,
    /// The authorization came after its attempt had ended.
    LateAuthorization,
    /// The authorization was for another amount.
    AmountMismatch,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::LateAuthorization => "late_authorization",
            Self::AmountMismatch => "amount_mismatch",
        }
    }
}

/// Why an order's money cannot be let go.
#[derive(Debug, thiserror::Error)]
pub enum VoidError {
    /// No money is held for the order, or it is being let go already.
    #[error("nothing is held")]
    NothingAuthorized,
    /// Money was taken, or is being taken: it has to be refunded.
    #[error("money is captured")]
    Captured,
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The database failed while work was left for later.
    #[error("database failed")]
    Db(#[from] DbError),
}

impl From<VoidError> for Failure {
    fn from(error: VoidError) -> Self {
        match error {
            VoidError::NothingAuthorized => Problem::new(409, "nothing_to_void", "No money is held for this order").into(),
            VoidError::Captured => Problem::new(409, "already_captured", "Money was captured for this order").detail("Refund it instead.").into(),
            VoidError::Database(error) => error.into(),
            VoidError::Db(error) => error.into(),
        }
    }
}

/// Asks that the order's authorization be let go. Part of the caller's transaction; a worker calls the provider once it commits. From
/// now on nothing can be captured.
///
/// # Errors
/// See [`VoidError`]. Nothing is written then.
pub async fn request_void(tx: &mut Tx, order_id: Uuid) -> Result<VoidId, VoidError> {
    let attempt = attempts::lock_authorized(tx.conn(), order_id).await?.filter(|attempt| !attempt.is_let_go).ok_or(VoidError::NothingAuthorized)?;
    let now = tx.now();
    if !attempts::begin_void(tx.conn(), attempt.id, now).await? {
        return Err(VoidError::Captured);
    }
    let id = insert_void(tx, &attempt, Reason::Requested).await?.ok_or(VoidError::NothingAuthorized)?;
    if attempt.provider == manual::CODE {
        record_void(tx, id, &SettlementOutcome::Succeeded).await?;
    }
    Ok(id)
}

/// Writes a void and leaves the call to a worker; nothing when the attempt has one that has not failed.
pub(crate) async fn insert_void(tx: &mut Tx, attempt: &Attempt, reason: Reason) -> Result<Option<VoidId>, DbError> {
    let now = tx.now();
    let id = VoidId::new(now);
    let actor = tx.actor().as_str().to_owned();
    if !store::insert(tx.conn(), id, attempt.id, reason.as_str(), &actor, now).await? {
        return Ok(None);
    }
    if attempt.provider != manual::CODE {
        tx.enqueue(JOB, &json!({ "void_id": id }), Some(&id.to_string()), None).await?;
    }
    Ok(Some(id))
}

/// Records what the provider said of a void, once; returns how it stands.
pub(crate) async fn record_void(tx: &mut Tx, id: VoidId, outcome: &SettlementOutcome) -> Result<VoidState, VoidError> {
    let void = store::find(tx.conn(), id).await?.ok_or(sqlx::Error::RowNotFound)?;
    // The attempt's row first: every writer of voids and captures meets there.
    let attempt = attempts::lock(tx.conn(), void.attempt_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let (event, failure_code) = match outcome {
        SettlementOutcome::Succeeded => (SettlementEvent::Succeed, None),
        SettlementOutcome::Failed { code } => (SettlementEvent::Fail, Some(code.as_str())),
        SettlementOutcome::Unknown => (SettlementEvent::LoseTrack, None),
        SettlementOutcome::Unheard => return Ok(void.state),
    };
    let void = store::find(tx.conn(), id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let Some(to) = step(VOID_TRANSITIONS, void.state, event) else { return Ok(void.state) };
    let now = tx.now();
    if !store::update_state(tx.conn(), id, void.state, to, failure_code, now).await? {
        return Ok(void.state);
    }
    match to {
        VoidState::Succeeded => tx.publish(&PaymentVoided { void_id: id, attempt_id: attempt.id, order_id: attempt.order_id }).await?,
        VoidState::Failed => take_back(tx, &attempt, id).await?,
        VoidState::Requested | VoidState::Unknown => {}
    }
    Ok(to)
}

/// The provider keeps holding the money: an authorized attempt can be captured again, any other wants a person.
async fn take_back(tx: &mut Tx, attempt: &Attempt, id: VoidId) -> Result<(), sqlx::Error> {
    let now = tx.now();
    if attempt.state == AttemptState::Authorized {
        return attempts::undo_void(tx.conn(), attempt.id, now).await;
    }
    let attempt: AttemptId = attempt.id;
    tracing::error!(%attempt, void = %id, "the provider does not let go of money that came too late");
    Ok(())
}
