//! The outbox and the job queue: rows in PostgreSQL, claimed by state with `skip locked`, leased, retried, laid to rest.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use kernel::jobs::{JobAnswer, JobFigures, JobId, JobState};
use kernel::{Timestamp, random};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A lease longer than this is as good as for ever, and this still fits a timestamp.
const LONGEST_LEASE: TimeDelta = TimeDelta::days(36_525);

/// Who hears an event: the kind of job that is written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The job's kind, such as `catalog.project_stock_band`.
    pub kind: String,
}

/// What an event makes stale, as tags that caches know. Given the event's payload.
pub type Outdates = Arc<dyn Fn(&Value) -> Vec<String> + Send + Sync>;

/// Every subscriber of every event, and what each event makes stale.
#[derive(Clone, Default)]
pub struct Subscriptions {
    subscribers: HashMap<&'static str, Vec<Subscriber>>,
    outdates: HashMap<&'static str, Vec<Outdates>>,
}

impl Subscriptions {
    /// Adds a subscriber of the event named `event`.
    pub fn add(&mut self, event: &'static str, subscriber: Subscriber) {
        self.subscribers.entry(event).or_default().push(subscriber);
    }

    /// Says what the event named `event` makes stale.
    pub fn add_outdates(&mut self, event: &'static str, outdates: Outdates) {
        self.outdates.entry(event).or_default().push(outdates);
    }

    /// The tags of what an event with this payload makes stale.
    pub(crate) fn outdated_by(&self, event: &str, payload: &Value) -> Vec<String> {
        self.outdates.get(event).into_iter().flatten().flat_map(|outdates| outdates(payload)).collect()
    }

    /// The subscribers of an event.
    #[must_use]
    pub fn of(&self, event: &str) -> &[Subscriber] {
        self.subscribers.get(event).map(Vec::as_slice).unwrap_or_default()
    }
}

impl std::fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriptions").field("subscribers", &self.subscribers).finish_non_exhaustive()
    }
}

/// A job in a worker's hands until its lease ends.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// The row.
    pub id: Uuid,
    /// What kind of work.
    pub kind: String,
    /// The version of its payload.
    pub version: i32,
    /// What to work on.
    pub payload: Value,
    /// Which attempt this is, from 1.
    pub attempts: i32,
    /// After how many attempts it is dead.
    pub max_attempts: i32,
    /// The worker that holds it.
    pub worker: Uuid,
}

/// What became of a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedJob {
    /// It will be tried again at this moment.
    Retried(Timestamp),
    /// It is dead and waits for a person.
    Dead,
    /// Another worker has it by now.
    Lost,
}

