//! Completing a cart, from the shopper's request to the answer.

use std::collections::HashMap;

use cart::LockedCart;
use cart_api::{CartAnswer, CartId, CartState};
use catalog::Channels;
use checkout_api::CompleteCart;
use db::idempotency::{self, Claim, IdempotencyKey};
use db::{Actor, Tx};
use inventory::{HoldError, HoldLine, HoldUntil, Shortage};
use inventory_api::HoldId;
use kernel::{Problem, TokenHash};
use orders::{NewOrder, NewOrderLine};
use orders_api::{OrderId, OrderTotals};
use payments::{Attempt, NewAttempt, Outcome, Payments};
use payments_api::{AttemptId, AttemptState};
use service::{Answer, Context, Failure, claim_key, in_progress, key_reused};
use tokio::time::Instant;

use crate::domain::{self, CompletionState, HOLD_LIFE, KEY_LEASE, LOOK_EVERY, PATIENCE};
use crate::faults::{FaultPoint, reach};
use crate::settle::{must, settle};
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

/// What a checkout works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Till {
    pub(crate) context: Context,
    pub(crate) payments: Payments,
    pub(crate) channels: Channels,
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
pub(crate) async fn complete(till: Till, request: Request) -> Result<Answer, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match begin(&till, &request).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Ours(order) => return carry_on(&till, &request, order).await,
            Begun::Theirs(order) => return wait_for(&till.context, &request.actor, request.key.as_ref(), order, deadline).await,
            Begun::Unknown if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
            Begun::Unknown => return Err(in_progress().into()),
        }
    }
}

