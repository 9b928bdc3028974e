//! Every template is rendered here with what it may be given.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../tests/backoffice/samples.rs"]
mod contracts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog_api::AdminProductQuery;
use identity_api::{SavedViewAnswer, ViewedList};
use kernel::jobs::{JobFigures, JobQuery, JobState};
use kernel::{Page, Problem};
use orders_api::{OrderFigures, OrderState};
use payments_api::{AttemptState, CaptureState, PaymentStatus};
use rust_embed::RustEmbed;
use serde::Serialize;

use crate::assets::Assets;
use crate::carried::Carried;
use crate::door::{InvitationPage, SignInPage};
use crate::dress::{Again, ErrorPage, Field};
use crate::fields::Fields;
use crate::format::initials;
use crate::notice::Notice;
use crate::products::{Clash, ConflictPage, Side, Stand};
use crate::templates::{Frame, Me, Templates};
use crate::{inventory, jobs, orders, products, search, today};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Sources;

/// Renders pages and remembers which templates it has seen.
struct Gallery {
    templates: Templates,
    seen: BTreeSet<String>,
}

impl Gallery {
    fn new() -> Self {
        Self { templates: Templates::load(Arc::new(Assets::load())).unwrap(), seen: BTreeSet::new() }
    }

    fn show(&mut self, name: &str, frame: &Frame, page: &impl Serialize) -> String {
        self.seen.insert(name.to_owned());
        let html = self.templates.render(name, frame, page).unwrap_or_else(|error| panic!("{name}: {:?}", std::error::Error::source(&error)));
        assert_whole(name, &html);
        html
    }
}

/// What holds for every page: nothing the content policy forbids, no icon without its symbol, nothing left of the template.
fn assert_whole(name: &str, html: &str) {
    for forbidden in [" style=", "<style", " onclick", "javascript:", "<!--sprite-->", "{{", "{%"] {
        assert!(!html.contains(forbidden), "{name} has {forbidden}");
    }
    assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/backoffice/static/").count(), "{name} has a script of its own");
    let used = html.split("<use href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for icon in used {
        assert!(html.contains(&format!("<symbol id=\"{icon}\"")), "{name} lacks the icon {icon}");
    }
    let ids: Vec<_> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{name} has an id twice");
}

fn inside(may_change: bool) -> Frame {
    let name = "Ines Varga";
    let me = Me { name: name.to_owned(), initials: initials(name), email: "ines@saltmarsh.example".to_owned(), role: "Manager", may_change };
    Frame { title: "Sample".to_owned(), part: "orders", me: Some(me) }
}

fn outside() -> Frame {
    Frame { title: "Sample".to_owned(), ..Frame::default() }
}

fn stand() -> Stand {
    Stand {
        product: contracts::product(),
        channels: contracts::channels(),
        categories: contracts::categories(),
        locations: contracts::locations(),
        levels: contracts::levels(),
        from: 0,
    }
}

fn refusal() -> Notice {
    Notice::of(&Problem::invalid_body().detail("Check it.").field("/other", "invalid", "must be right").retry_after(2), &["/shown"])
}

#[test]
fn every_template_renders_with_everything_it_may_be_given() {
    let mut gallery = Gallery::new();
    show_door(&mut gallery);
    show_orders(&mut gallery);
    show_order(&mut gallery);
    show_products(&mut gallery);
    show_product(&mut gallery);
    show_today(&mut gallery);
    show_search(&mut gallery);
    show_inventory(&mut gallery);
    show_jobs(&mut gallery);
    show_errors(&mut gallery);

    let frames = ["base.html", "door.html", "office.html", "parts.html"].map(ToOwned::to_owned);
    let known: BTreeSet<String> = gallery.seen.into_iter().chain(frames).collect();
    let all: BTreeSet<String> = Sources::iter().map(|name| name.to_string()).collect();
    assert_eq!(known, all, "a template has no sample");
}