#[expect(clippy::too_many_arguments, reason = "one row, column by column")]
pub(crate) async fn insert_event(
    conn: &mut PgConnection,
    id: Uuid,
    name: &str,
    version: i32,
    payload: &Value,
    actor: &str,
    subscribers: &[Subscriber],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = subscribers.iter().map(|_| JobId::new(now).uuid()).collect();
    let kinds: Vec<String> = subscribers.iter().map(|subscriber| subscriber.kind.clone()).collect();
    sqlx::query!(
        "with event as (
             insert into ops.event (id, name, version, payload, actor, subscribers, occurred_at) values ($1, $2, $3, $4, $5, cardinality($7::uuid[]), $6)
         )
         insert into ops.job (id, kind, version, event_id, payload, run_at, created_at)
         select job.id, job.kind, $3, $1, $4, $6, $6 from unnest($7::uuid[], $8::text[]) as job (id, kind)",
        id,
        name,
        version,
        payload,
        actor,
        now,
        &ids,
        &kinds
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    kind: &str,
    payload: &Value,
    dedup_key: Option<&str>,
    run_at: Timestamp,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ops.job (id, kind, payload, dedup_key, run_at, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (kind, dedup_key) where dedup_key is not null and state in ('ready', 'running') do nothing",
        JobId::new(now).uuid(),
        kind,
        payload,
        dedup_key,
        run_at,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `most` due jobs of the kinds and versions this worker knows, and jobs whose lease ran out. Other versions are
/// left alone without counting an attempt. A job whose last attempt let its lease run out is dead: it may be what kills workers.
///
/// # Errors
/// The database failed.
pub async fn claim(
    conn: &mut PgConnection,
    known: &[(String, i32)],
    most: i64,
    worker: Uuid,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let (kinds, versions): (Vec<String>, Vec<i32>) = known.iter().cloned().unzip();
    let lease_until = now + TimeDelta::from_std(lease).unwrap_or(LONGEST_LEASE).min(LONGEST_LEASE);
    sqlx::query_as!(
        ClaimedJob,
        r#"with lost as (
             select id from ops.job where state = 'running' and lease_until < $3 and attempts >= max_attempts order by id for update skip locked
         ), buried as (
             update ops.job set state = 'dead', finished_at = $3, lease_until = null, leased_by = null,
                 last_error = 'the lease of the last attempt ran out' || coalesce('; before that: ' || left(job.last_error, 1900), '')
             from lost where job.id = lost.id
         ), due as (
             select job.id from ops.job
             join unnest($1::text[], $2::integer[]) as known (kind, version) on known.kind = job.kind and job.version <= known.version
             where (job.state = 'ready' and job.run_at <= $3) or (job.state = 'running' and job.lease_until < $3 and job.attempts < job.max_attempts)
             order by job.run_at, job.id limit $4
             for update of job skip locked
         )
         update ops.job set state = 'running', attempts = job.attempts + 1, lease_until = $5, leased_by = $6::uuid
         from due where job.id = due.id
         returning job.id, job.kind, job.version, job.payload, job.attempts, job.max_attempts, $6::uuid as "worker!""#,
        &kinds,
        &versions,
        now,
        most,
        lease_until,
        worker
    )
    .fetch_all(conn)
    .await
}

/// Marks a job done, in the transaction of its effect. False when the worker has lost it: then nothing may be committed.
///
/// # Errors
/// The database failed.
pub async fn finish(conn: &mut PgConnection, job: &ClaimedJob, now: Timestamp) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query!(
        "update ops.job set state = 'done', finished_at = $3, lease_until = null, leased_by = null
         where id = $1 and state = 'running' and leased_by = $2 and attempts = $4",
        job.id,
        job.worker,
        now,
        job.attempts
    )
    .execute(conn)
    .await?;
    Ok(rows.rows_affected() == 1)
}

/// Puts a failed job back for later, twice as late each time with some jitter, an hour at most; or lays it to rest.
///
/// # Errors
/// The database failed.
pub async fn fail(conn: &mut PgConnection, job: &ClaimedJob, error: &str, now: Timestamp) -> Result<FailedJob, sqlx::Error> {
    let dead = job.attempts >= job.max_attempts;
    let run_at = now + backoff(job.attempts);
    let error: String = error.chars().take(2_000).collect();
    let rows = sqlx::query!(
        "update ops.job set state = case when $5 then 'dead' else 'ready' end, finished_at = case when $5 then $4::timestamptz end,
             run_at = $6, last_error = $3, lease_until = null, leased_by = null
         where id = $1 and state = 'running' and leased_by = $2 and attempts = $7",
        job.id,
        job.worker,
        error,
        now,
        dead,
        run_at,
        job.attempts
    )
    .execute(conn)
    .await?;
    Ok(match (rows.rows_affected(), dead) {
        (0, _) => FailedJob::Lost,
        (_, true) => FailedJob::Dead,
        _ => FailedJob::Retried(run_at),
    })
}

/// Half a second, doubled at each attempt up to an hour, and up to a quarter more by chance.
fn backoff(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 13) - 1).unwrap_or(0);
    let base_ms = (500_u64 << doublings).min(3_600_000);
    TimeDelta::milliseconds(i64::try_from(base_ms + random::below(base_ms / 4 + 1)).unwrap_or(3_600_000))
}

