//! The worker: claims jobs of the services of this process, does them under a lease, and lets schedules tick.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use db::jobs::{self, ClaimedJob, FailedJob, QueueFigures};
use db::{Actor, Subscriber, Subscriptions};
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Context, Failure, Job, JobHandler, Service};

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct WorkerOptions {
    /// How many jobs at once.
    pub concurrency: usize,
    /// How often it looks for work when nobody wakes it.
    pub poll: Duration,
    /// How long a job is its own; the job is given up a little earlier.
    pub lease: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { concurrency: 4, poll: Duration::from_secs(1), lease: Duration::from_secs(60) }
    }
}

/// How often what is old in `ops` is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How often the queues' figures are told to the metrics.
const FIGURES_EVERY: Duration = Duration::from_secs(5);

/// Who hears which event, over all services, whether this process serves them or not.
#[must_use]
pub fn subscriptions(services: &[Service]) -> Subscriptions {
    let mut subscriptions = Subscriptions::default();
    for job in services.iter().flat_map(Service::jobs) {
        if let Some(event) = job.event {
            subscriptions.add(event, Subscriber { kind: job.kind.clone() });
        }
    }
    for (event, outdates) in services.iter().flat_map(Service::outdated) {
        subscriptions.add_outdates(event, std::sync::Arc::clone(outdates));
    }
    subscriptions
}

/// Does the jobs of `services` until stopped, then finishes those in hand.
pub async fn run(context: Context, services: Vec<Service>, options: WorkerOptions, stop: CancellationToken) {
    let services = with_housekeeping(&context, &services);
    let worker = Worker {
        context,
        jobs: services.iter().flat_map(Service::jobs).map(|job| (job.kind.clone(), job.clone())).collect(),
        options,
        id: Uuid::from_bytes(kernel::random::bytes()),
    };
    tokio::join!(worker.work(&stop), worker.tick(&services, &stop), report_on_queues(&worker.context, &services, &stop), pass_news_on(&worker.context, &stop));
}

/// Tells other processes what this one commits, and hears what they do: that there is work, and what is stale. [`run`] does it too; a
/// process without work of its own runs this alone.
pub async fn pass_news_on(context: &Context, stop: &CancellationToken) {
    let db = context.db();
    tokio::join!(db.wake().clone().tell_others(db.writer().clone(), stop.clone()), db.wake().clone().hear_others(db.direct().clone(), stop.clone()));
}

/// Does every job that is due, one after the other, until none is left, and returns how many. For tools and tests; a
/// process that serves uses [`run`].
///
/// # Errors
/// The database failed. A job that fails is put back and does not stop the others.
pub async fn work_off(context: &Context, services: &[Service]) -> Result<usize, Failure> {
    let services = with_housekeeping(context, services);
    let lease = WorkerOptions::default().lease;
    let jobs: HashMap<&str, &Job> = services.iter().flat_map(Service::jobs).map(|job| (job.kind.as_str(), job)).collect();
    let known: Vec<(String, i32)> = jobs.values().map(|job| (job.kind.clone(), job.version)).collect();
    let worker = Uuid::from_bytes(kernel::random::bytes());
    let mut done = 0;
    loop {
        let claimed = {
            let mut conn = context.db().read_latest().await?;
            jobs::claim(&mut conn, &known, 1, worker, lease, context.now()).await?
        };
        let Some(job) = claimed.into_iter().next() else { return Ok(done) };
        if let Some(handler) = jobs.get(job.kind.as_str()).map(|known| known.handler.clone()) {
            perform(context.clone(), handler, job, lease).await;
        }
        done += 1;
    }
}

/// Enqueues what the schedules of `services` have due, and returns how many jobs that are. For tools and tests; a process that serves
/// uses [`run`].
///
/// # Errors
/// The database failed.
pub async fn tick(context: &Context, services: &[Service]) -> Result<usize, Failure> {
    tick_once(context, &with_housekeeping(context, services), false).await
}

/// The services, and the platform's own background work: forgetting what is old in `ops`.
fn with_housekeeping(context: &Context, services: &[Service]) -> Vec<Service> {
    let context = context.clone();
    let housekeeping = Service::new(db::migrate::OPS.schema, db::migrate::OPS.migrator).schedule("ops.sweep", SWEEP_EVERY, move || {
        let context = context.clone();
        Box::pin(async move { sweep(&context).await })
    });
    services.iter().cloned().chain([housekeeping]).collect()
}

