//! How orders stand in money.

use std::collections::HashMap;

use kernel::MoneyError;
use payments_api::{AttemptAnswer, CaptureAnswer, PaymentStatus, PaymentSummary, VoidAnswer};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::attempts::Attempt;
use crate::domain::summarize;
use crate::store::{attempts, captures, voids};

/// How these orders stand in money; each of them is in the answer, also one without attempts.
///
/// # Errors
/// The database failed.
pub async fn list_payment_summaries(conn: &mut PgConnection, order_ids: &[Uuid]) -> Result<HashMap<Uuid, PaymentSummary>, sqlx::Error> {
    let attempts = attempts::list_of_orders(conn, order_ids).await?;
    let ids: Vec<Uuid> = attempts.iter().map(|attempt| attempt.id.uuid()).collect();
    let mut captures_of: HashMap<Uuid, Vec<CaptureAnswer>> = HashMap::new();
    for capture in captures::list_of_attempts(conn, &ids).await? {
        captures_of.entry(capture.attempt_id.uuid()).or_default().push(capture.answer());
    }
    let voids = voids::list_newest_of_attempts(conn, &ids).await?;
    let mut void_of: HashMap<Uuid, VoidAnswer> = voids.into_iter().map(|void| (void.attempt_id.uuid(), void.answer())).collect();

    let mut attempts_of: HashMap<Uuid, Vec<AttemptAnswer>> = HashMap::new();
    for attempt in attempts {
        let id = attempt.id.uuid();
        let answer = answer(&attempt, captures_of.remove(&id).unwrap_or_default(), void_of.remove(&id));
        attempts_of.entry(attempt.order_id).or_default().push(answer);
    }
    let summary_of = |order: &Uuid| {
        let summary = summarize(attempts_of.remove(order).unwrap_or_default());
        summary.map(|summary| (*order, summary)).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    order_ids.iter().collect::<std::collections::BTreeSet<_>>().into_iter().map(summary_of).collect()
}

/// How one order stands in money. Nothing in euro for an order without attempts.
///
/// # Errors
/// The database failed.
pub async fn find_payment_summary(conn: &mut PgConnection, order_id: Uuid) -> Result<PaymentSummary, sqlx::Error> {
    list_payment_summaries(conn, &[order_id]).await?.remove(&order_id).ok_or(sqlx::Error::RowNotFound)
}

/// How an order stands in money whose first attempt this is, of which nothing was captured yet.
///
/// # Errors
/// Its amounts cannot be added.
pub fn status_of_first(attempt: &Attempt) -> Result<PaymentStatus, MoneyError> {
    Ok(summarize(vec![answer(attempt, Vec::new(), None)])?.status)
}

fn answer(attempt: &Attempt, captures: Vec<CaptureAnswer>, void: Option<VoidAnswer>) -> AttemptAnswer {
    AttemptAnswer {
        id: attempt.id,
        provider: attempt.provider.clone(),
        state: attempt.state,
        amount: attempt.amount,
        provider_reference: attempt.provider_reference.clone(),
        failure_code: attempt.failure_code.clone(),
        created_at: attempt.created_at,
        captures,
        void,
    }
}
