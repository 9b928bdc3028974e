//! Completing a cart, from the shopper's request to the answer.

use std::collections::HashMap;

use cart::LockedCart;
use cart_api::{CartAnswer, CartId, CartState};
use checkout_api::CompleteCart;
use db::idempotency::{self, Claim, IdempotencyKey};
use db::{Actor, Tx};
use inventory::{HoldError, HoldLine, HoldUntil, Shortage};
use kernel::{Problem, TokenHash};
use orders::{NewOrder, NewOrderLine};
use orders_api::{OrderId, OrderTotals};
use payments::{Attempt, NewAttempt, Outcome, Payments};
use payments_api::AttemptState;
use service::{Answer, Context, Failure, claim_key, in_progress, key_reused};
use tokio::time::Instant;

use crate::domain::{self, CompletionState, HOLD_LIFE, KEY_LEASE, LOOK_EVERY, PATIENCE};
use crate::faults::{FaultPoint, reach};
use crate::settle::settle;
use crate::store::{self, CompletionRow};
use crate::{answer, domain::check};

/// Everything a completion needs to know.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) actor: Actor,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) cart_id: CartId,
    pub(crate) secret: TokenHash,
    pub(crate) body: CompleteCart,
}

/// How a completion began.
enum Begun {
    /// It is over already.
    Answered(Answer),
    /// The intent is committed and ours to carry on.
    Ours(OrderId),
    /// Another request carries it on.
    Theirs(OrderId),
    /// Another request holds the key, and has not committed what it is about.
    Unknown,
}

/// Turns a cart into an order and pays it. Call it detached from the client: every step that was begun is ended.
///
/// # Errors
/// What the shopper has to mend (nothing is written then), or a failure of ours; the same key may be sent again after either.
pub(crate) async fn complete(context: Context, payments: Payments, request: Request) -> Result<Answer, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match begin(&context, &payments, &request).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Ours(order) => return carry_on(&context, &payments, &request, order).await,
            Begun::Theirs(order) => return wait_for(&context, &request.actor, request.key.as_ref(), order, deadline).await,
            Begun::Unknown if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
            Begun::Unknown => return Err(in_progress().into()),
        }
    }
}

/// Asks how the newest payment of a cart stands, and goes on from there.
///
/// # Errors
/// 404 when the cart never was completed; 409 `in_progress` when the request that completes it takes too long.
pub(crate) async fn resume(context: Context, payments: Payments, actor: Actor, cart_id: CartId, secret: TokenHash) -> Result<Answer, Failure> {
    let mut tx = context.db().begin(actor.clone()).await?;
    cart::lock(&mut tx, cart_id, &secret).await?.ok_or_else(|| Problem::not_found("cart"))?;
    let completion = store::find_latest_of_cart(tx.conn(), cart_id).await?.ok_or_else(|| Problem::not_found("completion"))?;
    tx.rollback().await?;
    if completion.state == CompletionState::Started {
        return wait_for(&context, &actor, None, completion.order_id, Instant::now() + PATIENCE).await;
    }
    let outcome = match find_attempt(&context, &completion).await? {
        attempt if completion.state.is_open() && !is_over(attempt.state) => Some(payments.look_up(&attempt).await),
        _ => None,
    };
    reach(FaultPoint::ResumeAnswered);
    finish(&context, &actor, None, completion.order_id, outcome).await
}

async fn begin(context: &Context, payments: &Payments, request: &Request) -> Result<Begun, Failure> {
    let mut tx = context.db().begin(request.actor.clone()).await?;
    if let Some(key) = &request.key {
        match claim_key(&mut tx, key, KEY_LEASE).await? {
            Claim::Done(kept) => return Ok(Begun::Answered(Answer::replayed(kept))),
            Claim::Mismatch => return Err(key_reused().into()),
            Claim::Running => return Ok(store::find_by_key(tx.conn(), key).await?.map_or(Begun::Unknown, |completion| Begun::Theirs(completion.order_id))),
            Claim::TakenOver => {
                if let Some(completion) = store::find_by_key(tx.conn(), key).await? {
                    tx.commit().await?;
                    return Ok(Begun::Ours(completion.order_id));
                }
            }
            Claim::Fresh => {}
        }
    }
    let cart = cart::lock(&mut tx, request.cart_id, &request.secret).await?.ok_or_else(|| Problem::not_found("cart"))?;
    match cart.state {
        CartState::Active => begin_anew(tx, payments, request, cart).await,
        CartState::Completing => join(tx, request).await,
        state => Err(closed(&mut tx, &cart, state).await?.into()),
    }
}

