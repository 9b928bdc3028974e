//! Turns refusals and failures into pages, and loses nothing that was typed on the way.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use kernel::Problem;
use platform::http::RequestId;
use serde::Serialize;

use crate::fields::{Fields, address, is_form};
use crate::notice::explanation;
use crate::session::{drop_cookie, has_cookie};
use crate::templates::{Frame, Templates};
use crate::{Office, guarded};

/// The largest form: a product's description and its whole table of variants.
const FORM_LIMIT_BYTES: usize = 1024 * 1024;

/// The page of a problem.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ErrorPage {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) items: Vec<String>,
    /// Whether it shows the office's navigation.
    pub(crate) inside: bool,
    pub(crate) again: Option<Again>,
    pub(crate) request_id: Option<String>,
}

/// A form to send once more.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Again {
    pub(crate) action: String,
    pub(crate) fields: Vec<Field>,
    /// What of it a person typed, to copy by hand if all else fails.
    pub(crate) typed: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The request as far as a page about its failure needs it.
struct Asked {
    method: Method,
    target: String,
    form: Option<Bytes>,
    inside: bool,
    request_id: Option<String>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            target: request.uri().path_and_query().map_or_else(|| request.uri().path().to_owned(), ToString::to_string),
            form: None,
            inside: has_cookie(request.headers()),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
        }
    }
}

/// Around every page: a problem becomes a page, a session that is over leads to the door.
pub(crate) async fn dress(State(office): State<Office>, request: Request, next: Next) -> Response {
    let (request, mut asked) = match take_note(request).await {
        Ok(noted) => noted,
        Err((problem, asked)) => return error_page(&office.templates, &problem, asked),
    };
    let request = match asked.form.clone() {
        Some(form) => request.map(|_| Body::from(form)),
        None => request,
    };
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if problem.code() == "unauthenticated" {
        return to_the_door(&office, &asked);
    }
    // What was refused for its content would be refused again.
    if !asked.inside || problem.status() < 500 {
        asked.form = None;
    }
    error_page(&office.templates, &problem, asked)
}

/// Notes what a page about a failure may have to repeat, and takes the form in.
async fn take_note(request: Request) -> Result<(Request, Asked), (Problem, Asked)> {
    let is_posted = request.method() == Method::POST && is_form(request.headers());
    let mut asked = Asked::of(&request);
    if !is_posted {
        return Ok((request, asked));
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, FORM_LIMIT_BYTES).await {
        Ok(form) => asked.form = Some(form),
        Err(_) => {
            return Err((
                Problem::new(413, "body_too_large", "The form is too large").detail("Nothing was saved. Go back: what you typed is still there."),
                asked,
            ));
        }
    }
    Ok((Request::from_parts(parts, Body::empty()), asked))
}

/// Somebody without a session who asked for a page is led back to it after signing in; a form that was sent is kept to be sent again.
fn to_the_door(office: &Office, asked: &Asked) -> Response {
    let cookie = [(header::SET_COOKIE, drop_cookie())];
    if asked.method == Method::GET || asked.method == Method::HEAD {
        let door = address("/backoffice/sign-in", &[("next", Some(&asked.target))]);
        return (cookie, Redirect::to(&door)).into_response();
    }
    let Some(again) = asked.form.as_deref().map(|form| again(&asked.target, form)) else {
        return (cookie, Redirect::to("/backoffice/sign-in")).into_response();
    };
    let frame = Frame { title: "Signed out".to_owned(), ..Frame::default() };
    // The cookie stays as it is: another tab may have renewed it meanwhile.
    office.templates.page(StatusCode::UNAUTHORIZED, "session_over.html", &frame, &again)
}

