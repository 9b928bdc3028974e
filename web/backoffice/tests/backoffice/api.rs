//! An admin API in memory: one order, one product, one level. It keeps versions as the real one does, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use bytes::Bytes;
use catalog_api::{AdminProduct, List, ProductPatch, VariantPatch};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use identity_api::{AcceptInvitation, NewSavedView, Role, SavedViewAnswer, SavedViewList, SessionCreated, SignIn, StaffAnswer};
use inventory_api::{AdjustLevel, LevelAnswer};
use kernel::jobs::{JobAnswer, JobFigures, JobState, QueueList, ScheduleList};
use kernel::{Page, Problem, Token};
use orders_api::{AdminOrder, CancelOrder, CaptureOrder, CommentOrder, OrderFigures, OrderState, TimelineEntryAnswer};
use payments_api::CaptureState;
use platform::http::Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::samples;

/// What the API keeps, and what it was asked.
pub(crate) struct World {
    pub(crate) token: Token,
    pub(crate) invitation: Token,
    pub(crate) me: StaffAnswer,
    pub(crate) order: AdminOrder,
    pub(crate) product: AdminProduct,
    pub(crate) levels: Vec<LevelAnswer>,
    pub(crate) job: JobAnswer,
    pub(crate) figures: OrderFigures,
    pub(crate) views: Vec<SavedViewAnswer>,
    /// How a capture ends.
    pub(crate) capture_ends: CaptureState,
    /// What the next request that changes something is refused with.
    pub(crate) refuse: Option<Problem>,
    /// What somebody else does right before the next request that changes something.
    pub(crate) meanwhile: Option<fn(&mut World)>,
    pub(crate) asked: Vec<Asked>,
}

/// A request the API got.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) what: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) type Shared = Arc<Mutex<World>>;

fn ines() -> StaffAnswer {
    StaffAnswer { id: samples::id(1), email: "ines@saltmarsh.example".to_owned(), name: "Ines Varga".to_owned(), role: Role::Manager }
}

/// An entry somebody else makes meanwhile.
pub(crate) fn remark(text: &str) -> TimelineEntryAnswer {
    TimelineEntryAnswer {
        id: samples::id(9),
        kind: "comment".to_owned(),
        detail: Some(text.to_owned()),
        actor: "staff:2:Tomas Lindqvist".to_owned(),
        occurred_at: samples::at(540),
    }
}

pub(crate) fn world() -> Shared {
    Arc::new(Mutex::new(World {
        token: Token::generate(),
        invitation: Token::generate(),
        me: ines(),
        order: samples::order(),
        product: samples::product(),
        levels: samples::levels(),
        job: samples::dead_job(),
        figures: OrderFigures { to_capture: 6, capture_failed: 0, pending: 1_000 },
        views: Vec::new(),
        capture_ends: CaptureState::Succeeded,
        refuse: None,
        meanwhile: None,
        asked: Vec::new(),
    }))
}

