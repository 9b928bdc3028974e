//! How an order stands in money, noted beside it so that lists can ask for it. `payments` derives it; here it is only repeated.

use std::collections::HashSet;

use db::check::{Batch, Check, Finding, Place};
use db::{Tx, jobs};
use orders_api::OrderId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain, store};

/// The jobs that bring news of an order's money, each with the order's id in its payload.
const NEWS: [&str; 3] = ["orders.note_capture", "orders.note_capture_failure", "orders.note_void"];

/// Notes anew what `payments` says of an order.
///
/// The order's row is locked first: whoever comes second then reads all that the first has read, so that the last note is the newest.
///
/// # Errors
/// The database failed.
pub(crate) async fn refresh(tx: &mut Tx, id: OrderId) -> Result<(), sqlx::Error> {
    if store::lock_order(tx.conn(), id).await?.is_none() {
        return Ok(());
    }
    let summary = payments::find_payment_summary(tx.conn(), id.uuid()).await?;
    store::update_payment(tx.conn(), id, summary.status, domain::capture_has_failed(&summary)).await
}

/// The note is what `payments` says, of every order that was a sale.
pub(crate) fn check() -> Check {
    Check {
        name: "orders.payment_noted",
        rule: "What the list says of a sale's money is what its payments say",
        remedy: "Nothing is lost, only the list shows it wrong: the order itself says it right. Look for dead jobs of the queue orders and replay them; they note it anew.",
        look: |conn, place| Box::pin(compare(conn, place)),
    }
}

async fn compare(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let noted = store::list_noted_payments(conn, place.after_id(), place.most()).await?;
    let ids: Vec<Uuid> = noted.iter().map(|noted| noted.id).collect();
    let summaries = payments::list_payment_summaries(conn, &ids).await?;
    let is_other = |noted: &&store::NotedPayment| {
        summaries.get(&noted.id).is_some_and(|summary| (noted.status, noted.capture_failed) != (summary.status, domain::capture_has_failed(summary)))
    };
    let differing: Vec<_> = noted.iter().filter(|noted| noted.was_placed).filter(is_other).collect();
    let names: Vec<String> = differing.iter().map(|noted| noted.id.to_string()).collect();
    let mut under_way = HashSet::new();
    for kind in NEWS {
        under_way.extend(jobs::list_open_about(conn, kind, "order_id", &names).await?);
    }
    let findings = differing.into_iter().filter(|noted| !under_way.contains(&noted.id.to_string())).map(|noted| {
        let said = summaries.get(&noted.id).map_or("nothing", |summary| summary.status.as_str());
        let failed = if noted.capture_failed { " after a failed capture" } else { "" };
        Finding::new(format!("order {}: noted as {}{failed}, its payments say {said}", OrderId::from_uuid(noted.id), noted.status.as_str()))
    });
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}
