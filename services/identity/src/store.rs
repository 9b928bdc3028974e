//! All the SQL of identity.

pub(crate) mod views;

use identity_api::{Role, StaffAnswer, StaffId, StaffSessionId};
use kernel::{Timestamp, TokenHash};
use sqlx::PgConnection;

use crate::domain::{KEPT, SEEN_PRECISION, SESSION_IDLE, THROTTLE_WINDOW, ThrottleSubjects, Tries};

kernel::id_kind!(/// A one-time link to the staff.
    pub(crate) Invitation => InvitationId, "inv");

/// A role as the tables hold it. The constraint lets nothing else in; if it did, that would see and not change.
fn role(text: &str) -> Role {
    text.parse().unwrap_or(Role::Viewer)
}

/// A person who signs in.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The member.
    pub(crate) staff: StaffAnswer,
    /// The argon2id hash.
    pub(crate) password_hash: String,
}

/// The active person with this address.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_credentials(conn: &mut PgConnection, email: &str) -> Result<Option<Credentials>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: StaffId", email, name, role, password_hash as "password_hash!"
           from identity.staff where email = $1 and kind = 'person' and state = 'active'"#,
        email
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Credentials {
        staff: StaffAnswer { id: row.id, email: row.email, name: row.name, role: role(&row.role) },
        password_hash: row.password_hash,
    }))
}

/// Whether an active person has this address.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_staff(conn: &mut PgConnection, email: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select 1 from identity.staff where email = $1 and kind = 'person' and state = 'active') as "exists!""#, email)
        .fetch_one(conn)
        .await
}

/// Whether there is any active person.
///
/// # Errors
/// The database failed.
pub(crate) async fn any_staff(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select 1 from identity.staff where kind = 'person' and state = 'active') as "exists!""#).fetch_one(conn).await
}

/// One member.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_staff(conn: &mut PgConnection, id: StaffId) -> Result<Option<StaffAnswer>, sqlx::Error> {
    let row = sqlx::query!(r#"select id as "id: StaffId", email, name, role from identity.staff where id = $1"#, id.uuid()).fetch_optional(conn).await?;
    Ok(row.map(|row| StaffAnswer { id: row.id, email: row.email, name: row.name, role: role(&row.role) }))
}

/// Every active person, by name. A staff beyond 1,000 would want pages.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_staff(conn: &mut PgConnection) -> Result<Vec<StaffAnswer>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: StaffId", email, name, role from identity.staff
           where kind = 'person' and state = 'active' order by lower(name), id limit 1000"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| StaffAnswer { id: row.id, email: row.email, name: row.name, role: role(&row.role) }).collect())
}

/// Makes a person active with name, role and password; a former or present member keeps the id.
///
/// # Errors
/// The database failed, or the address belongs to a program (constraint `staff_program_never_signs_in`).
pub(crate) async fn upsert_person(
    conn: &mut PgConnection,
    email: &str,
    name: &str,
    role: Role,
    password_hash: &str,
    now: Timestamp,
) -> Result<StaffId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"insert into identity.staff (id, kind, email, name, password_hash, role, state, created_at, updated_at)
           values ($1, 'person', $2, $3, $4, $5, 'active', $6, $6)
           on conflict (email) do update
           set name = excluded.name, password_hash = excluded.password_hash, role = excluded.role, state = 'active', updated_at = excluded.updated_at
           returning id as "id: StaffId""#,
        StaffId::new(now).uuid(),
        email,
        name,
        password_hash,
        role.as_str(),
        now
    )
    .fetch_one(conn)
    .await
}

/// Makes sure a program is there, as an owner that cannot sign in.
///
/// # Errors
/// The database failed.
pub(crate) async fn upsert_program(conn: &mut PgConnection, email: &str, name: &str, now: Timestamp) -> Result<StaffId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"insert into identity.staff (id, kind, email, name, role, state, created_at, updated_at)
           values ($1, 'program', $2, $3, 'owner', 'disabled', $4, $4)
           on conflict (email) do update set name = excluded.name, updated_at = excluded.updated_at
           where staff.kind = 'program'
           returning id as "id: StaffId""#,
        StaffId::new(now).uuid(),
        email,
        name,
        now
    )
    .fetch_one(conn)
    .await
}

