//! Many visitors at once, who go on whatever happens. In the open loop requests are due by schedule, and each counts from when it was due;
//! in the closed loop the next is due when one is answered. Either way the visitors take turns, so that the mix of requests is the same.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::line::{Fault, PATIENCE};

/// One request, and what came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) name: &'static str,
    pub(crate) outcome: Result<(), Fault>,
}

/// Somebody who does one request after another.
pub(crate) trait Visitor: Send + 'static {
    /// Does the next one.
    fn step(&mut self) -> impl Future<Output = Done> + Send;

    /// Does what must not be left undone, one request at a time; nothing when all is done.
    fn finish(&mut self) -> impl Future<Output = Option<Done>> + Send;
}

/// A request as it is written down.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// When it was due, after the begin.
    pub(crate) due: Duration,
    /// From then until it was answered, or given up.
    pub(crate) took: Duration,
    pub(crate) fault: Option<Fault>,
}

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many a second, whatever becomes of them.
    Open {
        /// Requests per second.
        rate: u64,
    },
    /// Always so many at once.
    Closed {
        /// How many.
        at_once: u32,
    },
}

/// Ends a run before its time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends it.
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Lets the visitors work until the time is over or somebody says stop, and then finish. Every request goes into `journal`.
///
/// # Errors
/// The machine has no thread left. What servers do is no error here.
pub(crate) async fn visit<V: Visitor>(
    visitors: Vec<V>,
    pace: Pace,
    lasting: Duration,
    stop: &Stop,
    journal: mpsc::UnboundedSender<Entry>,
) -> anyhow::Result<Vec<V>> {
    let begun = Instant::now();
    let (turns, arrivals) = mpsc::unbounded_channel();
    match pace {
        Pace::Open { rate } => schedule(rate, begun, lasting, stop, turns.clone())?,
        Pace::Closed { at_once } => (0..at_once).try_for_each(|_| turns.send(begun))?,
    }
    // In the open loop the schedule alone says when it is over.
    let again = matches!(pace, Pace::Closed { .. }).then(|| turns.clone());
    drop(turns);
    let arrivals = Arc::new(Mutex::new(arrivals));
    let mut running = JoinSet::new();
    for mut visitor in visitors {
        let (arrivals, journal, again, stop) = (Arc::clone(&arrivals), journal.clone(), again.clone(), stop.clone());
        running.spawn(async move {
            let note = |due: Instant, done: Done| {
                let entry = Entry { name: done.name, due: due.duration_since(begun), took: due.elapsed(), fault: done.outcome.err() };
                // Nobody reads on only when the run is being given up.
                drop(journal.send(entry));
            };
            loop {
                // The others wait for their turn here, and not until this one is done.
                let Some(due) = arrivals.lock().await.recv().await else { break };
                let Some(again) = &again else {
                    let late = Done { name: "waiting", outcome: Err(Fault::Late) };
                    note(due, if due.elapsed() > PATIENCE { late } else { visitor.step().await });
                    continue;
                };
                let is_over = stop.is_asked() || begun.elapsed() >= lasting;
                if !is_over {
                    note(due, visitor.step().await);
                }
                // The turn goes on to the next, also to end.
                if again.send(Instant::now()).is_err() || is_over {
                    break;
                }
            }
            let finishing = async {
                loop {
                    let due = Instant::now();
                    let Some(done) = visitor.finish().await else { break };
                    note(due, done);
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            };
            drop(tokio::time::timeout(PATIENCE.saturating_mul(2), finishing).await);
            visitor
        });
    }
    let mut visitors = Vec::new();
    while let Some(ended) = running.join_next().await {
        visitors.push(ended?);
    }
    Ok(visitors)
}

/// The arrivals, from a thread of their own: timers of the runtime are a millisecond coarse.
fn schedule(rate: u64, begun: Instant, lasting: Duration, stop: &Stop, due: mpsc::UnboundedSender<Instant>) -> anyhow::Result<()> {
    let pause = Duration::from_nanos(1_000_000_000_u64.checked_div(rate).context("a rate of nothing")?);
    let stop = stop.clone();
    std::thread::Builder::new().name("arrivals".to_owned()).spawn(move || {
        let mut next = begun;
        while next.duration_since(begun) < lasting && !stop.is_asked() {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            if due.send(next).is_err() {
                return;
            }
            next += pause;
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Fails at every third request; one thing is left to finish.
    struct Unlucky {
        done: u64,
        left: u64,
    }

    impl Visitor for Unlucky {
        async fn step(&mut self) -> Done {
            self.done += 1;
            tokio::task::yield_now().await;
            let outcome = if self.done.is_multiple_of(3) { Err(Fault::Timeout) } else { Ok(()) };
            Done { name: "thing", outcome }
        }

        async fn finish(&mut self) -> Option<Done> {
            self.left = self.left.checked_sub(1)?;
            Some(Done { name: "last", outcome: Ok(()) })
        }
    }

    async fn run(pace: Pace, lasting: Duration, stop: &Stop) -> (Vec<Entry>, Vec<Unlucky>) {
        let (journal, mut entries) = mpsc::unbounded_channel();
        let visitors = (0..4).map(|_| Unlucky { done: 0, left: 1 }).collect();
        let visitors = visit(visitors, pace, lasting, stop, journal).await.unwrap();
        let mut all = Vec::new();
        while let Ok(entry) = entries.try_recv() {
            all.push(entry);
        }
        (all, visitors)
    }

    #[tokio::test]
    async fn failures_end_nothing_and_are_all_written_down() {
        let (entries, visitors) = run(Pace::Open { rate: 100 }, Duration::from_millis(300), &Stop::default()).await;
        assert_eq!(entries.iter().filter(|entry| entry.name == "thing").count(), 30, "every arrival is served");
        assert_eq!(entries.iter().filter(|entry| entry.name == "last").count(), 4, "everybody finishes");
        let failed: u64 = visitors.iter().map(|visitor| visitor.done / 3).sum();
        assert_eq!(entries.iter().filter(|entry| entry.fault.is_some()).count(), usize::try_from(failed).unwrap());
        assert!(failed > 0);
    }

    #[tokio::test]
    async fn it_can_be_stopped_before_its_time() {
        let stop = Stop::default();
        stop.now();
        let (entries, _) = run(Pace::Open { rate: 100 }, Duration::from_secs(60), &stop).await;
        assert!(entries.iter().all(|entry| entry.name == "last"));
        let (entries, _) = run(Pace::Closed { at_once: 2 }, Duration::from_secs(60), &stop).await;
        assert!(entries.iter().all(|entry| entry.name == "last"));
    }

    #[tokio::test]
    async fn in_the_closed_loop_all_take_turns() {
        let (_, visitors) = run(Pace::Closed { at_once: 2 }, Duration::from_millis(100), &Stop::default()).await;
        let least = visitors.iter().map(|visitor| visitor.done).min().unwrap();
        let most = visitors.iter().map(|visitor| visitor.done).max().unwrap();
        assert!(least > 0 && most - least <= 3, "{least} to {most}");
    }
}
