//! Orders against their payments, their stock and the ledger, and each of these against orders.

use std::collections::{HashMap, HashSet};

use db::check::{Batch, Finding, Place};
use db::jobs;
use inventory::HoldStand;
use orders::OrderStand;
use orders_api::OrderState;
use payments::{AttemptStand, PaymentStand};
use payments_api::AttemptState;
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn orders(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let orders = orders::list_order_stands_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id.uuid()).collect();
    let holds: Vec<_> = orders.iter().map(|order| order.hold_id).collect();
    let payments = payments::list_payment_stands(conn, &ids).await?;
    let holds = inventory::list_hold_stands(conn, &holds).await?;
    let driven: HashSet<Uuid> = checkout::list_completions(conn, &ids).await?.into_iter().map(|completion| completion.order_id.uuid()).collect();
    let news = news_under_way(conn, &orders, &payments).await?;
    let nothing = PaymentStand::default();
    let mut findings = Vec::new();
    for order in &orders {
        let payment = payments.get(&order.id.uuid()).unwrap_or(&nothing);
        let facts =
            Facts { order, payment, hold: holds.get(&order.hold_id), is_driven: driven.contains(&order.id.uuid()), has_news: news.contains(&order.id.uuid()) };
        findings.extend(facts.faults().into_iter().map(|fault| Finding::new(format!("order {} is {}, but {fault}", order.id, order.state.as_str()))));
    }
    Ok(Batch::of_ids(place, &ids, findings))
}

/// The pending orders whose payment has ended and whose settlement waits in the queue.
async fn news_under_way(conn: &mut PgConnection, orders: &[OrderStand], payments: &HashMap<Uuid, PaymentStand>) -> Result<HashSet<Uuid>, sqlx::Error> {
    let pending = orders.iter().filter(|order| order.state == OrderState::Pending).filter_map(|order| Some((order, payments.get(&order.id.uuid())?)));
    let ended: HashMap<String, Uuid> = pending
        .flat_map(|(order, payment)| payment.attempts.iter().map(move |attempt| (order, attempt)))
        .filter(|(_, attempt)| attempt.state.is_final())
        .map(|(order, attempt)| (attempt.id.to_string(), order.id.uuid()))
        .collect();
    let names: Vec<String> = ended.keys().cloned().collect();
    let open = jobs::list_open_about(conn, checkout::SETTLE_ATTEMPT, "attempt_id", &names).await?;
    Ok(open.iter().filter_map(|attempt| ended.get(attempt).copied()).collect())
}

/// All that is known of an order.
struct Facts<'a> {
    order: &'a OrderStand,
    payment: &'a PaymentStand,
    hold: Option<&'a HoldStand>,
    /// Whether a purchase made it.
    is_driven: bool,
    /// Whether its payment has ended and the order is about to hear of it.
    has_news: bool,
}

