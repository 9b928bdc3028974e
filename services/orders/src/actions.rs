//! What staff do to a sale: capture its money, cancel it, comment on it.
//!
//! Capture and cancel end at the provider, who is never called inside a transaction. Transaction one writes what is wanted and commits; the
//! provider is called; transaction two answers the order as it then is. A process that dies in between leaves the wish committed: a job of
//! `payments` carries it to the provider, and a repeat under the same key is answered without a second wish.

use std::time::Duration;

use db::idempotency::{self, Claim, IdempotencyKey};
use db::{Actor, Tx};
use kernel::{Money, Problem};
use orders_api::{CaptureOrder, OrderCanceled, OrderId, OrderState};
use payments::{Payments, VoidError};
use payments_api::{CaptureId, VoidId};
use serde_json::json;
use service::{Answer, BoxFuture, Context, Failure, claim_key, in_progress, key_reused};
use tokio::time::Instant;

use crate::domain::{CANCELED_BY_STAFF, OrderEvent, transition};
use crate::store::{self, Entry, LockedOrder};
use crate::{answer, count, payment};

/// How long a key is its request's own; longer than the slowest provider.
const KEY_LEASE: Duration = Duration::from_secs(60);
/// How long a repeat waits for the first request with its key.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why staff could not do something to an order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    /// There is no such order.
    #[error("no such order")]
    NotFound,
    /// It changed since it was read.
    #[error("order is at version {0}")]
    Stale(i64),
    /// It is not a sale now.
    #[error("order is {0:?}")]
    NotPlaced(OrderState),
    /// The amount is nothing, or less.
    #[error("amount is not above zero")]
    AmountNotPositive,
    /// The amount counts something else than the order does.
    #[error("amount is not in the order's currency")]
    AmountCurrency,
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        let problem = match error {
            ActionError::NotFound => Problem::not_found("order"),
            ActionError::Stale(version) => Problem::stale(version),
            ActionError::NotPlaced(state) => Problem::new(409, "order_not_placed", "The order is not a sale").context(json!({ "state": state })),
            ActionError::AmountNotPositive => Problem::invalid_body().field("/amount/amount", "invalid", "must be above zero"),
            ActionError::AmountCurrency => Problem::invalid_body().field("/amount/currency", "invalid", "must be the order's currency"),
        };
        problem.into()
    }
}

/// What a transaction wants of the provider once it is committed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    /// Take this money.
    Capture(CaptureId),
    /// Let this money go.
    Void(VoidId),
    /// Nothing.
    Nothing,
}

/// A request of staff that ends at the provider.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) actor: Actor,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) order: OrderId,
    /// The version it was made on.
    pub(crate) version: i64,
}

/// Writes a wish, tells the provider, and answers the order as it then is. Call it detached from the client.
///
/// # Errors
/// What `write` refuses (nothing is written then, and the key may be used again); 422 `idempotency_key_reused`; 409 `in_progress`.
pub(crate) async fn perform<F>(context: Context, payments: Payments, request: Request, write: F) -> Result<Answer, Failure>
where
    F: for<'a> FnOnce(&'a mut Tx, OrderId, i64) -> BoxFuture<'a, Result<Wish, Failure>> + Send + 'static,
{
    let mut tx = match claim(&context, &request).await? {
        Claimed::Fresh(tx) => tx,
        Claimed::Answered(answer) => return Ok(answer),
        // The wish is committed; only its answer is missing.
        Claimed::Unanswered(tx) => return answer_kept(tx, &request).await,
    };
    let wish = write(&mut tx, request.order, request.version).await?;
    tx.commit().await?;
    carry_out(&payments, wish).await?;
    let tx = context.db().begin(request.actor.clone()).await?;
    answer_kept(tx, &request).await
}

/// Tells the provider. One that does not answer is no failure: what was wanted is then `unknown` and settles by itself.
async fn carry_out(payments: &Payments, wish: Wish) -> Result<(), Failure> {
    match wish {
        Wish::Capture(capture) => {
            payments.capture(capture).await?;
        }
        Wish::Void(void) => {
            payments.void(void).await?;
        }
        Wish::Nothing => {}
    }
    Ok(())
}

/// How a request stands once its key is claimed.
enum Claimed {
    /// It is new; transaction one is open.
    Fresh(Tx),
    /// Its wish is committed, its answer is not.
    Unanswered(Tx),
    /// It was answered.
    Answered(Answer),
}

