//! Payments: attempts at providers, captures, voids, and the money ledger.

mod attempts;
mod captures;
mod domain;
mod http;
mod inbox;
mod jobs;
pub mod ledger;
mod payments;
mod provider;
mod reconcile;
mod sandbox;
mod stands;
mod store;
mod summary;
mod voids;

pub use attempts::{Attempt, AttemptError, NewAttempt, RecordError, Recorded, find_attempt, insert_attempt, record, record_at_once};
pub use captures::{CaptureError, request_capture};
pub use payments::{Payments, Settings};
pub use provider::Outcome;
pub use stands::{AttemptStand, PaymentStand, list_attempts_after, list_ledger_after, list_payment_stands};
pub use summary::{find_payment_summary, list_payment_summaries, status_of_first};
pub use voids::{VoidError, request_void};

use db::check::Check;
use service::Service;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service around these payments, as the binary mounts it.
#[must_use]
pub fn service(payments: &Payments) -> Service {
    let context = payments.context();
    let (reconciler, capturer, voider) = (payments.clone(), payments.clone(), payments.clone());
    let (news, retention) = (context.clone(), context.clone());
    Service::new("payments", &MIGRATOR)
        .checks(checks())
        .store_api(http::store_routes(payments))
        .other_routes(sandbox::routes(context))
        .job(captures::JOB, move |payload| Box::pin(jobs::settle_capture(capturer.clone(), payload)))
        .job(voids::JOB, move |payload| Box::pin(jobs::settle_void(voider.clone(), payload)))
        .job(sandbox::NEWS_JOB, move |payload| Box::pin(jobs::deliver_sandbox_news(news.clone(), payload)))
        .schedule("payments.reconcile", payments.settings().reconcile_every, move || {
            let payments = reconciler.clone();
            Box::pin(async move { payments.reconcile().await.map(drop) })
        })
        .schedule("payments.sweep", jobs::SWEEP_EVERY, move || Box::pin(jobs::sweep(retention.clone())))
}

/// The invariants of this schema, each looked at from outside the code that keeps it.
#[must_use]
pub fn checks() -> Vec<Check> {
    store::check::checks()
}
