//! Settling: brings order, hold and cart in line with what is known of the payment, all in the caller's transaction.

use db::Tx;
use inventory::{HoldError, HoldLine, HoldUntil};
use orders_api::OrderAnswer;
use payments::Attempt;
use service::Failure;

use crate::domain::{self, CompletionState, Settlement};
use crate::store::{self, CompletionRow};

/// Does what the attempt's state asks for, once; a completion that has ended is left as it is. Returns the completion as it
/// stands then.
///
/// The row of `completion` must be locked by this transaction, or be new in it.
///
/// # Errors
/// The database failed, or one of the steps found something that cannot be: then nothing of this may be committed.
pub(crate) async fn settle(tx: &mut Tx, completion: CompletionRow, attempt: &Attempt) -> Result<CompletionRow, Failure> {
    if !completion.state.is_open() {
        return Ok(completion);
    }
    match domain::settlement(attempt.state) {
        Settlement::Nothing => Ok(completion),
        Settlement::Wait => wait(tx, completion).await,
        Settlement::Place => place(tx, completion).await,
        Settlement::Release => {
            let code = domain::failure_code(attempt.state, attempt.failure_code.clone());
            release(tx, completion, code).await
        }
    }
}

/// Keeps the stock for as long as shopper and provider take. A hold that ran out before the provider answered stays released; should the
/// money come, stock is taken anew.
async fn wait(tx: &mut Tx, completion: CompletionRow) -> Result<CompletionRow, Failure> {
    if completion.state == CompletionState::Waiting {
        return Ok(completion);
    }
    if !inventory::pin_hold(tx, completion.hold_id).await? {
        tracing::warn!(order_id = %completion.order_id, "the hold ran out before the provider answered");
    }
    end_in(tx, completion, CompletionState::Waiting, None).await
}

async fn place(tx: &mut Tx, completion: CompletionRow) -> Result<CompletionRow, Failure> {
    let Some(completion) = with_stock(tx, completion.clone()).await? else {
        payments::request_void(tx, completion.order_id.uuid()).await?;
        return release(tx, completion, "insufficient_stock".to_owned()).await;
    };
    must(orders::place(tx, completion.order_id, completion.hold_id).await?, "the order was not pending", &completion)?;
    must(cart::finish_completion(tx, completion.cart_id).await?, "the cart was not completing", &completion)?;
    domain::count(tx, "placed", completion.channel_kind);
    end_in(tx, completion, CompletionState::Placed, None).await
}

/// Commits the hold, or takes the stock anew where the hold is gone. Nothing when there is not enough any more.
async fn with_stock(tx: &mut Tx, completion: CompletionRow) -> Result<Option<CompletionRow>, Failure> {
    if inventory::commit_hold(tx, completion.hold_id).await? {
        return Ok(Some(completion));
    }
    let order = find_order(tx, &completion).await?;
    let lines: Vec<HoldLine> = order.lines.iter().map(|line| HoldLine { variant_id: line.variant_id, quantity: line.quantity }).collect();
    match inventory::hold(tx, completion.channel_id, &lines, HoldUntil::Committed).await {
        Ok(hold_id) => Ok(Some(CompletionRow { hold_id, ..completion })),
        Err(HoldError::Insufficient(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn release(tx: &mut Tx, completion: CompletionRow, code: String) -> Result<CompletionRow, Failure> {
    must(orders::cancel_pending(tx, completion.order_id, &code).await?, "the order was not pending", &completion)?;
    // False where it ran out by itself.
    inventory::release_hold(tx, completion.hold_id).await?;
    must(cart::reopen(tx, completion.cart_id).await?, "the cart was not completing", &completion)?;
    domain::count(tx, "failed", completion.channel_kind);
    end_in(tx, completion, CompletionState::Failed, Some(code)).await
}

async fn end_in(tx: &mut Tx, completion: CompletionRow, state: CompletionState, failure_code: Option<String>) -> Result<CompletionRow, Failure> {
    let now = tx.now();
    must(store::update_state(tx.conn(), completion.order_id, state, failure_code.as_deref(), now).await?, "it had ended", &completion)?;
    Ok(CompletionRow { state, failure_code, ..completion })
}

/// The completion's order, which was written with it.
///
/// # Errors
/// The database failed, or the order is not there.
pub(crate) async fn find_order(tx: &mut Tx, completion: &CompletionRow) -> Result<OrderAnswer, Failure> {
    let order = orders::find_order(tx.conn(), completion.order_id).await?;
    order.ok_or_else(|| anyhow::anyhow!("completion without its order {}", completion.order_id).into())
}

/// A completion, its order, its hold and its cart move together in one transaction; if one is not where it must be, something else has
/// written to it, and nothing is committed.
///
/// # Errors
/// It is not `done`.
pub(crate) fn must(done: bool, otherwise: &str, completion: &CompletionRow) -> Result<(), Failure> {
    if done { Ok(()) } else { Err(anyhow::anyhow!("completion of {}: {otherwise}", completion.order_id).into()) }
}
