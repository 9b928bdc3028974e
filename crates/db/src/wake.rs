use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The channel on which processes tell each other that there is work.
const CHANNEL: &str = "tradewind_jobs";
/// One process tells the others at most this often.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells workers, here and in other processes, that a commit left work behind. Polling stays the truth.
///
/// `NOTIFY` inside a business transaction would serialise commits, so it is sent by one task, after commit.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    here: Arc<Notify>,
    elsewhere: Arc<Notify>,
}

impl Wake {
    /// Says that there is work.
    pub fn wake(&self) {
        self.here.notify_one();
        self.elsewhere.notify_one();
    }

    /// Waits until there is work, at most `poll`.
    pub async fn wait(&self, poll: Duration) {
        // Running into the timeout is the polling.
        drop(tokio::time::timeout(poll, self.here.notified()).await);
    }

    /// Passes wake-ups on to other processes until stopped.
    pub async fn tell_others(self, writer: PgPool, stop: CancellationToken) {
        while stop.run_until_cancelled(self.elsewhere.notified()).await.is_some() {
            if let Err(error) = sqlx::query!("select pg_notify($1, '')", CHANNEL).execute(&writer).await {
                tracing::debug!(%error, "wake-up not passed on; polling finds the work");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes wake-ups from other processes until stopped. `direct` must not go through a pooler.
    pub async fn hear_others(self, direct: PgPool, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.listen(&direct)).await {
                tracing::warn!(%error, "not listening for wake-ups; polling finds the work");
                stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await;
            }
        }
    }

    async fn listen(&self, direct: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(direct).await?;
        listener.listen(CHANNEL).await?;
        loop {
            listener.recv().await?;
            self.here.notify_one();
        }
    }
}
