use axum::Router;
use axum::body::Body;
use http::{Request, Response, Uri};
use tower::ServiceExt;

use crate::{BaseUrlError, Unreachable};

/// Carries a request to the API and its answer back.
#[derive(Clone)]
pub(crate) enum Transport {
    /// The router in this process.
    InProcess(Router),
    /// Another process.
    Http {
        /// The client the binary hands out.
        client: reqwest::Client,
        /// Scheme, authority and any path in front of the API's own, without a slash at the end.
        base_url: String,
    },
}

impl Transport {
    pub(crate) fn http(client: reqwest::Client, base_url: &str) -> Result<Self, BaseUrlError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let uri: Uri = base_url.parse().map_err(|_| BaseUrlError)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() || uri.query().is_some() {
            return Err(BaseUrlError);
        }
        Ok(Self::Http { client, base_url })
    }

    /// Where `path_and_query` is for this transport.
    pub(crate) fn address(&self, path_and_query: &str) -> String {
        match self {
            Self::InProcess(_) => path_and_query.to_owned(),
            Self::Http { base_url, .. } => format!("{base_url}{path_and_query}"),
        }
    }

    pub(crate) async fn send(&self, request: Request<bytes::Bytes>) -> Result<Response<Body>, Unreachable> {
        match self {
            Self::InProcess(router) => match router.clone().oneshot(request.map(Body::from)).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
            Self::Http { client, .. } => {
                let request = request.try_into().map_err(|error: reqwest::Error| Unreachable::Unsendable { reason: error.to_string() })?;
                let response = client.execute(request).await.map_err(|error| Unreachable::Transport(error.into()))?;
                Ok(Response::<reqwest::Body>::from(response).map(Body::new))
            }
        }
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InProcess(_) => f.write_str("in process"),
            Self::Http { base_url, .. } => f.write_str(base_url),
        }
    }
}
