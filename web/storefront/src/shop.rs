use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use axum::response::{IntoResponse, Response};
use client::{Call, Client};
use http::{HeaderValue, StatusCode, header};
use kernel::{Endpoint, Locale};
use serde::Serialize;

use crate::StorefrontOptions;
use crate::assets::Assets;
use crate::closed::Closing;
use crate::cookies::Cookies;
use crate::error::PageError;
use crate::messages::{Languages, Messages, Tongue};
use crate::shell::Shell;
use crate::templates::Templates;
use crate::visit::Visit;

/// What every page is made with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shop(Arc<Parts>);

struct Parts {
    client: Client,
    public_url: String,
    media_folder: PathBuf,
    channel: Option<String>,
    content_security_policy: String,
    closing: Closing,
    /// What hosts lead to, as it was last heard.
    names: RwLock<HashMap<String, ShopName>>,
    cookies: Cookies,
    assets: Assets,
    languages: Languages,
    templates: Templates,
}

/// What a page needs to know of a shop that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShopName {
    pub(crate) name: String,
    /// The language of its pages (BCP 47).
    pub(crate) language: String,
}

/// How many hosts' names are remembered.
const NAMES: usize = 100;

/// Whether a page may be kept by the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Asked again each time, but there when one goes back.
    Revalidate,
    /// Never: it shows somebody's address.
    Never,
}

impl Shop {
    pub(crate) fn new(options: StorefrontOptions) -> Self {
        let assets = Assets::load();
        let languages = Languages::load();
        let templates = Templates::load(&assets, &languages);
        let public_url = options.public_url.trim_end_matches('/').to_owned();
        Self(Arc::new(Parts {
            content_security_policy: crate::headers::content_security_policy(&public_url, &options.media_origins, &options.payment_origins),
            cookies: Cookies::for_address(&public_url),
            closing: Closing::new(options.maintenance_file),
            names: RwLock::default(),
            client: options.client,
            public_url,
            media_folder: options.media_folder,
            channel: options.channel,
            assets,
            languages,
            templates,
        }))
    }

    /// Begins a call of the API on behalf of a visitor.
    pub(crate) fn call<'shop, Body, Answer>(&'shop self, visit: &Visit, endpoint: &Endpoint<Body, Answer>) -> Call<'shop, Body, Answer> {
        let call = self.0.client.call(endpoint).visitor(&visit.visitor);
        let call = match &visit.errand {
            Some(errand) => call.errand(errand),
            None => call,
        };
        match (&self.0.channel, &visit.host) {
            (Some(channel), _) => call.channel(channel),
            (None, Some(host)) => call.host(host),
            (None, None) => call,
        }
    }

    /// Renders a page.
    pub(crate) fn page(&self, status: StatusCode, template: &'static str, shell: &Shell, view: &impl Serialize, keep: Keep) -> Result<Response, PageError> {
        let html = self.0.templates.render(template, shell, view).map_err(|error| {
            tracing::error!(template, error = format!("{error:#}"), "page not rendered");
            PageError::Internal
        })?;
        let cache_control = match keep {
            Keep::Revalidate => "private, no-cache",
            Keep::Never => "no-store",
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache_control)),
            // It shows the visitor's own cart: no cache may give it to another.
            (header::VARY, HeaderValue::from_static("Cookie")),
        ];
        Ok((status, headers, html).into_response())
    }

    /// The language of a channel.
    pub(crate) fn tongue(&self, locale: &Locale) -> Tongue {
        self.0.languages.tongue(locale)
    }

    /// The texts in the language of a page.
    pub(crate) fn messages(&self, language: &str) -> Arc<Messages> {
        self.0.languages.messages(language.split('-').next().unwrap_or_default())
    }

    /// Whether shoppers are to come back later.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closing.is_closed()
    }

    /// Remembers what a host leads to, for when nobody can be asked.
    pub(crate) fn remember(&self, visit: &Visit, name: &str, language: &str) {
        let host = visit.host.as_deref().unwrap_or_default();
        let is_known = |names: &HashMap<String, ShopName>| names.get(host).is_some_and(|known| known.name == name && known.language == language);
        if is_known(&self.0.names.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut names = self.0.names.write().unwrap_or_else(PoisonError::into_inner);
        // Anybody can make up hosts; those that were there first stay.
        if names.len() < NAMES || names.contains_key(host) {
            names.insert(host.to_owned(), ShopName { name: name.to_owned(), language: language.to_owned() });
        }
    }

    /// What a host was last heard to lead to.
    pub(crate) fn remembered(&self, visit: &Visit) -> Option<ShopName> {
        let names = self.0.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(visit.host.as_deref().unwrap_or_default()).cloned()
    }

    pub(crate) fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.0.public_url
    }

    pub(crate) fn media_folder(&self) -> &Path {
        &self.0.media_folder
    }

    pub(crate) fn content_security_policy(&self) -> &str {
        &self.0.content_security_policy
    }
}
