//! A browser in small: it keeps the cookie, follows redirects, and sends a form with every field the page gave it.

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use axum::Router;
use axum::body::Body;
use backoffice::BackofficeOptions;
use client::Client;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::api::{self, Asked, Shared, World};

pub(crate) struct Browser {
    router: Router,
    world: Shared,
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    /// Somebody in front of the door.
    pub(crate) fn new() -> Self {
        let world = api::world();
        let client = Client::in_process(api::router(world.clone()), "internal".into());
        let router = backoffice::router(BackofficeOptions { client, public_url: Some("https://shop.example".to_owned()) }).unwrap();
        Self { router, world, cookie: None }
    }

    /// Somebody who is signed in.
    pub(crate) fn signed_in() -> Self {
        let mut browser = Self::new();
        browser.cookie = Some(format!("__Host-staff={}", browser.world().token.reveal()));
        browser
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// What the API was asked to change, oldest first.
    pub(crate) fn changes(&self) -> Vec<Asked> {
        self.world().asked.iter().filter(|asked| !asked.what.starts_with("GET")).cloned().collect()
    }

    pub(crate) async fn send(&mut self, request: Request<String>) -> Seen {
        let (mut parts, body) = request.into_parts();
        if let Some(cookie) = &self.cookie {
            parts.headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        let response = self.router.clone().oneshot(Request::from_parts(parts, Body::from(body))).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        let html = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap_or_default();
        // The slash is escaped in attributes, which forms are found by.
        Seen { status: parts.status, headers: parts.headers, html: html.replace("&#x2f;", "/") }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    /// Goes on to where a redirect leads.
    pub(crate) async fn follow(&mut self, mut seen: Seen) -> Seen {
        while seen.status == StatusCode::SEE_OTHER {
            seen = self.get(seen.location()).await;
        }
        seen
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let body = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&");
        let request = Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.header("sec-fetch-site", "same-origin").body(body).unwrap()).await
    }

    /// Fills in the form that is sent to `action` and sends it with all its other fields.
    pub(crate) async fn submit(&mut self, page: &Seen, action: &str, typed: &[(&str, &str)]) -> Seen {
        let mut fields = page.form(action);
        for (name, value) in typed {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(action, &fields).await
    }
}

impl Seen {
    pub(crate) fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The page with its entities as letters.
    pub(crate) fn text(&self) -> String {
        plain(&self.html)
    }

    /// What a browser would send of the form with this `action`, nothing typed.
    pub(crate) fn form(&self, action: &str) -> BTreeMap<String, String> {
        let (_, rest) = self.html.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form {action} in {}", self.html));
        let form = rest.split("</form>").next().unwrap();
        let inputs = form.split("<input").skip(1).map(|input| input.split('>').next().unwrap());
        let mut fields: BTreeMap<_, _> =
            inputs.filter(|input| is_sent(input)).filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?))).collect();
        for area in form.split("<textarea").skip(1) {
            let (head, rest) = area.split_once('>').unwrap();
            let content = rest.split("</textarea>").next().unwrap();
            fields.insert(attribute(head, "name").unwrap(), plain(content.strip_prefix('\n').unwrap_or(content)));
        }
        for select in form.split("<select").skip(1) {
            let select = select.split("</select>").next().unwrap();
            let options: Vec<_> = select.split("<option").skip(1).map(|option| option.split('>').next().unwrap()).collect();
            let chosen = options.iter().find(|option| option.ends_with(" selected")).or_else(|| options.first());
            if let (Some(name), Some(value)) = (attribute(select.split('>').next().unwrap(), "name"), chosen.and_then(|option| attribute(option, "value"))) {
                fields.insert(name, value);
            }
        }
        fields
    }
}

fn is_sent(input: &str) -> bool {
    let is_choice = input.contains("type=\"checkbox\"") || input.contains("type=\"radio\"");
    !is_choice || input.contains(" checked")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    Some(plain(tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?))
}

fn plain(html: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")];
    entities.into_iter().fold(html.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
