//! A typed call of an API endpoint, over a transport: the router of this process, or HTTP.
//!
//! The web tier reaches the API only through here, so a page works the same whether the API runs in its process or on
//! another machine.
//!
//! ```ignore
//! let cart = client.call(&cart_api::endpoints::GET_CART).param("id", id).cart_token(&token).send().await?.body;
//! ```

mod call;
mod error;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::Endpoint;
use platform::http::InternalCredential;

pub use call::{Answer, Call, Errand, Visitor};
pub use error::{BaseUrlError, CallError, Unreachable};
use transport::Transport;

/// How long an answer may take, unless the client is told otherwise; longer than the API's own limit, so that its refusal is heard.
const TIMEOUT: Duration = Duration::from_secs(25);
/// The largest answer that is taken in, unless the client is told otherwise.
const ANSWER_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Calls the API. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Settings>);

#[derive(Clone)]
struct Settings {
    transport: Transport,
    internal_credential: InternalCredential,
    timeout: Duration,
    answer_limit_bytes: usize,
}

impl Client {
    /// Calls the API that `router` serves in this process.
    #[must_use]
    pub fn in_process(router: Router, internal_credential: InternalCredential) -> Self {
        Self::over(Transport::InProcess(router), internal_credential)
    }

    /// Calls the API at `base_url`, such as `http://api.internal:8080`, through the HTTP client the binary hands out.
    ///
    /// # Errors
    /// `base_url` is no `http` or `https` address, or has a query.
    pub fn http(http: reqwest::Client, base_url: &str, internal_credential: InternalCredential) -> Result<Self, BaseUrlError> {
        Ok(Self::over(Transport::http(http, base_url)?, internal_credential))
    }

    /// The same client with another time limit for each call.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self(Arc::new(Settings { timeout, ..Arc::unwrap_or_clone(self.0) }))
    }

    /// The same client with another bound on the size of an answer.
    #[must_use]
    pub fn with_answer_limit(self, answer_limit_bytes: usize) -> Self {
        Self(Arc::new(Settings { answer_limit_bytes, ..Arc::unwrap_or_clone(self.0) }))
    }

    /// Begins a call.
    pub fn call<Body, Answer>(&self, endpoint: &Endpoint<Body, Answer>) -> Call<'_, Body, Answer> {
        Call::new(self, endpoint)
    }

    fn over(transport: Transport, internal_credential: InternalCredential) -> Self {
        Self(Arc::new(Settings { transport, internal_credential, timeout: TIMEOUT, answer_limit_bytes: ANSWER_LIMIT_BYTES }))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.0.transport).finish()
    }
}