/// Makes the schedules known; an existing one keeps its next moment unless its new interval is over sooner.
///
/// # Errors
/// The database failed.
pub async fn declare_schedule(conn: &mut PgConnection, name: &str, kind: &str, every_seconds: i32, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ops.schedule (name, kind, every_seconds, next_run_at) values ($1, $2, $3, $4)
         on conflict (name) do update set kind = excluded.kind, every_seconds = excluded.every_seconds,
             next_run_at = least(schedule.next_run_at, excluded.next_run_at + make_interval(secs => excluded.every_seconds))
         where (schedule.kind, schedule.every_seconds) is distinct from (excluded.kind, excluded.every_seconds)",
        name,
        kind,
        every_seconds,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Enqueues what is due, if this transaction is the leader: the one that holds the schedules' advisory lock. Returns how many.
///
/// A run that still waits, because it failed and was put back, is not doubled but brought forward: it is tried again at the schedule's
/// pace, however long its own waiting has grown.
///
/// # Errors
/// The database failed.
pub async fn run_schedules(conn: &mut PgConnection, now: Timestamp) -> Result<usize, sqlx::Error> {
    /// `hashtext('tradewind schedules')` would do; a constant is easier to find in `pg_locks`.
    const LEADER_LOCK: i64 = 7_461_001;
    let leader = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "leader!""#, LEADER_LOCK).fetch_one(&mut *conn).await?;
    if !leader {
        return Ok(0);
    }
    let due = sqlx::query!("update ops.schedule set next_run_at = $1 + make_interval(secs => every_seconds) where next_run_at <= $1 returning name, kind", now)
        .fetch_all(&mut *conn)
        .await?;
    for schedule in &due {
        sqlx::query!(
            "insert into ops.job (id, kind, payload, dedup_key, run_at, created_at) values ($1, $2, 'null', $3, $4, $4)
             on conflict (kind, dedup_key) where dedup_key is not null and state in ('ready', 'running')
             do update set run_at = least(job.run_at, excluded.run_at) where job.state = 'ready'",
            JobId::new(now).uuid(),
            schedule.kind,
            schedule.name,
            now
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(due.len())
}

/// Whether a job of this kind waits or runs.
///
/// # Errors
/// The database failed.
pub async fn is_open(conn: &mut PgConnection, kind: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from ops.job where kind = $1 and dedup_key is not null and state in ('ready', 'running')) as "open!""#, kind)
        .fetch_one(conn)
        .await
}

/// The texts among `values` that stand in `field` of the payload of a job of this kind that waits or runs.
///
/// # Errors
/// The database failed.
pub async fn list_open_about(conn: &mut PgConnection, kind: &str, field: &str, values: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select payload ->> $2 as "value!" from ops.job where kind = $1 and state in ('ready', 'running') and payload ->> $2 = any($3)"#,
        kind,
        field,
        values
    )
    .fetch_all(conn)
    .await
}

/// Forgets what is old, a thousand rows of each at a time: done jobs after 7 days, dead ones after 90, events without jobs after 30,
/// idempotency keys when they expire. Returns how many rows went.
///
/// # Errors
/// The database failed.
pub async fn sweep(conn: &mut PgConnection, now: Timestamp) -> Result<u64, sqlx::Error> {
    let jobs = sqlx::query!(
        "delete from ops.job where id in (
             select id from ops.job where (state = 'done' and finished_at < $1::timestamptz - interval '7 days') or (state = 'dead' and finished_at < $1::timestamptz - interval '90 days')
             limit 1000)",
        now
    )
    .execute(&mut *conn)
    .await?;
    let events = sqlx::query!(
        "delete from ops.event where id in (
             select id from ops.event where occurred_at < $1::timestamptz - interval '30 days' and not exists (select from ops.job where job.event_id = event.id)
             limit 1000)",
        now
    )
    .execute(&mut *conn)
    .await?;
    let keys =
        sqlx::query!("delete from ops.idempotency_key where ctid = any(array(select ctid from ops.idempotency_key where expires_at < $1 limit 1000))", now)
            .execute(conn)
            .await?;
    Ok(jobs.rows_affected() + events.rows_affected() + keys.rows_affected())
}

