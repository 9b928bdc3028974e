use sqlx::Error;

/// Why the database did not serve.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The statement or the connection failed.
    #[error("database failed")]
    Sqlx(#[from] Error),
    /// The task that opens transactions was lost.
    #[error("transaction could not be opened")]
    Begin(#[from] tokio::task::JoinError),
    /// An event or answer could not be written as JSON.
    #[error("value could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// The name of the constraint that refused a statement, if one did.
#[must_use]
pub fn constraint_of(error: &Error) -> Option<&str> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::constraint)
}

/// Whether a statement gave up waiting for another transaction's lock (SQLSTATE 55P03), or was chosen as the victim of a deadlock (40P01).
#[must_use]
pub fn is_lock_timeout(error: &Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| matches!(code.as_ref(), "55P03" | "40P01"))
}

/// Whether the server is away, full or shutting down, so that trying again later may help.
#[must_use]
pub fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::Tls(_) => true,
        // Class 08: connection; 53: resources; 57: shutdown, cancel; 25006: writer became read-only.
        Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("53") || code.starts_with("57") || code == "25006")
        }
        _ => false,
    }
}

/// Whether a text was refused for a character PostgreSQL cannot keep, U+0000 (SQLSTATE 22021, and 22P05 inside JSON).
#[must_use]
pub fn is_unstorable_text(error: &Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| matches!(code.as_ref(), "22021" | "22P05"))
}
