use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::Problem;
use serde::Serialize;

use crate::{Cache, Entry, Fill, Filled, Key, Lost, Miss, Rendered, Shelf, Surface, Wish};

/// Names what an answer shows, for a content network to drop it by.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

/// Something rendered, before it is made ready.
#[derive(Debug)]
pub struct Render {
    /// Its headers, without `ETag`, `Content-Encoding` and `Surrogate-Key`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// What it is made of: the surrogate keys of everything it shows.
    pub tags: Vec<String>,
}

impl Render {
    /// A JSON answer.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn json(body: &impl Serialize, tags: Vec<String>) -> Result<Self, serde_json::Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self { headers, body: serde_json::to_vec(body)?.into(), tags })
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn ready(mut self, earlier: Option<&Rendered>) -> Filled<Rendered> {
        if let Ok(keys) = HeaderValue::from_str(&self.tags.join(" ")) {
            self.headers.insert(SURROGATE_KEY, keys);
        }
        Filled::new(Rendered::new(self.headers, self.body, earlier), self.tags)
    }
}

/// An answer that is given to those who asked and not kept.
#[derive(Debug, Clone)]
pub enum Unkept {
    /// The API refuses, or failed.
    Problem(Box<Problem>),
    /// Another answer, such as the page of what is not there. It holds nothing of the one who asked.
    Other(Arc<(StatusCode, HeaderMap, Bytes)>),
}

impl From<Problem> for Unkept {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Problem> for Miss<Unkept> {
    fn from(problem: Problem) -> Self {
        Self { is_away: problem.status() >= 500, error: problem.into() }
    }
}

impl IntoResponse for Unkept {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Other(answer) => {
                let (status, headers, body) = answer.as_ref();
                let mut response = (*status, body.clone()).into_response();
                *response.headers_mut() = headers.clone();
                response
            }
        }
    }
}

/// Lies among the extensions of an answer that came from here.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) entry: Arc<Entry<Rendered>>,
    pub(crate) surface: Surface,
}

/// Answers and pages, rendered once and served as bytes.
#[derive(Clone)]
pub struct RenderCache(Cache<Rendered, Unkept>, Option<Arc<Shelf>>);

impl RenderCache {
    pub(crate) fn new(cache: Cache<Rendered, Unkept>, shelf: Option<Shelf>) -> Self {
        Self(cache, shelf.map(Arc::new))
    }

    /// Answers a request with these headers from what is kept by `key`, or renders it.
    pub async fn answer<F, R>(&self, key: &Key, request: &HeaderMap, wish: Wish, render: F) -> Response
    where
        F: FnOnce(Fill) -> R + Send + 'static,
        R: Future<Output = Result<Render, Miss<Unkept>>> + Send + 'static,
    {
        let shelf = self.1.as_ref().map(|shelf| (Arc::clone(shelf), key.clone()));
        let outcome = self.0.get(key, wish, move |fill, earlier| async move {
            let make = async {
                let rendered = render(fill).await?;
                Ok(rendered.ready(earlier.as_deref().map(std::ops::Deref::deref)))
            };
            match shelf {
                Some((shelf, key)) => shelf.find_or_make(&key, wish, make).await,
                None => make.await,
            }
        });
        match outcome.await {
            Ok(rendered) => {
                let mut response = rendered.answer(request);
                response.extensions_mut().insert(Kept { entry: rendered, surface: key.surface });
                response
            }
            Err(Lost::Refused(unkept)) => unkept.into_response(),
            Err(Lost::Broken) => Problem::internal().into_response(),
        }
    }

    /// The cache itself, for the first look.
    pub(crate) const fn cache(&self) -> &Cache<Rendered, Unkept> {
        &self.0
    }

    /// Tells size and age to the metrics.
    pub async fn report(&self) {
        self.0.report().await;
    }

    /// How many answers there are and what they weigh.
    pub async fn size(&self) -> (u64, u64) {
        self.0.size().await
    }
}
