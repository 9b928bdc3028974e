//! A client that costs little, so that what is measured is the server: one HTTP/1.1 connection, kept alive, one request at a time.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// A request with its body.
pub(crate) type Sent = Request<Full<Bytes>>;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON, if the status is the one that was expected.
    ///
    /// # Errors
    /// It is another status, or not what the contract says.
    pub(crate) fn json<T: DeserializeOwned>(&self, expected: StatusCode) -> anyhow::Result<T> {
        if self.status != expected {
            anyhow::bail!("{} instead of {expected}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        serde_json::from_slice(&self.body).with_context(|| String::from_utf8_lossy(&self.body).into_owned())
    }
}

/// A connection. It is driven by whoever waits for an answer, so that no other task has to be woken.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Nothing once the connection has ended.
    driver: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| address.to_string())?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Some(Box::pin(connection)) })
    }

    /// Sends a request and takes in the whole answer.
    ///
    /// # Errors
    /// The connection broke: a server under test must not close it.
    pub(crate) async fn exchange(&mut self, request: Sent) -> anyhow::Result<Reply> {
        self.try_exchange(request).await.map_err(|broken| anyhow::anyhow!(broken.cause))
    }

    /// The same, and gives the request back if nothing of it was sent.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn try_exchange(&mut self, request: Sent) -> Result<Reply, Broken> {
        let Self { sender, driver } = self;
        let Some(driving) = driver else {
            return Err(Broken { unsent: Some(request), cause: "the server closed the connection".to_owned() });
        };
        let broken = |cause: String| Broken { unsent: None, cause };
        let answer = async {
            if let Err(error) = sender.ready().await {
                return Err(Broken { unsent: Some(request), cause: error.to_string() });
            }
            let (parts, body) = match sender.try_send_request(request).await {
                Ok(response) => response.into_parts(),
                Err(mut error) => return Err(Broken { unsent: error.take_message(), cause: told(error.error()) }),
            };
            let body = body.collect().await.map_err(|error| broken(told(&error)))?.to_bytes();
            Ok(Reply { status: parts.status, headers: parts.headers, body })
        };
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = driving => {
                // What was not sent comes back once its driver is gone, and what is in already is taken.
                *driver = None;
                answer.await
            }
        }
    }
}

/// An exchange that came to nothing.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The request, if nothing of it was sent.
    pub(crate) unsent: Option<Sent>,
    pub(crate) cause: String,
}

/// An error with its causes.
fn told(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// A request without a body.
///
/// # Errors
/// The path or a header is not valid.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Sent> {
    let builder = Request::get(path).header(http::header::HOST, address.to_string());
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    Ok(builder.body(Full::default())?)
}

/// A request with JSON.
///
/// # Errors
/// The path or a header is not valid.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &impl Serialize) -> anyhow::Result<Sent> {
    let builder = Request::post(path).header(http::header::HOST, address.to_string()).header(http::header::CONTENT_TYPE, "application/json");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    Ok(builder.body(Full::from(serde_json::to_vec(body)?))?)
}
