//! Synthetic load in the open loop: requests are due by a clock, whether or not earlier ones are answered, and their time counts from when
//! they were due. A server that stalls is charged for everybody who waited meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use http::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::visitor::Wrong;

/// How much longer than planned answers may take.
const GRACE: Duration = Duration::from_secs(15);

/// Somebody who does one thing after another.
pub(super) trait Script: Send + 'static {
    /// Sends the next request.
    fn next(&mut self) -> impl Future<Output = Result<StatusCode, Wrong>> + Send;
}

/// How many requests in how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many.
    pub(crate) requests: u32,
    /// Within these seconds.
    pub(crate) seconds: u32,
}

/// What was answered. Its size does not grow with what is answered, but for four bytes a request.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    statuses: BTreeMap<u16, u32>,
    unanswered: u32,
    wrong: u32,
    first_wrong: Option<String>,
    /// In microseconds, from when each was due.
    took: Vec<u32>,
    lasted: Duration,
}

impl Summary {
    /// How many requests were answered, whatever the answer was.
    pub(crate) fn answered(&self) -> u32 {
        self.statuses.values().sum()
    }

    fn note(&mut self, outcome: &Result<StatusCode, Wrong>, took: Duration) {
        let status = match outcome {
            Ok(status) => Some(*status),
            Err(wrong) => {
                self.wrong += 1;
                self.first_wrong.get_or_insert_with(|| wrong.to_string());
                wrong.status
            }
        };
        match status {
            Some(status) => *self.statuses.entry(status.as_u16()).or_default() += 1,
            None => self.unanswered += 1,
        }
        self.took.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
        self.took.extend(other.took);
    }

    /// The time within which so many hundredths were answered.
    fn hundredth(&self, hundredth: usize) -> Duration {
        let place = (self.took.len() * hundredth).div_ceil(100).saturating_sub(1);
        Duration::from_micros(self.took.get(place).copied().unwrap_or_default().into())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses: Vec<String> = self.statuses.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        write!(f, "{} requests answered in {} s: {}", self.answered(), self.lasted.as_secs(), statuses.join(", "))?;
        if self.unanswered > 0 {
            write!(f, ", {} without an answer", self.unanswered)?;
        }
        write!(f, "; half within {} ms, 99 in 100 within {} ms", self.hundredth(50).as_millis(), self.hundredth(99).as_millis())?;
        match &self.first_wrong {
            Some(words) => write!(f, "; {} were not as expected, the first: {words}", self.wrong),
            None => Ok(()),
        }
    }
}

/// Lets every script do its share. Requests that nobody has come to shortly after the end are not made.
///
/// # Errors
/// A script panicked.
pub(super) async fn run<S: Script>(scripts: Vec<S>, plan: Plan) -> anyhow::Result<Summary> {
    run_with(scripts, plan, GRACE).await
}

async fn run_with<S: Script>(scripts: Vec<S>, plan: Plan, grace: Duration) -> anyhow::Result<Summary> {
    let (begun, lasting) = (Instant::now(), Duration::from_secs(plan.seconds.into()));
    let pause = lasting.checked_div(plan.requests).unwrap_or_default();
    let visitors = u32::try_from(scripts.len())?;
    let mut running = JoinSet::new();
    for (number, mut script) in (0..visitors).zip(scripts) {
        running.spawn(async move {
            let mut summary = Summary::default();
            for place in (number..plan.requests).step_by(usize::try_from(visitors).unwrap_or(1)) {
                let due = begun + pause * place;
                sleep_until(due).await;
                let Ok(outcome) = timeout_at(begun + lasting + grace, script.next()).await else { break };
                summary.note(&outcome, due.elapsed());
            }
            summary
        });
    }
    let mut all = Summary::default();
    while let Some(summary) = running.join_next().await {
        all.add(summary?);
    }
    all.took.sort_unstable();
    all.lasted = begun.elapsed();
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Answers at once, but for one long stall at its third request.
    struct Stalling(u32);

    impl Script for Stalling {
        async fn next(&mut self) -> Result<StatusCode, Wrong> {
            self.0 += 1;
            match self.0 {
                3 => tokio::time::sleep(Duration::from_millis(500)).await,
                4 => return Err(Wrong::silence("gone")),
                _ => {}
            }
            Ok(StatusCode::OK)
        }
    }

    /// Never answers.
    struct Silent;

    impl Script for Silent {
        async fn next(&mut self) -> Result<StatusCode, Wrong> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn every_request_is_made_and_a_stall_is_charged_to_everybody_who_waited() {
        let summary = run(vec![Stalling(0)], Plan { requests: 100, seconds: 1 }).await.unwrap();
        assert_eq!((summary.answered(), summary.unanswered, summary.wrong), (99, 1, 1));
        // About fifty were due while the server stalled; without a clock one would have seen it.
        let waited = summary.took.iter().filter(|took| **took >= 20_000).count();
        assert!((40..80).contains(&waited), "{waited} were due meanwhile");
        assert!(summary.hundredth(99) > Duration::from_millis(400), "{summary}");
        assert!(summary.to_string().contains("99 x 200, 1 without an answer"), "{summary}");
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let summary = run_with(vec![Silent, Silent], Plan { requests: 100, seconds: 1 }, Duration::from_millis(200)).await.unwrap();
        assert_eq!((summary.answered(), summary.took.len(), summary.lasted.as_secs()), (0, 0, 1));
    }

    #[test]
    fn a_summary_of_nothing_has_no_times() {
        assert_eq!(Summary::default().hundredth(99), Duration::ZERO);
    }
}
