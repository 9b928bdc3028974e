//! What the sandbox does with a request: its own transactions on its own books.

use chrono::TimeDelta;
use db::{Actor, Tx};
use kernel::{Timestamp, random};
use payments_api::NextAction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Context, Failure};

use super::cards::{CaptureManner, Card, Opening, card_named};
use crate::provider::{CaptureRequest, Outcome, PaymentRequest, SettlementOutcome, VoidRequest};
use crate::store::sandbox::{self as books, NewPayment, Operation, Payment, PaymentState};

/// The job that carries the sandbox's news to us, as a webhook would.
pub(crate) const NEWS_JOB: &str = "payments.deliver_sandbox_news";
/// How long the sandbox takes when it takes long.
const LATER: TimeDelta = TimeDelta::seconds(2);

/// What the sandbox sends when a payment has moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct News {
    /// The sandbox's name for this piece of news; a repeat has the same.
    pub(crate) event_id: String,
    /// The key of the payment.
    pub(crate) payment_key: String,
}

/// Opens a payment, once per key, and says whether it will be answered.
pub(super) async fn open_payment(context: Context, request: PaymentRequest) -> Result<(Outcome, bool), Failure> {
    let card = request.instrument.as_deref().and_then(card_named).ok_or_else(|| anyhow::anyhow!("the sandbox knows no such card"))?;
    if card.opening == Opening::Lost {
        return Ok((Outcome::Unheard, false));
    }
    let mut tx = begin(&context).await?;
    let now = tx.now();
    let is_new = books::insert_payment(tx.conn(), &new_payment(card, &request, now), now).await?;
    if is_new {
        send_news(&mut tx, &request.key, card.news).await?;
    }
    let payment = books::settle_payment(tx.conn(), &request.key, now).await?.ok_or_else(|| anyhow::anyhow!("the payment vanished"))?;
    let is_same = payment.amount.is_none_or(|amount| amount == request.amount);
    tx.commit().await?;
    if !is_same {
        return Err(anyhow::anyhow!("the key was used for another payment").into());
    }
    Ok((outcome(&payment), card.answers || !is_new))
}

fn new_payment<'a>(card: &'static Card, request: &'a PaymentRequest, now: Timestamp) -> NewPayment<'a> {
    let (state, decline_code, settles_as) = match card.opening {
        Opening::Authorized | Opening::Lost => (PaymentState::Authorized, None, None),
        Opening::Declined(code) => (PaymentState::Declined, Some(code), None),
        Opening::SecondStep => (PaymentState::RequiresAction, None, None),
        Opening::LaterAuthorized => (PaymentState::Processing, None, Some(PaymentState::Authorized)),
        Opening::LaterDeclined(code) => (PaymentState::Processing, Some(code), Some(PaymentState::Declined)),
    };
    NewPayment {
        key: &request.key,
        reference: format!("sbx_{}", random_hex()),
        instrument: card.instrument,
        amount: request.amount,
        state,
        decline_code,
        return_url: request.return_url.as_deref(),
        settles: settles_as.map(|state| (now + LATER, state)),
    }
}

/// How a payment stands.
pub(super) async fn look_up(context: Context, key: String) -> Result<Outcome, Failure> {
    let mut tx = begin(&context).await?;
    let now = tx.now();
    let payment = books::settle_payment(tx.conn(), &key, now).await?;
    tx.commit().await?;
    Ok(payment.as_ref().map_or(Outcome::Unheard, outcome))
}

/// Cancels a payment that is not authorized; one that was never heard of is noted as canceled, so that it never will be.
pub(super) async fn cancel(context: Context, key: String) -> Result<Outcome, Failure> {
    let mut tx = begin(&context).await?;
    let now = tx.now();
    books::insert_canceled(tx.conn(), &key, &format!("sbx_{}", random_hex()), now).await?;
    books::settle_payment(tx.conn(), &key, now).await?;
    books::cancel_payment(tx.conn(), &key, now).await?;
    let payment = books::settle_payment(tx.conn(), &key, now).await?;
    tx.commit().await?;
    Ok(payment.as_ref().map_or(Outcome::Unheard, outcome))
}

