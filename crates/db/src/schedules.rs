//! The queues and what runs at intervals, as staff see them.

use kernel::Timestamp;
use kernel::jobs::{QueueAnswer, ScheduleAnswer, ScheduleFailure};
use sqlx::PgConnection;

/// How much waits, runs and is dead, queue by queue; of each state no more than 10,000 jobs are looked at.
///
/// # Errors
/// The database failed.
pub async fn list_queues(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<QueueAnswer>, sqlx::Error> {
    sqlx::query_as!(
        QueueAnswer,
        r#"with open as (
             (select kind, state, run_at, attempts from ops.job where state = 'ready' order by run_at, id limit 10000)
             union all
             (select kind, state, run_at, attempts from ops.job where state = 'running' limit 10000)
             union all
             (select kind, state, run_at, attempts from ops.job where state = 'dead' limit 10000)
         )
         select split_part(kind, '.', 1) as "queue!", count(*) filter (where state = 'ready') as "waiting!",
             count(*) filter (where state = 'ready' and attempts > 0) as "retrying!", count(*) filter (where state = 'running') as "running!",
             count(*) filter (where state = 'dead') as "dead!",
             coalesce(extract(epoch from $1::timestamptz - min(run_at) filter (where state = 'ready' and run_at <= $1))::bigint, 0) as "oldest_due_seconds!"
         from open group by 1 order by 1"#,
        now
    )
    .fetch_all(conn)
    .await
}

/// What runs at intervals, by name, with the last run that was done and the last one that failed. Runs are found by the schedule's name, which
/// keeps a second one from being written while the first is open.
///
/// # Errors
/// The database failed.
pub async fn list_schedules(conn: &mut PgConnection) -> Result<Vec<ScheduleAnswer>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select s.name, s.every_seconds, s.next_run_at,
             (select run.finished_at from ops.job as run
              where run.kind = s.kind and run.dedup_key = s.name and run.finished_at is not null and run.state = 'done'
              order by run.finished_at desc limit 1) as last_run_at,
             failed.last_error as "error?", failed.state as "state?", coalesce(failed.finished_at, failed.run_at) as failed_at
           from ops.schedule as s left join lateral (
             select run.last_error, run.state, run.finished_at, run.run_at from ops.job as run
             where run.kind = s.kind and run.dedup_key = s.name and run.last_error is not null
             order by run.finished_at desc nulls first limit 1) as failed on true
           order by s.name limit 1000"#
    )
    .fetch_all(conn)
    .await?;
    let schedules = rows.into_iter().map(|row| {
        let last_failure = match (row.error, row.state, row.failed_at) {
            (Some(error), Some(state), Some(at)) => {
                Some(ScheduleFailure { error, state: state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?, at })
            }
            _ => None,
        };
        Ok(ScheduleAnswer { name: row.name, every_seconds: row.every_seconds, next_run_at: row.next_run_at, last_run_at: row.last_run_at, last_failure })
    });
    schedules.collect()
}