fn show_door(gallery: &mut Gallery) {
    let next = "/backoffice/orders".to_owned();
    gallery.show("sign_in.html", &outside(), &SignInPage { next: next.clone(), ..SignInPage::default() });
    let wrong = SignInPage { next, email: "\"><script>".to_owned(), mismatch: true, notice: Some(refusal()) };
    assert!(!gallery.show("sign_in.html", &outside(), &wrong).contains("\"><script>"));
    gallery.show("invitation.html", &outside(), &InvitationPage { notice: Some(refusal()), ..InvitationPage::default() });
    let errors = Some("Too short.".to_owned());
    let page = InvitationPage { token: Some("t".to_owned()), name_error: errors.clone(), password_error: errors, ..InvitationPage::default() };
    gallery.show("invitation.html", &outside(), &page);
    gallery.show("signed_in.html", &outside(), &());
}

fn show_orders(gallery: &mut Gallery) {
    let filter = |text: &str| orders::Filter::of(&Fields::parse(text.as_bytes()));
    let own = |number, name: &str, query: &str| SavedViewAnswer {
        id: contracts::id(number),
        list: ViewedList::Orders,
        name: name.to_owned(),
        query: query.to_owned(),
    };
    let mut failed = contracts::summary(&contracts::order());
    failed.capture_failed = true;
    let stand = orders::Stand {
        channels: contracts::channels(),
        figures: OrderFigures { to_capture: 1_000, capture_failed: 2, pending: 0 },
        own: vec![own(1, "Mine <b>", "q=TW%261&state=placed&channel=smoke"), own(2, "Other", "state=pending")],
        orders: vec![contracts::summary(&contracts::order()), failed],
        next: Some("c".to_owned()),
    };
    let own_filter = filter("q=TW%261&state=placed&channel=smoke");
    let html = gallery.show("orders.html", &inside(true), &orders::list_page(&own_filter, Some("b"), &stand, orders::ListRendering::default()));
    assert!(html.contains("q=TW%261&amp;state=placed&amp;channel=smoke&amp;after=c"), "paging keeps the filter");
    assert!(html.contains("aria-current=\"page\">Mine &lt;b&gt;") && html.contains("Delete view") && !html.contains("Save view"));
    assert!(html.contains("1,000 or more") && html.contains("Capture failed"));
    let every = filter("q=a&state=placed&payment=held&capture=failed&channel=*test&from=2026-11-01&until=2026-11-30&sort=oldest");
    let refused = || orders::ListRendering {
        notice: Some(refusal()),
        name: Some("Again".to_owned()),
        name_error: Some("It is in use already.".to_owned()),
        ..orders::ListRendering::default()
    };
    let html = gallery.show("orders.html", &inside(true), &orders::list_page(&every, None, &stand, refused()));
    assert!(html.contains("value=\"Again\"") && html.contains("aria-label=\"Without: Payment is Held, to capture\""));
    let nothing = orders::Stand::default();
    for text in ["", "q=x", "state=canceled", "capture=failed", "sort=oldest"] {
        for after in [None, Some("b")] {
            gallery.show("orders.html", &inside(false), &orders::list_page(&filter(text), after, &nothing, orders::ListRendering::default()));
        }
    }
}