/// Takes money, once per key, and says whether it will be answered.
pub(super) async fn capture(context: Context, request: CaptureRequest) -> Result<(SettlementOutcome, bool), Failure> {
    let mut tx = begin(&context).await?;
    let now = tx.now();
    // The row of the payment is locked first, so that two requests with one key meet here and not at the key.
    let payment = books::settle_payment(tx.conn(), &request.payment_key, now).await?;
    if let Some(operation) = books::find_operation(tx.conn(), &request.key).await? {
        tx.rollback().await?;
        return Ok((settlement(operation), true));
    }
    let manner = payment.as_ref().and_then(|payment| card_named(payment.instrument.as_deref()?)).map_or(CaptureManner::Prompt, |card| card.capture);
    let failure_code = match manner {
        CaptureManner::Refused => Some("capture_refused"),
        _ if books::take(tx.conn(), &request.payment_key, request.amount, now).await? => None,
        _ => Some("not_capturable"),
    };
    let operation = Operation { failure_code: failure_code.map(ToOwned::to_owned) };
    books::insert_operation(tx.conn(), &request.key, &request.payment_key, "capture", request.amount.amount_minor(), &operation, now).await?;
    tx.commit().await?;
    Ok((settlement(operation), manner != CaptureManner::Silent))
}

/// Lets a payment go, once per key. A payment that holds no money is let go already.
pub(super) async fn void(context: Context, request: VoidRequest) -> Result<SettlementOutcome, Failure> {
    let mut tx = begin(&context).await?;
    let now = tx.now();
    books::settle_payment(tx.conn(), &request.payment_key, now).await?;
    if let Some(operation) = books::find_operation(tx.conn(), &request.key).await? {
        tx.rollback().await?;
        return Ok(settlement(operation));
    }
    let is_let_go = books::let_go(tx.conn(), &request.payment_key, now).await?;
    let operation = Operation { failure_code: (!is_let_go).then(|| "already_captured".to_owned()) };
    books::insert_operation(tx.conn(), &request.key, &request.payment_key, "void", 0, &operation, now).await?;
    tx.commit().await?;
    Ok(settlement(operation))
}

/// How a capture or a void stands.
pub(super) async fn look_up_operation(context: Context, key: String) -> Result<SettlementOutcome, Failure> {
    let mut conn = context.db().read_latest().await?;
    Ok(books::find_operation(&mut conn, &key).await?.map_or(SettlementOutcome::Unheard, settlement))
}

/// Notes what the shopper decided on the page. Nothing happens to a payment that does not wait for it.
pub(super) async fn decide(context: Context, reference: String, approves: bool) -> Result<Option<Payment>, Failure> {
    let mut tx = begin(&context).await?;
    let now = tx.now();
    let state = if approves { PaymentState::Authorized } else { PaymentState::Declined };
    let decline_code = (!approves).then_some("authentication_failed");
    if let Some(key) = books::decide_payment(tx.conn(), &reference, state, decline_code, now).await? {
        send_news(&mut tx, &key, 1).await?;
    }
    let payment = books::find_by_reference(tx.conn(), &reference).await?;
    tx.commit().await?;
    Ok(payment)
}

/// What a piece of news says: how the payment stands when it is read.
pub(crate) async fn read_news(context: &Context, news: &News) -> Result<Outcome, Failure> {
    context.detached("sandbox news", look_up(context.clone(), news.payment_key.clone())).await
}

async fn begin(context: &Context) -> Result<Tx, Failure> {
    Ok(context.db().begin(Actor::system("sandbox")).await?)
}

/// Sends the same news so many times, a little later.
async fn send_news(tx: &mut Tx, payment_key: &str, times: usize) -> Result<(), Failure> {
    let event_id = format!("evt_{}", random_hex());
    let at = tx.now() + LATER;
    for _ in 0..times {
        tx.enqueue(NEWS_JOB, &json!(News { event_id: event_id.clone(), payment_key: payment_key.to_owned() }), None, Some(at)).await?;
    }
    Ok(())
}

fn outcome(payment: &Payment) -> Outcome {
    let reference = payment.reference.clone();
    match (payment.state, payment.amount) {
        (PaymentState::Authorized, Some(amount)) => Outcome::Authorized { reference, amount },
        (PaymentState::RequiresAction, _) => {
            let url = format!("/sandbox/payments/{reference}");
            Outcome::RequiresAction { reference, next_action: NextAction::Redirect { url } }
        }
        (PaymentState::Processing, _) => Outcome::Processing { reference },
        (PaymentState::Declined, _) => Outcome::Declined { reference, code: payment.decline_code.clone().unwrap_or_else(|| "card_declined".to_owned()) },
        (PaymentState::Canceled | PaymentState::Voided | PaymentState::Authorized, _) => Outcome::Canceled,
    }
}

fn settlement(operation: Operation) -> SettlementOutcome {
    operation.failure_code.map_or(SettlementOutcome::Succeeded, |code| SettlementOutcome::Failed { code })
}

fn random_hex() -> String {
    random::bytes::<16>().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
