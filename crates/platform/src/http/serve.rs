use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use crate::lifecycle::Tasks;

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many requests one HTTP/2 connection may have in work.
const STREAMS: u32 = 200;

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something else listens there.
    #[error("{address} is taken by another program: stop it, or set {setting} to another address")]
    Taken {
        /// The address.
        address: SocketAddr,
        /// The setting to change.
        setting: &'static str,
    },
    /// The address is not ours, or the system refused.
    #[error("cannot listen on {address} ({setting})")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting to change.
        setting: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// Opens a port; `setting` is named when it is taken.
///
/// # Errors
/// See [`ServeError`].
pub async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::Taken { address, setting },
        _ => ServeError::Bind { address, setting, source },
    })
}

/// How long open connections may still bring a request once the port is closed, so that one which is on its way is not lost. Their answers
/// tell the client to use another connection.
const LINGER: Duration = Duration::from_millis(300);

/// What answers the requests of a port: a router, or a layer around one.
pub trait Answering: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static {}

impl<S: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static> Answering for S {}

/// Serves `port` until `stop`; then accepts nothing new, lets every request in flight end, and returns, after
/// `drain_timeout` at the latest.
pub async fn serve(listener: TcpListener, port: impl Answering, tasks: Tasks, stop: CancellationToken, drain_timeout: Duration) {
    let graceful = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => tasks.spawn("connection", converse(stream, peer, port.clone(), graceful.watcher(), stop.clone())),
            Err(error) => {
                // Out of file descriptors, most likely: give those in use time to close.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Clients that the system has let in already are served too.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        tasks.spawn("connection", converse(stream, peer, port.clone(), graceful.watcher(), stop.clone()));
    }
    drop(listener);
    let closed = tokio::time::Instant::now();
    while graceful.count() > 0 && closed.elapsed() < LINGER.min(drain_timeout) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if tokio::time::timeout(drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the drain timeout ended");
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, port: impl Answering, watcher: Watcher, stop: CancellationToken) {
    // Small answers leave at once; a socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    // hyper's own timeout begins with the first byte.
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        readable = tokio::time::timeout(HEADER_TIMEOUT, stream.readable()) => if !matches!(readable, Ok(Ok(()))) { return },
        () = patience => return,
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let is_http1 = request.version() < Version::HTTP_2;
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = port.clone().oneshot(request);
        let stop = stop.clone();
        async move {
            let mut response = answer.await?;
            if is_http1 && stop.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, %peer, "connection ended early");
    }
}