/// Waits for the completion another request has begun; a key of ours gets the same answer as its own.
async fn join(mut tx: Tx, request: &Request) -> Result<Begun, Failure> {
    let completion = store::find_latest_of_cart(tx.conn(), request.cart_id).await?.filter(|completion| completion.state.is_open());
    let completion = completion.ok_or_else(|| anyhow::anyhow!("cart {} is completing without a completion", request.cart_id))?;
    if let Some(key) = &request.key {
        store::insert_key(tx.conn(), key, completion.order_id).await?;
    }
    tx.commit().await?;
    Ok(Begun::Theirs(completion.order_id))
}

async fn closed(tx: &mut Tx, cart: &LockedCart, state: CartState) -> Result<Problem, Failure> {
    let problem = domain::closed(state);
    let completion = store::find_latest_of_cart(tx.conn(), cart.id).await?;
    Ok(match completion {
        Some(completion) if state == CartState::Completed => problem.context(serde_json::json!({ "order_id": completion.order_id })),
        _ => problem,
    })
}

/// Transaction one: checks the cart, prices it, takes the hold, writes the order `pending` and the attempt `created`. A payment that
/// needs no outside call is settled in the same transaction.
async fn begin_anew(mut tx: Tx, payments: &Payments, request: &Request, cart: LockedCart) -> Result<Begun, Failure> {
    payments.check_choice(cart.channel.kind, &request.body.payment)?;
    let priced = cart::price(tx.conn(), &cart).await?;
    check(&priced, &request.body, &cart.channel.countries)?;
    let immediate = payments.is_immediate(&request.body.payment.provider);
    let (completion, attempt) = write_intent(&mut tx, request, &cart, &priced, immediate).await?;
    if let Some(key) = &request.key {
        store::insert_key(tx.conn(), key, completion.order_id).await?;
    }
    if immediate {
        let outcome = payments.authorize(&attempt).await;
        let answer = record(&mut tx, completion, &outcome).await?;
        reach(FaultPoint::ImmediateWritten);
        tx.commit().await?;
        reach(FaultPoint::ImmediateCommitted);
        return Ok(Begun::Answered(answer));
    }
    reach(FaultPoint::IntentWritten);
    tx.commit().await?;
    reach(FaultPoint::IntentCommitted);
    Ok(Begun::Ours(completion.order_id))
}

async fn write_intent(tx: &mut Tx, request: &Request, cart: &LockedCart, priced: &CartAnswer, immediate: bool) -> Result<(CompletionRow, Attempt), Failure> {
    let now = tx.now();
    let order_id = OrderId::new(now);
    let until = if immediate { HoldUntil::Committed } else { HoldUntil::Expires(now + HOLD_LIFE) };
    let lines: Vec<HoldLine> = priced.lines.iter().map(|line| HoldLine { variant_id: line.variant_id, quantity: line.quantity }).collect();
    let hold_id = inventory::hold(tx, cart.channel.id, &lines, until).await.map_err(|error| refused(error, priced))?;
    orders::insert_pending(tx, new_order(order_id, request, cart, priced, hold_id)).await?;
    let attempt = NewAttempt {
        order_id: order_id.uuid(),
        channel_kind: cart.channel.kind,
        amount: priced.totals.total,
        choice: request.body.payment.clone(),
        return_url: request.body.return_url.clone(),
    };
    let attempt = payments::insert_attempt(tx, attempt).await?;
    let completion = CompletionRow {
        order_id,
        cart_id: cart.id,
        channel_id: cart.channel.id,
        channel_kind: cart.channel.kind,
        attempt_id: attempt.id,
        hold_id,
        state: CompletionState::Started,
        failure_code: None,
    };
    store::insert_completion(tx.conn(), &completion, now).await?;
    if !cart::begin_completion(tx, cart.id, now + HOLD_LIFE).await? {
        return Err(anyhow::anyhow!("cart {} was locked and active, and could not be claimed", cart.id).into());
    }
    Ok((completion, attempt))
}

fn new_order(id: OrderId, request: &Request, cart: &LockedCart, priced: &CartAnswer, hold_id: inventory_api::HoldId) -> NewOrder {
    let body = &request.body;
    let lines = priced.lines.iter().map(|line| NewOrderLine {
        product_id: line.product_id,
        variant_id: line.variant_id,
        product_slug: line.product_slug.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        options: line.options.clone(),
        image: line.image.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        total: line.total,
    });
    NewOrder {
        id,
        channel: cart.channel.clone(),
        cart_id: cart.id.uuid(),
        token_hash: request.secret,
        email: body.email.clone(),
        shipping_address: body.shipping_address.clone(),
        billing_address: body.billing_address.clone().unwrap_or_else(|| body.shipping_address.clone()),
        lines: lines.collect(),
        delivery_name: priced.delivery.name.clone(),
        totals: OrderTotals {
            item_count: priced.totals.item_count,
            subtotal: priced.totals.subtotal,
            delivery: priced.totals.delivery,
            total: priced.totals.total,
        },
        payment_provider: body.payment.provider.clone(),
        hold_id,
    }
}

