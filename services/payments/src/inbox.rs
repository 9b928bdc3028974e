//! What providers send on their own: each piece of news is taken in once, however often and late it comes.

use db::Tx;
use payments_api::AttemptId;

use crate::attempts::{RecordError, take_in};
use crate::domain::AttemptEvent;
use crate::provider::Outcome;
use crate::store::events as store;

/// A piece of news from a provider, its sender verified.
#[derive(Debug, Clone)]
pub(crate) struct ProviderNews {
    /// Who sent it.
    pub(crate) provider: &'static str,
    /// The provider's name for it; a repeat has the same.
    pub(crate) event_id: String,
    /// The attempt it is about.
    pub(crate) attempt_id: AttemptId,
    /// How the payment stands.
    pub(crate) outcome: Outcome,
}

/// Takes news in, with everything that follows, in the caller's transaction. False when it was taken in before.
pub(crate) async fn receive(tx: &mut Tx, news: &ProviderNews) -> Result<bool, RecordError> {
    let now = tx.now();
    if !store::insert(tx.conn(), news.provider, &news.event_id, news.attempt_id, news.outcome.as_str(), now).await? {
        return Ok(false);
    }
    match take_in(tx, news.attempt_id, &news.outcome, AttemptEvent::Cancel).await {
        Ok(recorded) if recorded.changed => store::update_changed(tx.conn(), news.provider, &news.event_id).await?,
        Ok(_) => {}
        // Sent to the wrong shop, or older than our books: kept, so that a person can look.
        Err(error @ RecordError::NotFound(_)) => tracing::warn!(%error, provider = news.provider, event = news.event_id, "news of an unknown payment"),
        Err(error) => return Err(error),
    }
    Ok(true)
}
