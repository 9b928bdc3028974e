//! What the command line and the binary may do with staff, in a transaction of theirs.

use chrono::TimeDelta;
use db::{DbError, Tx};
use identity_api::Role;
use kernel::{Timestamp, Token};
use sqlx::PgConnection;

use crate::domain::{INVITATION_LIFE, is_email, normalize_email};
use crate::store::{self, NewSession};

/// How the addresses of programs end. `.invalid` is reserved (RFC 2606), so no person's does.
const PROGRAMS: &str = "@system.invalid";

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The text is no e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The audit entry could not be written.
    #[error("invitation could not be written down")]
    Audit(#[from] DbError),
}

/// Invites somebody to the staff, or a member who has lost the password. The answer is the secret of the link
/// `/backoffice/invitation?token=…` and the moment until which it can be taken; an older open invitation for the address ends.
///
/// # Errors
/// See [`InviteError`].
pub async fn invite(tx: &mut Tx, email: &str, role: Role) -> Result<(Token, Timestamp), InviteError> {
    let email = normalize_email(email);
    if !is_email(&email) || email.ends_with(PROGRAMS) {
        return Err(InviteError::Email);
    }
    let token = Token::generate();
    let now = tx.now();
    let expires_at = now + INVITATION_LIFE;
    let invited_by = tx.actor().as_str().to_owned();
    store::upsert_invitation(tx.conn(), &token.hash(), &email, role, &invited_by, now, expires_at).await?;
    tx.audit("staff.invited", &email, serde_json::json!({ "role": role })).await?;
    Ok((token, expires_at))
}

/// Whether anybody can sign in; a shop without staff wants an invitation first.
///
/// # Errors
/// The database failed.
pub async fn any_staff(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    store::any_staff(conn).await
}

/// Opens a session for a part of Tradewind itself, such as `seed`. It may do everything for so many minutes; nobody can sign in as
/// that part.
///
/// # Errors
/// The database failed.
pub async fn issue_system_session(tx: &mut Tx, name: &str, minutes: u32) -> Result<Token, DbError> {
    let now = tx.now();
    let staff = store::upsert_program(tx.conn(), &format!("{}{PROGRAMS}", name.to_lowercase()), name, now).await?;
    let token = Token::generate();
    let expires_at = now + TimeDelta::minutes(i64::from(minutes.max(1)));
    let session = NewSession { token: token.hash(), staff, expires_at, user_agent: Some(name), address: "system" };
    let session_id = store::insert_session(tx.conn(), &session, now).await?;
    tx.audit("staff.program_admitted", &staff.to_string(), serde_json::json!({ "session_id": session_id, "name": name, "minutes": minutes })).await?;
    Ok(token)
}
