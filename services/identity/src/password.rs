//! Password hashing: argon2id, off the async threads, and only so many at once.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// How long a sign-in waits for its turn to hash.
const WAIT: Duration = Duration::from_secs(5);

/// Hashes and compares passwords. One hash takes 19 MiB and tens of milliseconds of a processor (argon2's present default, OWASP's
/// recommendation), so only as many run at once as there are processors; the others wait a little and are then sent away.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

/// Why a password was neither hashed nor compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too many sign-ins at once.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The hash in the table is none of ours, or the machine has no memory left.
    #[error("password could not be hashed")]
    Hash(#[source] Error),
    /// The thread that hashed was lost.
    #[error("the thread that hashed a password was lost")]
    Lost(#[from] tokio::task::JoinError),
}

impl Passwords {
    /// Lets one hash run per processor.
    #[must_use]
    pub(crate) fn new() -> Self {
        let turns = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new(turns)) }
    }

    /// Hashes a new password with a fresh salt; the answer is a PHC string.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.in_turn(move || hash(&password)).await
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the same work is done and the answer is no, so that
    /// the time taken does not tell who is on the staff.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub(crate) async fn matches(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        self.in_turn(move || match stored {
            None => hash(&password).map(|_| false),
            Some(stored) => match PasswordHash::new(&stored)
                .map_err(|_| Error::EncodingInvalid)
                .and_then(|stored| Argon2::default().verify_password(password.as_bytes(), &stored))
            {
                Ok(()) => Ok(true),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(PasswordError::Hash(error)),
            },
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PasswordError::Busy) };
        // The thread keeps the turn, for it goes on when the client hangs up.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        })
        .await?
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let salt: [u8; 16] = kernel::random::bytes();
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_and_opens_to_its_password_only() {
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.matches("correct horse battery".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.matches("correct horse batterY".to_owned(), Some(stored)).await.unwrap());
        assert!(!passwords.matches("correct horse battery".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_damaged_hash_is_our_fault_and_not_a_wrong_password() {
        let outcome = Passwords::new().matches("anything".to_owned(), Some("$2b$something".to_owned())).await;
        assert!(matches!(outcome, Err(PasswordError::Hash(_))), "{outcome:?}");
    }
}
