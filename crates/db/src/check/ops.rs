//! What must hold of outbox, jobs and idempotency keys.

use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Batch, Check, Finding, Place};

/// Jobs that are done are forgotten after 7 days; events younger than this have all of theirs.
const JOBS_KEPT: TimeDelta = TimeDelta::days(6);
/// A key that still waits so long after its lease ran out waits in vain: whatever it is about was reconciled long before.
const STUCK_AFTER: TimeDelta = TimeDelta::hours(1);
/// Separates the parts of a key; none of them can hold it.
const SEPARATOR: char = '\u{1f}';

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "ops.outbox",
            rule: "Every event has a job for each of its subscribers",
            remedy: "Somebody has deleted rows of ops.job. Repeat by hand what the missing subscribers do with the event, whose payload is in ops.event.",
            look: |conn, place| Box::pin(outbox(conn, place)),
        },
        Check {
            name: "ops.dead_jobs",
            rule: "No job has failed for good",
            remedy: "Read the last error, mend its cause, and replay the job from the back office (Jobs).",
            look: |conn, place| Box::pin(dead_jobs(conn, place)),
        },
        Check {
            name: "ops.idempotency_keys",
            rule: "No idempotency key waits for an answer that nobody will give",
            remedy: "See whether a worker runs and reaches the payment provider. Sending the same request with the same key again takes the work over and answers it.",
            look: |conn, place| Box::pin(idempotency_keys(conn, place)),
        },
    ]
}

async fn outbox(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, name, subscribers, occurred_at, (select count(*) from ops.job where job.event_id = event.id) as "jobs!"
           from ops.event where id > $1 order by id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let lacking = rows.into_iter().filter(|row| row.occurred_at > place.now() - JOBS_KEPT && row.jobs != i64::from(row.subscribers));
    let findings = lacking.map(|row| Finding::new(format!("event {} ({}) has {} jobs for {} subscribers", row.id, row.name, row.jobs, row.subscribers)));
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}

async fn dead_jobs(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, kind, attempts, coalesce(left(last_error, 200), 'no error was kept') as "error!"
           from ops.job where state = 'dead' and id > $1 order by id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let findings = rows.into_iter().map(|row| Finding::new(format!("job {} ({}) is dead after {} attempts: {}", row.id, row.kind, row.attempts, row.error)));
    Ok(Batch::of_ids(place, &ids, findings.collect()))
}

async fn idempotency_keys(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let mut after = place.after().unwrap_or_default().split(SEPARATOR);
    let mut part = || after.next().unwrap_or_default();
    let (surface, actor, route, key) = (part(), part(), part(), part());
    let rows = sqlx::query!(
        "select surface, actor, route, key, state, lease_until from ops.idempotency_key
         where (surface, actor, route, key) > ($1, $2, $3, $4) order by surface, actor, route, key limit $5",
        surface,
        actor,
        route,
        key,
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let last = rows.last().map(|row| [&*row.surface, &*row.actor, &*row.route, &*row.key].join(&SEPARATOR.to_string()));
    let stuck = rows.iter().filter(|row| row.state == "running" && row.lease_until < place.now() - STUCK_AFTER);
    // The actor may be derived from a secret, and the key is the client's own: neither is told whole.
    let findings = stuck.map(|row| Finding::new(format!("a key of {} has had no answer since {}", row.route, row.lease_until)));
    Ok(Batch::of(place, rows.len(), last, findings.collect()))
}
