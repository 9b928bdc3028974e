//! A shopper's line to the shop: it outlives its connections, and says in what way a request failed instead of giving up.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::{Broken, Connection, Reply, Sent};

/// How long a shopper waits for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// In what way a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server, or one before it, said that it cannot.
    Status(StatusCode, String),
    /// No connection, or it broke.
    Transport(String),
    /// No answer in time.
    Timeout,
    /// An answer, and not the right one.
    Wrong(String),
    /// So many before it waited so long that it was never sent.
    Late,
}

impl Fault {
    /// By what it is counted.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Status(status, _) => status.as_str().to_owned(),
            Self::Transport(_) => "transport".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Wrong(_) => "wrong".to_owned(),
            Self::Late => "late".to_owned(),
        }
    }

    /// An answer that is not right.
    pub(crate) fn wrong(what: impl fmt::Display) -> Self {
        Self::Wrong(what.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status, body) => write!(f, "{status}: {body}"),
            Self::Transport(what) | Self::Wrong(what) => f.write_str(what),
            Self::Timeout => write!(f, "no answer within {} s", PATIENCE.as_secs()),
            Self::Late => write!(f, "waited {} s to be sent", PATIENCE.as_secs()),
        }
    }
}

/// A line to the shop.
pub(crate) struct Line {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Line {
    /// A line that is not connected yet.
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends a request and takes in the whole answer. A connection that was closed before the request was on its way is opened anew, as
    /// every browser does; nothing that was sent is sent again.
    ///
    /// # Errors
    /// No answer came.
    pub(crate) async fn ask(&mut self, request: Sent) -> Result<Reply, Fault> {
        match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                self.connection = None;
                Err(Fault::Timeout)
            }
        }
    }

    async fn exchange(&mut self, mut request: Sent) -> Result<Reply, Fault> {
        for _ in 0..2 {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => Connection::open(self.address).await.map_err(|error| Fault::Transport(format!("{error:#}")))?,
            };
            match connection.try_exchange(request).await {
                Ok(reply) => {
                    self.connection = Some(connection);
                    return Ok(reply);
                }
                Err(Broken { unsent: Some(unsent), .. }) => request = unsent,
                Err(Broken { unsent: None, cause }) => return Err(Fault::Transport(cause)),
            }
        }
        Err(Fault::Transport("the server closes every connection".to_owned()))
    }

    /// A request without a body.
    ///
    /// # Errors
    /// The path or a header is not valid.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Sent, Fault> {
        crate::connection::get(self.address, path, headers).map_err(Fault::wrong)
    }

    /// A request with JSON.
    ///
    /// # Errors
    /// The path or a header is not valid.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &impl Serialize) -> Result<Sent, Fault> {
        crate::connection::post(self.address, path, headers, body).map_err(Fault::wrong)
    }

    /// A form, as a browser sends it.
    ///
    /// # Errors
    /// The path or a header is not valid.
    pub(crate) fn form(&self, path: &str, headers: &[(&str, &str)], fields: &[(String, String)]) -> Result<Sent, Fault> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = crate::connection::post(self.address, path, headers, &()).map_err(Fault::wrong)?;
        request.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.body_mut() = Full::from(Bytes::from(body));
        Ok(request)
    }
}

/// Fails unless the status is the one that was expected.
///
/// # Errors
/// It is another.
pub(crate) fn expect(reply: &Reply, expected: StatusCode) -> Result<(), Fault> {
    if reply.status == expected {
        return Ok(());
    }
    let words: String = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
    if reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Fault::Status(reply.status, words));
    }
    Err(Fault::Wrong(format!("{} instead of {expected}: {words}", reply.status)))
}

/// The answer as the contract says it.
///
/// # Errors
/// It is another status, or not what the contract says.
pub(crate) fn json<T: DeserializeOwned>(reply: &Reply, expected: StatusCode) -> Result<T, Fault> {
    expect(reply, expected)?;
    serde_json::from_slice(&reply.body).map_err(|error| Fault::Wrong(format!("{error}: {}", String::from_utf8_lossy(&reply.body))))
}

