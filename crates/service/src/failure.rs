use axum::response::{IntoResponse, Response};
use kernel::Problem;

/// Why a handler or a job did not do its work: a refusal to tell the caller, or our own fault to tell the log.
///
/// `?` turns problems, database errors and each service's domain errors into it; the edge logs our faults once, with their chain,
/// and never shows them.
#[derive(Debug)]
pub enum Failure {
    /// The caller is told.
    Problem(Box<Problem>),
    /// The log is told; the caller hears `internal` or `unavailable`.
    Internal(anyhow::Error),
}

impl Failure {
    /// What the caller is told. Logs the cause when it is our fault.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => *problem,
            Self::Internal(error) => problem_of(&error),
        }
    }
}

fn problem_of(error: &anyhow::Error) -> Problem {
    let database = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    if database.is_some_and(db::is_lock_timeout) {
        tracing::warn!(error = format!("{error:#}"), "gave up waiting for a lock");
        return Problem::unavailable(1).detail("Someone else is changing the same record. Try again.");
    }
    if database.is_some_and(db::is_unstorable_text) {
        return Problem::invalid_body().detail("A text holds the character U+0000, which cannot be kept.");
    }
    if database.is_some_and(db::is_unavailable) {
        tracing::warn!(error = format!("{error:#}"), "database unavailable");
        return Problem::unavailable(5);
    }
    tracing::error!(error = format!("{error:#}"), "request failed");
    Problem::internal()
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<db::DbError> for Failure {
    fn from(error: db::DbError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<kernel::MoneyError> for Failure {
    fn from(error: kernel::MoneyError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.into_problem().into_response()
    }
}