fn show_order(gallery: &mut Gallery) {
    let placed = contracts::order();
    let mut canceled = contracts::order();
    canceled.order.state = OrderState::Canceled;
    canceled.order.number = None;
    canceled.order.cancel_reason = Some("payment_failed".to_owned());
    canceled.order.billing_address.company = Some("Corner Larder BV".to_owned());
    canceled.payment.status = PaymentStatus::Voided;
    let mut waiting = contracts::order();
    waiting.order.state = OrderState::Pending;
    waiting.payment.attempts.first_mut().unwrap().state = AttemptState::RequiresAction;
    let mut empty = contracts::order();
    empty.payment.attempts.clear();
    empty.payment.authorized = contracts::euro(0);
    let unknown = contracts::captured(contracts::order(), 1_000, CaptureState::Unknown);
    let part = contracts::captured(contracts::order(), 1_000, CaptureState::Succeeded);
    let failed = contracts::captured(contracts::order(), 1_000, CaptureState::Failed);
    let mut declined = empty.clone();
    declined.order.state = OrderState::Canceled;
    declined.payment = placed.payment.clone();
    declined.payment.status = PaymentStatus::Pending;
    declined.payment.attempts.first_mut().unwrap().state = AttemptState::Failed;
    declined.payment.attempts.first_mut().unwrap().failure_code = Some("insufficient_funds".to_owned());
    for order in [&placed, &canceled, &waiting, &empty, &unknown, &part, &failed, &declined] {
        for may_change in [true, false] {
            let page = orders::order_page(order, &contracts::channels(), orders::Rendering::default());
            let html = gallery.show("order.html", &inside(may_change), &page);
            assert!(!html.contains("<b>\""), "titles are escaped");
            assert_eq!(html.contains("method=\"post\" action=\"/backoffice/orders"), may_change, "viewers see no forms");
        }
    }
    let page = orders::order_page(&failed, &contracts::channels(), orders::Rendering::default());
    assert!(gallery.show("order.html", &inside(true), &page).contains("The capture of €10.00 failed"));
    let page = orders::order_page(&declined, &contracts::channels(), orders::Rendering::default());
    let html = gallery.show("order.html", &inside(true), &page);
    assert!(html.contains("Declined") && html.contains("The provider said no: insufficient funds. No money was taken."));
    for open in ["capture", "cancel"] {
        let error = Some("Wrong.".to_owned());
        let rendering = orders::Rendering {
            notice: Some(refusal()),
            open: Some(open),
            conflict: Some(None),
            amount_error: error.clone(),
            reason_error: error.clone(),
            comment_error: error,
            ..orders::Rendering::default()
        };
        gallery.show("order.html", &inside(true), &orders::order_page(&placed, &[], rendering.clone()));
        gallery.show("order.html", &inside(true), &orders::order_page(&canceled, &[], rendering));
    }
}

fn show_products(gallery: &mut Gallery) {
    let filter =
        AdminProductQuery { q: Some("mug".to_owned()), published: Some(false), limit: None, after: Some("b".to_owned()), ..AdminProductQuery::default() };
    let rows = Page { items: vec![contracts::product()], next: Some("c".to_owned()) };
    gallery.show("products.html", &inside(true), &products::list_page(&filter, &contracts::channels(), rows));
    for filter in [AdminProductQuery::default(), AdminProductQuery { after: Some("b".to_owned()), ..AdminProductQuery::default() }, filter] {
        gallery.show("products.html", &inside(true), &products::list_page(&filter, &[], Page { items: Vec::new(), next: None }));
    }
}

fn show_product(gallery: &mut Gallery) {
    for may_change in [true, false] {
        gallery.show("product.html", &inside(may_change), &products::product_page(&stand(), products::Rendering::default()));
    }
    let sea = contracts::product().variants.first().unwrap().id;
    let typed = |value: &str| products::Typed { value: value.to_owned(), error: Some("Wrong.".to_owned()) };
    let rendering = products::Rendering {
        notice: Some(refusal()),
        basics_errors: ["title", "slug", "summary", "description", "facts", "category", "channels"]
            .into_iter()
            .map(|name| (name, "Wrong.".to_owned()))
            .collect(),
        cells: BTreeMap::from([(format!("sku.{sea}"), typed("X")), (format!("stock.{}.{sea}", contracts::locations().first().unwrap().id), typed("1O"))]),
        rows: BTreeMap::from([(sea.to_string(), "Refused.".to_owned())]),
        reason: Some("received".to_owned()),
        ..products::Rendering::default()
    };
    let html = gallery.show("product.html", &inside(true), &products::product_page(&stand(), rendering));
    assert!(html.contains("value=\"1O\""), "what was typed stays");
    let mut bare = stand();
    bare.locations.clear();
    bare.product.media.clear();
    bare.product.category = None;
    gallery.show("product.html", &inside(true), &products::product_page(&bare, products::Rendering::default()));
    let side = |text: &str| Side { value: text.to_owned(), shown: text.to_owned() };
    let page = ConflictPage {
        id: contracts::product().id.to_string(),
        product: "Morning mug".to_owned(),
        action: "/backoffice/products/x".to_owned(),
        started_from: 7,
        form: Carried { version: 8, key: "k".to_owned() },
        clashing: "1 field was".to_owned(),
        clashes: vec![Clash { name: "title", label: "Title", was: side("a"), theirs: side("b"), yours: side("c") }],
        kept: vec![Field { name: "summary".to_owned(), value: "s".to_owned() }],
        merged: Some("summary".to_owned()),
        may_edit: true,
    };
    gallery.show("product_conflict.html", &inside(true), &page);
    gallery.show("product_conflict.html", &inside(true), &ConflictPage { may_edit: false, merged: None, ..page });
    let entries = Page { items: contracts::audit(), next: Some("c".to_owned()) };
    let html = gallery.show("product_audit.html", &inside(true), &products::audit_page(&contracts::product(), Some("b"), &entries));
    assert!(html.contains("changed Sea") && html.contains("Morning mug &lt;b&gt;") && html.contains("audit?after=c"));
    gallery.show("product_audit.html", &inside(false), &products::audit_page(&contracts::product(), None, &Page { items: Vec::new(), next: None }));
}

