//! The session cookie, and calls of the API in the name of whoever holds it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use catalog_api::ChannelAnswer;
use client::{Answer, Call, CallError, Visitor};
use cookie::{Cookie, SameSite};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use identity_api::{Role, SessionCreated, StaffAnswer};
use kernel::{Endpoint, Problem, Token};
use platform::http::RequestId;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::Office;
use crate::format::initials;
use crate::templates::{Frame, Me};

/// The prefix makes browsers refuse it unless it is secure, of this host alone, and for every path.
const COOKIE: &str = "__Host-staff";

/// A caller of the API: a session's holder, or somebody in front of the door.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    office: Office,
    visitor: Visitor,
}

/// A request with a session cookie. Whether the session still stands is the API's to say.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    caller: Caller,
    token: SecretString,
}

impl Caller {
    /// Begins a call without a session.
    pub(crate) fn call<Body, Reply>(&self, endpoint: &Endpoint<Body, Reply>) -> Call<'_, Body, Reply> {
        self.office.client.call(endpoint).visitor(&self.visitor)
    }
}

impl Session {
    /// Begins a call as the session's holder.
    pub(crate) fn call<Body, Reply>(&self, endpoint: &Endpoint<Body, Reply>) -> Call<'_, Body, Reply> {
        self.caller.call(endpoint).bearer(&self.token)
    }

    /// Who is signed in.
    pub(crate) async fn me(&self) -> Result<Me, Problem> {
        answer(self.call(&identity_api::endpoints::GET_ME)).await.map(|answer| me(&answer.body))
    }

    /// Every channel.
    pub(crate) async fn channels(&self) -> Result<Vec<ChannelAnswer>, Problem> {
        Ok(answer(self.call(&catalog_api::endpoints::ADMIN_LIST_CHANNELS)).await?.body.items)
    }
}

/// Makes a call; no answer at all is told as a problem like any other.
pub(crate) async fn answer<Body, Reply: DeserializeOwned>(call: Call<'_, Body, Reply>) -> Result<Answer<Reply>, Problem> {
    call.send().await.map_err(|error| match error {
        CallError::Problem(problem) => *problem,
        CallError::Unreachable(_) => {
            Problem::unavailable(2).detail("The shop's API gave no answer, so whether this was done is not known. Sending it again does nothing twice.")
        }
    })
}

fn me(staff: &StaffAnswer) -> Me {
    Me {
        name: staff.name.clone(),
        initials: initials(&staff.name),
        email: staff.email.clone(),
        role: match staff.role {
            Role::Owner => "Owner",
            Role::Manager => "Manager",
            Role::Viewer => "Viewer: sees everything, changes nothing",
        },
        may_change: staff.role != Role::Viewer,
    }
}

/// The frame of a page inside the office.
pub(crate) fn frame(title: impl Into<String>, part: &'static str, me: Me) -> Frame {
    Frame { title: title.into(), part, me: Some(me) }
}

/// Whether a request comes with a session cookie.
pub(crate) fn has_cookie(headers: &HeaderMap) -> bool {
    token(headers).is_some()
}

/// The token in the cookie. What is no token of ours opens nothing and is not passed on.
fn token(headers: &HeaderMap) -> Option<SecretString> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| Cookie::split_parse(line.to_owned())).filter_map(Result::ok);
    let cookie = cookies.find(|cookie| cookie.name() == COOKIE)?;
    cookie.value().parse::<Token>().ok().map(|token| token.reveal().into())
}

/// The `Set-Cookie` that keeps a session until it ends.
pub(crate) fn keep(session: &SessionCreated) -> HeaderValue {
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite={}; Expires={}",
        session.token.reveal(),
        SameSite::Lax,
        session.expires_at.format("%a, %d %b %Y %H:%M:%S GMT")
    );
    header_value(&cookie)
}

/// The `Set-Cookie` that takes the cookie away.
pub(crate) fn drop_cookie() -> HeaderValue {
    header_value(&format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite={}; Max-Age=0", SameSite::Lax))
}

fn header_value(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn visitor(parts: &Parts) -> Visitor {
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    Visitor { address, request_id: parts.extensions.get::<RequestId>().map(ToString::to_string) }
}

impl FromRequestParts<Office> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Self, Self::Rejection> {
        Ok(Self { office: office.clone(), visitor: visitor(parts) })
    }
}

impl FromRequestParts<Office> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Self, Problem> {
        let token = token(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        Ok(Self { caller: Caller { office: office.clone(), visitor: visitor(parts) }, token })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_cookie_is_found_among_others_and_only_a_token_counts() {
        let secret = Token::generate();
        let headers = |cookie: String| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&cookie).unwrap())]);
        let found = token(&headers(format!("a=b; {COOKIE}={secret}; c=d"))).unwrap();
        assert_eq!(found.expose_secret(), secret.reveal());
        assert!(!has_cookie(&headers(format!("{COOKIE}=short"))));
        assert!(!has_cookie(&headers(format!("staff={secret}"))));
    }
}