/// A whole page: it ends as a page ends.
///
/// # Errors
/// It is another status, or cut off.
pub(crate) fn page(reply: &Reply, expected: StatusCode) -> Result<String, Fault> {
    expect(reply, expected)?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    if text.trim_end().ends_with("</html>") { Ok(text) } else { Err(Fault::wrong(format_args!("a page of {} bytes without its end", text.len()))) }
}

/// Where a redirect leads.
///
/// # Errors
/// It is none.
pub(crate) fn redirect(reply: &Reply) -> Result<String, Fault> {
    expect(reply, StatusCode::SEE_OTHER)?;
    let location = reply.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
    location.map(ToOwned::to_owned).ok_or_else(|| Fault::wrong("a redirect to nowhere"))
}

/// What a browser remembers.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Keeps what an answer sets, and forgets what it takes back.
    pub(crate) fn keep(&mut self, headers: &HeaderMap) {
        for text in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = text.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            self.0.retain(|(known, _)| known != name);
            if !value.is_empty() && !parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// What is sent along.
    pub(crate) fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

/// The value of a hidden field of a page.
///
/// # Errors
/// There is none of that name.
pub(crate) fn hidden(page: &str, name: &str) -> Result<String, Fault> {
    let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let value = page.split_once(&start).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| unescaped(value));
    value.ok_or_else(|| Fault::wrong(format_args!("no field `{name}` on the page")))
}

/// The text of HTML.
pub(crate) fn unescaped(html: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(html.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn what_a_server_cannot_and_what_is_not_right_are_told_apart() {
        assert_eq!(expect(&reply(200, ""), StatusCode::OK), Ok(()));
        assert_eq!(expect(&reply(503, "away"), StatusCode::OK).unwrap_err().kind(), "503");
        assert_eq!(expect(&reply(404, "none"), StatusCode::OK).unwrap_err().kind(), "wrong");
        assert_eq!(page(&reply(200, "<html>cut o"), StatusCode::OK).unwrap_err().kind(), "wrong");
        assert_eq!(json::<u8>(&reply(200, "nonsense"), StatusCode::OK).unwrap_err().kind(), "wrong");
    }

    #[test]
    fn cookies_are_kept_and_taken_back() {
        let mut cookies = Cookies::default();
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, "cart=a; Path=/; HttpOnly".parse().unwrap());
        headers.append(header::SET_COOKIE, "has_cart=1; Max-Age=60".parse().unwrap());
        cookies.keep(&headers);
        assert_eq!(cookies.header(), "cart=a; has_cart=1");
        headers.clear();
        headers.append(header::SET_COOKIE, "cart=; Max-Age=0".parse().unwrap());
        cookies.keep(&headers);
        assert_eq!(cookies.header(), "has_cart=1");
    }

    #[test]
    fn a_hidden_field_is_read_as_a_browser_reads_it() {
        let form = "<form><input type=\"hidden\" name=\"key\" value=\"a&amp;b&#x2f;c\"></form>";
        assert_eq!(hidden(form, "key").unwrap(), "a&b/c");
        assert!(hidden(form, "cart").is_err());
    }

    /// Answers one request on each connection and closes it a moment later without a word, as a server that is killed does.
    async fn answer_once_each(listener: tokio::net::TcpListener) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut taken = [0; 1024];
            assert!(stream.read(&mut taken).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_meanwhile_is_opened_anew() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut line = Line::new(listener.local_addr().unwrap());
        let server = answer_once_each(listener);
        let asking = async {
            for _ in 0..3 {
                let request = line.get("/", &[]).unwrap();
                assert_eq!(line.ask(request).await.unwrap().body, "ok");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = server => {}
            () = asking => {}
        }
    }

    #[tokio::test]
    async fn nobody_there_is_told_at_once() {
        let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut line = Line::new(address);
        let request = line.get("/", &[]).unwrap();
        assert_eq!(line.ask(request).await.unwrap_err().kind(), "transport");
    }
}