fn show_today(gallery: &mut Gallery) {
    let order = || contracts::summary(&contracts::order());
    let mut failed = order();
    failed.capture_failed = true;
    let busy = today::Stand {
        channels: contracts::channels(),
        sales: contracts::sales(),
        figures: OrderFigures { to_capture: 7, capture_failed: 1, pending: 2 },
        failed: vec![failed],
        to_capture: vec![order()],
        jobs: JobFigures { dead: 2, oldest_due_seconds: 600, ..JobFigures::default() },
        levels: Page { items: contracts::levels(), next: Some("c".to_owned()) },
        locations: contracts::locations(),
        products: vec![contracts::product()],
    };
    let html = gallery.show("today.html", &inside(true), &today::today_page(&busy));
    assert!(html.contains("<rect class=\"now\"") && html.contains("<rect class=\"then\""));
    assert!(html.contains("failed captures") && html.contains("<span>€200</span>"));
    let sales = orders_api::SalesAnswer { day: Vec::new(), week_before: Vec::new(), ..contracts::sales() };
    let quiet = today::Stand {
        channels: Vec::new(),
        sales,
        figures: OrderFigures::default(),
        failed: Vec::new(),
        to_capture: Vec::new(),
        jobs: JobFigures::default(),
        levels: Page { items: Vec::new(), next: None },
        locations: Vec::new(),
        products: Vec::new(),
    };
    let html = gallery.show("today.html", &inside(false), &today::today_page(&quiet));
    assert!(!html.contains("<rect") && html.contains("Nothing was sold today") && !html.contains("failed captures"));
}

fn show_search(gallery: &mut Gallery) {
    let found = || search::Found {
        orders: vec![contracts::summary(&contracts::order())],
        has_more_orders: true,
        products: vec![contracts::product()],
        has_more_products: true,
    };
    gallery.show("search.html", &inside(true), &search::search_page("mug-m", found()));
    let html = gallery.show("palette.html", &outside(), &search::palette_page("mug", found()));
    assert!(html.contains("role=\"option\"") && html.contains("All products that fit"));
    for q in ["", "<b>", "capture"] {
        gallery.show("palette.html", &outside(), &search::palette_page(q, search::Found::default()));
        gallery.show("search.html", &inside(false), &search::search_page(q, search::Found::default()));
    }
}

fn show_inventory(gallery: &mut Gallery) {
    let (locations, products) = (contracts::locations(), vec![contracts::product()]);
    let levels = || Page { items: contracts::levels(), next: Some("c".to_owned()) };
    let all = inventory::Asked { scarce: false, location: locations.first().map(|location| location.id), after: Some("b".to_owned()) };
    let scarce = inventory::Asked { scarce: true, ..inventory::Asked::default() };
    let cell = format!("stock.{}.{}", contracts::levels().first().unwrap().location_id, contracts::levels().first().unwrap().variant_id);
    let wrong = products::Typed { value: "1O".to_owned(), error: Some("Wrong.".to_owned()) };
    for asked in [&all, &scarce] {
        for may_change in [true, false] {
            let rendering =
                products::Rendering { notice: Some(refusal()), cells: BTreeMap::from([(cell.clone(), wrong.clone())]), ..products::Rendering::default() };
            let html = gallery.show("inventory.html", &inside(may_change), &inventory::inventory_page(asked, &locations, &levels(), &products, rendering));
            assert!(html.contains("value=\"1O\"") && html.contains("MUG-SEA"));
        }
        let nothing = Page { items: Vec::new(), next: None };
        gallery.show("inventory.html", &inside(true), &inventory::inventory_page(asked, &[], &nothing, &[], products::Rendering::default()));
    }
    let unknown = inventory::inventory_page(&all, &[], &levels(), &[], products::Rendering::default());
    assert!(gallery.show("inventory.html", &inside(true), &unknown).contains("No longer in the catalogue"));
    let variant = contracts::levels().first().unwrap().variant_id;
    let rows = Page { items: contracts::movements(), next: Some("c".to_owned()) };
    let page = inventory::movements_page(variant, Some("b"), &locations, &contracts::levels(), &products, rows);
    assert!(gallery.show("movements.html", &inside(true), &page).contains("−2"));
    let page = inventory::movements_page(variant, None, &[], &[], &[], Page { items: Vec::new(), next: None });
    gallery.show("movements.html", &inside(false), &page);
}

