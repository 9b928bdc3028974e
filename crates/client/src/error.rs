use kernel::Problem;

/// Why a call has no answer of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The API refused, or failed, and said so.
    #[error("the API answered with a problem")]
    Problem(#[source] Box<Problem>),
    /// Nobody knows what the API did, if anything.
    #[error("the API gave no usable answer")]
    Unreachable(#[from] Unreachable),
}

/// Why nothing usable came back. A call that changes something may or may not have done so: repeat it with the same idempotency key.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection failed or broke off.
    #[error("the connection failed")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is larger than the client takes in.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// Something that is not our API answered, such as a gateway.
    #[error("status {status} without a problem document")]
    Foreign {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not of the endpoint's shape.
    #[error("the answer is not of the endpoint's shape")]
    Unreadable(#[source] serde_json::Error),
    /// The call cannot be written as a request: a path parameter is missing, or a header holds what no header may.
    #[error("the call is not complete: {reason}")]
    Unsendable {
        /// What is wrong with it.
        reason: String,
    },
}

/// The text is no address an API can have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an http or https address without a query, such as http://127.0.0.1:8080")]
pub struct BaseUrlError;

impl CallError {
    /// The problem, if the API told one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Unreachable(_) => None,
        }
    }

    /// Whether the API told this very problem.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.problem().is_some_and(|problem| problem.code() == code)
    }
}

impl From<Problem> for CallError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
