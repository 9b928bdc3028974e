//! Signing in, taking an invitation, signing out.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use identity_api::{AcceptInvitation, SessionCreated, SignIn, endpoints};
use kernel::{Problem, Token};
use serde::Serialize;

use crate::Office;
use crate::fields::{Fields, Parameters, address};
use crate::notice::{Notice, field_error};
use crate::session::{Caller, Session, answer, drop_cookie, has_cookie, keep};
use crate::templates::Frame;

/// Where work begins.
const START: &str = "/backoffice";

pub(crate) fn routes() -> Router<Office> {
    Router::new()
        .route("/backoffice/sign-in", get(sign_in_page).post(sign_in))
        .route("/backoffice/sign-in/kept", get(kept))
        .route("/backoffice/signed-in", get(signed_in_page))
        .route("/backoffice/sign-out", post(sign_out).get(async || Redirect::to(START)))
        .route("/backoffice/invitation", get(invitation_page).post(accept_invitation))
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SignInPage {
    pub(crate) next: String,
    pub(crate) email: String,
    /// Whether the credentials were wrong.
    pub(crate) mismatch: bool,
    pub(crate) notice: Option<Notice>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct InvitationPage {
    /// The secret of the link; without one there is no form.
    pub(crate) token: Option<String>,
    pub(crate) name: String,
    pub(crate) name_error: Option<String>,
    pub(crate) password_error: Option<String>,
    pub(crate) notice: Option<Notice>,
}

async fn sign_in_page(State(office): State<Office>, session: Result<Session, Problem>, Parameters(parameters): Parameters) -> Response {
    let next = next_of(&parameters);
    if let Ok(session) = session
        && session.me().await.is_ok()
    {
        return Redirect::to(&next).into_response();
    }
    sign_in_form(&office, StatusCode::OK, &SignInPage { next, ..SignInPage::default() })
}

async fn sign_in(State(office): State<Office>, caller: Caller, fields: Fields) -> Response {
    let next = next_of(&fields);
    let email = fields.filled("email").unwrap_or_default();
    let body = SignIn { email: email.clone(), password: fields.get("password").unwrap_or_default() };
    match answer(caller.call(&endpoints::CREATE_SESSION).body(&body)).await {
        Ok(session) => let_in(&session.body, &next),
        Err(problem) => {
            let mismatch = matches!(problem.status(), 401 | 422);
            let notice = if problem.status() == 422 { Notice::refused("E-mail and password do not match.", "Check both.") } else { Notice::of(&problem, &[]) };
            sign_in_form(&office, status_of(&problem), &SignInPage { next, email, mismatch, notice: Some(notice) })
        }
    }
}

/// Behind the redirect after signing in: whether the browser kept the cookie, which it does on https and on this machine only.
async fn kept(State(office): State<Office>, headers: HeaderMap, Parameters(parameters): Parameters) -> Response {
    let next = next_of(&parameters);
    if has_cookie(&headers) {
        return Redirect::to(&next).into_response();
    }
    let notice = Notice::refused(
        "The browser did not keep the session.",
        "It keeps it on https addresses, on 127.0.0.1 and on localhost only, and when cookies of this site are allowed.",
    );
    sign_in_form(&office, StatusCode::OK, &SignInPage { next, notice: Some(notice), ..SignInPage::default() })
}

async fn signed_in_page(State(office): State<Office>, session: Session) -> Result<Response, Problem> {
    session.me().await?;
    Ok(office.templates.page(StatusCode::OK, "signed_in.html", &outside("Signed in"), &()))
}

/// The cookie goes in any case; the API may be away or the session over.
async fn sign_out(session: Result<Session, Problem>) -> Response {
    if let Ok(session) = session
        && let Err(problem) = answer(session.call(&endpoints::DELETE_SESSION)).await
        && problem.status() != 401
    {
        tracing::warn!(%problem, "signed out in the browser only");
    }
    ([(header::SET_COOKIE, drop_cookie())], Redirect::to("/backoffice/sign-in")).into_response()
}

async fn invitation_page(State(office): State<Office>, Parameters(parameters): Parameters) -> Response {
    let token = parameters.parsed::<Token>("token").map(|token| token.reveal());
    let status = if token.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let notice = token.is_none().then(|| Notice::refused("This link is not whole.", "Copy all of it, or ask for a new one."));
    invitation_form(&office, status, &InvitationPage { token, notice, ..InvitationPage::default() })
}

async fn accept_invitation(State(office): State<Office>, caller: Caller, fields: Fields) -> Response {
    let Some(token) = fields.parsed::<Token>("token") else {
        let notice = Notice::refused("This link is not whole.", "Copy all of it, or ask for a new one.");
        return invitation_form(&office, StatusCode::NOT_FOUND, &InvitationPage { notice: Some(notice), ..InvitationPage::default() });
    };
    let name = fields.filled("name").unwrap_or_default();
    let kept = Some(token.reveal());
    let body = AcceptInvitation { token, name: name.clone(), password: fields.get("password").unwrap_or_default() };
    match answer(caller.call(&endpoints::ACCEPT_INVITATION).body(&body)).await {
        Ok(session) => let_in(&session.body, START),
        Err(problem) => {
            let page = InvitationPage {
                // A link that opens nothing any more gets no form.
                token: kept.filter(|_| problem.status() != 404),
                name,
                name_error: field_error(&problem, "/name"),
                password_error: field_error(&problem, "/password"),
                notice: Some(Notice::of(&problem, &["/name", "/password"])),
            };
            invitation_form(&office, status_of(&problem), &page)
        }
    }
}

fn let_in(session: &SessionCreated, next: &str) -> Response {
    let kept = address("/backoffice/sign-in/kept", &[("next", Some(next))]);
    ([(header::SET_COOKIE, keep(session))], Redirect::to(&kept)).into_response()
}

fn sign_in_form(office: &Office, status: StatusCode, page: &SignInPage) -> Response {
    office.templates.page(status, "sign_in.html", &outside("Sign in"), page)
}

fn invitation_form(office: &Office, status: StatusCode, page: &InvitationPage) -> Response {
    office.templates.page(status, "invitation.html", &outside("Invitation"), page)
}

fn outside(title: &str) -> Frame {
    Frame { title: title.to_owned(), ..Frame::default() }
}

fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Where to go after signing in: a page of ours, never another site's.
fn next_of(fields: &Fields) -> String {
    fields.filled("next").filter(|next| is_ours(next)).unwrap_or_else(|| START.to_owned())
}

/// Whether a path stays under `/backoffice`: no dots that climb out, no backslash or control character that a browser reads as something else.
fn is_ours(path: &str) -> bool {
    let (before_query, _) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let is_below = before_query == "/backoffice" || before_query.starts_with("/backoffice/");
    let climbs = before_query.to_ascii_lowercase().replace("%2e", ".").split('/').any(|segment| segment == "..");
    is_below && !climbs && path.chars().all(|letter| letter.is_ascii_graphic() && letter != '\\')
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_pages_of_the_office_come_after_signing_in() {
        for ours in ["/backoffice", "/backoffice/orders?q=a&state=placed", "/backoffice/orders/ord_1#log"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "//evil.example",
            "https://evil.example/backoffice",
            "/backofficer",
            "/",
            "/backoffice/../x",
            "/backoffice/%2E%2e/x",
            "/backoffice/\\evil",
            "/backoffice/\r\nx",
            "",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