fn show_jobs(gallery: &mut Gallery) {
    let figures = JobFigures { ready: 12, running: 2, dead: 10_000, oldest_due_seconds: 180 };
    let page = |state, kind: Option<&str>, after: Option<&str>, items: Vec<_>| {
        let query = JobQuery { state: Some(state), kind: kind.map(ToOwned::to_owned), limit: None, after: after.map(ToOwned::to_owned) };
        let next = (!items.is_empty()).then(|| "c".to_owned());
        let stand = jobs::Stand { jobs: Page { items, next }, figures, queues: contracts::queues(), schedules: contracts::schedules() };
        jobs::jobs_page(&query, stand, jobs::Rendering { notice: Some(refusal()), ..jobs::Rendering::default() })
    };
    for may_change in [true, false] {
        let dead = page(JobState::Dead, Some("payments.capture"), Some("b"), vec![contracts::dead_job()]);
        let html = gallery.show("jobs.html", &inside(may_change), &dead);
        assert_eq!(html.contains("/replay\""), may_change, "viewers see no forms");
        assert!(html.contains("10,000 or more") && html.contains("kind=payments.capture&amp;after=c"));
    }
    for state in [JobState::Ready, JobState::Running, JobState::Done, JobState::Dead] {
        let mut job = contracts::dead_job();
        (job.state, job.last_error, job.finished_at) = (state, None, None);
        gallery.show("jobs.html", &inside(true), &page(state, None, None, vec![job]));
        gallery.show("jobs.html", &inside(true), &page(state, None, None, Vec::new()));
        gallery.show("jobs.html", &inside(true), &page(state, Some("x"), None, Vec::new()));
    }
}

#[test]
fn queues_and_schedules_say_who_has_to_look() {
    let mut gallery = Gallery::new();
    let query = JobQuery { state: Some(JobState::Dead), ..JobQuery::default() };
    let stand = |queues, schedules| jobs::Stand { jobs: Page { items: Vec::new(), next: None }, figures: JobFigures::default(), queues, schedules };
    let html =
        gallery.show("jobs.html", &inside(true), &jobs::jobs_page(&query, stand(contracts::queues(), contracts::schedules()), jobs::Rendering::default()));
    for text in ["Behind", "43 min", "Working", "Failing", "Tried again", "no &lt;answer&gt;", "Not run yet", "10 s", "1 day"] {
        assert!(html.contains(text), "{text}");
    }
    let html = gallery.show("jobs.html", &inside(true), &jobs::jobs_page(&query, stand(Vec::new(), Vec::new()), jobs::Rendering::default()));
    assert!(html.contains("Every queue is empty") && html.contains("No schedule is known yet"));
}

fn show_errors(gallery: &mut Gallery) {
    let field = || vec![Field { name: "text".to_owned(), value: "typed".to_owned() }];
    let again = Again { action: "/backoffice/orders/x/comments".to_owned(), fields: field(), typed: field() };
    gallery.show("session_over.html", &outside(), &again);
    for inside_office in [true, false] {
        let page = ErrorPage {
            title: "There is no such page".to_owned(),
            text: "It may have been moved.".to_owned(),
            items: vec!["a".to_owned()],
            inside: inside_office,
            again: Some(again.clone()),
            request_id: Some("req_1".to_owned()),
        };
        gallery.show("error.html", &outside(), &page);
    }
}
