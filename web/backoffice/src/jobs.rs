//! Jobs: how the queues get on, what waits, what runs, the dead letters that a person may send round again, and what runs at intervals.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use kernel::jobs::{JobAnswer, JobFigures, JobId, JobQuery, JobState, QueueAnswer, ScheduleAnswer, endpoints};
use kernel::{Page, Problem, Token};
use platform::http::Path;
use serde::Serialize;

use crate::Office;
use crate::carried::key;
use crate::chips::{self, Chip};
use crate::fields::{Fields, Parameters, address};
use crate::format::{Moment, count, counted, moment};
use crate::notice::Notice;
use crate::session::{Session, answer, frame};

const PATH: &str = "/backoffice/jobs";
const LIMIT: u32 = 50;
/// Beyond this the API does not count.
const COUNTED_TO: i64 = 10_000;
/// A queue whose oldest job is due for so long is behind.
const LATE_SECONDS: i64 = 60;
const STATES: [JobState; 4] = [JobState::Dead, JobState::Ready, JobState::Running, JobState::Done];

pub(crate) fn routes() -> Router<Office> {
    Router::new().route(PATH, get(list)).route("/backoffice/jobs/{id}/replay", post(replay).get(async || Redirect::to(PATH)))
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobsPage {
    notice: Option<Notice>,
    tabs: Vec<Tab>,
    state: &'static str,
    kind: String,
    filtered: bool,
    /// What to say when there is nothing.
    nothing: &'static str,
    late: Option<String>,
    queues: Vec<Queue>,
    schedules: Vec<Schedule>,
    rows: Vec<Row>,
    shown: String,
    first: Option<String>,
    more: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Tab {
    name: &'static str,
    href: String,
    current: bool,
    count: Option<String>,
    hot: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Queue {
    name: String,
    state: Chip,
    waiting: String,
    oldest: String,
    is_late: bool,
    running: String,
    retrying: String,
    dead: String,
    is_dead: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Schedule {
    name: String,
    every: String,
    state: Chip,
    last: Option<Moment>,
    next: Moment,
    /// What went wrong last, in its first line, and the whole of it.
    error: Option<String>,
    whole_error: String,
    /// When that was, or is tried again.
    failed_at: Option<Moment>,
    is_tried_again: bool,
}

/// Everything the page is made of.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) jobs: Page<JobAnswer>,
    pub(crate) figures: JobFigures,
    pub(crate) queues: Vec<QueueAnswer>,
    pub(crate) schedules: Vec<ScheduleAnswer>,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    id: String,
    kind: String,
    state: Chip,
    at: Moment,
    /// What the moment is.
    at_label: &'static str,
    created_at: Moment,
    tries: String,
    of_tries: String,
    payload: String,
    error: Option<String>,
    /// The error's first line, for the row.
    error_start: String,
    /// The key of its replay; nothing when it is not dead.
    key: Option<String>,
}

/// What was just done or refused, and the key that stays when nobody knows which.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub(crate) status: StatusCode,
    pub(crate) notice: Option<Notice>,
    pub(crate) key: Option<(JobId, String)>,
}

async fn list(State(office): State<Office>, session: Session, Parameters(parameters): Parameters) -> Result<Response, Problem> {
    let is_replayed = parameters.get("done").as_deref() == Some("replay");
    let notice = is_replayed.then(|| Notice::done("The job is back in the queue. It is tried at once."));
    show(&office, &session, &query_of(&parameters), Rendering { notice, ..Rendering::default() }).await
}

async fn show(office: &Office, session: &Session, query: &JobQuery, rendering: Rendering) -> Result<Response, Problem> {
    let jobs = answer(session.call(&endpoints::ADMIN_LIST_JOBS).query(query));
    let figures = answer(session.call(&endpoints::ADMIN_GET_JOB_FIGURES));
    let queues = answer(session.call(&endpoints::ADMIN_LIST_QUEUES));
    let schedules = answer(session.call(&endpoints::ADMIN_LIST_SCHEDULES));
    let (me, jobs, figures, queues, schedules) = tokio::try_join!(session.me(), jobs, figures, queues, schedules)?;
    let status = rendering.status;
    let stand = Stand { jobs: jobs.body, figures: figures.body, queues: queues.body.items, schedules: schedules.body.items };
    let page = jobs_page(query, stand, rendering);
    Ok(office.templates.page(status, "jobs.html", &frame("Jobs", "jobs", me), &page))
}

async fn replay(State(office): State<Office>, session: Session, Path(id): Path<JobId>, fields: Fields) -> Result<Response, Problem> {
    let key = key(&fields);
    let query = query_of(&fields);
    let Err(problem) = answer(session.call(&endpoints::ADMIN_REPLAY_JOB).param("id", id).idempotency_key(&key)).await else {
        return Ok(Redirect::to(&address(PATH, &[("kind", query.kind.as_deref()), ("done", Some("replay"))])).into_response());
    };
    if problem.status() == 401 {
        return Err(problem);
    }
    let rendering = Rendering {
        status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        notice: Some(Notice::of(&problem, &[])),
        key: (problem.status() >= 500).then_some((id, key)),
    };
    show(&office, &session, &query, rendering).await
}

/// What the address asks for; what it does not know is left out rather than refused. Dead letters come first.
fn query_of(parameters: &Fields) -> JobQuery {
    let state = parameters.parsed("state").unwrap_or(JobState::Dead);
    JobQuery { state: Some(state), kind: parameters.filled("kind"), limit: Some(LIMIT), after: parameters.filled("after") }
}

pub(crate) fn jobs_page(query: &JobQuery, stand: Stand, rendering: Rendering) -> JobsPage {
    let Stand { jobs, figures, queues, schedules } = stand;
    let state = query.state.unwrap_or(JobState::Dead);
    let at = |state: JobState, after: Option<&str>| address(PATH, &[("state", Some(state.as_str())), ("kind", query.kind.as_deref()), ("after", after)]);
    let tab = |of: JobState| {
        let number = number_of(of, figures);
        Tab { name: Chip::from(of).word, href: at(of, None), current: of == state, count: number.map(up_to), hot: of == JobState::Dead && figures.dead > 0 }
    };
    let shown = counted(i64::try_from(jobs.items.len()).unwrap_or(0), "job", "jobs");
    JobsPage {
        tabs: STATES.into_iter().map(tab).collect(),
        state: state.as_str(),
        kind: query.kind.clone().unwrap_or_default(),
        filtered: query.kind.is_some(),
        nothing: match state {
            JobState::Dead => "No dead letters. A job that fails for the last time waits here for someone.",
            JobState::Ready => "Nothing waits.",
            JobState::Running => "Nothing runs at this moment.",
            JobState::Done => "Nothing was done yet. Done jobs are kept for 7 days.",
        },
        queues: queues.iter().map(queue).collect(),
        schedules: schedules.into_iter().map(schedule).collect(),
        late: (figures.oldest_due_seconds >= LATE_SECONDS).then(|| counted(figures.oldest_due_seconds / 60, "minute", "minutes")),
        shown: if jobs.next.is_some() { format!("{shown}, there are more") } else { shown },
        first: query.after.is_some().then(|| at(state, None)),
        more: jobs.next.as_deref().map(|next| at(state, Some(next))),
        rows: jobs.items.into_iter().map(|job| row(job, rendering.key.as_ref())).collect(),
        notice: rendering.notice,
    }
}

const fn number_of(state: JobState, figures: JobFigures) -> Option<i64> {
    match state {
        JobState::Ready => Some(figures.ready),
        JobState::Running => Some(figures.running),
        JobState::Dead => Some(figures.dead),
        JobState::Done => None,
    }
}

/// A number that is not counted beyond a bound.
pub(crate) fn up_to(number: i64) -> String {
    if number >= COUNTED_TO { format!("{} or more", count(COUNTED_TO)) } else { count(number) }
}

fn queue(queue: &QueueAnswer) -> Queue {
    let is_late = queue.oldest_due_seconds >= LATE_SECONDS;
    Queue {
        name: queue.queue.clone(),
        state: chips::queue(queue.waiting, queue.running, is_late),
        waiting: up_to(queue.waiting),
        oldest: if queue.oldest_due_seconds > 0 { duration(queue.oldest_due_seconds) } else { "–".to_owned() },
        is_late,
        running: up_to(queue.running),
        retrying: up_to(queue.retrying),
        dead: up_to(queue.dead),
        is_dead: queue.dead > 0,
    }
}

fn schedule(schedule: ScheduleAnswer) -> Schedule {
    let failure = schedule.last_failure;
    Schedule {
        state: chips::schedule(failure.as_ref().map(|failure| failure.state), schedule.last_run_at.is_some()),
        name: schedule.name,
        every: duration(schedule.every_seconds.into()),
        last: schedule.last_run_at.map(moment),
        next: moment(schedule.next_run_at),
        error: failure.as_ref().map(|failure| failure.error.lines().next().unwrap_or_default().to_owned()),
        whole_error: failure.as_ref().map(|failure| failure.error.clone()).unwrap_or_default(),
        is_tried_again: failure.as_ref().is_some_and(|failure| matches!(failure.state, JobState::Ready | JobState::Running)),
        failed_at: failure.map(|failure| moment(failure.at)),
    }
}

/// A length of time in its largest whole unit: `45 s`, `10 min`, `6 h`, `3 days`.
fn duration(seconds: i64) -> String {
    let units = [(86_400, "day", "days"), (3_600, "h", "h"), (60, "min", "min")];
    let unit = units.into_iter().find(|(length, ..)| seconds >= *length);
    unit.map_or_else(|| format!("{seconds} s"), |(length, one, many)| counted(seconds / length, one, many))
}

fn row(job: JobAnswer, kept: Option<&(JobId, String)>) -> Row {
    let at_label = match job.state {
        JobState::Ready => "Runs",
        JobState::Running => "Was to run",
        JobState::Done => "Done",
        JobState::Dead => "Died",
    };
    let key = || kept.filter(|(id, _)| *id == job.id).map_or_else(|| Token::generate().reveal(), |(_, key)| key.clone());
    Row {
        key: (job.state == JobState::Dead).then(key),
        id: job.id.to_string(),
        kind: job.kind,
        state: job.state.into(),
        at: moment(job.finished_at.unwrap_or(job.run_at)),
        at_label,
        created_at: moment(job.created_at),
        tries: counted(job.attempts.into(), "try", "tries"),
        of_tries: format!("{} of {}", job.attempts, job.max_attempts),
        payload: format!("{:#}", job.payload),
        error_start: job.last_error.as_deref().and_then(|error| error.lines().next()).unwrap_or_default().to_owned(),
        error: job.last_error,
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, up_to};

    #[test]
    fn lengths_of_time_are_told_in_their_largest_unit() {
        assert_eq!([0, 59, 60, 600, 3_600, 86_400, 200_000].map(duration), ["0 s", "59 s", "1 min", "10 min", "1 h", "1 day", "2 days"]);
    }

    #[test]
    fn what_is_not_counted_to_its_end_says_so() {
        assert_eq!((up_to(9_999), up_to(10_000)), ("9,999".to_owned(), "10,000 or more".to_owned()));
    }
}