/// Forgets what is old, in small transactions, until nothing old is left.
async fn sweep(context: &Context) -> Result<(), Failure> {
    loop {
        let mut tx = context.db().begin(Actor::system("sweep")).await?;
        let now = tx.now();
        let forgotten = jobs::sweep(tx.conn(), now).await?;
        tx.commit().await?;
        if forgotten == 0 {
            return Ok(());
        }
    }
}

/// Lets the schedules tick once. The first time they are declared.
async fn tick_once(context: &Context, services: &[Service], declared: bool) -> Result<usize, Failure> {
    let mut tx = context.db().begin(Actor::system("schedules")).await?;
    let now = tx.now();
    if !declared {
        for schedule in services.iter().flat_map(Service::schedules) {
            let every_seconds = i32::try_from(schedule.every.as_secs()).unwrap_or(i32::MAX).max(1);
            jobs::declare_schedule(tx.conn(), &schedule.name, &schedule.kind, every_seconds, now).await?;
        }
    }
    let due = jobs::run_schedules(tx.conn(), now).await?;
    tx.commit().await?;
    if due > 0 {
        context.db().wake().wake();
    }
    metrics::gauge!("worker_last_tick_timestamp_seconds").set(f64::from(u32::try_from(now.timestamp()).unwrap_or(u32::MAX)));
    Ok(due)
}

/// Tells the figures of the queues to the metrics, again and again, until stopped. Every worker tells the same; of several, the highest counts.
async fn report_on_queues(context: &Context, services: &[Service], stop: &CancellationToken) {
    // A queue that has become empty is told once more.
    let mut queues: BTreeSet<String> = services.iter().map(|service| service.name().to_owned()).collect();
    loop {
        match read_figures(context).await {
            Ok(figures) => {
                queues.extend(figures.iter().map(|figures| figures.queue.clone()));
                report(&queues, &figures);
            }
            Err(error) => tracing::warn!(error = format!("{error:?}"), "the queues' figures were not read"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(FIGURES_EVERY)).await.is_none() {
            return;
        }
    }
}

async fn read_figures(context: &Context) -> Result<Vec<QueueFigures>, sqlx::Error> {
    let mut conn = context.db().read_latest().await?;
    jobs::figures(&mut conn, context.now()).await
}

struct Worker {
    context: Context,
    jobs: HashMap<String, Job>,
    options: WorkerOptions,
    id: Uuid,
}

impl Worker {
    async fn work(&self, stop: &CancellationToken) {
        let known: Vec<(String, i32)> = self.jobs.values().map(|job| (job.kind.clone(), job.version)).collect();
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            let free = self.options.concurrency.saturating_sub(running.len());
            if free == 0 {
                running.join_next().await;
                continue;
            }
            let claimed = self.claim(&known, free).await;
            let found = claimed.len();
            for job in claimed {
                if let Some(handler) = self.jobs.get(&job.kind).map(|known| known.handler.clone()) {
                    running.spawn(perform(self.context.clone(), handler, job, self.options.lease));
                }
            }
            if found < free {
                tokio::select! {
                    () = self.context.db().wake().wait(self.options.poll) => {}
                    () = stop.cancelled() => {}
                    Some(_) = running.join_next(), if !running.is_empty() => {}
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self, known: &[(String, i32)], most: usize) -> Vec<ClaimedJob> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let now = self.context.now();
        let claimed = async {
            let mut conn = self.context.db().read_latest().await?;
            jobs::claim(&mut conn, known, most, self.id, self.options.lease, now).await
        };
        claimed.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "jobs not claimed");
            Vec::new()
        })
    }

    async fn tick(&self, services: &[Service], stop: &CancellationToken) {
        let mut declared = false;
        while stop.run_until_cancelled(tokio::time::sleep(if declared { self.options.poll } else { Duration::ZERO })).await.is_some() {
            match tick_once(&self.context, services, declared).await {
                Ok(_) => declared = true,
                Err(error) => {
                    tracing::warn!(error = format!("{error:?}"), "schedules did not run");
                    stop.run_until_cancelled(tokio::time::sleep(self.options.poll)).await;
                }
            }
        }
    }
}

