use std::fmt;
use std::str::FromStr;

use axum::response::Response;
use cart_api::CartId;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use kernel::Token;
use orders_api::OrderId;

/// How long a browser remembers its cart and orders after the last change. The API is the judge of how long they live.
const DAYS: i64 = 60;
/// Set while there is a cart, for scripts, which see no other cookie of ours.
const HINT: &str = "has_cart";
/// How many orders a browser remembers.
const ORDERS: usize = 5;

/// What opens a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CartKey {
    pub(crate) id: CartId,
    pub(crate) token: Token,
    /// The order its running payment is for; it opens with the same token.
    pub(crate) pending_order: Option<OrderId>,
}

/// What opens an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderKey {
    pub(crate) id: OrderId,
    /// The cart it was made of, so that a form sent twice finds its order.
    pub(crate) cart_id: CartId,
    pub(crate) token: Token,
}

/// The names and properties of the cookies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    is_secure: bool,
}

/// What a browser sent.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) cart: Option<CartKey>,
    pub(crate) orders: Vec<OrderKey>,
}

impl Cookies {
    /// `__Host-` cookies need `Secure`, and `Secure` needs https. Chromium makes an exception for the loopback, Safari and programs do
    /// not, and nobody does for a name in the local network: over plain http the cookies go without both, or no cart would be kept.
    pub(crate) fn for_address(public_url: &str) -> Self {
        Self { is_secure: public_url.starts_with("https://") }
    }

    pub(crate) fn read(self, headers: &HeaderMap) -> Remembered {
        let mut remembered = Remembered::default();
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        for cookie in texts.flat_map(Cookie::split_parse).flatten() {
            // What is none of ours, or was tampered with, is not there.
            if cookie.name() == self.cart_name() {
                remembered.cart = cookie.value().parse().ok();
            } else if cookie.name() == self.orders_name() {
                remembered.orders = cookie.value().split('~').filter_map(|order| order.parse().ok()).take(ORDERS).collect();
            }
        }
        remembered
    }

    /// Makes the browser remember a cart.
    pub(crate) fn keep_cart(self, response: Response, cart: &CartKey) -> Response {
        let response = self.set(response, self.cart_name(), cart.to_string(), DAYS);
        self.hint(response, DAYS)
    }

    /// Makes the browser forget its cart.
    pub(crate) fn forget_cart(self, response: Response) -> Response {
        let response = self.set(response, self.cart_name(), String::new(), 0);
        self.hint(response, 0)
    }

    /// Tells scripts that there is a cart, and nothing about it.
    fn hint(self, response: Response, days: i64) -> Response {
        let cookie = Cookie::build((HINT, "1")).path("/").secure(self.is_secure).same_site(SameSite::Lax);
        append(response, &cookie.max_age(cookie::time::Duration::days(days)).build())
    }

    /// Makes the browser remember one more order.
    pub(crate) fn keep_order(self, response: Response, order: &OrderKey, earlier: &[OrderKey]) -> Response {
        let others = earlier.iter().filter(|known| known.id != order.id);
        let orders: Vec<String> = std::iter::once(order).chain(others).take(ORDERS).map(ToString::to_string).collect();
        self.set(response, self.orders_name(), orders.join("~"), DAYS)
    }

    const fn cart_name(self) -> &'static str {
        if self.is_secure { "__Host-cart" } else { "cart" }
    }

    const fn orders_name(self) -> &'static str {
        if self.is_secure { "__Host-orders" } else { "orders" }
    }

    fn set(self, response: Response, name: &'static str, value: String, days: i64) -> Response {
        let cookie = Cookie::build((name, value)).path("/").http_only(true).secure(self.is_secure).same_site(SameSite::Lax);
        let cookie = cookie.max_age(cookie::time::Duration::days(days)).build();
        append(response, &cookie)
    }
}

fn append(mut response: Response, cookie: &Cookie<'_>) -> Response {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The cookie is not of our form.
#[derive(Debug, thiserror::Error)]
#[error("not a key of ours")]
pub(crate) struct KeyError;

impl fmt::Display for CartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.token)?;
        self.pending_order.map_or(Ok(()), |order| write!(f, ".{order}"))
    }
}

impl FromStr for CartKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '.');
        let id = parts.next().and_then(|id| id.parse().ok()).ok_or(KeyError)?;
        let token = parts.next().and_then(|token| token.parse().ok()).ok_or(KeyError)?;
        let pending_order = parts.next().map(str::parse).transpose().map_err(|_| KeyError)?;
        Ok(Self { id, token, pending_order })
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.id, self.cart_id, self.token)
    }
}

impl FromStr for OrderKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '.');
        let id = parts.next().and_then(|id| id.parse().ok()).ok_or(KeyError)?;
        let cart_id = parts.next().and_then(|id| id.parse().ok()).ok_or(KeyError)?;
        let token = parts.next().and_then(|token| token.parse().ok()).ok_or(KeyError)?;
        Ok(Self { id, cart_id, token })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use kernel::Timestamp;

    fn order() -> OrderKey {
        OrderKey { id: OrderId::new(Timestamp::UNIX_EPOCH), cart_id: CartId::new(Timestamp::UNIX_EPOCH), token: Token::generate() }
    }

    fn sent(response: &Response) -> Vec<String> {
        response.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn cookies_over_https_are_bound_to_the_host() {
        let cart = CartKey { id: CartId::new(Timestamp::UNIX_EPOCH), token: Token::generate(), pending_order: None };
        let cookie = sent(&Cookies::for_address("https://shop.example").keep_cart(Response::default(), &cart)).remove(0);
        assert!(cookie.starts_with("__Host-cart="), "{cookie}");
        for property in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(property), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }

    #[test]
    fn cookies_over_plain_http_are_kept_all_the_same() {
        let cookie = sent(&Cookies::for_address("http://127.0.0.1:8080").forget_cart(Response::default())).remove(0);
        assert!(cookie.starts_with("cart=;") && cookie.contains("HttpOnly") && !cookie.contains("Secure"), "{cookie}");
    }

    #[test]
    fn what_was_kept_is_read_again() {
        let cookies = Cookies::for_address("https://shop.example");
        let cart = CartKey { id: CartId::new(Timestamp::UNIX_EPOCH), token: Token::generate(), pending_order: Some(order().id) };
        let (first, second) = (order(), order());
        let response = cookies.keep_order(cookies.keep_cart(Response::default(), &cart), &second, &[first.clone(), second.clone()]);
        let mut headers = HeaderMap::new();
        for cookie in sent(&response) {
            let pair = cookie.split(';').next().unwrap().to_owned();
            headers.append(header::COOKIE, HeaderValue::from_str(&pair).unwrap());
        }
        let remembered = cookies.read(&headers);
        assert_eq!(remembered.cart, Some(cart));
        assert_eq!(remembered.orders, [second, first]);
    }

    #[test]
    fn foreign_cookies_are_not_there() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("__Host-cart=crt_1.x; __Host-orders=~~a.b.c; cart=1; %%; ="));
        let remembered = Cookies::for_address("https://shop.example").read(&headers);
        assert!(remembered.cart.is_none() && remembered.orders.is_empty());
    }
}