/// Writes an invitation; an open one for the same address is replaced, so that only the newest link works.
///
/// # Errors
/// The database failed.
pub(crate) async fn upsert_invitation(
    conn: &mut PgConnection,
    token: &TokenHash,
    email: &str,
    role: Role,
    invited_by: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into identity.invitation (id, token_hash, email, role, invited_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (email) where accepted_at is null do update
         set token_hash = excluded.token_hash, role = excluded.role, invited_by = excluded.invited_by,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
        InvitationId::new(now).uuid(),
        token.as_bytes(),
        email,
        role.as_str(),
        invited_by,
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An invitation that can be taken.
#[derive(Debug)]
pub(crate) struct OpenInvitation {
    /// Which.
    pub(crate) id: InvitationId,
    /// Whom it is for.
    pub(crate) email: String,
    /// As what.
    pub(crate) role: Role,
}

/// The open invitation with this secret.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_open_invitation(conn: &mut PgConnection, token: &TokenHash, now: Timestamp) -> Result<Option<OpenInvitation>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: InvitationId", email, role from identity.invitation where token_hash = $1 and accepted_at is null and expires_at > $2"#,
        token.as_bytes(),
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| OpenInvitation { id: row.id, email: row.email, role: role(&row.role) }))
}

/// Takes an invitation for `staff`; false when somebody was faster, or it was replaced or ran out meanwhile.
///
/// # Errors
/// The database failed.
pub(crate) async fn accept_invitation(conn: &mut PgConnection, token: &TokenHash, staff: StaffId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let accepted = sqlx::query!(
        "update identity.invitation set accepted_at = $2, accepted_by = $3 where token_hash = $1 and accepted_at is null and expires_at > $2",
        token.as_bytes(),
        now,
        staff.uuid()
    )
    .execute(conn)
    .await?;
    Ok(accepted.rows_affected() == 1)
}

/// A session to be written.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    /// The hash of its token.
    pub(crate) token: TokenHash,
    /// Whose.
    pub(crate) staff: StaffId,
    /// When it ends at the latest.
    pub(crate) expires_at: Timestamp,
    /// The browser's own words about itself, cut to a sensible length.
    pub(crate) user_agent: Option<&'a str>,
    /// From where.
    pub(crate) address: &'a str,
}

/// Writes a session.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_session(conn: &mut PgConnection, new: &NewSession<'_>, now: Timestamp) -> Result<StaffSessionId, sqlx::Error> {
    let id = StaffSessionId::new(now);
    sqlx::query!(
        "insert into identity.session (id, token_hash, staff_id, created_at, last_seen_at, expires_at, user_agent, address)
         values ($1, $2, $3, $4, $4, $5, $6, $7)",
        id.uuid(),
        new.token.as_bytes(),
        new.staff.uuid(),
        now,
        new.expires_at,
        new.user_agent,
        new.address
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// Locks an active person's row as long as the password is still the one that was checked, so that a password set or a member disabled
/// meanwhile wins. False if it is not.
///
/// # Errors
/// The database failed.
pub(crate) async fn lock_credentials(conn: &mut PgConnection, staff: StaffId, password_hash: &str) -> Result<bool, sqlx::Error> {
    let found =
        sqlx::query_scalar!("select id from identity.staff where id = $1 and state = 'active' and password_hash = $2 for share", staff.uuid(), password_hash)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// An open session and whose it is.
#[derive(Debug)]
pub(crate) struct OpenSession {
    /// Which.
    pub(crate) id: StaffSessionId,
    /// Whose.
    pub(crate) staff: StaffId,
    /// The member's name.
    pub(crate) name: String,
    /// What the member may do.
    pub(crate) role: Role,
    /// When it was last seen, to [`SEEN_PRECISION`].
    pub(crate) last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub(crate) expires_at: Timestamp,
}

/// The open session with this token: not expired, not revoked, seen lately, of an active member or of a program.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_open_session(conn: &mut PgConnection, token: &TokenHash, now: Timestamp) -> Result<Option<OpenSession>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select session.id as "id: StaffSessionId", session.staff_id as "staff: StaffId", session.last_seen_at, session.expires_at, staff.name,
                  staff.role
           from identity.session join identity.staff on staff.id = session.staff_id
           where session.token_hash = $1 and session.revoked_at is null and session.expires_at > $2 and session.last_seen_at > $3
             and (staff.state = 'active' or staff.kind = 'program')"#,
        token.as_bytes(),
        now,
        now - SESSION_IDLE
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| OpenSession {
        id: row.id,
        staff: row.staff,
        name: row.name,
        role: role(&row.role),
        last_seen_at: row.last_seen_at,
        expires_at: row.expires_at,
    }))
}

