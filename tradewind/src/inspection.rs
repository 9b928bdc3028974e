//! Going through every invariant: at once, as `tradewind check`, or in slices, as a schedule of the workers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use db::check::{self, Check, Place};
use db::{Actor, Db, DbError, jobs};
use kernel::Timestamp;
use platform::config::Worker;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Context, Failure, Service};
use tokio::time::Instant;

use crate::invariants;

/// What the schedule begins.
const RUN: &str = "ops.check";
/// What goes on with it after a slice.
const GO_ON: &str = "ops.check_on";
/// How many findings of a check are told in words; all are counted.
const TOLD: usize = 20;
/// The check whose amount is exported as units sold twice.
const OVERSOLD: &str = "inventory.oversold";

/// Every check there is: the platform's, each service's, and those between services.
pub(crate) fn checks(services: &[Service]) -> Vec<Check> {
    let own = services.iter().flat_map(Service::invariants).copied();
    check::platform_checks().into_iter().chain(own).chain(invariants::checks()).collect()
}

/// What a check has seen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Rows looked at.
    pub(crate) rows: u64,
    /// How much does not hold.
    pub(crate) findings: u64,
    /// Their amounts summed up: units, or minor units of money.
    pub(crate) amount: i64,
    /// The first findings in words.
    pub(crate) words: Vec<String>,
}

/// A walk through every check, batch by batch. It can be put down and taken up elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Inspection {
    begun_at: Timestamp,
    /// The check in work; nothing when all are done.
    check: Option<String>,
    after: Option<String>,
    outcomes: BTreeMap<String, Outcome>,
}

impl Inspection {
    /// Begins with the first check.
    pub(crate) fn new(checks: &[Check], now: Timestamp) -> Self {
        Self { begun_at: now, check: checks.first().map(|check| check.name.to_owned()), after: None, outcomes: BTreeMap::new() }
    }

    /// The check in work; nothing when all are done.
    pub(crate) fn in_work(&self) -> Option<&str> {
        self.check.as_deref()
    }

    /// What a check has seen; nothing if it has not begun.
    pub(crate) fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.get(name)
    }

    /// Rows looked at, by all checks.
    pub(crate) fn rows(&self) -> u64 {
        self.outcomes.values().map(|outcome| outcome.rows).fold(0, u64::saturating_add)
    }

    /// How much does not hold.
    pub(crate) fn findings(&self) -> u64 {
        self.outcomes.values().map(|outcome| outcome.findings).fold(0, u64::saturating_add)
    }

    /// Looks at the next batch.
    ///
    /// # Errors
    /// The database failed; the same step can be tried again.
    pub(crate) async fn step(&mut self, db: &Db, checks: &[Check]) -> Result<(), DbError> {
        let Some(index) = checks.iter().position(|check| Some(check.name) == self.check.as_deref()) else {
            // Begun by a release that knew other checks.
            self.check = None;
            return Ok(());
        };
        let (Some(check), next_check) = (checks.get(index), checks.get(index + 1)) else { return Ok(()) };
        let batch = check::look(db, check, &Place::new(self.after.take(), self.begun_at)).await?;
        let outcome = self.outcomes.entry(check.name.to_owned()).or_default();
        outcome.rows = outcome.rows.saturating_add(batch.rows);
        for finding in batch.findings {
            outcome.findings = outcome.findings.saturating_add(1);
            outcome.amount = outcome.amount.saturating_add(finding.amount);
            if outcome.words.len() < TOLD {
                outcome.words.push(finding.words);
            }
        }
        self.after = batch.next;
        if self.after.is_none() {
            self.check = next_check.map(|check| check.name.to_owned());
        }
        Ok(())
    }
}

/// The platform's schedule that goes through every check, for processes that do the work of all services. Its jobs are slices much shorter than
/// a lease, so that a large shop is looked at in many small steps.
pub(crate) fn service(context: &Context, checks: Vec<Check>, worker: &Worker) -> Service {
    let slice = worker.lease / 3;
    let checks: Arc<[Check]> = checks.into();
    let (begin_with, begin_in) = (Arc::clone(&checks), context.clone());
    let (go_on_with, go_on_in) = (checks, context.clone());
    Service::new(db::migrate::OPS.schema, db::migrate::OPS.migrator)
        .schedule(RUN, worker.check_every, move || {
            let (context, checks) = (begin_in.clone(), Arc::clone(&begin_with));
            Box::pin(async move { begin(context, checks, slice).await })
        })
        .job(GO_ON, move |payload| {
            let (context, checks) = (go_on_in.clone(), Arc::clone(&go_on_with));
            Box::pin(async move { walk(context, checks, slice, serde_json::from_value(payload)?).await })
        })
}

/// Begins a walk, unless the one before is still under way.
async fn begin(context: Context, checks: Arc<[Check]>, slice: Duration) -> Result<(), Failure> {
    let is_under_way = {
        let mut conn = context.db().read_latest().await?;
        jobs::is_open(&mut conn, GO_ON).await?
    };
    if is_under_way {
        return Ok(());
    }
    let inspection = Inspection::new(&checks, context.now());
    walk(context, checks, slice, inspection).await
}

/// Walks on for a slice of time; leaves the rest as a job, or reports.
async fn walk(context: Context, checks: Arc<[Check]>, slice: Duration, mut inspection: Inspection) -> Result<(), Failure> {
    let until = Instant::now() + slice;
    while inspection.in_work().is_some() {
        if Instant::now() >= until {
            return put_down(&context, &inspection).await;
        }
        inspection.step(context.db(), &checks).await?;
    }
    report(&checks, &inspection, context.now());
    Ok(())
}

async fn put_down(context: &Context, inspection: &Inspection) -> Result<(), Failure> {
    let payload: Value = serde_json::to_value(inspection)?;
    // Put down twice at the same place, by a slice that was repeated, it is taken up once.
    let place = format!("{} {} {}", inspection.begun_at, inspection.check.as_deref().unwrap_or_default(), inspection.after.as_deref().unwrap_or_default());
    let mut tx = context.db().begin(Actor::system("check")).await?;
    tx.enqueue(GO_ON, &payload, Some(&place), None).await?;
    tx.commit().await?;
    Ok(())
}

/// Exports the result, and logs what does not hold. Of several workers the one with the newest `check_last_run_timestamp_seconds` is right.
fn report(checks: &[Check], inspection: &Inspection, now: Timestamp) {
    for check in checks {
        let outcome = inspection.outcome(check.name).cloned().unwrap_or_default();
        metrics::gauge!("check_findings", "check" => check.name).set(gauge(outcome.findings));
        if check.name == OVERSOLD {
            metrics::gauge!("inventory_oversold_units").set(gauge(u64::try_from(outcome.amount).unwrap_or(0)));
        }
        for words in &outcome.words {
            tracing::error!(check = check.name, finding = words, "an invariant does not hold");
        }
    }
    metrics::gauge!("check_last_run_timestamp_seconds").set(gauge(u64::try_from(now.timestamp()).unwrap_or(0)));
    tracing::info!(rows = inspection.rows(), findings = inspection.findings(), "every invariant was looked after");
}

/// A gauge holds whole numbers of 32 bits exactly, and seconds until the year 2106.
fn gauge(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
