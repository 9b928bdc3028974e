use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use kernel::{Clock, Problem};
use platform::lifecycle::Tasks;
use stores::{CacheOptions, Fill, Key, Miss, Render, Stores, Surface, Unkept, Wish};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A cache on a clock that stands still, and a renderer that can be held, fail, and counts.
#[derive(Clone)]
struct Stand {
    stores: Stores,
    clock: Clock,
    renders: Arc<AtomicUsize>,
    /// How many renders may end.
    gate: Arc<Semaphore>,
    begun: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
}

const OPTIONS: CacheOptions = CacheOptions { max_bytes: 1_000_000, ttl: Duration::from_secs(30), stale_for: Duration::from_secs(600) };

impl Stand {
    fn new() -> Self {
        Self::with(OPTIONS)
    }

    fn with(options: CacheOptions) -> Self {
        let clock = Clock::frozen(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let stores = Stores::new(options, clock.clone(), Tasks::new());
        Self { stores, clock, renders: Arc::default(), gate: Arc::new(Semaphore::new(1_000)), begun: Arc::new(Semaphore::new(0)), asked: Arc::default() }
    }

    fn renders(&self) -> usize {
        self.renders.load(Ordering::SeqCst)
    }

    fn close_gate(&self) {
        self.gate.forget_permits(self.gate.available_permits());
        self.begun.forget_permits(self.begun.available_permits());
    }

    async fn ask_owned(self, path: &'static str) -> String {
        self.ask(path).await
    }

    async fn ask(&self, path: &str) -> String {
        self.asked.fetch_add(1, Ordering::SeqCst);
        text(self.answer(path, &HeaderMap::new(), Wish::default(), Ok(())).await).await
    }

    async fn answer(&self, path: &str, headers: &HeaderMap, wish: Wish, outcome: Result<(), Problem>) -> Response {
        let key = Key::new(Surface::Api, "default", "en", path, "");
        let stand = self.clone();
        self.stores.renders().answer(&key, headers, wish, move |fill| stand.render(fill, outcome)).await
    }

    async fn render(self, fill: Fill, outcome: Result<(), Problem>) -> Result<Render, Miss<Unkept>> {
        self.begun.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        let number = self.renders.fetch_add(1, Ordering::SeqCst) + 1;
        outcome?;
        let from = if fill.changed_ago.is_some() { "writer" } else { "reader" };
        let body = Bytes::from(format!("render {number} of the {from}"));
        Ok(Render { headers: HeaderMap::new(), body, tags: vec!["product:1".to_owned(), "products".to_owned()] })
    }

    async fn until_begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn away() -> Result<(), Problem> {
    Err(Problem::unavailable(5))
}

#[tokio::test]
async fn what_is_kept_is_not_rendered_again_until_its_time_is_over() {
    let stand = Stand::new();
    for _ in 0..3 {
        assert_eq!(stand.ask("/a").await, "render 1 of the reader");
    }
    stand.clock.advance(TimeDelta::seconds(31));
    assert_eq!(stand.ask("/a").await, "render 2 of the reader");
    assert_eq!(stand.ask("/a").await, "render 2 of the reader");
}

#[tokio::test]
async fn news_of_a_tag_makes_its_renders_stale_and_others_not() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.stores.bus().tell(&["product:2"]);
    assert_eq!(stand.ask("/a").await, "render 1 of the reader");
    stand.stores.bus().tell(&["product:1"]);
    assert_eq!(stand.ask("/a").await, "render 2 of the writer", "a reader may not have the change yet");
    stand.clock.advance(TimeDelta::seconds(6));
    stand.stores.bus().tell(&["*"]);
    stand.clock.advance(TimeDelta::seconds(6));
    assert_eq!(stand.ask("/a").await, "render 3 of the reader", "it has after five seconds");
}

#[tokio::test]
async fn who_comes_while_it_is_rendered_waits_for_the_same() {
    let stand = Stand::new();
    stand.close_gate();
    let mut asked = JoinSet::new();
    for _ in 0..20 {
        let stand = stand.clone();
        asked.spawn(async move { stand.ask("/a").await });
    }
    stand.until_begun().await;
    while stand.asked.load(Ordering::SeqCst) < 20 {
        tokio::task::yield_now().await;
    }
    stand.gate.add_permits(1);
    assert_eq!(asked.join_all().await, vec!["render 1 of the reader"; 20]);
    assert_eq!(stand.renders(), 1);
}

#[tokio::test]
async fn a_render_that_news_overtakes_is_served_to_those_who_waited_and_not_kept() {
    let stand = Stand::new();
    stand.close_gate();
    let mut early = JoinSet::new();
    early.spawn(stand.clone().ask_owned("/a"));
    stand.until_begun().await;
    // The render has read by now what is true no longer.
    stand.stores.bus().tell(&["product:1"]);
    // Who comes after the news does not join it.
    let mut late = JoinSet::new();
    late.spawn(stand.clone().ask_owned("/a"));
    stand.until_begun().await;
    stand.gate.add_permits(1);
    assert_eq!(early.join_all().await, ["render 1 of the reader"]);
    assert_eq!(stand.stores.renders().size().await.0, 0, "what is stale was kept");
    stand.gate.add_permits(1);
    assert_eq!(late.join_all().await, ["render 2 of the writer"]);
    assert_eq!(stand.ask("/a").await, "render 2 of the writer");
    assert_eq!(stand.renders(), 2);
}

#[tokio::test]
async fn a_render_ends_though_everybody_has_gone() {
    let stand = Stand::new();
    stand.close_gate();
    let mut asked = JoinSet::new();
    asked.spawn(stand.clone().ask_owned("/a"));
    stand.until_begun().await;
    asked.shutdown().await;
    stand.gate.add_permits(1);
    assert_eq!(stand.ask("/a").await, "render 1 of the reader");
}

#[tokio::test]
async fn while_the_source_is_away_what_was_kept_is_served_up_to_a_bound() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.clock.advance(TimeDelta::seconds(31));
    let served = async || stand.answer("/a", &HeaderMap::new(), Wish::default(), away()).await;
    assert_eq!(text(served().await).await, "render 1 of the reader");
    let tries = stand.renders();
    assert_eq!(text(served().await).await, "render 1 of the reader");
    assert_eq!(stand.renders(), tries, "the source is asked once a second, not for each request");

