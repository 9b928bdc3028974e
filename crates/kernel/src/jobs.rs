//! Work in the queue as staff see it: the ground floor's own part of the admin surface.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::Timestamp;

crate::id_kind!(/// Work in the queue.
    pub QueuedJob => JobId, "job");

/// The endpoints of the queue, all for staff.
pub mod endpoints {
    use super::{JobAnswer, JobFigures, QueueList, ScheduleList};
    use crate::{Endpoint, Method, Page};

    /// The jobs of one state.
    pub const ADMIN_LIST_JOBS: Endpoint<(), Page<JobAnswer>> = Endpoint::new(Method::Get, "/admin/v1/jobs");
    /// One job.
    pub const ADMIN_GET_JOB: Endpoint<(), JobAnswer> = Endpoint::new(Method::Get, "/admin/v1/jobs/{id}");
    /// Puts a dead job back in the queue.
    pub const ADMIN_REPLAY_JOB: Endpoint<(), JobAnswer> = Endpoint::new(Method::Post, "/admin/v1/jobs/{id}/replay");
    /// How much waits, runs and is dead.
    pub const ADMIN_GET_JOB_FIGURES: Endpoint<(), JobFigures> = Endpoint::new(Method::Get, "/admin/v1/job-figures");
    /// The same queue by queue.
    pub const ADMIN_LIST_QUEUES: Endpoint<(), QueueList> = Endpoint::new(Method::Get, "/admin/v1/job-queues");
    /// What runs at intervals.
    pub const ADMIN_LIST_SCHEDULES: Endpoint<(), ScheduleList> = Endpoint::new(Method::Get, "/admin/v1/job-schedules");
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its moment and for a worker.
    Ready,
    /// A worker has it.
    Running,
    /// It is done.
    Done,
    /// It failed for the last time and waits for a person.
    Dead,
}

impl JobState {
    /// The word used in tables and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// The text names no state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be ready, running, done or dead")]
pub struct JobStateError;

impl FromStr for JobState {
    type Err = JobStateError;

    fn from_str(text: &str) -> Result<Self, JobStateError> {
        [Self::Ready, Self::Running, Self::Done, Self::Dead].into_iter().find(|state| state.as_str() == text).ok_or(JobStateError)
    }
}

/// Work in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobAnswer {
    /// The job's id.
    #[schema(value_type = String)]
    pub id: JobId,
    /// What kind of work, such as `payments.capture`.
    pub kind: String,
    /// How far it is.
    pub state: JobState,
    /// What to work on.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// How often it was tried.
    pub attempts: i32,
    /// After how many attempts it is dead.
    pub max_attempts: i32,
    /// When it is, or was, to run.
    #[schema(value_type = String, format = DateTime)]
    pub run_at: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was done, or failed for the last time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only this state: `ready` and `running` by the moment they run, `done` and `dead` with the latest first. `dead` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<JobState>)]
    pub state: Option<JobState>,
    /// Only this kind; the next 5,000 of the state are looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many items at most, 1 to 100; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100, default = 24)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How much waits, runs and is dead. Nothing is counted beyond 10,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobFigures {
    /// Jobs that wait, also those for later.
    pub ready: i64,
    /// Jobs in work.
    pub running: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// Seconds since the oldest due job should have run.
    pub oldest_due_seconds: i64,
}

/// Every queue that has something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueList {
    /// By name.
    pub items: Vec<QueueAnswer>,
}

/// The jobs of one service. Of each state nothing is counted beyond 10,000 in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueAnswer {
    /// The service's name, which the kinds of its jobs begin with.
    pub queue: String,
    /// Jobs that wait, also those for later.
    pub waiting: i64,
    /// Those of them that failed before.
    pub retrying: i64,
    /// Jobs in work.
    pub running: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// Seconds since the oldest due job should have run.
    pub oldest_due_seconds: i64,
}

/// Everything that runs at intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleList {
    /// By name.
    pub items: Vec<ScheduleAnswer>,
}

/// Something that runs at intervals, and how its runs ended. Ended runs are forgotten after 7 days, or 90 if they failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleAnswer {
    /// Its name.
    pub name: String,
    /// How often, in seconds.
    pub every_seconds: i32,
    /// When it runs next.
    #[schema(value_type = String, format = DateTime)]
    pub next_run_at: Timestamp,
    /// When it was last done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_run_at: Option<Timestamp>,
    /// What went wrong last, if anything did.
    pub last_failure: Option<ScheduleFailure>,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleFailure {
    /// What went wrong.
    pub error: String,
    /// How far that run is: being tried again (`ready`, `running`), `done` at a later try, or `dead`.
    pub state: JobState,
    /// When it ended; when it is tried again if it has not.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_back_as_they_are_written() {
        for state in [JobState::Ready, JobState::Running, JobState::Done, JobState::Dead] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("Dead".parse::<JobState>(), Err(JobStateError));
    }
}
