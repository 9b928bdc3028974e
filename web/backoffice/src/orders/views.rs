//! Views of one's own: a filter kept by a name, and forgotten again.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use identity_api::{NewSavedView, SavedViewId, ViewedList, endpoints};
use kernel::Problem;
use platform::http::Path;

use super::filter::{Filter, PATH};
use super::list::{Rendering, show};
use crate::Office;
use crate::carried::key;
use crate::fields::Fields;
use crate::notice::{Notice, explanation, field_error, sentence};
use crate::session::{Session, answer};

/// Keeps the filter a form carries by the name that was typed.
pub(crate) async fn keep(State(office): State<Office>, session: Session, fields: Fields) -> Result<Response, Problem> {
    let filter = filter_of(&fields);
    let name = fields.get("name").unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        let error = "Give it a name of up to 40 letters.".to_owned();
        return refuse(&office, &session, &filter, Rendering { status: StatusCode::UNPROCESSABLE_ENTITY, name_error: Some(error), ..Rendering::default() })
            .await;
    }
    let body = NewSavedView { list: ViewedList::Orders, name: name.clone(), query: filter.text() };
    match answer(session.call(&endpoints::CREATE_SAVED_VIEW).idempotency_key(&key(&fields)).body(&body)).await {
        Ok(_) => Ok(back(&filter, "kept")),
        Err(problem) if problem.status() == 401 => Err(problem),
        Err(problem) => {
            let told = field_error(&problem, "/name").or_else(|| explanation(&problem)).unwrap_or_else(|| sentence(problem.title()));
            let rendering = Rendering {
                status: StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                name: Some(name),
                name_error: Some(told),
                key: (problem.status() >= 500).then(|| key(&fields)),
                ..Rendering::default()
            };
            refuse(&office, &session, &filter, rendering).await
        }
    }
}

/// Forgets a view. Its filter stays set, so that it can be kept again.
pub(crate) async fn forget(State(office): State<Office>, session: Session, Path(id): Path<SavedViewId>, fields: Fields) -> Result<Response, Problem> {
    let filter = filter_of(&fields);
    match answer(session.call(&endpoints::DELETE_SAVED_VIEW).param("id", id)).await {
        Ok(_) => Ok(back(&filter, "forgotten")),
        // Somebody, most likely the same person in another window, was quicker.
        Err(problem) if problem.status() == 404 => Ok(back(&filter, "forgotten")),
        Err(problem) if problem.status() == 401 => Err(problem),
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            refuse(&office, &session, &filter, Rendering { status, notice: Some(Notice::of(&problem, &[])), ..Rendering::default() }).await
        }
    }
}

fn filter_of(fields: &Fields) -> Filter {
    Filter::of(&Fields::parse(fields.get("query").unwrap_or_default().as_bytes()))
}

async fn refuse(office: &Office, session: &Session, filter: &Filter, rendering: Rendering) -> Result<Response, Problem> {
    show(office, session, &Fields::parse(filter.text().as_bytes()), rendering).await
}

fn back(filter: &Filter, done: &str) -> Response {
    let list = filter.address(PATH, None);
    let sign = if list.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{list}{sign}done={done}")).into_response()
}
