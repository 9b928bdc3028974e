//! Captures: money taken from an authorized attempt.

use chrono::TimeDelta;
use db::{DbError, Tx};
use kernel::{Money, Problem};
use payments_api::{CaptureFailed, CaptureId, CaptureState, PaymentCaptured};
use serde_json::json;
use service::Failure;
use uuid::Uuid;

use crate::domain::{Authorization, CAPTURE_TRANSITIONS, SettlementEvent, step};
use crate::ledger;
use crate::provider::{SettlementOutcome, manual};
use crate::store::{attempts, captures as store};

/// The job that finishes a capture whose request crashed before it called the provider.
pub(crate) const JOB: &str = "payments.settle_capture";
/// The one who asked calls the provider itself right after its commit; the job is for when it cannot.
const JOB_DELAY: TimeDelta = TimeDelta::seconds(10);

/// Why money cannot be captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No money is held for the order, or it is let go.
    #[error("nothing is held")]
    NothingAuthorized,
    /// Not so much is held and free.
    #[error("only {available} can be captured")]
    Exceeds {
        /// What can be captured.
        available: Money,
    },
    /// The amount is not above zero, or in another currency.
    #[error("the amount is not above zero in the currency of the payment")]
    Amount,
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The database failed while an event or work was left for later.
    #[error("database failed")]
    Db(#[from] DbError),
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::NothingAuthorized => Problem::new(409, "nothing_to_capture", "No money is held for this order").into(),
            CaptureError::Exceeds { available } => Problem::new(409, "capture_exceeds_authorized", "Not so much can be captured")
                .detail(format!("{available} can be captured."))
                .context(json!({ "available": available }))
                .into(),
            error @ CaptureError::Amount => Problem::invalid_body().field("/amount", "invalid", error.to_string()).into(),
            CaptureError::Database(error) => error.into(),
            CaptureError::Db(error) => error.into(),
        }
    }
}

/// Asks that `amount`, or all that is left, be taken from the order's authorization. Part of the caller's transaction; call
/// [`Payments::capture`](crate::Payments::capture) once it is committed. A bank transfer is captured here and now.
///
/// # Errors
/// See [`CaptureError`]. Nothing is written then.
pub async fn request_capture(tx: &mut Tx, order_id: Uuid, amount: Option<Money>) -> Result<CaptureId, CaptureError> {
    let attempt = attempts::lock_authorized(tx.conn(), order_id).await?.filter(|attempt| !attempt.is_let_go).ok_or(CaptureError::NothingAuthorized)?;
    let currency = attempt.amount.currency();
    if amount.is_some_and(|amount| amount.currency() != currency || amount.amount_minor() <= 0) {
        return Err(CaptureError::Amount);
    }
    let authorization = Authorization {
        amount_minor: attempt.amount.amount_minor(),
        captured_minor: attempt.captured.amount_minor(),
        capturing_minor: attempt.capturing.amount_minor(),
    };
    let exceeds = CaptureError::Exceeds { available: Money::new(authorization.rest_minor(), currency) };
    let Some(takes) = authorization.takes(amount.map(Money::amount_minor)) else { return Err(exceeds) };
    let now = tx.now();
    if !attempts::begin_capture(tx.conn(), attempt.id, takes, now).await? {
        return Err(exceeds);
    }
    let id = CaptureId::new(now);
    let actor = tx.actor().as_str().to_owned();
    store::insert(tx.conn(), id, attempt.id, Money::new(takes, currency), &actor, now).await?;
    if attempt.provider == manual::CODE {
        record_capture(tx, id, &SettlementOutcome::Succeeded).await?;
    } else {
        tx.enqueue(JOB, &json!({ "capture_id": id }), Some(&id.to_string()), Some(now + JOB_DELAY)).await?;
    }
    Ok(id)
}

/// Records what the provider said of a capture, once, with its place in the ledger; returns how it stands.
pub(crate) async fn record_capture(tx: &mut Tx, id: CaptureId, outcome: &SettlementOutcome) -> Result<CaptureState, CaptureError> {
    let capture = store::find(tx.conn(), id).await?.ok_or(sqlx::Error::RowNotFound)?;
    // The attempt's row first: every writer of captures and voids meets there.
    let attempt = attempts::lock(tx.conn(), capture.attempt_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let (event, failure_code) = match outcome {
        SettlementOutcome::Succeeded => (SettlementEvent::Succeed, None),
        SettlementOutcome::Failed { code } => (SettlementEvent::Fail, Some(code.as_str())),
        SettlementOutcome::Unknown => (SettlementEvent::LoseTrack, None),
        SettlementOutcome::Unheard => return Ok(capture.state),
    };
    let capture = store::find(tx.conn(), id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let Some(to) = step(CAPTURE_TRANSITIONS, capture.state, event) else { return Ok(capture.state) };
    let now = tx.now();
    if !store::update_state(tx.conn(), id, capture.state, to, failure_code, now).await? {
        return Ok(capture.state);
    }
    let is_over = matches!(to, CaptureState::Succeeded | CaptureState::Failed);
    if is_over {
        attempts::end_capture(tx.conn(), attempt.id, capture.amount.amount_minor(), to == CaptureState::Succeeded, now).await?;
    }
    let (attempt_id, order_id, amount) = (attempt.id, attempt.order_id, capture.amount);
    if to == CaptureState::Succeeded {
        ledger::record_capture(tx, &attempt, &capture).await?;
        tx.publish(&PaymentCaptured { capture_id: id, attempt_id, order_id, amount }).await?;
    }
    if let (CaptureState::Failed, SettlementOutcome::Failed { code }) = (to, outcome) {
        tx.publish(&CaptureFailed { capture_id: id, attempt_id, order_id, amount, code: code.clone() }).await?;
    }
    Ok(to)
}