pub(crate) fn router(world: Shared) -> Router {
    let closed = Router::new()
        .route("/admin/v1/sessions/current", delete(sign_out))
        .route("/admin/v1/me", get(me))
        .route("/admin/v1/channels", get(async || ok(&List { items: samples::channels() }, None)))
        .route("/admin/v1/orders", get(list_orders))
        .route("/admin/v1/order-figures", get(order_figures))
        .route("/admin/v1/saved-views", get(list_views).post(keep_view))
        .route("/admin/v1/saved-views/{id}", delete(forget_view))
        .route("/admin/v1/categories", get(async || ok(&List { items: samples::categories() }, None)))
        .route("/admin/v1/audit-entries", get(async || ok(&Page { items: samples::audit(), next: None }, None)))
        .route("/admin/v1/job-queues", get(async || ok(&QueueList { items: samples::queues() }, None)))
        .route("/admin/v1/job-schedules", get(async || ok(&ScheduleList { items: samples::schedules() }, None)))
        .route("/admin/v1/sales", get(async || ok(&samples::sales(), None)))
        .route("/admin/v1/orders/{id}", get(find_order))
        .route("/admin/v1/orders/{id}/capture", post(capture))
        .route("/admin/v1/orders/{id}/cancel", post(cancel))
        .route("/admin/v1/orders/{id}/comments", post(comment))
        .route("/admin/v1/products", get(list_products))
        .route("/admin/v1/products/{id}", get(find_product).patch(change_product))
        .route("/admin/v1/products/{id}/variants/{variant_id}", patch(change_variant))
        .route("/admin/v1/stock-locations", get(async || ok(&List { items: samples::locations() }, None)))
        .route("/admin/v1/stock-levels", get(list_levels).post(adjust))
        .route("/admin/v1/stock-movements", get(async || ok(&Page { items: samples::movements(), next: None }, None)))
        .route("/admin/v1/jobs", get(list_jobs))
        .route("/admin/v1/jobs/{id}/replay", post(replay))
        .route("/admin/v1/job-figures", get(job_figures))
        .layer(from_fn_with_state(world.clone(), only_staff));
    let open = Router::new().route("/admin/v1/sessions", post(sign_in)).route("/admin/v1/invitations/accept", post(accept));
    closed.merge(open).layer(from_fn_with_state(world.clone(), note)).with_state(world)
}

fn ok<T: Serialize>(value: &T, version: Option<i64>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(value).unwrap()).into_response();
    if let Some(version) = version {
        response.headers_mut().insert(header::ETAG, format!("\"{version}\"").parse().unwrap());
    }
    response
}

/// Remembers the request; lets somebody else go first, or refuses, when the test wants so.
async fn note(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let what = format!("{} {}", parts.method, parts.uri.path_and_query().unwrap());
    let changes = parts.method != http::Method::GET;
    let refusal = {
        let mut world = world.lock().unwrap();
        world.asked.push(Asked { what, headers: parts.headers.clone(), body: String::from_utf8(bytes.to_vec()).unwrap() });
        if changes && let Some(meanwhile) = world.meanwhile.take() {
            meanwhile(&mut world);
        }
        if changes { world.refuse.take() } else { None }
    };
    match refusal {
        Some(problem) => problem.into_response(),
        None => next.run(Request::from_parts(parts, bytes.into())).await,
    }
}

async fn only_staff(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let wanted = format!("Bearer {}", world.lock().unwrap().token.reveal());
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if sent == Some(&wanted) { next.run(request).await } else { Problem::unauthenticated().into_response() }
}

fn read<T: DeserializeOwned + garde::Validate<Context = ()>>(body: &Bytes) -> Result<T, Problem> {
    let value = platform::http::parse_json(body)?;
    platform::http::validate(&value)?;
    Ok(value)
}

fn matches(headers: &HeaderMap, version: i64) -> Result<(), Problem> {
    let sent = headers.get(header::IF_MATCH).ok_or_else(Problem::version_required)?;
    if sent == &format!("\"{version}\"") { Ok(()) } else { Err(Problem::stale(version)) }
}

fn session(world: &World) -> Response {
    let session = SessionCreated { token: world.token.clone(), staff: world.me.clone(), expires_at: samples::at(400 * 86_400) };
    (StatusCode::CREATED, ok(&session, None)).into_response()
}

async fn sign_in(State(world): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let sign_in: SignIn = read(&body)?;
    let world = world.lock().unwrap();
    if sign_in.email != world.me.email || sign_in.password != "correct horse battery" {
        return Err(Problem::new(401, "credentials_wrong", "E-mail and password do not match"));
    }
    Ok(session(&world))
}

async fn accept(State(world): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let accept: AcceptInvitation = read(&body)?;
    let mut world = world.lock().unwrap();
    if accept.token != world.invitation {
        return Err(Problem::not_found("invitation"));
    }
    world.me.name = accept.name;
    world.me.role = Role::Owner;
    Ok(session(&world))
}

