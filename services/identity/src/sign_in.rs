//! Getting in: with e-mail and password, or with an invitation.

use std::net::IpAddr;

use db::{Actor, Tx};
use identity_api::{AcceptInvitation, SessionCreated, SignIn, StaffAnswer};
use kernel::Token;
use service::{Context, Failure};

use crate::domain::{self, PasswordRefused, SESSION_LIFE, ThrottleSubjects, check_password, is_email, normalize_email, staff_tag};
use crate::password::Passwords;
use crate::store::{self, Credentials, NewSession};

/// How much of a browser's own words is kept.
const USER_AGENT_CHARS: usize = 300;

/// Where a sign-in comes from.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The network address.
    pub(crate) address: IpAddr,
    /// The browser's own words.
    pub(crate) user_agent: Option<String>,
}

/// Why somebody did not get in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInRefused {
    /// This e-mail or network address has used up its tries.
    #[error("too many sign-ins, wait {retry_after_seconds} seconds")]
    Throttled {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// No active person has this address and this password. Which of both is wrong is not said.
    #[error("e-mail and password do not match")]
    Mismatch,
}

/// Why an invitation was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptRefused {
    /// Never made, taken, replaced or expired.
    #[error("no open invitation")]
    NotFound,
    /// There is no name but spaces, or control characters in it.
    #[error("name refused")]
    Name,
    /// The password is too easy.
    #[error("password refused")]
    Password(#[from] PasswordRefused),
}

/// Signs in. The try is counted and committed before the password is looked at, so that parallel tries count too.
///
/// # Errors
/// See [`SignInRefused`]; 503 when too many passwords are being checked.
pub(crate) async fn sign_in(context: Context, passwords: Passwords, body: SignIn, visitor: Visitor) -> Result<SessionCreated, Failure> {
    let email = normalize_email(&body.email);
    let subjects = ThrottleSubjects::new(&email, visitor.address);
    count_try(&context, &subjects).await?;

    let credentials = find_credentials(&context, &email).await?;
    let stored = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    let matches = passwords.matches(body.password, stored).await?;
    let Some(credentials) = credentials.filter(|_| matches) else { return Err(SignInRefused::Mismatch.into()) };

    let mut tx = context.db().begin(Actor::staff(credentials.staff.id.uuid(), &credentials.staff.name)).await?;
    if !store::lock_credentials(tx.conn(), credentials.staff.id, &credentials.password_hash).await? {
        return Err(SignInRefused::Mismatch.into());
    }
    store::forgive_try(tx.conn(), &subjects).await?;
    let created = open_session(&mut tx, credentials.staff, &visitor).await?;
    tx.commit().await?;
    Ok(created)
}

/// What is known of an address. A text that cannot be one is not looked for: a table cannot hold all of them.
async fn find_credentials(context: &Context, email: &str) -> Result<Option<Credentials>, Failure> {
    if !is_email(email) {
        return Ok(None);
    }
    Ok(store::find_credentials(&mut *context.db().read_latest().await?, email).await?)
}

async fn count_try(context: &Context, subjects: &ThrottleSubjects) -> Result<(), Failure> {
    let mut tx = context.db().begin(Actor::guest()).await?;
    let now = tx.now();
    let tries = store::count_try(tx.conn(), subjects, now).await?;
    tx.commit().await?;
    match domain::throttled(subjects, &tries, now) {
        Some(retry_after_seconds) => Err(SignInRefused::Throttled { retry_after_seconds }.into()),
        None => Ok(()),
    }
}

/// Takes an invitation: the person becomes active with name, role and password, other sessions of theirs end, a new one opens. All of it
/// or nothing, and once only.
///
/// # Errors
/// See [`AcceptRefused`]; 503 when too many passwords are being hashed.
pub(crate) async fn accept_invitation(context: Context, passwords: Passwords, body: AcceptInvitation, visitor: Visitor) -> Result<SessionCreated, Failure> {
    let secret = body.token.hash();
    let name = body.name.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(AcceptRefused::Name.into());
    }
    // Looked up before the costly hash, so that only the holder of a secret can cause it.
    let invitation = store::find_open_invitation(&mut *context.db().read_latest().await?, &secret, context.now()).await?.ok_or(AcceptRefused::NotFound)?;
    check_password(&body.password, &invitation.email).map_err(AcceptRefused::from)?;
    let password_hash = passwords.hash(body.password).await?;

    let mut tx = context.db().begin(Actor::guest()).await?;
    let now = tx.now();
    let staff = store::upsert_person(tx.conn(), &invitation.email, name, invitation.role, &password_hash, now).await?;
    if !store::accept_invitation(tx.conn(), &secret, staff, now).await? {
        return Err(AcceptRefused::NotFound.into());
    }
    store::revoke_sessions_of(tx.conn(), staff, now).await?;
    tx.outdate([staff_tag(staff)]);
    let staff = StaffAnswer { id: staff, email: invitation.email, name: name.to_owned(), role: invitation.role };
    tx.audit("staff.joined", &staff.id.to_string(), serde_json::json!({ "invitation_id": invitation.id, "role": staff.role })).await?;
    let created = open_session(&mut tx, staff, &visitor).await?;
    tx.commit().await?;
    Ok(created)
}

async fn open_session(tx: &mut Tx, staff: StaffAnswer, visitor: &Visitor) -> Result<SessionCreated, Failure> {
    let now = tx.now();
    let token = Token::generate();
    let expires_at = now + SESSION_LIFE;
    let user_agent: Option<String> = visitor.user_agent.as_ref().map(|words| words.chars().take(USER_AGENT_CHARS).collect());
    let address = visitor.address.to_canonical().to_string();
    let session = NewSession { token: token.hash(), staff: staff.id, expires_at, user_agent: user_agent.as_deref(), address: &address };
    let session_id = store::insert_session(tx.conn(), &session, now).await?;
    tx.audit("staff.signed_in", &staff.id.to_string(), serde_json::json!({ "session_id": session_id, "address": address })).await?;
    Ok(SessionCreated { token, staff, expires_at })
}
