use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use client::CallError;
use http::{HeaderValue, Method, StatusCode, header};
use kernel::Problem;
use serde::Serialize;

use crate::messages::Messages;
use crate::shell::Shell;
use crate::shop::{Keep, Shop};
use crate::view::TileView;
use crate::visit::Visit;

/// Why a page cannot be shown. [`render_errors`] turns it into a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageError {
    /// There is no such page, or the visitor may not know.
    NotFound,
    /// The request itself is refused.
    Refused {
        /// 400 to 499.
        status: StatusCode,
    },
    /// Our fault; the log knows why.
    Internal,
    /// A part we need is away for the moment.
    Unavailable {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The shop is closed for a while.
    Closed,
}

/// When those shall come again who came while the shop was closed.
const CLOSED_SECONDS: u32 = 300;
/// How often the page that says so looks by itself whether it is open again.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("30");

impl PageError {
    /// When to try again.
    const fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Unavailable { retry_after_seconds } => Some(retry_after_seconds),
            Self::Closed => Some(CLOSED_SECONDS),
            Self::NotFound | Self::Refused { .. } | Self::Internal => None,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused { status } => status,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable { .. } | Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<CallError> for PageError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Problem(problem) => Self::of(&problem),
            // The client has logged it.
            CallError::Unreachable(_) => Self::Unavailable { retry_after_seconds: 5 },
        }
    }
}

impl PageError {
    fn of(problem: &Problem) -> Self {
        match problem.status() {
            404 => Self::NotFound,
            // A sort, cursor or id that is none of ours names no page.
            400 => Self::NotFound,
            429 | 503 => Self::Unavailable { retry_after_seconds: problem.retry_after_seconds().unwrap_or(5) },
            status => {
                tracing::error!(status, code = problem.code(), "the API refused what a page needs");
                Self::Internal
            }
        }
    }
}

/// What an error page shows.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorView {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) text: String,
    /// Where to try the same again, where that may help.
    pub(crate) again: Option<String>,
    /// Whether it stands without the shop around it.
    pub(crate) is_alone: bool,
    pub(crate) tiles: Vec<TileView>,
}

/// Shows a page in the place of every [`PageError`].
pub(crate) async fn render_errors(State(shop): State<Shop>, visit: Visit, request: Request, next: Next) -> Response {
    let again = (request.method() == Method::GET).then(|| request.uri().path_and_query().map(ToString::to_string)).flatten();
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<PageError>() else { return response };
    let mut page = page(&shop, &visit, error, again).await.unwrap_or_else(|_| error.status().into_response());
    if let Some(seconds) = error.retry_after_seconds() {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error == PageError::Closed {
        page.headers_mut().insert(header::REFRESH, LOOK_AGAIN);
    }
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow);
    }
    page
}

async fn page(shop: &Shop, visit: &Visit, error: PageError, again: Option<String>) -> Result<Response, PageError> {
    let (shell, tiles) = match error {
        PageError::NotFound => surroundings(shop, visit).await,
        PageError::Refused { .. } | PageError::Closed => (bare(shop, visit).await, Vec::new()),
        PageError::Internal | PageError::Unavailable { .. } => (Shell::remembered(shop, visit), Vec::new()),
    };
    let messages = shop.messages(&shell.language);
    let (title, text) = words(error, &messages);
    let is_worth_trying = matches!(error, PageError::Internal | PageError::Unavailable { .. } | PageError::Closed);
    let view = ErrorView {
        status: error.status().as_u16(),
        title,
        text,
        again: again.filter(|address| is_worth_trying && address.starts_with('/') && !address.starts_with("//")),
        is_alone: error != PageError::NotFound,
        tiles,
    };
    shop.page(error.status(), "error.html", &shell, &view, Keep::Revalidate)
}

/// The shop's name and language: as it says now, else as was last heard.
async fn bare(shop: &Shop, visit: &Visit) -> Shell {
    if let Ok(answer) = shop.call(visit, &catalog_api::endpoints::GET_CHANNEL).send().await {
        shop.remember(visit, &answer.body.name, answer.body.locale.as_str());
    }
    Shell::remembered(shop, visit)
}

/// The shop around a page that is not there; a bare page when the API is away.
async fn surroundings(shop: &Shop, visit: &Visit) -> (Shell, Vec<TileView>) {
    let shell = Shell::load(shop, visit).await;
    let Ok((shell, tongue)) = shell.map(|loaded| (loaded.shell, loaded.tongue)) else { return (Shell::bare(), Vec::new()) };
    let tiles = crate::pages::featured(shop, visit, &tongue, 4).await.unwrap_or_default();
    (shell, tiles)
}

pub(crate) fn words(error: PageError, messages: &Messages) -> (String, String) {
    let (title, text) = match error {
        PageError::NotFound => ("error-not-found-title", "error-not-found"),
        PageError::Refused { status: StatusCode::FORBIDDEN } => ("error-elsewhere-title", "error-elsewhere"),
        PageError::Refused { status: StatusCode::METHOD_NOT_ALLOWED } => ("error-method-title", "error-method"),
        PageError::Refused { .. } => ("error-unread-title", "error-unread"),
        PageError::Internal => ("error-internal-title", "error-internal"),
        PageError::Unavailable { .. } => ("error-away-title", "error-away"),
        PageError::Closed => ("closed-title", "closed"),
    };
    (messages.text(title), messages.text(text))
}