async fn sign_out(State(world): State<Shared>) -> StatusCode {
    world.lock().unwrap().token = Token::generate();
    StatusCode::NO_CONTENT
}

async fn me(State(world): State<Shared>) -> Response {
    ok(&world.lock().unwrap().me, None)
}

async fn list_orders(State(world): State<Shared>, request: Request) -> Response {
    let order = samples::summary(&world.lock().unwrap().order);
    let is_later = request.uri().query().is_some_and(|query| query.contains("after="));
    ok(&Page { items: vec![order], next: (!is_later).then(|| "later".to_owned()) }, None)
}

async fn order_figures(State(world): State<Shared>) -> Response {
    ok(&world.lock().unwrap().figures, None)
}

async fn list_views(State(world): State<Shared>) -> Response {
    ok(&SavedViewList { items: world.lock().unwrap().views.clone() }, None)
}

async fn keep_view(State(world): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let NewSavedView { list, name, query } = read(&body)?;
    let mut world = world.lock().unwrap();
    if world.views.iter().any(|view| view.name == name) {
        return Err(Problem::new(409, "view_name_taken", "You have a view of this name").field("/name", "taken", "is in use already"));
    }
    let view = SavedViewAnswer { id: samples::id(u8::try_from(world.views.len()).unwrap() + 1), list, name, query };
    world.views.push(view.clone());
    Ok((StatusCode::CREATED, ok(&view, None)).into_response())
}

async fn forget_view(State(world): State<Shared>, Path(id): Path<String>) -> StatusCode {
    world.lock().unwrap().views.retain(|view| view.id.to_string() != id);
    StatusCode::NO_CONTENT
}

async fn find_order(State(world): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let world = world.lock().unwrap();
    if id != world.order.order.id.to_string() {
        return Err(Problem::not_found("order"));
    }
    Ok(ok(&world.order, Some(world.order.version)))
}

async fn capture(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let capture: CaptureOrder = read(&body)?;
    let mut world = world.lock().unwrap();
    matches(&headers, world.order.version)?;
    let minor = capture.amount.unwrap().amount_minor();
    if minor <= 0 {
        return Err(Problem::invalid_body().field("/amount/amount", "invalid", "must be above zero"));
    }
    let held = world.order.payment.authorized.amount_minor() - world.order.payment.captured.amount_minor();
    if minor > held {
        return Err(Problem::new(409, "capture_exceeds_authorized", "More than is held"));
    }
    world.order = samples::captured(world.order.clone(), minor, world.capture_ends);
    Ok(ok(&world.order, Some(world.order.version)))
}

async fn cancel(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    read::<CancelOrder>(&body)?;
    let mut world = world.lock().unwrap();
    matches(&headers, world.order.version)?;
    world.order.order.state = OrderState::Canceled;
    world.order.version += 1;
    Ok(ok(&world.order, Some(world.order.version)))
}

async fn comment(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let comment: CommentOrder = read(&body)?;
    let mut world = world.lock().unwrap();
    matches(&headers, world.order.version)?;
    world.order.timeline.push(remark(&comment.text));
    world.order.version += 1;
    Ok(ok(&world.order, Some(world.order.version)))
}

async fn list_products(State(world): State<Shared>) -> Response {
    ok(&Page { items: vec![world.lock().unwrap().product.clone()], next: None }, None)
}

async fn find_product(State(world): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let world = world.lock().unwrap();
    if id != world.product.id.to_string() {
        return Err(Problem::not_found("product"));
    }
    Ok(ok(&world.product, Some(world.product.version)))
}

