//! What the command line and the binary may do with staff, in a transaction of theirs.

use std::sync::Arc;

use chrono::TimeDelta;
use db::{Actor, Db, DbError, Tx};
use identity_api::Role;
use kernel::{Timestamp, Token};
use service::{Authenticator, BoxFuture, Failure, Principal};
use sqlx::PgConnection;

use crate::domain::{INVITATION_LIFE, SEEN_PRECISION, is_email, normalize_email, permissions};
use crate::store::{self, NewSession, OpenSession};

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

/// Turns bearer tokens into members of staff, for [`service::Context`].
#[must_use]
pub fn authenticator(db: Db) -> Arc<dyn Authenticator> {
    Arc::new(Sessions { db })
}

struct Sessions {
    db: Db,
}

impl Authenticator for Sessions {
    fn authenticate<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Option<Principal>, Failure>> {
        Box::pin(async move {
            let now = self.db.clock().now();
            // The writer: a session revoked a moment ago must not open anything.
            let mut conn = self.db.read_latest().await?;
            let Some(session) = store::find_open_session(&mut conn, &token.hash(), now).await? else { return Ok(None) };
            drop(conn);
            if now - session.last_seen_at > SEEN_PRECISION {
                self.touch(&session, now).await;
            }
            Ok(Some(Principal { id: session.staff.uuid(), name: session.name, session_id: session.id.uuid(), permissions: permissions(session.role) }))
        })
    }
}

impl Sessions {
    /// Notes that the session is in use. A request does not fail because that could not be written.
    async fn touch(&self, session: &OpenSession, now: Timestamp) {
        let touched = async {
            let mut tx = self.db.begin(Actor::system("sessions")).await?;
            store::touch_session(tx.conn(), session.id, now).await?;
            tx.commit().await
        };
        if let Err(error) = touched.await {
            tracing::warn!(error = format!("{error:?}"), "a session's last-seen time was not written");
        }
    }
}
