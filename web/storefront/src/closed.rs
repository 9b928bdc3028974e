//! The shop closed for a while: as long as a file is there, shoppers see a page that says so.
//!
//! A file needs no restart, works from a shell as well as from a mounted volume, and is there or not, whatever else is broken. Staff and the
//! API are not closed: they are what the shop is closed for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use crate::error::PageError;
use crate::shop::Shop;

/// How often the file is looked for at most.
const LOOK_AGAIN_MS: u64 = 1_000;
/// What those need who were in the middle of something: their order, and how their payment stands.
const OPEN_BELOW: [&str; 5] = ["/static/", "/media/", "/orders/", "/checkout/return", "/checkout/thanks/"];
/// What machines ask for, who would take a refusal for good.
const OPEN: [&str; 3] = ["/robots.txt", "/favicon.ico", "/manifest.webmanifest"];

/// Whether the shop is closed.
#[derive(Debug)]
pub(crate) struct Closing {
    file: Option<PathBuf>,
    begun: Instant,
    /// When it was last looked, in milliseconds since then.
    looked: AtomicU64,
    is_closed: AtomicBool,
}

impl Closing {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        let is_closed = file.as_ref().is_some_and(|file| file.exists());
        Self { file, begun: Instant::now(), looked: AtomicU64::new(0), is_closed: AtomicBool::new(is_closed) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        let Some(file) = &self.file else { return false };
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Relaxed);
        let is_due = now >= looked.saturating_add(LOOK_AGAIN_MS);
        if is_due && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.is_closed.store(file.exists(), Ordering::Relaxed);
        }
        self.is_closed.load(Ordering::Relaxed)
    }
}

/// Lets nobody in while the shop is closed, but to what stays open.
pub(crate) async fn gate(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    if shop.is_closed() && !stays_open(request.uri().path()) {
        return PageError::Closed.into_response();
    }
    next.run(request).await
}

fn stays_open(path: &str) -> bool {
    OPEN.contains(&path) || OPEN_BELOW.iter().any(|start| path.starts_with(start))
}