/// Puts a dead job back in the queue with its attempts forgotten. False when there is no such dead job, or another one with its dedup key
/// waits or runs by now.
///
/// # Errors
/// The database failed.
pub async fn replay(conn: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query!(
        "update ops.job set state = 'ready', attempts = 0, run_at = $2, finished_at = null
         where id = $1 and state = 'dead' and not exists (
             select from ops.job as other where other.kind = job.kind and other.dedup_key = job.dedup_key and other.state in ('ready', 'running'))",
        id,
        now
    )
    .execute(conn)
    .await?;
    Ok(rows.rows_affected() == 1)
}

/// A job as the table has it.
struct JobRow {
    id: Uuid,
    kind: String,
    state: String,
    payload: Value,
    attempts: i32,
    max_attempts: i32,
    run_at: Timestamp,
    last_error: Option<String>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl TryFrom<JobRow> for JobAnswer {
    type Error = sqlx::Error;

    fn try_from(row: JobRow) -> Result<Self, sqlx::Error> {
        let JobRow { id, kind, state, payload, attempts, max_attempts, run_at, last_error, created_at, finished_at } = row;
        let state = state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Self { id: JobId::from_uuid(id), kind, state, payload, attempts, max_attempts, run_at, last_error, created_at, finished_at })
    }
}

/// Which jobs staff look at.
#[derive(Debug, Clone)]
pub struct JobFilter {
    /// Only this state.
    pub state: JobState,
    /// Only this kind; found among the next [`LOOKED_THROUGH`] of the state.
    pub kind: Option<String>,
    /// The [`place`] after which to go on.
    pub after: Option<(Timestamp, JobId)>,
}

/// How many jobs of a state are looked through for those of one kind.
const LOOKED_THROUGH: i64 = 5_000;

/// Where a job stands in the list of its state.
#[must_use]
pub fn place(job: &JobAnswer) -> (Timestamp, JobId) {
    (job.finished_at.unwrap_or(job.run_at), job.id)
}

