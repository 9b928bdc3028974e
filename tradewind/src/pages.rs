//! The web tier in this process: the pages, and how they reach the API.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use backoffice::BackofficeOptions;
use client::Client;
use kernel::Clock;
use platform::config::Config;
use platform::http::{InternalCredential, Kit, api_fallbacks};
use storefront::StorefrontOptions;
use stores::Stores;

use crate::settings;
use crate::target::Target;

/// How long a connection to the API may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The routers of the pages a target has.
#[derive(Default)]
pub(crate) struct Pages {
    /// The shop's.
    pub(crate) storefront: Option<Router>,
    /// The back office's.
    pub(crate) backoffice: Option<Router>,
}

impl Pages {
    /// Makes the pages of a target that is served at `address`. They call the API at `web.api_url`, else `api`, in this process.
    ///
    /// # Errors
    /// A template does not compile, or the HTTP client cannot be made.
    pub(crate) fn of(
        config: &Config,
        target: &Target,
        address: SocketAddr,
        credential: &InternalCredential,
        api: &Router,
        stores: &Stores,
    ) -> anyhow::Result<Self> {
        let client = client(config, credential, api)?;
        let public_url = settings::public_url(config, address);
        let storefront = target.has_storefront().then(|| {
            storefront::router(StorefrontOptions {
                client: client.clone(),
                public_url: public_url.clone(),
                media_folder: config.data_dir.join("objects").join("media"),
                channel: None,
                media_origins: Vec::new(),
                payment_origins: Vec::new(),
                maintenance_file: Some(config.web.maintenance_file.clone().unwrap_or_else(|| config.data_dir.join("maintenance"))),
                stores: stores.clone(),
            })
        });
        let backoffice = target.has_backoffice().then(|| backoffice::router(BackofficeOptions { client, public_url: Some(public_url) }));
        Ok(Self { storefront, backoffice: backoffice.transpose()? })
    }
}

/// The router in process has a kit of its own: its problems carry the request id, and a page does not take two of the public port's
/// places.
fn client(config: &Config, credential: &InternalCredential, api: &Router) -> anyhow::Result<Client> {
    let Some(url) = &config.web.api_url else {
        let kit = Kit::new(&config.http, Clock::system(), credential.clone());
        return Ok(Client::in_process(kit.around(api_fallbacks(api.clone()), "web"), credential.clone()));
    };
    let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    Ok(Client::http(http.context("HTTP client")?, url, credential.clone())?)
}