    let other = stand.answer("/b", &HeaderMap::new(), Wish::default(), away()).await;
    assert_eq!((other.status(), other.headers()[header::RETRY_AFTER].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, b"5".as_slice()));
    stand.clock.advance(TimeDelta::seconds(2));
    assert_eq!(stand.ask("/a").await, format!("render {} of the reader", stand.renders()), "it is back");

    stand.clock.advance(TimeDelta::seconds(601));
    assert_eq!(served().await.status(), StatusCode::SERVICE_UNAVAILABLE, "too old by far");
}

#[tokio::test]
async fn what_is_known_to_be_wrong_is_not_served_though_the_source_is_away() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.stores.bus().tell(&["product:1"]);
    assert_eq!(stand.answer("/a", &HeaderMap::new(), Wish::default(), away()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_source_that_hangs_does_not_hold_up_who_can_have_something_old() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.clock.advance(TimeDelta::seconds(31));
    stand.close_gate();
    assert_eq!(stand.ask("/a").await, "render 1 of the reader");
    stand.gate.add_permits(1);
}

#[tokio::test]
async fn what_is_there_no_more_is_kept_no_more() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.clock.advance(TimeDelta::seconds(31));
    let gone = stand.answer("/a", &HeaderMap::new(), Wish::default(), Err(Problem::not_found("product"))).await;
    assert_eq!((gone.status(), stand.stores.renders().size().await.0), (StatusCode::NOT_FOUND, 0));
    let unknown = stand.answer("/nothing", &HeaderMap::new(), Wish::default(), Err(Problem::not_found("product"))).await;
    assert_eq!((unknown.status(), stand.stores.renders().size().await.0), (StatusCode::NOT_FOUND, 0));
}

#[tokio::test]
async fn who_heard_of_a_change_elsewhere_gets_nothing_that_is_older() {
    let stand = Stand::new();
    stand.ask("/a").await;
    stand.clock.advance(TimeDelta::seconds(3));
    let wish = |seconds| Wish { fresher_than: Some(Duration::from_secs(seconds)) };
    let asked = async |wish| text(stand.answer("/a", &HeaderMap::new(), wish, Ok(())).await).await;
    assert_eq!(asked(wish(4)).await, "render 1 of the reader");
    assert_eq!(asked(wish(2)).await, "render 2 of the writer");
    assert_eq!(asked(wish(2)).await, "render 2 of the writer");
}

#[tokio::test]
async fn a_renderer_that_panics_is_an_error_and_the_next_one_is_tried() {
    let stand = Stand::new();
    let key = Key::new(Surface::Api, "default", "en", "/a", "");
    let broken = stand.stores.renders().answer(&key, &HeaderMap::new(), Wish::default(), async |_| panic!("ink ran out")).await;
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(stand.ask("/a").await, "render 1 of the reader");
}

#[tokio::test]
async fn memory_is_bounded_by_weight() {
    let stand = Stand::with(CacheOptions { max_bytes: 50_000, ..OPTIONS });
    for number in 0..500 {
        stand.ask(&format!("/{number}")).await;
    }
    let (entries, bytes) = stand.stores.renders().size().await;
    assert!((1..=25).contains(&entries) && (1..=50_000).contains(&bytes), "{entries} entries, {bytes} bytes");
}

#[tokio::test]
async fn an_answer_is_sent_in_the_coding_the_client_takes_and_not_at_all_if_it_has_it() {
    let stand = Stand::new();
    let key = Key::new(Surface::Page, "default", "en", "/long", "");
    let page = async |name: header::HeaderName, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        let render = async |_: Fill| {
            let body = Bytes::from("a long page ".repeat(200));
            Ok(Render { headers: HeaderMap::new(), body, tags: vec!["a".to_owned(), "b".to_owned()] }
                .header(header::VARY, HeaderValue::from_static("X-Channel")))
        };
        let response = stand.stores.renders().answer(&key, &headers, Wish::default(), render).await;
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
    };
    let (status, plain, whole) = page(header::ACCEPT, "*/*").await;
    assert_eq!((status, whole.len(), plain.get(header::CONTENT_ENCODING)), (StatusCode::OK, 2_400, None));
    for (accepts, coding) in [("gzip, br", "br"), ("gzip", "gzip")] {
        let (_, headers, body) = page(header::ACCEPT_ENCODING, accepts).await;
        assert_eq!(headers[header::CONTENT_ENCODING], coding);
        assert!(body.len() < 200);
        assert_eq!(headers[header::ETAG], plain[header::ETAG]);
    }
    assert_eq!((plain[header::VARY].as_bytes(), plain["surrogate-key"].as_bytes()), (b"X-Channel, Accept-Encoding".as_slice(), b"a b".as_slice()));
    let (status, headers, body) = page(header::IF_NONE_MATCH, plain[header::ETAG].to_str().unwrap()).await;
    assert_eq!((status, body.len(), headers.get(header::CONTENT_TYPE)), (StatusCode::NOT_MODIFIED, 0, None));
    assert_eq!(headers[header::ETAG], plain[header::ETAG]);
}