async fn change_product(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let change: ProductPatch = read(&body)?;
    let mut world = world.lock().unwrap();
    matches(&headers, world.product.version)?;
    let product = &mut world.product;
    product.title = change.title.unwrap_or_else(|| product.title.clone());
    product.summary = change.summary.unwrap_or_else(|| product.summary.clone());
    product.description = change.description.unwrap_or_else(|| product.description.clone());
    product.published = change.published.unwrap_or(product.published);
    product.facts = change.facts.unwrap_or_else(|| product.facts.clone());
    product.channels = change.channels.unwrap_or_else(|| product.channels.clone());
    product.media = change.media.unwrap_or_else(|| product.media.clone());
    if change.slug.as_deref() == Some("taken") {
        return Err(Problem::new(409, "slug_taken", "This slug is in use already").field("/slug", "taken", "is in use already"));
    }
    product.slug = change.slug.unwrap_or_else(|| product.slug.clone());
    if let Some(slug) = change.category {
        product.category = samples::categories().into_iter().find(|category| category.slug == slug);
    }
    product.version += 1;
    Ok(ok(product, Some(product.version)))
}

async fn change_variant(State(world): State<Shared>, Path((_, id)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let change: VariantPatch = read(&body)?;
    let mut world = world.lock().unwrap();
    matches(&headers, world.product.version)?;
    let product = &mut world.product;
    let is_taken = |sku: &String| product.variants.iter().any(|variant| variant.sku == *sku && variant.id.to_string() != id);
    if change.sku.as_ref().is_some_and(is_taken) {
        return Err(Problem::new(409, "sku_taken", "This SKU is in use already").field("/sku", "taken", "is in use already"));
    }
    let variant = product.variants.iter_mut().find(|variant| variant.id.to_string() == id).unwrap();
    variant.sku = change.sku.unwrap_or_else(|| variant.sku.clone());
    for price in change.prices {
        variant.prices.retain(|known| known.price.currency() != price.price.currency());
        variant.prices.push(price);
    }
    product.version += 1;
    Ok(ok(product, Some(product.version)))
}

async fn list_levels(State(world): State<Shared>) -> Response {
    ok(&Page { items: world.lock().unwrap().levels.clone(), next: None }, None)
}

async fn adjust(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let change: AdjustLevel = read(&body)?;
    let mut world = world.lock().unwrap();
    let place = world.levels.iter().position(|level| level.variant_id == change.variant_id);
    let place = place.unwrap_or_else(|| {
        let level = LevelAnswer { location_id: change.location_id, variant_id: change.variant_id, on_hand: 0, reserved: 0, available: 0, version: 0 };
        world.levels.push(level);
        world.levels.len() - 1
    });
    let level = &mut world.levels[place];
    if change.on_hand.is_some() && level.version > 0 {
        matches(&headers, level.version)?;
    }
    let on_hand = change.on_hand.unwrap_or(level.on_hand + change.delta.unwrap_or(0));
    if on_hand < level.reserved {
        return Err(Problem::new(409, "below_reserved", "More is reserved than would be left"));
    }
    level.on_hand = on_hand;
    level.available = on_hand - level.reserved;
    level.version += 1;
    Ok(ok(level, Some(level.version)))
}

async fn list_jobs(State(world): State<Shared>, request: Request) -> Response {
    let job = world.lock().unwrap().job.clone();
    let wanted = format!("state={}", job.state.as_str());
    let items = if request.uri().query().is_some_and(|query| query.contains(&wanted)) { vec![job] } else { Vec::new() };
    ok(&Page { items, next: None }, None)
}

async fn replay(State(world): State<Shared>) -> Result<Response, Problem> {
    let mut world = world.lock().unwrap();
    if world.job.state != JobState::Dead {
        return Err(Problem::new(409, "job_not_dead", "This job is not dead"));
    }
    world.job.state = JobState::Ready;
    Ok(ok(&world.job, None))
}

async fn job_figures(State(world): State<Shared>) -> Response {
    let is = |state| i64::from(world.lock().unwrap().job.state == state);
    ok(&JobFigures { ready: is(JobState::Ready), running: 0, dead: is(JobState::Dead), oldest_due_seconds: 0 }, None)
}
