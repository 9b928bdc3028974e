//! The routes: signing in and out, invitations, the staff list.

use axum::extract::{Extension, State};
use http::{HeaderMap, header};
use identity_api::{AcceptInvitation, InvitationCreated, InviteStaff, SessionCreated, SignIn, StaffAnswer, StaffId, StaffList, StaffSessionId};
use kernel::Problem;
use service::{Answer, Command, Context, Failure, Permission, Staff};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{PasswordRefused, normalize_email, session_tag};
use crate::password::{PasswordError, Passwords};
use crate::sign_in::{self, AcceptRefused, SignInRefused, Visitor};
use crate::staff::{InviteError, invite};
use crate::store;

/// The routes that need no session.
pub(crate) fn open_routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(create_session)).routes(routes!(accept_invitation)).layer(Extension(Passwords::new())).with_state(context.clone())
}

/// The routes for signed-in staff.
pub(crate) fn routes(context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(delete_session))
        .routes(routes!(get_me))
        .routes(routes!(list_staff))
        .routes(routes!(invite_staff))
        .with_state(context.clone())
}

/// Signs in with e-mail and password. Needs no session. The answer is never kept, so `Idempotency-Key` has no effect here.
#[utoipa::path(
    post,
    path = "/admin/v1/sessions",
    tag = "staff",
    request_body = SignIn,
    responses(
        (status = 201, body = SessionCreated),
        (status = 401, description = "`credentials_wrong`: no active member has this e-mail address and password.", body = Problem),
        (status = 422, body = Problem),
        (status = 429, description = "`too_many_sign_ins`, with `Retry-After`.", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`.", body = Problem),
    )
)]
async fn create_session(
    State(context): State<Context>,
    Extension(passwords): Extension<Passwords>,
    headers: HeaderMap,
    command: Command<SignIn>,
) -> Result<Answer, Failure> {
    let visitor = visitor(&headers, &command);
    let work = sign_in::sign_in(context.clone(), passwords, command.body, visitor);
    Answer::created(&context.detached("sign in", work).await?)
}

/// Takes an invitation with a name and a password, and signs in. Needs no session; an invitation is taken once. The answer is never kept, so
/// `Idempotency-Key` has no effect here.
#[utoipa::path(
    post,
    path = "/admin/v1/invitations/accept",
    tag = "staff",
    request_body = AcceptInvitation,
    responses(
        (status = 201, body = SessionCreated),
        (status = 404, description = "`invitation_not_found`: never made, taken, replaced or expired.", body = Problem),
        (status = 422, body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`.", body = Problem),
    )
)]
async fn accept_invitation(
    State(context): State<Context>,
    Extension(passwords): Extension<Passwords>,
    headers: HeaderMap,
    command: Command<AcceptInvitation>,
) -> Result<Answer, Failure> {
    let visitor = visitor(&headers, &command);
    let work = sign_in::accept_invitation(context.clone(), passwords, command.body, visitor);
    Answer::created(&context.detached("accept invitation", work).await?)
}

/// Signs out: the bearer token opens nothing any more.
#[utoipa::path(delete, path = "/admin/v1/sessions/current", tag = "staff", responses((status = 204), (status = 401, body = Problem)))]
async fn delete_session(State(context): State<Context>, staff: Staff, command: Command<()>) -> Result<Answer, Failure> {
    // Without its key: the next request with this token would not get far enough to be answered from a kept answer.
    context
        .mutate(&command.call, None, move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let session = StaffSessionId::from_uuid(staff.0.session_id);
                if store::revoke_session(tx.conn(), session, now).await? {
                    tx.outdate([session_tag(session)]);
                    tx.audit("staff.signed_out", &StaffId::from_uuid(staff.0.id).to_string(), serde_json::json!({ "session_id": session })).await?;
                }
                Ok(Answer::no_content())
            })
        })
        .await
}

/// Who is signed in.
#[utoipa::path(get, path = "/admin/v1/me", tag = "staff", responses((status = 200, body = StaffAnswer), (status = 401, body = Problem)))]
async fn get_me(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    // The writer, as for the session itself: whoever came in a moment ago is known.
    let mut conn = context.db().read_latest().await?;
    let me = store::find_staff(&mut conn, StaffId::from_uuid(staff.0.id)).await?;
    Answer::ok(&me.ok_or_else(Problem::unauthenticated)?)
}

/// Everyone on the staff, by name.
#[utoipa::path(get, path = "/admin/v1/staff", tag = "staff", responses((status = 200, body = StaffList), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_staff(State(context): State<Context>, staff: Staff) -> Result<Answer, Failure> {
    staff.require(Permission::View)?;
    let mut conn = context.db().read().await?;
    Answer::ok(&StaffList { items: store::list_staff(&mut conn).await? })
}

/// Invites somebody; the secret of the link is told once. A newer invitation for the same address replaces an open one. The answer is never
/// kept, so `Idempotency-Key` has no effect here.
#[utoipa::path(
    post,
    path = "/admin/v1/invitations",
    tag = "staff",
    request_body = InviteStaff,
    responses(
        (status = 201, body = InvitationCreated),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, description = "`staff_exists`: an active member has this address.", body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn invite_staff(State(context): State<Context>, staff: Staff, command: Command<InviteStaff>) -> Result<Answer, Failure> {
    staff.require(Permission::ManageStaff)?;
    let InviteStaff { email, role } = command.body;
    context
        .mutate(&command.call, None, move |tx| {
            Box::pin(async move {
                let email = normalize_email(&email);
                if store::is_staff(tx.conn(), &email).await? {
                    return Err(Problem::new(409, "staff_exists", "Already on the staff").detail(format!("{email} is an active member.")).into());
                }
                let (token, expires_at) = invite(tx, &email, role).await?;
                Answer::created(&InvitationCreated { email, token, expires_at })
            })
        })
        .await
}

fn visitor<T>(headers: &HeaderMap, command: &Command<T>) -> Visitor {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    Visitor { address: command.call.client_address(), user_agent }
}

impl From<SignInRefused> for Failure {
    fn from(refused: SignInRefused) -> Self {
        match refused {
            SignInRefused::Throttled { retry_after_seconds } => Problem::new(429, "too_many_sign_ins", "Too many sign-ins")
                .detail(format!("Try again in {} minutes.", retry_after_seconds.div_ceil(60)))
                .retry_after(retry_after_seconds)
                .into(),
            SignInRefused::Mismatch => {
                Problem::new(401, "credentials_wrong", "E-mail and password do not match").detail("Check both, or ask for a new invitation.").into()
            }
        }
    }
}

impl From<AcceptRefused> for Failure {
    fn from(refused: AcceptRefused) -> Self {
        match refused {
            AcceptRefused::NotFound => {
                Problem::not_found("invitation").detail("It was taken, replaced by a newer one, or is older than seven days. Ask for a new one.").into()
            }
            AcceptRefused::Name => Problem::invalid_body().field("/name", "invalid", "must not be empty or hold control characters").into(),
            AcceptRefused::Password(reason @ (PasswordRefused::Email | PasswordRefused::Repeated)) => {
                Problem::invalid_body().field("/password", "too_easy", reason.to_string()).into()
            }
        }
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Problem::unavailable(2).detail("Many people sign in at this moment.").into(),
            error @ (PasswordError::Hash(_) | PasswordError::Lost(_)) => Self::Internal(error.into()),
        }
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Email => Problem::invalid_body().field("/email", "invalid", "must be an e-mail address").into(),
            InviteError::Database(error) => error.into(),
            InviteError::Audit(error) => error.into(),
        }
    }
}