fn report(queues: &BTreeSet<String>, figures: &[QueueFigures]) {
    let number = |value: i64| f64::from(i32::try_from(value).unwrap_or(i32::MAX));
    for queue in queues {
        let figures = figures.iter().find(|figures| figures.queue == *queue).cloned().unwrap_or_default();
        let gauge = |name: &'static str, value: i64| metrics::gauge!(name, "queue" => queue.clone()).set(number(value));
        gauge("jobs_due", figures.due);
        gauge("jobs_retrying", figures.retrying);
        gauge("jobs_running", figures.running);
        gauge("jobs_dead", figures.dead);
        gauge("jobs_oldest_due_seconds", figures.oldest_due_seconds);
    }
    let lag = figures.iter().map(|figures| figures.oldest_event_seconds).max().unwrap_or(0);
    metrics::gauge!("outbox_lag_seconds").set(number(lag));
}

/// Does one job and writes down what became of it. A worker killed here leaves the lease to run out, and another takes the job.
async fn perform(context: Context, handler: JobHandler, job: ClaimedJob, lease: Duration) {
    let (deadline, begun) = (lease.mul_f64(0.9), Instant::now());
    let outcome = match tokio::time::timeout(deadline, AssertUnwindSafe(attempt(&context, handler, &job)).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Failure::Internal(anyhow::anyhow!("panicked: {}", platform::lifecycle::panic_text(panic.as_ref())))),
        Err(_) => Err(Failure::Internal(anyhow::anyhow!("not done within {deadline:?}"))),
    };
    let result = match outcome {
        Ok(()) => "done",
        Err(failure) => put_back(&context, &job, &failure).await,
    };
    metrics::counter!("jobs_total", "kind" => job.kind.clone(), "outcome" => result).increment(1);
    metrics::histogram!("job_duration_seconds", "kind" => job.kind.clone()).record(begun.elapsed().as_secs_f64());
}

async fn attempt(context: &Context, handler: JobHandler, job: &ClaimedJob) -> Result<(), Failure> {
    match handler {
        JobHandler::InTransaction(handler) => {
            let mut tx = context.db().begin(Actor::system(&job.kind)).await?;
            handler(&mut tx, job.payload.clone()).await?;
            finish(tx, job).await
        }
        JobHandler::Outside(handler) => {
            handler(job.payload.clone()).await?;
            finish(context.db().begin(Actor::system(&job.kind)).await?, job).await
        }
    }
}

/// Marks the job done; a worker that has lost its lease meanwhile takes everything back, for another has the job.
async fn finish(mut tx: db::Tx, job: &ClaimedJob) -> Result<(), Failure> {
    let now = tx.now();
    if jobs::finish(tx.conn(), job, now).await? {
        return Ok(tx.commit().await?);
    }
    tracing::warn!(kind = job.kind, id = %job.id, "job lost to another worker");
    Ok(tx.rollback().await?)
}

async fn put_back(context: &Context, job: &ClaimedJob, failure: &Failure) -> &'static str {
    let reason = match failure {
        Failure::Problem(problem) => format!("{}: {}", problem.code(), problem.detail_text().unwrap_or(problem.title())),
        Failure::Internal(error) => format!("{error:#}"),
    };
    let failed = async {
        let mut tx = context.db().begin(Actor::system(&job.kind)).await?;
        let now = tx.now();
        let failed = jobs::fail(tx.conn(), job, &reason, now).await?;
        tx.commit().await?;
        Ok::<_, Failure>(failed)
    };
    match failed.await {
        Ok(FailedJob::Dead) => {
            tracing::error!(kind = job.kind, id = %job.id, reason, "job is dead");
            "dead"
        }
        Ok(FailedJob::Retried(at)) => {
            tracing::warn!(kind = job.kind, id = %job.id, reason, attempts = job.attempts, %at, "job failed, will be tried again");
            "retried"
        }
        Ok(FailedJob::Lost) => "lost",
        Err(error) => {
            tracing::warn!(kind = job.kind, id = %job.id, ?error, reason, "job failed and could not be put back; its lease will run out");
            "unknown"
        }
    }
}