/// Asks how the newest payment of a cart stands, and goes on from there.
///
/// # Errors
/// 404 when the cart never was completed; 409 `in_progress` when the request that completes it takes too long.
pub(crate) async fn resume(till: Till, actor: Actor, cart_id: CartId, secret: TokenHash) -> Result<Answer, Failure> {
    let Till { context, payments, channels } = till;
    let channels = channels.known().await?;
    let mut tx = context.db().begin(actor.clone()).await?;
    cart::lock(&mut tx, &channels, cart_id, &secret).await?.ok_or_else(|| Problem::not_found("cart"))?;
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

async fn begin(till: &Till, request: &Request) -> Result<Begun, Failure> {
    let channels = till.channels.known().await?;
    let mut tx = till.context.db().begin(request.actor.clone()).await?;
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
    let cart = cart::lock(&mut tx, &channels, request.cart_id, &request.secret).await?.ok_or_else(|| Problem::not_found("cart"))?;
    match cart.state {
        CartState::Active => begin_anew(tx, &till.payments, request, cart).await,
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

/// Transaction one: checks the cart and prices it. A payment that needs no outside call makes it a sale at once; for any other the intent is
/// written.
async fn begin_anew(mut tx: Tx, payments: &Payments, request: &Request, cart: LockedCart) -> Result<Begun, Failure> {
    payments.check_choice(cart.channel.kind, &request.body.payment)?;
    let mut priced = cart::price_to_buy(tx.conn(), &cart).await?;
    if check(&priced, &request.body, &cart.channel.countries).is_err() {
        // The refusal shows the cart as a reader sees it, with what is to be said about stock.
        priced = cart::price(tx.conn(), &cart).await?;
        check(&priced, &request.body, &cart.channel.countries)?;
    }
    if payments.is_immediate(&request.body.payment.provider) {
        return sell_at_once(tx, payments, request, &cart, &priced).await;
    }
    let order = write_intent(&mut tx, request, &cart, &priced).await?;
    reach(FaultPoint::IntentWritten);
    tx.commit().await?;
    reach(FaultPoint::IntentCommitted);
    Ok(Begun::Ours(order))
}

/// Stock, attempt, order and cart become a sale in this one transaction: nobody ever sees them half way.
async fn sell_at_once(mut tx: Tx, payments: &Payments, request: &Request, cart: &LockedCart, priced: &CartAnswer) -> Result<Begun, Failure> {
    let now = tx.now();
    let order_id = OrderId::new(now);
    let hold_id = take_stock(&mut tx, cart, priced, HoldUntil::Committed).await?;
    let attempt = payments::insert_attempt(&mut tx, new_attempt(order_id, request, cart, priced)).await?;
    let outcome = payments.authorize(&attempt).await;
    let attempt = payments::record_at_once(&mut tx, attempt, &outcome).await?;
    if attempt.state != AttemptState::Authorized {
        return Err(domain::failure(&domain::failure_code(attempt.state, attempt.failure_code)).into());
    }
    let status = payments::status_of_first(&attempt)?;
    let order = orders::insert_placed(&mut tx, new_order(order_id, request, cart, priced, hold_id), status).await?;
    let completion = new_completion(order_id, cart, attempt.id, hold_id, CompletionState::Placed);
    store::insert_completion(tx.conn(), &completion, None, now).await?;
    must(cart::buy(&mut tx, cart.id).await?, "the cart was not active", &completion)?;
    let answer = answer::placed(order)?;
    if let Some(key) = &request.key {
        idempotency::keep(&mut tx, key, &answer.to_kept()).await?;
    }
    domain::count(&mut tx, "placed", cart.channel.kind);
    reach(FaultPoint::ImmediateWritten);
    tx.commit().await?;
    reach(FaultPoint::ImmediateCommitted);
    Ok(Begun::Answered(answer))
}

/// Takes the hold, writes the order `pending`, the attempt `created` and the completion, and claims the cart.
async fn write_intent(tx: &mut Tx, request: &Request, cart: &LockedCart, priced: &CartAnswer) -> Result<OrderId, Failure> {
    let now = tx.now();
    let order_id = OrderId::new(now);
    let hold_id = take_stock(tx, cart, priced, HoldUntil::Expires(now + HOLD_LIFE)).await?;
    orders::insert_pending(tx, new_order(order_id, request, cart, priced, hold_id)).await?;
    let attempt = payments::insert_attempt(tx, new_attempt(order_id, request, cart, priced)).await?;
    let completion = new_completion(order_id, cart, attempt.id, hold_id, CompletionState::Started);
    store::insert_completion(tx.conn(), &completion, request.key.as_ref(), now).await?;
    must(cart::begin_completion(tx, cart.id, now + HOLD_LIFE).await?, "the cart was not active", &completion)?;
    Ok(order_id)
}

async fn take_stock(tx: &mut Tx, cart: &LockedCart, priced: &CartAnswer, until: HoldUntil) -> Result<HoldId, Failure> {
    let lines: Vec<HoldLine> = priced.lines.iter().map(|line| HoldLine { variant_id: line.variant_id, quantity: line.quantity }).collect();
    inventory::hold(tx, cart.channel.id, &lines, until).await.map_err(|error| refused(error, priced))
}

fn new_attempt(order_id: OrderId, request: &Request, cart: &LockedCart, priced: &CartAnswer) -> NewAttempt {
    NewAttempt {
        order_id: order_id.uuid(),
        channel_kind: cart.channel.kind,
        amount: priced.totals.total,
        choice: request.body.payment.clone(),
        return_url: request.body.return_url.clone(),
    }
}

const fn new_completion(order_id: OrderId, cart: &LockedCart, attempt_id: AttemptId, hold_id: HoldId, state: CompletionState) -> CompletionRow {
    let (channel_id, channel_kind) = (cart.channel.id, cart.channel.kind);
    CompletionRow { order_id, cart_id: cart.id, channel_id, channel_kind, attempt_id, hold_id, state, failure_code: None }
}

fn new_order(id: OrderId, request: &Request, cart: &LockedCart, priced: &CartAnswer, hold_id: HoldId) -> NewOrder {
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
async fn carry_on(till: &Till, request: &Request, order: OrderId) -> Result<Answer, Failure> {
    let Till { context, payments, .. } = till;
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
