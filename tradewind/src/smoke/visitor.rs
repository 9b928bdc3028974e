//! Somebody who sends requests one after the other, and what comes back.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kernel::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest answer that is taken in.
const ANSWER_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// How much of an answer that is not right is told.
const TOLD_CHARACTERS: usize = 300;

/// Where a surface is served, such as `http://tradewind-api-preview.shop.svc:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Option<http::Uri> = text.parse().ok();
        let is_address = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.path() == "/");
        if is_address { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err("must begin with http:// or https:// and have no path".to_owned()) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an answer will not do.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(super) struct Wrong {
    /// What was answered, if anything was.
    pub(super) status: Option<StatusCode>,
    words: String,
}

/// What is sent beside the path.
pub(super) enum Sent {
    Nothing,
    Json(Vec<u8>),
    Form(String),
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Somebody with headers of their own, who keeps the cookies they are given.
#[derive(Clone)]
pub(super) struct Visitor {
    http: reqwest::Client,
    address: Address,
    headers: HeaderMap,
    cookies: BTreeMap<String, String>,
}

impl Wrong {
    /// There was no answer.
    pub(super) fn silence(words: impl fmt::Display) -> Self {
        Self { status: None, words: format!("no answer: {words}") }
    }
}

impl Sent {
    /// A body of JSON.
    pub(super) fn json(body: &impl Serialize) -> Result<Self, Wrong> {
        serde_json::to_vec(body).map(Self::Json).map_err(Wrong::silence)
    }
}

impl Reply {
    /// This answer is not right, and why.
    pub(super) fn wrong(&self, words: impl fmt::Display) -> Wrong {
        Wrong { status: Some(self.status), words: words.to_string() }
    }

    /// The answer, if it has the status that was expected.
    pub(super) fn expect(self, expected: StatusCode) -> Result<Self, Wrong> {
        if self.status == expected { Ok(self) } else { Err(self.wrong(format_args!("{} instead of {expected}: {}", self.status, self.told()))) }
    }

    /// The body as the contract has it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Wrong> {
        serde_json::from_slice(&self.body).map_err(|error| self.wrong(format_args!("not what the contract says: {error}: {}", self.told())))
    }

    /// The body as text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// A header as text.
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it leads, on this shop.
    pub(super) fn location(&self) -> Result<&str, Wrong> {
        self.header(header::LOCATION).filter(|path| path.starts_with('/')).ok_or_else(|| self.wrong("it leads nowhere on this shop"))
    }

    /// What the answer says of itself, shortened.
    fn told(&self) -> String {
        if let Ok(problem) = serde_json::from_slice::<Problem>(&self.body) {
            return format!("{}: {}", problem.code(), problem.detail_text().unwrap_or(problem.title()));
        }
        let words = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().take(TOLD_CHARACTERS).collect()
    }
}

impl Visitor {
    /// Somebody who was nowhere yet.
    pub(super) fn new(http: reqwest::Client, address: Address) -> Self {
        Self { http, address, headers: HeaderMap::new(), cookies: BTreeMap::new() }
    }

    /// The same, who always sends this header.
    pub(super) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// The same, who sends no header of their own.
    pub(super) fn without_headers(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// Gets a path.
    pub(super) async fn get(&mut self, path: &str) -> Result<Reply, Wrong> {
        self.exchange(Method::GET, path, &[], Sent::Nothing).await
    }

    /// Gets a path whose first answer may take a while.
    pub(super) async fn get_at_last(&mut self, path: &str) -> Result<Reply, Wrong> {
        let begun = Instant::now();
        loop {
            match self.get(path).await {
                Err(wrong) if wrong.status.is_none() && begun.elapsed() < super::PATIENCE => tokio::time::sleep(std::time::Duration::from_millis(250)).await,
                answer => return answer,
            }
        }
    }

    /// Sends a form, as a browser that is on this shop's page.
    pub(super) async fn send_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Reply, Wrong> {
        let form = serde_urlencoded::to_string(fields).map_err(Wrong::silence)?;
        self.exchange(Method::POST, path, &[("sec-fetch-site", "same-origin")], Sent::Form(form)).await
    }

    /// Sends a request and takes in the whole answer.
    pub(super) async fn exchange(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Sent) -> Result<Reply, Wrong> {
        let mut request = self.http.request(method, format!("{}{path}", self.address)).headers(self.headers.clone());
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request = match body {
            Sent::Nothing => request,
            Sent::Json(json) => request.header(header::CONTENT_TYPE, "application/json").body(json),
            Sent::Form(form) => request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form),
        };
        let mut answer = request.send().await.map_err(|error| silence(&error))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| silence(&error))? {
            if body.len() + chunk.len() > ANSWER_LIMIT_BYTES {
                return Err(Wrong { status: Some(status), words: format!("an answer of more than {ANSWER_LIMIT_BYTES} bytes") });
            }
            body.extend_from_slice(&chunk);
        }
        self.keep_cookies(&headers);
        Ok(Reply { status, headers, body: body.freeze() })
    }

    /// A cookie that is empty is one to be forgotten.
    fn keep_cookies(&mut self, headers: &HeaderMap) {
        let set = headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next()?.split_once('='));
        for (name, value) in set {
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The innermost cause says more than that something failed; the address is known.
fn silence(error: &reqwest::Error) -> Wrong {
    if error.is_timeout() {
        return Wrong::silence("it took too long");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Wrong::silence(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_no_path() {
        assert_eq!("https://shop.example/".parse(), Ok(Address("https://shop.example".to_owned())));
        for bad in ["shop.example", "ftp://shop.example", "http://shop.example/store", "http://", ""] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
