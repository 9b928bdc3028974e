//! The yardstick: a bare axum handler that answers the same bytes with the same headers, in a process of its own with the same runtime
//! and allocator as the shop.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::connection::Reply;
use crate::server::{Running, free_port};

/// The file that tells the process what to answer.
const FILE: &str = "reference.json";

/// What to answer at one path; the bytes are in the file of that name.
#[derive(Debug, Serialize, Deserialize)]
struct Canned {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Starts a process that answers these replies at these paths.
///
/// # Errors
/// It does not start.
pub(crate) async fn start(folder: &Path, answers: &[(String, &Reply)]) -> anyhow::Result<Running> {
    let mut canned = Vec::new();
    for (number, (path, reply)) in answers.iter().enumerate() {
        let body = format!("reference-{number}.body");
        std::fs::write(folder.join(&body), &reply.body)?;
        canned.push(Canned { path: path.clone(), headers: kept(&reply.headers)?, body });
    }
    std::fs::write(folder.join(FILE), serde_json::to_vec_pretty(&canned)?)?;
    let address = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("reference").arg("--address").arg(address.to_string()).arg("--from").arg(folder).stdin(Stdio::null()).kill_on_drop(true);
    Running::listening(command.spawn()?, address).await
}

/// Every header but those hyper writes itself.
fn kept(headers: &HeaderMap) -> anyhow::Result<Vec<(String, String)>> {
    let own = [header::DATE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];
    let kept = headers.iter().filter(|(name, _)| !own.contains(*name));
    kept.map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned()))).collect()
}

/// What the process does, until it is killed.
///
/// # Errors
/// The folder holds no answers, or the port is taken.
pub(crate) async fn serve(address: SocketAddr, folder: &Path) -> anyhow::Result<()> {
    let canned: Vec<Canned> = serde_json::from_slice(&std::fs::read(folder.join(FILE)).context(FILE)?)?;
    let mut router = Router::new();
    for Canned { path, headers, body } in canned {
        let body = Bytes::from(std::fs::read(folder.join(body))?);
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| Ok((name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?))).collect::<anyhow::Result<_>>()?;
        router = router.route(&path, get(async move || answer(&headers, &body)));
    }
    let listener = axum::serve::ListenerExt::tap_io(TcpListener::bind(address).await?, |stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

fn answer(headers: &HeaderMap, body: &Bytes) -> Response {
    let mut response = Response::new(Body::from(body.clone()));
    response.headers_mut().clone_from(headers);
    response
}
