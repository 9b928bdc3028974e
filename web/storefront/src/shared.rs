//! Pages that are the same for everybody: rendered once and served as bytes (ADR 8).
//!
//! What stands here concerns every page's author:
//! - A page in [`PAGES`] is rendered for nobody in particular. Its request has no cookie, so [`Visit`] has no cart and no orders, and
//!   [`Visit::is_shared`] is true. Nothing personal may be put into it: the number of things in the cart is fetched by `badge.js` from
//!   `/cart/count`, and without JavaScript the link to the cart has no number.
//! - It gets those parameters of the query that its entry in [`PAGES`] names, and no others. **A new parameter has to be added there.**
//! - What it is made of is noted by itself: every call through [`Shop::call`] adds the answer's surrogate keys. A change of one of them drops
//!   the page.

use axum::body::Body;
use axum::extract::{FromRef, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use catalog_api::endpoints::GET_CHANNEL;
use client::{CallError, Errand};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use kernel::Problem;
use kernel::headers::FOR_A_PART;
use stores::{Cache, Filled, Key, Miss, Render, Stores, Surface, Unkept, Weight, Wish};

use crate::fields::Fields;
use crate::pages::listing::Question;
use crate::shop::Shop;
use crate::visit::{self, Visit};

/// The largest page.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Browsers ask each time whether it still holds, which costs a few bytes; a content network is told of changes by surrogate key, and keeps
/// it shortly where nobody tells it.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=10, stale-while-revalidate=30");

/// What a query asks of a page.
enum Asked {
    /// A page that is kept, with this query.
    Shared(String),
    /// One of so many that it is made each time.
    Single,
}

type ReadQuery = fn(&str) -> Asked;

/// Every page that is kept, by its route, and how its query is read.
const PAGES: [(&str, ReadQuery); 8] = [
    ("/", no_query),
    ("/products", listing_query),
    ("/categories/{slug}", listing_query),
    ("/products/{slug}", product_query),
    ("/sitemap.xml", no_query),
    ("/sitemaps/pages.xml", no_query),
    ("/sitemaps/products.xml", map_query),
    ("/manifest.webmanifest", no_query),
];

fn no_query(_: &str) -> Asked {
    Asked::Shared(String::new())
}

/// What the list is narrowed to, how it is ordered, and which part of it: in the one spelling there is for each question.
fn listing_query(query: &str) -> Asked {
    let question = Question::of(&fields(query));
    if question.is_rare() { Asked::Single } else { Asked::Shared(question.query()) }
}

/// `after`, a cursor.
fn map_query(query: &str) -> Asked {
    Asked::Shared(Question::of(&fields(query)).part_only().query())
}

fn fields(query: &str) -> Fields {
    serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap_or_default().into_iter().collect()
}

/// A choice of options or a quantity is one of too many to keep.
fn product_query(query: &str) -> Asked {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let is_choice = |name: &str| name.starts_with("option.") || matches!(name, "quantity" | "more" | "less");
    if fields.iter().any(|(name, _)| is_choice(name)) { Asked::Single } else { Asked::Shared(String::new()) }
}

/// The kept pages.
#[derive(Clone)]
pub(crate) struct Shared {
    shop: Shop,
    stores: Stores,
    channels: Cache<ChannelOfHost, Problem>,
}

/// The channel that a host leads to.
struct ChannelOfHost {
    code: String,
    language: String,
}

impl Weight for ChannelOfHost {
    fn weight(&self) -> usize {
        512
    }
}

impl FromRef<Shared> for Shop {
    fn from_ref(shared: &Shared) -> Self {
        shared.shop.clone()
    }
}

impl Shared {
    pub(crate) fn new(shop: Shop, stores: Stores) -> Self {
        let channels = stores.lookup("channels_of_hosts");
        Self { shop, stores, channels }
    }

    /// The channel of a request, without a call of the API if it was found before. Nothing if the API does not tell; making the page then
    /// says why.
    async fn channel(&self, host: Option<String>, parts: &Parts) -> Option<std::sync::Arc<stores::Entry<ChannelOfHost>>> {
        let shop = self.shop.clone();
        let key = Key::lookup(&host.as_deref().map(name_of_host).unwrap_or_default());
        let visitor = visit::visitor(parts);
        let found = self.channels.get(&key, Wish::default(), move |fill, _| async move {
            let errand = Errand::new(fill.changed_ago);
            let visit = Visit { visitor, host, cart: None, orders: Vec::new(), errand: Some(errand.clone()) };
            match shop.call(&visit, &GET_CHANNEL).send().await {
                Ok(answer) => {
                    let channel = ChannelOfHost { code: answer.body.code, language: answer.body.locale.to_string() };
                    Ok(Filled::new(channel, errand.surrogate_keys()))
                }
                Err(CallError::Problem(problem)) => Err(Miss { is_away: problem.status() >= 500, error: *problem }),
                Err(CallError::Unreachable(_)) => Err(Miss { is_away: true, error: Problem::unavailable(5) }),
            }
        });
        found.await.ok()
    }
}

/// The host's name without its port, as far as it can be one.
fn name_of_host(host: &str) -> String {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.chars().take(253).collect::<String>().to_ascii_lowercase()
}

/// Answers pages that are the same for everybody from memory, and makes all others.
pub(crate) async fn serve(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Some(query) = shared_query(&request).filter(|_| !shared.shop.is_closed()) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let host = visit::host(&parts);
    let Some(channel) = shared.channel(host, &parts).await else { return next.run(Request::from_parts(parts, body)).await };
    let Some(uri) = with_query(&parts.uri, &query) else { return next.run(Request::from_parts(parts, body)).await };

    let key = Key::new(Surface::Page, &channel.code, &channel.language, parts.uri.path(), &query);
    let asked = parts.headers.clone();
    let render = move |fill: stores::Fill| async move {
        let errand = Errand::new(fill.changed_ago);
        let response = next.run(for_nobody(parts, uri, errand.clone())).await;
        render_of(response, &errand).await
    };
    shared.stores.renders().answer(&key, &asked, Wish::default(), render).await
}

/// The part of the query that decides what the page shows, if it is a page that is kept.
fn shared_query(request: &Request) -> Option<String> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    // A page has one spelling; others are made each time, since there are any number of them.
    if !is_read || request.headers().contains_key(FOR_A_PART) || request.uri().path().contains('%') {
        return None;
    }
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    let (_, read) = PAGES.iter().find(|(known, _)| *known == route)?;
    match read(request.uri().query().unwrap_or_default()) {
        Asked::Shared(query) => Some(query),
        Asked::Single => None,
    }
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mark = if query.is_empty() { "" } else { "?" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{}{mark}{query}", uri.path())).ok()?);
    Uri::from_parts(parts).ok()
}

/// The request without anything of the one who sent it.
fn for_nobody(mut parts: Parts, uri: Uri, errand: Errand) -> Request {
    let host = parts.headers.remove(header::HOST);
    parts.headers = host.into_iter().map(|host| (header::HOST, host)).collect();
    parts.method = Method::GET;
    parts.uri = uri;
    parts.extensions.insert(errand);
    Request::from_parts(parts, Body::empty())
}

async fn render_of(response: Response, errand: &Errand) -> Result<Render, Miss<Unkept>> {
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, PAGE_BYTES).await else { return Err(Problem::internal().into()) };
    let mut headers = parts.headers;
    for personal in [header::SET_COOKIE, header::CONTENT_LENGTH, header::VARY] {
        headers.remove(personal);
    }
    if parts.status != StatusCode::OK {
        return Err(Miss { is_away: parts.status.is_server_error(), error: Unkept::Other(std::sync::Arc::new((parts.status, headers, body))) });
    }
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    Ok(Render { headers, body, tags: errand.surrogate_keys() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(query: &str) -> String {
        match listing_query(query) {
            Asked::Shared(query) => query,
            Asked::Single => "single".to_owned(),
        }
    }

    #[test]
    fn a_list_is_found_by_what_decides_it_and_nothing_else() {
        for query in ["", "sort=featured", "sort=nonsense", "after=", "utm_source=mail&sort=", "after=a%20b", "x=1&x=2"] {
            assert_eq!(listing(query), "", "{query}");
        }
        assert_eq!(listing("sort=title&after=abc_-1&page=2"), "sort=title&after=abc_-1");
        assert_eq!(listing("after=abc_-1&sort=title&sort=newest"), "sort=title&after=abc_-1");
        assert_eq!(listing("option.Size=M&reduced=1&option.Glaze=Sea&in_stock=1"), "in_stock=1&reduced=1&option.Glaze=Sea&option.Size=M");
    }

    #[test]
    fn what_is_one_of_too_many_is_made_each_time() {
        for query in ["min=10", "max=20", "option.A=1&option.A=2&option.A=3&option.A=4"] {
            assert!(matches!(listing_query(query), Asked::Single), "{query}");
        }
    }

    #[test]
    fn a_site_map_is_found_by_its_part_alone() {
        assert!(matches!(map_query("in_stock=1&min=3&sort=title&after=abc"), Asked::Shared(query) if query == "after=abc"));
    }

    #[test]
    fn a_choice_on_a_product_is_made_each_time() {
        for query in ["option.Size=S", "utm=1&quantity=2", "more=1"] {
            assert!(matches!(product_query(query), Asked::Single), "{query}");
        }
        assert!(matches!(product_query("utm_source=mail"), Asked::Shared(query) if query.is_empty()));
    }

    #[test]
    fn a_host_is_its_name() {
        assert_eq!(name_of_host("Shop.Example:8080"), "shop.example");
        assert_eq!(name_of_host(&"a".repeat(999)).len(), 253);
    }
}
