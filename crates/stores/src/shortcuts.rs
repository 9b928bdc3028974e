//! The first look: an answer that was just given from memory is given again to whoever asks the same.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderValue, Method, header};
use kernel::headers;
use platform::http::{Answering, Place};

use crate::bus::Generation;
use crate::render::Kept;
use crate::{Entry, RenderCache, Rendered, Surface};

/// How long a shortcut leads anywhere. Then the ordinary way looks again whether everything holds, such as which channel the host leads to.
const LIFE: Duration = Duration::from_secs(1);
/// How many addresses are known at once.
const MOST: u64 = 4_096;
/// The longest address that is worth knowing.
const LONGEST: usize = 1_024;
/// Who sends one of these may be answered otherwise than others are.
const EXCEPTIONS: [&str; 2] = [headers::INTERNAL_CREDENTIAL, headers::FOR_A_PART];

/// The first layer of a port. It knows, for a moment, which kept answer an address was given, and gives it again before any router or other
/// layer is entered. Whatever else is done for a request (its name, its line in the log, figures, headers) is done by the answer's [`Place`].
///
/// A shortcut holds until the next news of any kind, and for a second at most. So it has to know nothing of what an answer is made of, nor of how
/// its channel was found: at the first doubt the request goes the ordinary way. Only what is `GET` is looked for.
#[derive(Clone)]
pub struct Shortcuts<S> {
    port: S,
    renders: RenderCache,
    known: moka::sync::Cache<Box<str>, Arc<Shortcut>>,
}

struct Shortcut {
    place: Place,
    surface: Surface,
    generation: Generation,
    good_until: i64,
    /// What the cache has dropped is not kept in memory by a shortcut.
    entry: Weak<Entry<Rendered>>,
}

impl<S> Shortcuts<S> {
    pub(crate) fn around(port: S, renders: RenderCache) -> Self {
        Self { port, renders, known: moka::sync::Cache::new(MOST) }
    }

    fn take(&self, address: &str, request: &Request) -> Option<Response> {
        let Shortcut { place, surface, generation, good_until, entry } = &*self.known.get(address)?;
        let entry = entry.upgrade()?;
        let is_hit = self.renders.cache().is_hit_again(*surface, *generation, *good_until);
        is_hit.then(|| place.answer(request.method(), request.headers(), || entry.answer(request.headers())))
    }

    /// Remembers where an answer came from, if it came from memory. News that was told while it was made ends the shortcut at once.
    fn note(&self, address: Box<str>, generation: Generation, response: &mut Response) {
        let extensions = response.extensions_mut();
        if let (Some(Kept { entry, surface }), Some(place)) = (extensions.remove(), extensions.remove()) {
            let good_until = self.renders.cache().good_until(&entry, LIFE);
            self.known.insert(address, Arc::new(Shortcut { place, surface, generation, good_until, entry: Arc::downgrade(&entry) }));
        }
    }
}

impl<S: Answering> tower::Service<Request> for Shortcuts<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.port.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(address) = address_of(&request) else { return Either::Right(Box::pin(self.port.call(request))) };
        if let Some(response) = self.take(&address, &request) {
            return Either::Left(ready(Ok(response)));
        }
        let generation = self.renders.cache().generation();
        let (shortcuts, answer) = (self.clone(), self.port.call(request));
        Either::Right(Box::pin(async move {
            let mut response = answer.await?;
            shortcuts.note(address, generation, &mut response);
            Ok(response)
        }))
    }
}

/// Everything that may decide which kept answer a request is given. Nothing if it may be given another.
fn address_of(request: &Request) -> Option<Box<str>> {
    let (uri, sent) = (request.uri(), request.headers());
    if *request.method() != Method::GET || EXCEPTIONS.iter().any(|name| sent.contains_key(*name)) {
        return None;
    }
    let (host, channel) = (text(sent.get(header::HOST))?, text(sent.get(headers::CHANNEL))?);
    // None of them can hold a line's end, so no two addresses read the same.
    let address = [host, uri.host().unwrap_or_default(), channel, uri.path_and_query()?.as_str()].join("\n");
    (address.len() <= LONGEST).then(|| address.into())
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.map_or(Some(""), |value| value.to_str().ok())
}
