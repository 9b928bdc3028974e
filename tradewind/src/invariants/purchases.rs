//! Purchases against the orders they make and the carts they take.

use std::collections::HashMap;

use cart_api::CartState;
use checkout::{CompletionStand, CompletionState};
use chrono::TimeDelta;
use db::check::{Batch, Finding, Place};
use orders::OrderStand;
use orders_api::OrderState;
use payments::PaymentStand;
use sqlx::PgConnection;
use uuid::Uuid;

/// Completions are kept for 90 days; the completion of a cart that changed in this time is there.
const COMPLETIONS_KEPT: TimeDelta = TimeDelta::days(80);

pub(super) async fn completions(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let completions = checkout::list_completions_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = completions.iter().map(|completion| completion.order_id.uuid()).collect();
    let carts: Vec<Uuid> = completions.iter().map(|completion| completion.cart_id.uuid()).collect();
    let orders: HashMap<_, _> = orders::list_order_stands(conn, &ids).await?.into_iter().map(|order| (order.id, order)).collect();
    let payments = payments::list_payment_stands(conn, &ids).await?;
    let carts = cart::list_cart_states(conn, &carts).await?;
    let mut findings = Vec::new();
    for completion in &completions {
        let id = completion.order_id;
        let faults = judge(completion, orders.get(&id), payments.get(&id.uuid()), carts.get(&completion.cart_id).copied());
        findings.extend(faults.into_iter().map(|fault| Finding::new(format!("purchase of {id}: {fault}"))));
    }
    Ok(Batch::of_ids(place, &ids, findings))
}

fn judge(completion: &CompletionStand, order: Option<&OrderStand>, payment: Option<&PaymentStand>, cart: Option<CartState>) -> Vec<String> {
    let state = completion.state.as_str();
    let Some(order) = order else { return vec![format!("it is {state}, but the order does not exist")] };
    let mut faults = Vec::new();
    let agrees = match completion.state {
        CompletionState::Started | CompletionState::Waiting => order.state == OrderState::Pending,
        CompletionState::Placed => order.was_placed,
        CompletionState::Failed => order.state == OrderState::Canceled && !order.was_placed,
    };
    if !agrees {
        faults.push(format!("it is {state}, but the order is {}", order.state.as_str()));
    }
    if order.cart_id != completion.cart_id.uuid() {
        faults.push("the order is made of another cart".to_owned());
    }
    if !payment.is_some_and(|payment| payment.attempts.iter().any(|attempt| attempt.id == completion.attempt_id)) {
        faults.push(format!("its payment {} does not exist", completion.attempt_id));
    }
    let wanted = match completion.state {
        CompletionState::Started | CompletionState::Waiting => Some(CartState::Completing),
        CompletionState::Placed => Some(CartState::Completed),
        // The cart is open again, and may have gone any way since.
        CompletionState::Failed => None,
    };
    match (wanted, cart) {
        (Some(wanted), Some(cart)) if wanted != cart => faults.push(format!("it is {state}, but the cart is {}", cart.as_str())),
        // A cart that was bought is forgotten in time.
        (Some(CartState::Completing), None) => faults.push(format!("it is {state}, but the cart is gone")),
        _ => {}
    }
    faults
}

pub(super) async fn carts(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let carts = cart::list_carts_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = carts.iter().map(|cart| cart.id.uuid()).collect();
    let completions = checkout::list_completions_of_carts(conn, &ids).await?;
    let has = |id, of: &dyn Fn(CompletionState) -> bool| completions.iter().any(|completion| completion.cart_id == id && of(completion.state));
    let mut findings = Vec::new();
    for cart in carts {
        let lacks = match cart.state {
            CartState::Completing => !has(cart.id, &CompletionState::is_open),
            CartState::Completed => cart.updated_at > place.now() - COMPLETIONS_KEPT && !has(cart.id, &|state| state == CompletionState::Placed),
            CartState::Active | CartState::Abandoned | CartState::Merged => false,
        };
        if lacks {
            findings.push(Finding::new(format!("cart {}: it is {}, but no purchase made it so", cart.id, cart.state.as_str())));
        }
    }
    Ok(Batch::of_ids(place, &ids, findings))
}