/// Notes that a session was seen, unless another request has just done so.
///
/// # Errors
/// The database failed.
pub(crate) async fn touch_session(conn: &mut PgConnection, id: StaffSessionId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!("update identity.session set last_seen_at = $2 where id = $1 and last_seen_at < $3", id.uuid(), now, now - SEEN_PRECISION)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session; false if it had ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn revoke_session(conn: &mut PgConnection, id: StaffSessionId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query!("update identity.session set revoked_at = $2 where id = $1 and revoked_at is null", id.uuid(), now).execute(conn).await?;
    Ok(revoked.rows_affected() == 1)
}

/// Ends every session of a member.
///
/// # Errors
/// The database failed.
pub(crate) async fn revoke_sessions_of(conn: &mut PgConnection, staff: StaffId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!("update identity.session set revoked_at = $2 where staff_id = $1 and revoked_at is null", staff.uuid(), now).execute(conn).await?;
    Ok(())
}

/// Counts one more try of each subject, in a window that begins anew when the old one is over. Rows are locked in the order of their
/// subjects.
///
/// # Errors
/// The database failed.
pub(crate) async fn count_try(conn: &mut PgConnection, subjects: &ThrottleSubjects, now: Timestamp) -> Result<Vec<Tries>, sqlx::Error> {
    sqlx::query_as!(
        Tries,
        "insert into identity.sign_in_throttle as throttle (subject, attempts, window_started_at)
         select subject, 1, $2 from unnest($1::text[]) as subject order by subject
         on conflict (subject) do update
         set attempts = case when throttle.window_started_at <= $3 then 1 else least(throttle.attempts + 1, 1000000) end,
             window_started_at = case when throttle.window_started_at <= $3 then excluded.window_started_at else throttle.window_started_at end
         returning subject, attempts, window_started_at",
        &[subjects.email.clone(), subjects.address.clone()],
        now,
        now - THROTTLE_WINDOW
    )
    .fetch_all(conn)
    .await
}

/// Takes back the try that succeeded: the address of e-mail starts anew, the network address has one try less.
///
/// # Errors
/// The database failed.
pub(crate) async fn forgive_try(conn: &mut PgConnection, subjects: &ThrottleSubjects) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with locked as (select subject from identity.sign_in_throttle where subject in ($1, $2) order by subject for update)
         update identity.sign_in_throttle as throttle
         set attempts = case when throttle.subject = $1 then 0 else greatest(throttle.attempts - 1, 0) end
         from locked where locked.subject = throttle.subject",
        subjects.email,
        subjects.address
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes what has been over for long enough. The number of rows.
///
/// # Errors
/// The database failed.
pub(crate) async fn sweep(conn: &mut PgConnection, now: Timestamp) -> Result<u64, sqlx::Error> {
    let sessions = sqlx::query!("delete from identity.session where expires_at < $1 or revoked_at < $1", now - KEPT).execute(&mut *conn).await?;
    let invitations =
        sqlx::query!("delete from identity.invitation where created_at < $1 and (expires_at < $1 or accepted_at < $1)", now - KEPT).execute(&mut *conn).await?;
    let throttle = sqlx::query!("delete from identity.sign_in_throttle where window_started_at < $1", now - THROTTLE_WINDOW).execute(conn).await?;
    Ok(sessions.rows_affected() + invitations.rows_affected() + throttle.rows_affected())
}