/// Around everything, the layers of the port included: whoever asks for a page and is refused before one is made gets a page all the same.
pub(crate) async fn refuse_in_pages(State(templates): State<Templates>, request: Request, next: Next) -> Response {
    let wants_page = wants_page(request.headers());
    let asked = Asked::of(&request);
    let response = next.run(request).await;
    if !wants_page || !is_problem(&response) {
        return response;
    }
    let (parts, _) = response.into_parts();
    let request_id = parts.headers.get(kernel::headers::REQUEST_ID).and_then(|id| id.to_str().ok()).map(ToOwned::to_owned);
    let mut page = error_page(&templates, &refusal(parts.status), Asked { request_id, ..asked });
    if parts.headers.contains_key(header::RETRY_AFTER) {
        page.headers_mut().remove(header::RETRY_AFTER);
    }
    for (name, value) in &parts.headers {
        let is_of_the_problem = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name);
        if !is_of_the_problem {
            page.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    page.headers_mut().insert(header::VARY, http::HeaderValue::from_static("Accept"));
    guarded(page)
}

/// What a refusal that came as a document for machines is told as.
fn refusal(status: StatusCode) -> Problem {
    match status.as_u16() {
        404 => Problem::not_found("page"),
        405 => Problem::new(405, "method_not_allowed", "This page cannot be asked for like that"),
        413 => Problem::new(413, "body_too_large", "The form is too large").detail("Nothing was saved. Go back: what you typed is still there."),
        429 => Problem::new(429, "too_many_requests", "Too many requests").detail("Wait a moment, then try it again."),
        503 => Problem::unavailable(1).detail("There is too much to do at the moment. Wait a moment, then try it again."),
        400..=499 => Problem::new(status.as_u16(), "refused", "This cannot be done like that"),
        _ => Problem::internal(),
    }
}

fn wants_page(headers: &http::HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn error_page(templates: &Templates, problem: &Problem, asked: Asked) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = ErrorPage {
        title: title(problem),
        text: text(problem),
        items: problem.errors().iter().map(|error| format!("{}: {}", error.pointer.trim_start_matches('/'), error.detail)).collect(),
        inside: asked.inside,
        again: asked.form.as_deref().map(|form| again(&asked.target, form)),
        request_id: asked.request_id.or_else(|| problem.instance_id().map(ToOwned::to_owned)),
    };
    let frame = Frame { title: page.title.clone(), ..Frame::default() };
    match templates.render("error.html", &frame, &page) {
        Ok(html) => {
            let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
            if let Some(seconds) = problem.retry_after_seconds() {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Err(error) => {
            tracing::error!(%error, "error page not rendered");
            (status, "Something failed on our side.").into_response()
        }
    }
}

fn again(target: &str, form: &[u8]) -> Again {
    // A password is never written into a page.
    let fields = Fields::parse(form)
        .all()
        .iter()
        .filter(|(name, _)| name != "password")
        .map(|(name, value)| Field { name: name.clone(), value: value.clone() })
        .collect::<Vec<_>>();
    let is_ours = |name: &str| ["key", "version", "seen", "from"].contains(&name) || name.starts_with("was_") || name.starts_with("version_");
    let is_typed = |field: &&Field| !field.value.is_empty() && !is_ours(&field.name);
    let typed = fields.iter().filter(is_typed).cloned().collect();
    Again { action: target.to_owned(), fields, typed }
}

fn title(problem: &Problem) -> String {
    match problem.status() {
        404 => "There is no such page".to_owned(),
        403 if problem.code() == "forbidden" => "You may not do this".to_owned(),
        500 => "Something failed on our side".to_owned(),
        _ => problem.title().to_owned(),
    }
}

fn text(problem: &Problem) -> String {
    let usual = match problem.status() {
        404 => "It may have been moved, or the address is not whole.",
        403 => "Your role does not allow it. An owner can change that.",
        500 => "It is written to the log under the number below. Nothing you see here is lost by trying again.",
        503 => "A part of the shop is away for the moment.",
        _ => "Go back and try it again.",
    };
    explanation(problem).unwrap_or_else(|| usual.to_owned())
}
