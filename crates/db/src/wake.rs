use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use kernel::random;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The channel on which processes tell each other that there is work.
const WORK: &str = "tradewind_jobs";
/// The channel on which processes tell each other what is stale.
const OUTDATED: &str = "tradewind_outdated";
/// One process tells the others at most this often.
const PAUSE: Duration = Duration::from_millis(50);
/// How many tags wait to be told; beyond that, everything is.
const MOST: usize = 2_000;
/// The tag that everything bears.
const EVERYTHING: &str = "*";
/// PostgreSQL takes payloads of less than 8000 bytes.
const PAYLOAD_BYTES: usize = 7_500;

type Listener = Box<dyn Fn(&[String]) + Send + Sync>;

/// Tells workers, here and in other processes, that a commit left work behind, and caches what it made stale. Polling, and the caches' time
/// to live, stay the truth.
///
/// `NOTIFY` inside a business transaction would serialise commits, so it is sent by one task, after commit.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    here: Arc<Notify>,
    elsewhere: Arc<Notify>,
    has_work: Arc<AtomicBool>,
    outdated: Arc<Outdated>,
}

/// What became stale: who hears it here, and what others have not been told yet.
struct Outdated {
    listeners: RwLock<Vec<Listener>>,
    /// Who hears only what this process itself has made stale.
    messengers: RwLock<Vec<Listener>>,
    untold: Mutex<BTreeSet<String>>,
    /// Names this process to itself: it has heard its own news already.
    sender: String,
}

impl Default for Outdated {
    fn default() -> Self {
        let sender = u64::from_be_bytes(random::bytes());
        Self { listeners: RwLock::default(), messengers: RwLock::default(), untold: Mutex::default(), sender: format!("{sender:016x}") }
    }
}

impl fmt::Debug for Outdated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outdated").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl Outdated {
    fn hear(&self, tags: &[String]) {
        tell(&self.listeners, tags);
    }

    fn queue(&self, tags: Vec<String>) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.extend(tags);
        if untold.len() > MOST {
            untold.clear();
            untold.insert(EVERYTHING.to_owned());
        }
    }

    /// What others have not been told, in payloads that PostgreSQL takes.
    fn take_payloads(&self) -> Vec<String> {
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        let mut payloads: Vec<String> = Vec::new();
        for tag in untold {
            match payloads.last_mut() {
                Some(payload) if payload.len().saturating_add(tag.len()) < PAYLOAD_BYTES => {
                    payload.push(' ');
                    payload.push_str(&tag);
                }
                _ => payloads.push(format!("{} {tag}", self.sender)),
            }
        }
        payloads
    }

    /// Hears a payload, unless it is our own.
    fn hear_payload(&self, payload: &str) {
        let mut words = payload.split(' ').map(ToOwned::to_owned);
        if words.next().is_some_and(|sender| sender != self.sender) {
            self.hear(&words.collect::<Vec<_>>());
        }
    }
}

fn tell(listeners: &RwLock<Vec<Listener>>, tags: &[String]) {
    for listener in listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
        listener(tags);
    }
}

impl Wake {
    /// Says that there is work.
    pub fn wake(&self) {
        self.here.notify_one();
        self.has_work.store(true, Ordering::Release);
        self.elsewhere.notify_one();
    }

    /// Waits until there is work, at most `poll`.
    pub async fn wait(&self, poll: Duration) {
        // Running into the timeout is the polling.
        drop(tokio::time::timeout(poll, self.here.notified()).await);
    }

    /// Says that whatever bears one of these tags is stale: here at once, elsewhere a moment later.
    pub(crate) fn tell_outdated(&self, tags: Vec<String>) {
        if tags.is_empty() {
            return;
        }
        self.outdated.hear(&tags);
        tell(&self.outdated.messengers, &tags);
        self.outdated.queue(tags);
        self.elsewhere.notify_one();
    }

    pub(crate) fn on_outdated(&self, listener: Listener) {
        self.outdated.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(crate) fn on_outdated_here(&self, messenger: Listener) {
        self.outdated.messengers.write().unwrap_or_else(PoisonError::into_inner).push(messenger);
    }

    /// Passes wake-ups and what is stale on to other processes until stopped.
    pub async fn tell_others(self, writer: PgPool, stop: CancellationToken) {
        while stop.run_until_cancelled(self.elsewhere.notified()).await.is_some() {
            if let Err(error) = self.tell_now(&writer).await {
                tracing::debug!(%error, "news not passed on; polling finds the work, and the time to live ends what is stale");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Passes on what has not been passed on yet. For tools, which end before a task would.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tell_now(&self, writer: &PgPool) -> Result<(), sqlx::Error> {
        let mut payloads = self.outdated.take_payloads();
        let mut channels = vec![OUTDATED.to_owned(); payloads.len()];
        if self.has_work.swap(false, Ordering::AcqRel) {
            channels.push(WORK.to_owned());
            payloads.push(String::new());
        }
        if channels.is_empty() {
            return Ok(());
        }
        sqlx::query!("select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as news (channel, payload)", &channels, &payloads)
            .execute(writer)
            .await
            .map(drop)
    }

    /// Takes news from other processes until stopped. `direct` must not go through a pooler.
    pub async fn hear_others(self, direct: PgPool, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.listen(&direct)).await {
                tracing::warn!(%error, "not listening for news; polling finds the work, and the time to live ends what is stale");
                stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await;
            }
        }
    }

    async fn listen(&self, direct: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(direct).await?;
        listener.listen_all([WORK, OUTDATED]).await?;
        loop {
            let news = listener.recv().await?;
            if news.channel() == OUTDATED {
                self.outdated.hear_payload(news.payload());
            } else {
                self.here.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(outdated: &Outdated) -> Arc<Mutex<Vec<String>>> {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hears = Arc::clone(&heard);
        let listener: Listener = Box::new(move |tags| hears.lock().unwrap_or_else(PoisonError::into_inner).extend(tags.iter().cloned()));
        outdated.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
        heard
    }

    #[test]
    fn what_is_told_is_heard_by_others_and_not_again_by_oneself() {
        let (here, there) = (Outdated::default(), Outdated::default());
        let (heard_here, heard_there) = (heard(&here), heard(&there));
        let tags: Vec<String> = (0..500).map(|number| format!("product:prd_{number:026}")).collect();
        here.queue(tags.clone());
        let payloads = here.take_payloads();
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() < 8_000));
        for payload in &payloads {
            here.hear_payload(payload);
            there.hear_payload(payload);
        }
        assert_eq!(heard_there.lock().map(|tags| tags.clone()).ok(), Some(tags));
        assert_eq!(heard_here.lock().map(|tags| tags.len()).ok(), Some(0));
        assert!(here.take_payloads().is_empty());
    }

    #[test]
    fn too_much_to_tell_is_told_in_a_word() {
        let outdated = Outdated::default();
        outdated.queue((0..=MOST).map(|number| number.to_string()).collect());
        assert_eq!(outdated.take_payloads(), [format!("{} *", outdated.sender)]);
    }
}
