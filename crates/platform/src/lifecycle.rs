//! An ordered life: tasks that are waited for, signals that start the drain, and a second signal that ends it at once.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Work that outlives the request that started it. A stopping process waits for it.
#[derive(Debug, Clone, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` to its end, whoever goes away meanwhile. A panic is logged under `name`.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let watched = async move {
            if let Err(panic) = guarded.await {
                tracing::error!(task = name, panic = panic_text(panic.as_ref()), "a task panicked");
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns, so that a stopping process waits for everything")]
        drop(self.0.spawn(watched));
    }

    /// Waits until all is done, at most `deadline`. True if all was done.
    pub async fn finish(&self, deadline: Duration) -> bool {
        self.0.close();
        tokio::time::timeout(deadline, self.0.wait()).await.is_ok()
    }
}

/// What a panic said, as far as it can be told.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no words)")
}

/// Cancels `stop` at the first SIGTERM or SIGINT; the second one ends the process at once.
///
/// # Errors
/// The signals cannot be listened to.
pub fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    #[expect(clippy::disallowed_methods, reason = "listens for as long as the process lives, so nobody waits for it")]
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let name = next().await;
        tracing::info!(signal = name, "stopping; a second signal stops at once");
        stop.cancel();
        let name = next().await;
        tracing::warn!(signal = name, "stopped at once");
        crate::telemetry::flush_logs();
        std::process::exit(1);
    });
    Ok(())
}
