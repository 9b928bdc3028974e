//! What payments does in the background.

use std::time::Duration;

use chrono::TimeDelta;
use db::Actor;
use payments_api::{AttemptId, CaptureId, VoidId};
use serde::Deserialize;
use serde_json::Value;
use service::{Context, Failure};

use crate::Payments;
use crate::inbox::{ProviderNews, receive};
use crate::sandbox::{self, News};
use crate::store;

/// How often old news and the sandbox's old books are looked for.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How long news is kept, longer than any provider repeats it.
const NEWS_KEPT: TimeDelta = TimeDelta::days(90);
/// How long the sandbox remembers.
const SANDBOX_KEPT: TimeDelta = TimeDelta::days(180);

#[derive(Deserialize)]
struct CaptureJob {
    capture_id: CaptureId,
}

#[derive(Deserialize)]
struct VoidJob {
    void_id: VoidId,
}

/// Finishes a capture whose request did not.
pub(crate) async fn settle_capture(payments: Payments, payload: Value) -> Result<(), Failure> {
    payments.capture(serde_json::from_value::<CaptureJob>(payload)?.capture_id).await.map(drop)
}

/// Lets money go at the provider.
pub(crate) async fn settle_void(payments: Payments, payload: Value) -> Result<(), Failure> {
    payments.void(serde_json::from_value::<VoidJob>(payload)?.void_id).await.map(drop)
}

/// Brings a piece of the sandbox's news to the inbox.
pub(crate) async fn deliver_sandbox_news(context: Context, payload: Value) -> Result<(), Failure> {
    let news: News = serde_json::from_value(payload)?;
    let outcome = sandbox::read_news(&context, &news).await?;
    let attempt_id = AttemptId::from_uuid(news.payment_key.parse().map_err(anyhow::Error::new)?);
    let mut tx = context.db().begin(Actor::system("payments.inbox")).await?;
    receive(&mut tx, &ProviderNews { provider: sandbox::CODE, event_id: news.event_id, attempt_id, outcome }).await?;
    Ok(tx.commit().await?)
}

/// Deletes news and sandbox books that are old.
pub(crate) async fn sweep(context: Context) -> Result<(), Failure> {
    let mut tx = context.db().begin(Actor::system("payments.sweep")).await?;
    let now = tx.now();
    let deleted = store::events::sweep(tx.conn(), now - NEWS_KEPT).await? + store::sandbox::sweep(tx.conn(), now - SANDBOX_KEPT).await?;
    tx.commit().await?;
    tracing::debug!(deleted, "old provider news and sandbox payments deleted");
    Ok(())
}
