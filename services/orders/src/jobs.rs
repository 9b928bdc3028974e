//! What orders do in the background: writing down what they hear.

use db::Tx;
use orders_api::OrderId;
use payments_api::{CaptureFailed, PaymentCaptured, PaymentVoided};
use service::Failure;
use uuid::Uuid;

use crate::payment;
use crate::store::{self, Entry};

/// Writes a capture that succeeded into its order's timeline.
///
/// # Errors
/// The database failed; the job is tried again.
pub(crate) async fn note_capture(tx: &mut Tx, event: PaymentCaptured) -> Result<(), Failure> {
    note(tx, event.order_id, Entry::CaptureSucceeded(event.amount)).await
}

/// Writes a capture that came to nothing into its order's timeline.
///
/// # Errors
/// The database failed; the job is tried again.
pub(crate) async fn note_capture_failure(tx: &mut Tx, event: CaptureFailed) -> Result<(), Failure> {
    note(tx, event.order_id, Entry::CaptureFailed(event.amount, &event.code)).await
}

/// Writes into an order's timeline that its money was let go.
///
/// # Errors
/// The database failed; the job is tried again.
pub(crate) async fn note_void(tx: &mut Tx, event: PaymentVoided) -> Result<(), Failure> {
    note(tx, event.order_id, Entry::PaymentVoided).await
}

/// The order's version stays: nobody edited it.
async fn note(tx: &mut Tx, order_id: Uuid, entry: Entry<'_>) -> Result<(), Failure> {
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    let order = OrderId::from_uuid(order_id);
    // This locks the order. An entry written first would share the lock, and two pieces of news at once would wait for each other.
    payment::refresh(tx, order).await?;
    if !store::insert_entry(tx.conn(), order, entry, &actor, now).await? {
        tracing::warn!(%order_id, ?entry, "news of an order that is not there");
    }
    Ok(())
}
