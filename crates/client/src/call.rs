use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body as AnyBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Endpoint, Problem, Token, headers};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CallError, Client, Unreachable};

/// On whose behalf the web tier calls, so that limits and logs see the shopper and not us.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Where the shopper or member of staff sits.
    pub address: IpAddr,
    /// The name of the request being served, if it has one.
    pub request_id: Option<String>,
}

/// A page being made: what its calls have to know, and what they were answered with.
#[derive(Debug, Clone, Default)]
pub struct Errand {
    changed_ago: Option<Duration>,
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl Errand {
    /// An errand of a page that must not be older than a change heard of so long ago.
    #[must_use]
    pub fn new(changed_ago: Option<Duration>) -> Self {
        Self { changed_ago, seen: Arc::default() }
    }

    /// The surrogate keys of every answer so far: what the page is made of.
    #[must_use]
    pub fn surrogate_keys(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn note(&self, answer: &HeaderMap) {
        let keys = answer.get_all(headers::SURROGATE_KEY).iter().filter_map(|keys| keys.to_str().ok()).flat_map(|keys| keys.split(' '));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(keys.filter(|key| !key.is_empty()).map(ToOwned::to_owned));
    }
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The body; `()` for none.
    pub body: T,
    /// The record's version, from `ETag`.
    pub version: Option<i64>,
    /// Whether this is the kept answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// A call being put together; [`Call::send`] makes it.
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'client, Body, Answer> {
    client: &'client Client,
    method: &'static str,
    template: &'static str,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    fault: Option<CallError>,
    errand: Option<Errand>,
    shapes: PhantomData<fn(Body) -> Answer>,
}

impl<'client, Body, Reply> Call<'client, Body, Reply> {
    pub(crate) fn new(client: &'client Client, endpoint: &Endpoint<Body, Reply>) -> Self {
        let call = Self {
            client,
            method: endpoint.method().as_str(),
            template: endpoint.path(),
            path: endpoint.path().to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            fault: None,
            errand: None,
            shapes: PhantomData,
        };
        call.header(headers::INTERNAL_CREDENTIAL, &client.0.internal_credential.reveal(), true).header(header::ACCEPT.as_str(), "application/json", false)
    }

    /// Fills the path parameter `name`.
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        // An empty or dotted segment would name another path, which the API could only not know.
        if matches!(value.as_str(), "" | "." | "..") {
            self.fault.get_or_insert_with(|| Problem::not_found("record").into());
        }
        self.path = self.path.replace(&format!("{{{name}}}"), &percent_encoded(&value));
        self
    }

    /// Adds the fields of `query` that are there.
    pub fn query(mut self, query: &impl Serialize) -> Self {
        match serde_urlencoded::to_string(query) {
            Ok(pairs) => self.query = pairs,
            Err(error) => self.refuse(error.to_string()),
        }
        self
    }

    /// Sends `body` as JSON.
    pub fn body(mut self, body: &Body) -> Self
    where
        Body: Serialize,
    {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = bytes.into(),
            Err(error) => self.refuse(error.to_string()),
        }
        self.header(header::CONTENT_TYPE.as_str(), "application/json", false)
    }