/// Opens transaction one and claims the key in it. Waits for a running request with the same key.
async fn claim(context: &Context, request: &Request) -> Result<Claimed, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut tx = context.db().begin(request.actor.clone()).await?;
        let Some(key) = &request.key else { return Ok(Claimed::Fresh(tx)) };
        match claim_key(&mut tx, key, KEY_LEASE).await? {
            Claim::Fresh => return Ok(Claimed::Fresh(tx)),
            Claim::TakenOver => return Ok(Claimed::Unanswered(tx)),
            Claim::Done(kept) => return Ok(Claimed::Answered(Answer::replayed(kept))),
            Claim::Mismatch => return Err(key_reused().into()),
            Claim::Running if Instant::now() >= deadline => return Err(in_progress().into()),
            Claim::Running => {
                tx.rollback().await?;
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// Notes how the order stands in money now, answers it as it is, and keeps the answer for the request's key.
async fn answer_kept(mut tx: Tx, request: &Request) -> Result<Answer, Failure> {
    payment::refresh(&mut tx, request.order).await?;
    let answer = answer_order(&mut tx, request.order).await?;
    if let Some(key) = &request.key {
        idempotency::keep(&mut tx, key, &answer.to_kept()).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

/// The order as staff see it, with its version.
///
/// # Errors
/// 404 when there is none; the database failed.
pub(crate) async fn answer_order(tx: &mut Tx, id: OrderId) -> Result<Answer, Failure> {
    let row = store::find_order(tx.conn(), id).await?.ok_or(ActionError::NotFound)?;
    let order = answer::admin_order(tx.conn(), row).await?;
    Ok(Answer::ok(&order)?.version(order.version))
}

/// Writes down that money is wanted of a sale. Never more than is held and not yet asked for: `payments` sees to it, with the
/// order's row locked here.
///
/// # Errors
/// See [`ActionError`]; what `payments` refuses.
pub(crate) async fn write_capture(tx: &mut Tx, id: OrderId, version: i64, wanted: &CaptureOrder) -> Result<Wish, Failure> {
    let order = lock(tx, id, version).await?;
    require_placed(&order)?;
    wanted.amount.map_or(Ok(()), |amount| check_amount(amount, &order))?;
    let capture = payments::request_capture(tx, id.uuid(), wanted.amount).await?;
    note(tx, id, Entry::CaptureRequested(wanted.amount)).await?;
    tx.audit("order.capture_requested", &id.to_string(), json!({ "capture_id": capture, "amount": wanted.amount })).await?;
    Ok(Wish::Capture(capture))
}

/// Takes a sale back of which nothing is captured: its stock is for sale again, its money is to be let go, its ledger entries are reversed.
///
/// # Errors
/// See [`ActionError`]; what `payments` refuses.
pub(crate) async fn write_cancel(tx: &mut Tx, id: OrderId, version: i64, reason: Option<&str>) -> Result<Wish, Failure> {
    let order = lock(tx, id, version).await?;
    if transition(order.state, OrderEvent::Cancel).is_none() {
        return Err(ActionError::NotPlaced(order.state).into());
    }
    let wish = let_go(tx, id).await?;
    let now = tx.now();
    let Some(kind) = store::cancel(tx.conn(), id, OrderEvent::Cancel, CANCELED_BY_STAFF, now).await? else {
        return Err(ActionError::NotPlaced(order.state).into());
    };
    if !inventory::release_hold(tx, order.hold_id).await? {
        tracing::warn!(order_id = %id, hold_id = %order.hold_id, "the stock of a canceled order was released before");
    }
    payments::ledger::reverse_sale(tx, id.uuid()).await?;
    insert_entry(tx, id, Entry::Canceled(reason.unwrap_or(CANCELED_BY_STAFF))).await?;
    tx.publish(&OrderCanceled { order_id: id, channel_kind: kind, reason: CANCELED_BY_STAFF.to_owned() }).await?;
    tx.audit("order.canceled", &id.to_string(), json!({ "reason": reason })).await?;
    count(tx, "canceled", kind);
    Ok(wish)
}

/// Asks that the order's money be let go; where none is held any more, there is nothing to ask.
async fn let_go(tx: &mut Tx, id: OrderId) -> Result<Wish, Failure> {
    match payments::request_void(tx, id.uuid()).await {
        Ok(void) => Ok(Wish::Void(void)),
        Err(VoidError::NothingAuthorized) => Ok(Wish::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Adds a comment to the timeline of an order in any state.
///
/// # Errors
/// See [`ActionError`].
pub(crate) async fn comment(tx: &mut Tx, id: OrderId, version: i64, text: &str) -> Result<(), Failure> {
    lock(tx, id, version).await?;
    note(tx, id, Entry::Comment(text)).await?;
    tx.audit("order.commented", &id.to_string(), json!({})).await?;
    Ok(())
}

async fn lock(tx: &mut Tx, id: OrderId, version: i64) -> Result<LockedOrder, Failure> {
    let order = store::lock_order(tx.conn(), id).await?.ok_or(ActionError::NotFound)?;
    if order.version == version { Ok(order) } else { Err(ActionError::Stale(order.version).into()) }
}

fn require_placed(order: &LockedOrder) -> Result<(), ActionError> {
    if order.state == OrderState::Placed { Ok(()) } else { Err(ActionError::NotPlaced(order.state)) }
}

fn check_amount(amount: Money, order: &LockedOrder) -> Result<(), ActionError> {
    if amount.currency() != order.currency {
        return Err(ActionError::AmountCurrency);
    }
    if amount.amount_minor() <= 0 { Err(ActionError::AmountNotPositive) } else { Ok(()) }
}

/// Adds an entry that makes a new version of the order, which its row does not show otherwise.
async fn note(tx: &mut Tx, id: OrderId, entry: Entry<'_>) -> Result<(), sqlx::Error> {
    store::bump_version(tx.conn(), id).await?;
    insert_entry(tx, id, entry).await
}

async fn insert_entry(tx: &mut Tx, id: OrderId, entry: Entry<'_>) -> Result<(), sqlx::Error> {
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    store::insert_entry(tx.conn(), id, entry, &actor, now).await?;
    Ok(())
}
