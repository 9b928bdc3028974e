//! What a completion is answered, and to which keys.

use checkout_api::{Completion, CompletionStatus};
use db::{Tx, idempotency};
use http::StatusCode;
use orders_api::OrderAnswer;
use payments::Attempt;
use payments_api::AttemptState;
use service::{Answer, Failure, in_progress};

use crate::domain::{self, CompletionState};
use crate::settle::find_order;
use crate::store::{self, CompletionRow};

/// The answer of a completion as it stands, which is also kept for every key that waits for it. Part of the caller's transaction.
///
/// # Errors
/// 409 `in_progress` while the provider has not been heard; the database failed.
pub(crate) async fn give(tx: &mut Tx, completion: &CompletionRow, attempt: &Attempt) -> Result<Answer, Failure> {
    let answer = answer(tx, completion, attempt).await?;
    for key in store::take_keys(tx.conn(), completion.order_id).await? {
        idempotency::keep(tx, &key, &answer.to_kept()).await?;
    }
    Ok(answer)
}

/// The answer of a completion that has become this order.
///
/// # Errors
/// It cannot be written as JSON.
pub(crate) fn placed(order: OrderAnswer) -> Result<Answer, Failure> {
    Answer::ok(&Completion { status: CompletionStatus::Placed, order, next_action: None })
}

async fn answer(tx: &mut Tx, completion: &CompletionRow, attempt: &Attempt) -> Result<Answer, Failure> {
    let status = match completion.state {
        CompletionState::Started => return Err(in_progress().into()),
        CompletionState::Failed => return failed(completion),
        CompletionState::Placed => return placed(find_order(tx, completion).await?),
        CompletionState::Waiting if attempt.state == AttemptState::RequiresAction => CompletionStatus::RequiresAction,
        CompletionState::Waiting => CompletionStatus::Processing,
    };
    let order = find_order(tx, completion).await?;
    let next_action = attempt.next_action.clone().filter(|_| status == CompletionStatus::RequiresAction);
    Answer::json(StatusCode::ACCEPTED, &Completion { status, order, next_action })
}

fn failed(completion: &CompletionRow) -> Result<Answer, Failure> {
    let problem = domain::failure(completion.failure_code.as_deref().unwrap_or_default());
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::PAYMENT_REQUIRED);
    Answer::json(status, &problem)
}