/// The jobs of one state: waiting and running ones by the moment they run, ended ones with the latest first. Each branch reads its own
/// index from where it goes on; all but one end before they begin.
///
/// # Errors
/// The database failed.
pub async fn list(conn: &mut PgConnection, filter: &JobFilter, limit: i64) -> Result<Vec<JobAnswer>, sqlx::Error> {
    let (moment, id) = filter.after.map(|(moment, id)| (moment, id.uuid())).unzip();
    let looked_through = if filter.kind.is_some() { LOOKED_THROUGH } else { limit };
    let rows = sqlx::query_as!(
        JobRow,
        r#"with page as (
             (select * from ops.job where $1::text = 'ready' and state = 'ready'
                  and (run_at, id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
              order by run_at, id limit $5::bigint)
             union all
             (select * from ops.job where $1 = 'running' and state = 'running'
                  and (run_at, id) > (coalesce($2, '-infinity'), coalesce($3, '00000000-0000-0000-0000-000000000000'))
              order by run_at, id limit $5)
             union all
             (select * from ops.job where $1 = 'dead' and state = 'dead'
                  and (finished_at, id) < (coalesce($2, 'infinity'), coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
              order by finished_at desc, id desc limit $5)
             union all
             (select * from ops.job where $1 = 'done' and state = 'done' and finished_at is not null
                  and (finished_at, id) < (coalesce($2, 'infinity'), coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
              order by finished_at desc, id desc limit $5)
         )
         select id as "id!", kind as "kind!", state as "state!", payload as "payload!", attempts as "attempts!", max_attempts as "max_attempts!",
             run_at as "run_at!", last_error, created_at as "created_at!", finished_at
         from page where $4::text is null or kind = $4
         order by case when finished_at is null then run_at end, case when finished_at is null then id end, finished_at desc, id desc
         limit $6"#,
        filter.state.as_str(),
        moment,
        id,
        filter.kind,
        looked_through,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(JobAnswer::try_from).collect()
}

/// One job.
///
/// # Errors
/// The database failed.
pub async fn find(conn: &mut PgConnection, id: JobId) -> Result<Option<JobAnswer>, sqlx::Error> {
    let row = sqlx::query_as!(
        JobRow,
        "select id, kind, state, payload, attempts, max_attempts, run_at, last_error, created_at, finished_at from ops.job where id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(JobAnswer::try_from).transpose()
}

/// Reads the queue's figures for staff; no count goes on beyond 10,000.
///
/// # Errors
/// The database failed.
pub async fn bounded_figures(conn: &mut PgConnection, now: Timestamp) -> Result<JobFigures, sqlx::Error> {
    sqlx::query_as!(
        JobFigures,
        r#"select
             (select count(*) from (select from ops.job where state = 'ready' limit 10000) as ready) as "ready!",
             (select count(*) from (select from ops.job where state = 'running' limit 10000) as running) as "running!",
             (select count(*) from (select from ops.job where state = 'dead' limit 10000) as dead) as "dead!",
             coalesce((select extract(epoch from $1::timestamptz - min(run_at))::bigint from ops.job where state = 'ready' and run_at <= $1), 0) as "oldest_due_seconds!""#,
        now
    )
    .fetch_one(conn)
    .await
}

/// How much of a queue waits, runs and is dead, and how old the oldest waiting job is. A queue is the jobs of one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueFigures {
    /// The part of the jobs' kinds before the dot: the service's name.
    pub queue: String,
    /// Jobs that are due.
    pub due: i64,
    /// Jobs that failed and wait to be tried again.
    pub retrying: i64,
    /// Jobs in work.
    pub running: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// Seconds since the oldest due job should have run.
    pub oldest_due_seconds: i64,
    /// The same of those jobs that take an event to one of its subscribers: how far the outbox lags behind.
    pub oldest_event_seconds: i64,
}

/// Reads the figures of every queue that has something, for the metrics. Looks at what waits, runs and is dead only, by the indexes of these
/// states: of what is done, there is much more.
///
/// # Errors
/// The database failed.
pub async fn figures(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<QueueFigures>, sqlx::Error> {
    sqlx::query_as!(
        QueueFigures,
        r#"select queue as "queue!", sum(due)::bigint as "due!", sum(retrying)::bigint as "retrying!", sum(running)::bigint as "running!", sum(dead)::bigint as "dead!",
             coalesce(extract(epoch from $1::timestamptz - min(oldest))::bigint, 0) as "oldest_due_seconds!",
             coalesce(extract(epoch from $1::timestamptz - min(oldest_event))::bigint, 0) as "oldest_event_seconds!"
           from (
             select split_part(kind, '.', 1) as queue, count(*) filter (where run_at <= $1) as due, count(*) filter (where attempts > 0) as retrying,
               0 as running, 0 as dead, min(run_at) filter (where run_at <= $1) as oldest, min(run_at) filter (where run_at <= $1 and event_id is not null) as oldest_event
             from ops.job where state = 'ready' group by 1
             union all
             select split_part(kind, '.', 1), 0, 0, count(*), 0, null, null from ops.job where state = 'running' group by 1
             union all
             select split_part(kind, '.', 1), 0, 0, 0, count(*), null, null from ops.job where state = 'dead' group by 1
           ) as part
           group by queue order by queue"#,
        now
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_from_half_a_second_to_an_hour_and_no_further() {
        assert!((500..=625).contains(&backoff(1).num_milliseconds()));
        assert!((1_000..=1_250).contains(&backoff(2).num_milliseconds()));
        assert!(backoff(i32::MAX) <= TimeDelta::milliseconds(4_500_000));
        assert!(backoff(13) > TimeDelta::minutes(30));
    }
}
