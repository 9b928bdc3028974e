use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRef, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use db::Actor;
use db::idempotency::IdempotencyKey;
use garde::Validate;
use http::request::Parts;
use http::{Extensions, HeaderMap, Method};
use kernel::{Problem, Token, headers};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use stores::Wish;

use crate::{Context, Principal};

/// The headers that carry a secret which opens a record; they also keep one shopper's idempotency keys from another's.
const SECRET_HEADERS: [&str; 2] = [headers::CART_TOKEN, headers::ORDER_TOKEN];

/// Everything about a request but its body: who calls, from where, in which channel, and on what conditions.
#[derive(Debug, Clone)]
pub struct Call {
    actor: Actor,
    client_address: IpAddr,
    is_internal: bool,
    headers: Arc<HeaderMap>,
    method: Method,
    path: String,
    fresher_than: Option<Duration>,
}

impl Call {
    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor.clone()
    }

    /// Where the shopper or member of staff sits; the peer, unless our own web tier passes another address on.
    #[must_use]
    pub const fn client_address(&self) -> IpAddr {
        self.client_address
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the caller asks of something kept in memory: nothing, unless our own web tier has heard of a change.
    #[must_use]
    pub const fn wish(&self) -> Wish {
        Wish { fresher_than: self.fresher_than }
    }

    /// The channel named by `X-Channel`.
    #[must_use]
    pub fn channel_code(&self) -> Option<&str> {
        self.header(headers::CHANNEL)
    }

    /// The host the shopper called, without its port: the one our own web tier passes on, or the one the request was sent to.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let passed_on = self.header("x-forwarded-host").filter(|_| self.is_internal);
        let host = passed_on.or_else(|| self.header("host"))?;
        Some(host.rsplit_once(':').map_or(host, |(name, _)| name))
    }

    /// A secret in a header such as `X-Cart-Token`.
    ///
    /// # Errors
    /// 404 for the `thing` it opens when the header is absent or no token: existence is secret.
    pub fn secret(&self, header: &str, thing: &'static str) -> Result<Token, Problem> {
        self.header(header).and_then(|text| text.parse().ok()).ok_or_else(|| Problem::not_found(thing))
    }

    /// The version in `If-Match`, if there is one.
    ///
    /// # Errors
    /// 400 `invalid_header` when it is no version of ours.
    pub fn if_match(&self) -> Result<Option<i64>, Problem> {
        let Some(text) = self.header("if-match") else { return Ok(None) };
        let version = text.trim().trim_start_matches("W/").trim_matches('"').parse().ok();
        version.map(Some).ok_or_else(|| invalid_header("If-Match", "must be the ETag of the record you edited, such as \"3\""))
    }

    /// The version in `If-Match`.
    ///
    /// # Errors
    /// 428 `version_required` when there is none; 400 when it is no version of ours.
    pub fn require_match(&self) -> Result<i64, Problem> {
        self.if_match()?.ok_or_else(Problem::version_required)
    }

    /// The client's idempotency key together with what it belongs to; nothing if it sent none.
    ///
    /// # Errors
    /// 400 `invalid_header` when the key is empty, longer than 200 characters, or not printable ASCII.
    pub fn idempotency_key(&self, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = self.headers.get(headers::IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
        let key = key.ok_or_else(|| invalid_header("Idempotency-Key", "must be 1 to 200 printable characters, such as a UUID"))?;
        Ok(Some(IdempotencyKey {
            surface: if self.path.starts_with("/admin/") { "admin" } else { "store" }.to_owned(),
            actor: self.scope(),
            route: format!("{} {}", self.method, self.path),
            key: key.to_owned(),
            request_hash: Sha256::digest(body).to_vec(),
        }))
    }

    /// Whose idempotency keys these are: a member of staff's, a secret's holder's, or an address's.
    fn scope(&self) -> String {
        if let Some(secret) = SECRET_HEADERS.iter().find_map(|name| self.headers.get(*name)) {
            return Sha256::digest(secret.as_bytes()).iter().take(16).fold("secret:".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        }
        if self.actor == Actor::guest() { format!("guest:{}", self.client_address) } else { self.actor.as_str().to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn of(parts: &Parts, context: &Context) -> Self {
        let principal = parts.extensions.get::<Arc<Principal>>();
        Self {
            actor: principal.map_or_else(Actor::guest, |principal| principal.actor()),
            client_address: client_address(&parts.headers, &parts.extensions, context),
            is_internal: context.is_internal(&parts.headers),
            headers: Arc::new(parts.headers.clone()),
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            fresher_than: fresher_than(parts, context),
        }
    }
}

/// Where the shopper or member of staff sits.
pub(crate) fn client_address(sent: &HeaderMap, extensions: &Extensions, context: &Context) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let passed_on = sent.get(headers::CLIENT_ADDRESS).and_then(|address| address.to_str().ok()?.parse().ok());
    passed_on.filter(|_| context.is_internal(sent)).unwrap_or(peer)
}

fn fresher_than(parts: &Parts, context: &Context) -> Option<Duration> {
    let ms = parts.headers.get(headers::FRESHER_THAN_MS)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(ms)).filter(|_| context.is_internal(&parts.headers))
}

fn invalid_header(name: &str, detail: &str) -> Problem {
    Problem::new(400, "invalid_header", "A request header is not valid").field(name, "invalid", detail)
}

impl<S: Send + Sync> FromRequestParts<S> for Call
where
    Context: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self::of(parts, &Context::from_ref(state)))
    }
}

/// A mutating request: the call, its checked body (`Command<()>` for none), and its idempotency key.
#[derive(Debug, Clone)]
pub struct Command<T> {
    /// The body.
    pub body: T,
    /// Everything else.
    pub call: Call,
    /// The key, if the client sent one.
    pub key: Option<IdempotencyKey>,
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()> + 'static> FromRequest<S> for Command<T>
where
    Context: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let call = Call::of(&parts, &Context::from_ref(state));
        let request = Request::from_parts(parts, body);
        let is_empty_wanted = std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>();
        let is_json = platform::http::has_json_content_type(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| platform::http::body_problem(&rejection).into_response())?;
        let key = call.idempotency_key(&bytes).map_err(Problem::into_response)?;
        // A request without content may come with or without an empty body.
        let text: &[u8] = if is_empty_wanted { b"null" } else { &bytes };
        if !is_empty_wanted && !is_json {
            return Err(platform::http::unsupported_media_type().into_response());
        }
        let body: T = platform::http::parse_json(text).map_err(Problem::into_response)?;
        platform::http::validate(&body).map_err(Problem::into_response)?;
        Ok(Self { body, call, key })
    }
}
