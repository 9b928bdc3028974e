//! The back office's door: the sign-in page, and the files it is made of. Nobody signs in: a trial has no password.

use std::sync::Arc;

use anyhow::Context as _;
use http::StatusCode;

use super::Trial;
use super::load::Script;
use super::pages::own_files;
use super::visitor::{Visitor, Wrong};

const DOOR: &str = "/backoffice/sign-in";

/// Opens the door once.
///
/// # Errors
/// An answer is not right; the error names the step.
pub(super) async fn open(mut visitor: Visitor) -> anyhow::Result<Trial> {
    let files = files(&mut visitor).await?;
    for file in files.iter() {
        visitor.get(file).await.and_then(|reply| reply.expect(StatusCode::OK)).with_context(|| format!("loading {file}"))?;
    }
    let closed = visitor.get("/backoffice").await.context("opening the office without a session")?;
    let is_led_away = closed.status.is_redirection() && closed.location().is_ok_and(|path| path.starts_with(DOOR));
    anyhow::ensure!(is_led_away, "opening the office without a session: {} instead of the way to the sign-in page", closed.status);
    Ok(Trial::Opened)
}

/// The files of the sign-in page.
///
/// # Errors
/// The page is not there, or has none.
pub(super) async fn files(visitor: &mut Visitor) -> anyhow::Result<Arc<[String]>> {
    let page = show(visitor).await.context("opening the sign-in page")?;
    let files = own_files(&page, "/backoffice/static/");
    anyhow::ensure!(!files.is_empty(), "opening the sign-in page: it has no files of its own");
    Ok(files.into())
}

async fn show(visitor: &mut Visitor) -> Result<String, Wrong> {
    let reply = visitor.get_at_last(DOOR).await?.expect(StatusCode::OK)?;
    if reply.text().contains("name=\"password\"") { Ok(reply.text().to_owned()) } else { Err(reply.wrong("a page without a field for the password")) }
}

/// Somebody who opens the door again and again.
pub(super) struct Caller {
    visitor: Visitor,
    files: Arc<[String]>,
    place: usize,
}

impl Caller {
    pub(super) const fn new(visitor: Visitor, files: Arc<[String]>, number: usize) -> Self {
        Self { visitor, files, place: number }
    }
}

impl Script for Caller {
    async fn next(&mut self) -> Result<StatusCode, Wrong> {
        self.place += 1;
        let file = self.files.get(self.place.checked_rem(self.files.len().saturating_mul(2)).unwrap_or_default());
        Ok(self.visitor.get(file.map_or(DOOR, String::as_str)).await?.expect(StatusCode::OK)?.status)
    }
}
