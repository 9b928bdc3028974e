//! Two ways to make load. In the closed loop everybody asks again when answered: it finds the most a server can do. In the open loop
//! requests arrive by schedule, whether or not earlier ones are answered, and their time counts from when they were due: a server that
//! stalls is charged for everybody who waited meanwhile (no coordinated omission).

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// Somebody who does one thing again and again, and looks at every answer.
pub(crate) trait Worker: Send + 'static {
    /// Does it once.
    ///
    /// # Errors
    /// The answer is not right; the measurement is void.
    fn work(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Measured {
    /// How often it was done.
    pub(crate) done: u64,
    /// In how long.
    pub(crate) took: Duration,
    /// How long each took, in microseconds.
    pub(crate) latency: Histogram<u64>,
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
}

impl Measured {
    /// Nothing yet.
    ///
    /// # Errors
    /// None in practice: three digits are a valid precision.
    pub(crate) fn nothing() -> anyhow::Result<Self> {
        Ok(Self { done: 0, took: Duration::ZERO, latency: Histogram::new(3)? })
    }

    /// Both together, one after the other.
    ///
    /// # Errors
    /// None in practice: both count alike.
    pub(crate) fn and(mut self, other: &Self) -> anyhow::Result<Self> {
        self.done += other.done;
        self.took += other.took;
        self.latency.add(&other.latency)?;
        Ok(self)
    }

    /// How often per second.
    pub(crate) fn per_second(&self) -> u64 {
        per_second(self.done, self.took)
    }

    /// How long it took.
    pub(crate) fn latency(&self) -> Latency {
        let at = |quantile| self.latency.value_at_quantile(quantile);
        Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: self.latency.max() }
    }
}

/// A rate.
pub(crate) fn per_second(count: u64, took: Duration) -> u64 {
    let micros = took.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// Everybody works without pause. What is done before `warm_up` has passed is not counted. The workers come back for another run.
///
/// # Errors
/// An answer was not right.
pub(crate) async fn closed<W: Worker>(workers: Vec<W>, warm_up: Duration, lasting: Duration) -> anyhow::Result<(Measured, Vec<W>)> {
    let begin = Instant::now() + warm_up;
    let end = begin + lasting;
    let mut running = JoinSet::new();
    for mut worker in workers {
        running.spawn(async move {
            let mut measured = Measured::nothing()?;
            loop {
                let asked = Instant::now();
                if asked >= end {
                    return Ok((worker, measured));
                }
                worker.work().await?;
                if asked >= begin {
                    record(&mut measured, asked)?;
                }
            }
        });
    }
    gather(running, lasting).await
}

/// Requests are due `rate` times a second, and done by whoever is free.
///
/// # Errors
/// An answer was not right.
pub(crate) async fn open<W: Worker>(workers: Vec<W>, rate: u64, lasting: Duration) -> anyhow::Result<(Measured, Vec<W>)> {
    let arrivals = Arc::new(Mutex::new(schedule(rate, lasting)?));
    let mut running = JoinSet::new();
    for mut worker in workers {
        let arrivals = Arc::clone(&arrivals);
        running.spawn(async move {
            let mut measured = Measured::nothing()?;
            loop {
                let Some(due) = arrivals.lock().await.recv().await else { return Ok((worker, measured)) };
                worker.work().await?;
                record(&mut measured, due)?;
            }
        });
    }
    gather(running, lasting).await
}

/// The arrivals, from a thread of their own: timers of the runtime are a millisecond coarse.
fn schedule(rate: u64, lasting: Duration) -> anyhow::Result<mpsc::UnboundedReceiver<Instant>> {
    let (due, arrivals) = mpsc::unbounded_channel();
    let pause = Duration::from_nanos(1_000_000_000_u64.checked_div(rate).context("a rate of nothing")?);
    std::thread::Builder::new().name("arrivals".to_owned()).spawn(move || {
        let begun = Instant::now();
        let mut next = begun;
        while next.duration_since(begun) < lasting {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            // Nobody listens any more after a wrong answer.
            if due.send(next).is_err() {
                return;
            }
            next += pause;
        }
    })?;
    Ok(arrivals)
}

fn record(measured: &mut Measured, since: Instant) -> anyhow::Result<()> {
    measured.done += 1;
    Ok(measured.latency.record(u64::try_from(since.elapsed().as_micros())?)?)
}

async fn gather<W: Worker>(mut running: JoinSet<anyhow::Result<(W, Measured)>>, took: Duration) -> anyhow::Result<(Measured, Vec<W>)> {
    let mut all = Measured::nothing()?;
    let mut workers = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (worker, measured) = ended??;
        all = all.and(&measured)?;
        workers.push(worker);
    }
    Ok((Measured { took, ..all }, workers))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Answers at once, but for one long stall at its third request.
    struct Stalling(u64);

    impl Worker for Stalling {
        async fn work(&mut self) -> anyhow::Result<()> {
            self.0 += 1;
            if self.0 == 3 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
    }

    /// Never gets an answer that is right.
    struct Wrong;

    impl Worker for Wrong {
        async fn work(&mut self) -> anyhow::Result<()> {
            anyhow::bail!("not what was asked for")
        }
    }

    #[tokio::test]
    async fn the_open_loop_charges_a_stall_to_everybody_who_waited() {
        let (measured, _) = open(vec![Stalling(0)], 100, Duration::from_millis(500)).await.unwrap();
        assert_eq!(measured.done, 50, "every arrival is served");
        // About twenty were due while the server stalled; the closed loop would have seen one.
        let waited = measured.latency.count_between(20_000, u64::MAX);
        assert!(waited >= 10, "{waited}");
    }

    #[tokio::test]
    async fn a_wrong_answer_ends_the_measurement() {
        assert!(closed(vec![Wrong], Duration::ZERO, Duration::from_secs(60)).await.is_err());
        assert!(open(vec![Wrong], 100, Duration::from_secs(1)).await.is_err());
    }

    #[tokio::test]
    async fn the_warm_up_is_not_counted() {
        let (measured, workers) = closed(vec![Stalling(0)], Duration::from_millis(100), Duration::from_millis(50)).await.unwrap();
        assert!(measured.done < workers.iter().map(|worker| worker.0).sum());
    }

    #[test]
    fn rates_do_not_overflow() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
        assert_eq!(per_second(1, Duration::ZERO), 1_000_000);
    }
}
