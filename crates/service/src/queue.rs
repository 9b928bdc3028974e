//! The routes of the queue: what waits, what runs, what is dead and may be tried again.

use axum::extract::State;
use db::jobs::{self, JobFilter};
use db::schedules;
use kernel::jobs::{JobAnswer, JobFigures, JobId, JobQuery, JobState, QueueList, ScheduleList};
use kernel::{Page, PageQuery, Problem};
use platform::http::{Path, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{Answer, Command, Context, Failure, Permission, Staff};

/// The routes, closed to all but staff.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(get_job))
        .routes(routes!(replay_job))
        .routes(routes!(get_job_figures))
        .routes(routes!(list_queues))
        .routes(routes!(list_schedules))
        .with_state(context.clone())
}

/// The jobs of one state.
#[utoipa::path(
    get,
    path = "/admin/v1/jobs",
    tag = "jobs",
    params(JobQuery),
    responses((status = 200, body = Page<JobAnswer>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_jobs(State(context): State<Context>, staff: Staff, Query(query): Query<JobQuery>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let page = PageQuery { limit: query.limit, after: query.after };
    let limit = page.limit()?;
    let filter = JobFilter { state: query.state.unwrap_or(JobState::Dead), kind: query.kind, after: page.position()? };
    // The writer: whoever replayed a job a moment ago sees it so.
    let mut conn = context.db().read_latest().await?;
    let rows = jobs::list(&mut conn, &filter, i64::from(limit) + 1).await?;
    Answer::ok(&Page::cut(rows, limit, jobs::place))
}

/// One job.
#[utoipa::path(
    get,
    path = "/admin/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = JobAnswer),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`job_not_found`: never written, or forgotten.", body = Problem),
    )
)]
async fn get_job(State(context): State<Context>, staff: Staff, Path(id): Path<JobId>) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&jobs::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found("job"))?)
}

/// Puts a dead job back in the queue, its attempts forgotten: it is tried at once.
#[utoipa::path(
    post,
    path = "/admin/v1/jobs/{id}/replay",
    tag = "jobs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat harmless.")),
    responses(
        (status = 200, body = JobAnswer),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "`job_not_found`: never written, or forgotten.", body = Problem),
        (status = 409, description = "`job_not_dead`; `job_superseded`: a newer job does the same work by now.", body = Problem),
    )
)]
async fn replay_job(State(context): State<Context>, staff: Staff, Path(id): Path<JobId>, command: Command<()>) -> Result<Answer, Failure> {
    staff.require(Permission::ReplayJobs)?;
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                let dead = jobs::find(tx.conn(), id).await?.ok_or_else(|| Problem::not_found("job"))?;
                if !tx.replay(id).await.or_else(superseded_meanwhile)? {
                    let now = jobs::find(tx.conn(), id).await?;
                    return Err(if now.is_some_and(|job| job.state == JobState::Dead) { superseded() } else { not_dead() }.into());
                }
                let detail = serde_json::json!({ "kind": dead.kind, "attempts": dead.attempts, "last_error": dead.last_error });
                tx.audit("job.replayed", &id.to_string(), detail).await?;
                Answer::ok(&jobs::find(tx.conn(), id).await?.ok_or_else(|| Problem::not_found("job"))?)
            })
        })
        .await
}

fn superseded_meanwhile(error: sqlx::Error) -> Result<bool, Failure> {
    if db::constraint_of(&error) == Some("job_dedup_unique") { Err(superseded().into()) } else { Err(error.into()) }
}

fn superseded() -> Problem {
    Problem::new(409, "job_superseded", "A newer job does the same work").detail("It waits or runs by now; this one need not be tried again.")
}

fn not_dead() -> Problem {
    Problem::new(409, "job_not_dead", "This job is not dead").detail("It was put back in the queue already, or it is done.")
}

/// How much waits, runs and is dead.
#[utoipa::path(
    get,
    path = "/admin/v1/job-figures",
    tag = "jobs",
    responses((status = 200, body = JobFigures), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn get_job_figures(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&jobs::bounded_figures(&mut conn, context.now()).await?)
}

/// How much waits, runs and is dead, queue by queue.
#[utoipa::path(
    get,
    path = "/admin/v1/job-queues",
    tag = "jobs",
    responses((status = 200, body = QueueList), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_queues(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&QueueList { items: schedules::list_queues(&mut conn, context.now()).await? })
}

/// What runs at intervals: when next, when last, and what went wrong last.
#[utoipa::path(
    get,
    path = "/admin/v1/job-schedules",
    tag = "jobs",
    responses((status = 200, body = ScheduleList), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list_schedules(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read_latest().await?;
    Answer::ok(&ScheduleList { items: schedules::list_schedules(&mut conn).await? })
}