impl Facts<'_> {
    fn faults(&self) -> Vec<String> {
        match self.order.state {
            OrderState::Draft => Vec::new(),
            OrderState::Pending => self.faults_of_pending(),
            OrderState::Placed | OrderState::Closed => self.faults_of_sale(),
            OrderState::Canceled => self.faults_of_canceled(),
        }
    }

    /// Attempts whose money is held for the order.
    fn paying(&self) -> impl Iterator<Item = &AttemptStand> {
        self.payment.attempts.iter().filter(|attempt| attempt.state == AttemptState::Authorized && !attempt.is_let_go)
    }

    fn faults_of_pending(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.is_driven {
            faults.push("no purchase drives it".to_owned());
        }
        let open = self.payment.attempts.iter().filter(|attempt| !attempt.state.is_final()).count();
        if open != 1 && !self.has_news {
            faults.push(format!("it has {open} open payments"));
        }
        if self.hold.is_some_and(|hold| hold.is_committed) {
            faults.push("its stock is committed".to_owned());
        }
        if self.payment.sale_minor.is_some() {
            faults.push("the ledger has a sale of it".to_owned());
        }
        faults
    }

    fn faults_of_sale(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let paying: Vec<&AttemptStand> = self.paying().collect();
        if paying.len() != 1 {
            faults.push(format!("it has {} authorized payments", paying.len()));
        }
        let agreed = (self.order.total_minor, &*self.order.currency);
        let others = paying.iter().filter(|attempt| (attempt.amount_minor, &*attempt.currency) != agreed);
        faults.extend(others.map(|attempt| format!("its payment {} is over {} and not over {}", attempt.id, attempt.amount_minor, self.order.total_minor)));
        match self.hold {
            Some(hold) if !hold.is_committed => faults.push(format!("its hold {} is not committed", self.order.hold_id)),
            Some(hold) if hold.units != self.order.units => faults.push(format!("its hold {} is for other units than its lines", self.order.hold_id)),
            Some(_) => {}
            None => faults.push(format!("its hold {} is gone", self.order.hold_id)),
        }
        if self.payment.sale_minor != Some(self.order.total_minor) || self.payment.is_reversed {
            let booked = self.payment.sale_minor.map_or_else(|| "no sale".to_owned(), |sale| format!("a sale over {sale}"));
            let reversed = if self.payment.is_reversed { " that was taken back" } else { "" };
            faults.push(format!("the ledger has {booked}{reversed} and not one over {}", self.order.total_minor));
        }
        let captured = paying.iter().map(|attempt| attempt.captured_minor).fold(0, i64::saturating_add);
        let owed = self.order.total_minor.saturating_sub(captured);
        if self.payment.sale_minor.is_some() && self.payment.receivable_minor != owed {
            faults.push(format!("the ledger says that {} is owed and not {owed}", self.payment.receivable_minor));
        }
        faults
    }

    fn faults_of_canceled(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.paying().map(|attempt| format!("its payment {} is still held", attempt.id)).collect();
        let open = self.payment.attempts.iter().filter(|attempt| !attempt.state.is_final());
        faults.extend(open.map(|attempt| format!("its payment {} is {}", attempt.id, attempt.state.as_str())));
        if self.hold.is_some_and(|hold| hold.reserves) {
            faults.push(format!("its hold {} still takes stock", self.order.hold_id));
        }
        if self.payment.sale_minor.is_some() != self.order.was_placed || self.payment.is_reversed != self.order.was_placed {
            faults.push("the ledger does not say whether it was a sale that was taken back".to_owned());
        }
        if self.payment.receivable_minor != 0 {
            faults.push(format!("the ledger says that {} is owed", self.payment.receivable_minor));
        }
        faults
    }
}

pub(super) async fn holds(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let holds = inventory::list_holds_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = holds.iter().map(|(id, _)| id.uuid()).collect();
    let taking: Vec<_> = holds.into_iter().filter(|(_, reserves)| *reserves).map(|(id, _)| id).collect();
    let orders = orders::list_orders_of_holds(conn, &taking).await?;
    let stray = taking.iter().filter(|hold| !orders.contains_key(hold));
    Ok(Batch::of_ids(place, &ids, stray.map(|hold| Finding::new(format!("hold {hold} takes stock for no order"))).collect()))
}

pub(super) async fn attempts(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let attempts = payments::list_attempts_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = attempts.iter().map(|(id, _)| id.uuid()).collect();
    let known = known_orders(conn, attempts.iter().map(|(_, order)| *order)).await?;
    let stray = attempts.iter().filter(|(_, order)| !known.contains(order));
    Ok(Batch::of_ids(place, &ids, stray.map(|(id, order)| Finding::new(format!("payment {id} is for order {order}, which does not exist"))).collect()))
}

pub(super) async fn ledger(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let transactions = payments::list_ledger_after(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = transactions.iter().map(|(id, _)| *id).collect();
    let known = known_orders(conn, transactions.iter().map(|(_, order)| *order)).await?;
    let stray = transactions.iter().filter(|(_, order)| !known.contains(order));
    Ok(Batch::of_ids(
        place,
        &ids,
        stray.map(|(id, order)| Finding::new(format!("ledger transaction {id} is about order {order}, which does not exist"))).collect(),
    ))
}

async fn known_orders(conn: &mut PgConnection, ids: impl Iterator<Item = Uuid>) -> Result<HashSet<Uuid>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.collect();
    Ok(orders::list_order_stands(conn, &ids).await?.into_iter().map(|order| order.id.uuid()).collect())
}