/// Tells every line of which there is not enough.
fn refused(error: HoldError, priced: &CartAnswer) -> Failure {
    let HoldError::Insufficient(shortages) = error else { return error.into() };
    let short: HashMap<_, _> = shortages.iter().map(|shortage: &Shortage| (shortage.variant_id, shortage.available)).collect();
    let lines = priced.lines.iter().filter_map(|line| Some((line, *short.get(&line.variant_id)?)));
    let lines: Vec<_> = lines
        .map(|(line, available)| serde_json::json!({ "line_id": line.id, "variant_id": line.variant_id, "title": line.title, "available": available }))
        .collect();
    Problem::new(409, "insufficient_stock", "Not enough in stock")
        .detail("There are fewer than the cart asks for.")
        .context(serde_json::json!({ "lines": lines }))
        .into()
}

/// Calls the provider for an intent that is committed, then settles. May be repeated: the provider knows the attempt by its key.
async fn carry_on(context: &Context, payments: &Payments, request: &Request, order: OrderId) -> Result<Answer, Failure> {
    let completion = find(context, order).await?;
    let attempt = find_attempt(context, &completion).await?;
    let outcome = match attempt.state {
        AttemptState::Created => Some(payments.authorize(&attempt).await),
        state if is_over(state) => None,
        _ => Some(payments.look_up(&attempt).await),
    };
    reach(FaultPoint::ProviderAnswered);
    finish(context, &request.actor, request.key.as_ref(), order, outcome).await
}

/// Transaction two: records what the provider said, settles, and keeps the answer for every key that waits. Gives the answer of `key`, which
/// may be an older one: it could be kept while this waited, and the payment has moved on since.
async fn finish(context: &Context, actor: &Actor, key: Option<&IdempotencyKey>, order: OrderId, outcome: Option<Outcome>) -> Result<Answer, Failure> {
    let mut tx = context.db().begin(actor.clone()).await?;
    let completion = store::lock(tx.conn(), order).await?.ok_or_else(|| anyhow::anyhow!("no completion of {order}"))?;
    let kept = match key.filter(|_| completion.state != CompletionState::Started) {
        Some(key) => find_kept(&mut tx, key).await?,
        None => None,
    };
    let answer = match outcome.filter(|_| completion.state.is_open()) {
        Some(outcome) => record(&mut tx, completion, &outcome).await?,
        None => {
            let attempt = payments::find_attempt(tx.conn(), completion.attempt_id).await?;
            let attempt = attempt.ok_or_else(|| anyhow::anyhow!("no attempt {}", completion.attempt_id))?;
            let completion = settle(&mut tx, completion, &attempt).await?;
            answer::give(&mut tx, &completion, &attempt).await?
        }
    };
    reach(FaultPoint::OutcomeWritten);
    tx.commit().await?;
    reach(FaultPoint::OutcomeCommitted);
    Ok(kept.unwrap_or(answer))
}

/// The answer that is kept for a key. Nobody has one before the provider was heard.
async fn find_kept(tx: &mut Tx, key: &IdempotencyKey) -> Result<Option<Answer>, Failure> {
    let now = tx.now();
    Ok(match idempotency::find(tx.conn(), key, now).await? {
        Claim::Done(kept) => Some(Answer::replayed(kept)),
        _ => None,
    })
}

async fn record(tx: &mut Tx, completion: CompletionRow, outcome: &Outcome) -> Result<Answer, Failure> {
    let attempt = payments::record(tx, completion.attempt_id, outcome).await?.attempt;
    let completion = settle(tx, completion, &attempt).await?;
    answer::give(tx, &completion, &attempt).await
}

/// Waits until another request, or a worker, has heard from the provider, and gives its answer.
async fn wait_for(context: &Context, actor: &Actor, key: Option<&IdempotencyKey>, order: OrderId, deadline: Instant) -> Result<Answer, Failure> {
    while find(context, order).await?.state == CompletionState::Started {
        if Instant::now() >= deadline {
            return Err(in_progress().into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    finish(context, actor, key, order, None).await
}

const fn is_over(state: AttemptState) -> bool {
    !matches!(state, AttemptState::Created | AttemptState::RequiresAction | AttemptState::Processing)
}

async fn find(context: &Context, order: OrderId) -> Result<CompletionRow, Failure> {
    let mut conn = context.db().read_latest().await?;
    let completion = store::find(&mut conn, order).await?;
    completion.ok_or_else(|| anyhow::anyhow!("no completion of {order}").into())
}

async fn find_attempt(context: &Context, completion: &CompletionRow) -> Result<Attempt, Failure> {
    let mut conn = context.db().read_latest().await?;
    let attempt = payments::find_attempt(&mut conn, completion.attempt_id).await?;
    attempt.ok_or_else(|| anyhow::anyhow!("no attempt {}", completion.attempt_id).into())
}