    /// Calls as the holder of a session or API key.
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = format!("Bearer {}", token.expose_secret());
        self.header(header::AUTHORIZATION.as_str(), &value, true)
    }

    /// Names the channel.
    pub fn channel(self, code: &str) -> Self {
        self.header(headers::CHANNEL, code, false)
    }

    /// Names the host the visitor asked for, from which the API finds the channel when none is named.
    pub fn host(self, host: &str) -> Self {
        self.header("x-forwarded-host", host, false)
    }

    /// Opens a cart.
    pub fn cart_token(self, token: &Token) -> Self {
        self.header(headers::CART_TOKEN, &token.reveal(), true)
    }

    /// Opens a guest's order.
    pub fn order_token(self, token: &Token) -> Self {
        self.header(headers::ORDER_TOKEN, &token.reveal(), true)
    }

    /// Makes a repeat harmless: the same key gets the same answer.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header(headers::IDEMPOTENCY_KEY, key, false)
    }

    /// Names the version the change was made on.
    pub fn if_match(self, version: i64) -> Self {
        let etag = format!("\"{version}\"");
        self.header(header::IF_MATCH.as_str(), &etag, false)
    }

    /// Tells on whose behalf we call.
    pub fn visitor(self, visitor: &Visitor) -> Self {
        let call = self.header(headers::CLIENT_ADDRESS, &visitor.address.to_string(), false);
        match &visitor.request_id {
            Some(id) => call.header(headers::REQUEST_ID, id, false),
            None => call,
        }
    }

    /// Makes the call part of making a page.
    pub fn errand(self, errand: &Errand) -> Self {
        let mut call = match errand.changed_ago {
            Some(ago) => self.header(headers::FRESHER_THAN_MS, &ago.as_millis().to_string(), false),
            None => self,
        };
        call.errand = Some(errand.clone());
        call
    }

    /// Makes the call.
    ///
    /// # Errors
    /// The API's problem, or [`Unreachable`] when there is no usable answer in time.
    pub async fn send(self) -> Result<Answer<Reply>, CallError>
    where
        Reply: DeserializeOwned,
    {
        let (method, template) = (self.method, self.template);
        let answer = self.exchange().await;
        if let Err(CallError::Unreachable(reason)) = &answer {
            let cause = std::error::Error::source(reason).map(ToString::to_string);
            tracing::warn!(method, route = template, %reason, cause, "no usable answer from the API");
        }
        answer
    }

    async fn exchange(self) -> Result<Answer<Reply>, CallError>
    where
        Reply: DeserializeOwned,
    {
        let settings = &self.client.0;
        let errand = self.errand.clone();
        let request = self.request()?;
        let limit_bytes = settings.answer_limit_bytes;
        let exchange = async { read(settings.transport.send(request).await?, limit_bytes).await };
        let response = tokio::time::timeout(settings.timeout, exchange).await.map_err(|_| Unreachable::Timeout)??;
        if let Some(errand) = errand {
            errand.note(response.headers());
        }
        understand(&response)
    }

    fn request(self) -> Result<Request<Bytes>, CallError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.path.contains('{') {
            return Err(Unreachable::Unsendable { reason: format!("a parameter of {} is missing", self.template) }.into());
        }
        let path_and_query = if self.query.is_empty() { Cow::Borrowed(&self.path) } else { Cow::Owned(format!("{}?{}", self.path, self.query)) };
        let builder = Request::builder().method(self.method).uri(self.client.0.transport.address(&path_and_query));
        let mut request = builder.body(self.body).map_err(|error| Unreachable::Unsendable { reason: error.to_string() })?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }

    fn header(mut self, name: &str, value: &str, is_secret: bool) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(is_secret);
                self.headers.insert(name, value);
            }
            _ => self.refuse(format!("the header {name} cannot hold its value")),
        }
        self
    }

    fn refuse(&mut self, reason: String) {
        self.fault.get_or_insert_with(|| Unreachable::Unsendable { reason }.into());
    }
}

/// Takes the body in, as far as the bound.
async fn read(response: Response<AnyBody>, limit_bytes: usize) -> Result<Response<Bytes>, Unreachable> {
    let (parts, body) = response.into_parts();
    let collected = Limited::new(body, limit_bytes).collect().await.map_err(|error| match error.downcast::<LengthLimitError>() {
        Ok(_) => Unreachable::TooLarge { limit_bytes },
        Err(error) => Unreachable::Transport(error),
    })?;
    Ok(Response::from_parts(parts, collected.to_bytes()))
}

fn understand<T: DeserializeOwned>(response: &Response<Bytes>) -> Result<Answer<T>, CallError> {
    let status = response.status();
    if !status.is_success() {
        return Err(problem_of(response));
    }
    // A body of `()` is no body; JSON's nothing stands for it.
    let text: &[u8] = if response.body().is_empty() { b"null" } else { response.body() };
    let body = serde_json::from_slice(text).map_err(Unreachable::Unreadable)?;
    let etag = text_of(response.headers(), header::ETAG.as_str());
    Ok(Answer {
        status: status.as_u16(),
        body,
        version: etag.and_then(|etag| etag.trim_start_matches("W/").trim_matches('"').parse().ok()),
        replayed: text_of(response.headers(), "idempotency-replayed") == Some("true"),
    })
}

fn problem_of(response: &Response<Bytes>) -> CallError {
    let status = response.status();
    let is_problem = text_of(response.headers(), header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/problem+json"));
    let problem = serde_json::from_slice::<Problem>(response.body()).ok();
    // The status of the document is the status of the answer, unless something in between changed one of them.
    match problem.filter(|problem| is_problem && problem.status() == status.as_u16()) {
        Some(problem) => match text_of(response.headers(), header::RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => problem.retry_after(seconds).into(),
            None => problem.into(),
        },
        None => Unreachable::Foreign { status: status.as_u16() }.into(),
    }
}

fn text_of<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name)?.to_str().ok()
}

/// Writes `text` as one path segment (RFC 3986): everything but the unreserved characters as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].iter().filter_map(|digit| char::from_digit(u32::from(*digit), 16)).map(|digit| digit.to_ascii_uppercase()));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_segment_keeps_to_itself() {
        assert_eq!(percent_encoded("harbour-pitcher_1.2~x"), "harbour-pitcher_1.2~x");
        assert_eq!(percent_encoded("a/b?c#d e%é"), "a%2Fb%3Fc%23d%20e%25%C3%A9");
    }
}
