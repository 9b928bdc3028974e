//! Every template, rendered with sample contexts.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::*;
use crate::about::About;
use crate::error::ErrorView;
use crate::pages::cart::CartView;
use crate::pages::checkout::samples::{checkout, waiting};
use crate::pages::home::{CategoryTileView, FeatureView, HomeView};
use crate::pages::listing::filters::{ChipView, ChoiceView, FieldView, FilterView, GroupView, RangeView};
use crate::pages::listing::{ListingView, SortView};
use crate::pages::order::{OrderView, StatusView, StepView};
use crate::pages::product::RefusedView;
use crate::pages::product::samples::product;
use crate::shell::LinkView;
use crate::view::{LineView, NoticeView, PictureView, PriceView, TileView, TotalsView};

fn text(text: &str) -> String {
    text.to_owned()
}

fn shell() -> Shell {
    Shell {
        shop_name: text("Saltmarsh & Sons"),
        categories: vec![link("Ceramics"), LinkView { is_current: true, ..link("Art prints") }],
        cart_count: Some(3),
        delivery: text("Standard delivery for €4.90"),
        is_test: true,
        destinations: text("Austria, Germany"),
        currency: text("EUR"),
        canonical: Some(text("https://shop.example/x")),
        about: About { picture: Some(picture()), ..About::product("A \"tall\" pitcher") }.fact(&serde_json::json!({ "name": "</script><script>" })),
        ..Shell::bare()
    }
}

fn link(name: &str) -> LinkView {
    LinkView { name: text(name), href: text("/categories/ceramics"), is_current: false }
}

fn picture() -> PictureView {
    PictureView {
        url: text("/media/harbour-pitcher.svg"),
        srcset: text("/media/a-320.webp 320w, /media/a-640.webp 640w"),
        alt: text("A \"tall\" pitcher"),
        width: 1000,
        height: 1250,
    }
}

fn tiles() -> Vec<TileView> {
    let price = |was: Option<&str>, is_from| PriceView { now: text("€48.00"), was: was.map(text), is_from };
    let tile = |flag, price| TileView {
        href: text("/products/harbour-pitcher"),
        title: text("Harbour <Pitcher>"),
        picture: Some(picture()),
        price,
        flag,
        swatches: vec![text("#3f6f73"), text("#b8613f")],
        colours: text("2 colours"),
    };
    vec![tile(Some("out"), price(None, false)), tile(Some("sale"), price(Some("€56.00"), true)), TileView { picture: None, ..tile(None, price(None, true)) }]
}

pub(crate) fn lines() -> Vec<LineView> {
    let notice = |text: &str, available| NoticeView { text: text.to_owned(), available, is_blocking: true };
    let line = LineView {
        id: text("cln_1"),
        href: text("/products/harbour-pitcher?option.Glaze=Sea"),
        title: text("Harbour Pitcher"),
        choice: text("Sea, 1.2 litre"),
        picture: Some(picture()),
        quantity: 2,
        each: Some(text("€48.00")),
        total: text("€96.00"),
        notices: vec![notice("Only 1 left.", Some(1)), notice("This was €52.00 when you added it.", None)],
        problem: Some(text("Choose fewer.")),
    };
    let plain =
        LineView { id: text("cln_2"), choice: String::new(), picture: None, quantity: 1, each: None, notices: Vec::new(), problem: None, ..line.clone() };
    vec![line, plain]
}

pub(crate) fn totals() -> TotalsView {
    TotalsView {
        items: text("3 items"), subtotal: text("€144.00"), delivery_name: text("Standard delivery"), delivery: text("€4.90"), total: text("€148.90")
    }
}

fn home() -> HomeView {
    let feature = |link, narrow| FeatureView { title: text("Made to be used"), text: text("Every day."), link, picture: Some(picture()), narrow };
    let stories = vec![feature(Some(link("Ceramics")), None), feature(None, None), feature(None, None)];
    let category = |picture| CategoryTileView { link: link("Ceramics"), picture };
    HomeView {
        hero: Some(feature(Some(link("Ceramics")), Some(picture()))),
        categories: vec![category(Some(picture())), category(None)],
        featured: tiles(),
        stories,
        newest: tiles(),
    }
}

fn listing() -> ListingView {
    let sort = |code, name, is_current| SortView { code, name: text(name), is_current };
    ListingView {
        title: text("Ceramics"),
        text: text("Stoneware."),
        path: text("/categories/ceramics"),
        above: vec![link("Kitchen")],
        below: vec![link("Mugs")],
        result: text("3 pieces"),
        filter: Some(filter()),
        sorts: vec![sort("featured", "Featured", false), sort("title", "Name", true)],
        sort: Some("title"),
        tiles: tiles(),
        first: Some(text("/categories/ceramics")),
        previous: Some(text("/categories/ceramics?before=x")),
        next: Some(text("/categories/ceramics?after=x")),
    }
}

fn filter() -> FilterView {
    let choice = |id: &str, swatch: Option<&str>| ChoiceView {
        id: text(id),
        field: text("option.Glaze"),
        value: text("Sea"),
        text: text("Sea"),
        swatch: swatch.map(text),
        count: swatch.map(|_| 2),
        is_chosen: swatch.is_some(),
    };
    FilterView {
        options: vec![GroupView {
            id: text("f0"),
            name: text("Glaze"),
            is_open: true,
            values: vec![choice("f0-0", Some("#3f6f73")), choice("f0-1", None)],
            more: vec![choice("f0-2", None)],
        }],
        range: Some(RangeView { symbol: text("EUR"), lowest: text("10"), highest: String::new(), lowest_hint: text("€10"), highest_hint: text("€90") }),
        availability: vec![choice("f-in_stock", None)],
        active: 1,
        chips: vec![ChipView { text: text("Sea"), swatch: Some(text("#3f6f73")), href: text("/categories/ceramics") }],
        clear: text("/categories/ceramics"),
        kept: vec![FieldView { name: text("option.Glaze"), value: text("Sea") }],
    }
}

fn cart() -> CartView {
    CartView {
        lines: lines(),
        totals: Some(totals()),
        added: Some(text("Harbour Pitcher")),
        is_completing: false,
        is_blocked: true,
        units: 3,
        announcement: text("3 items in your cart, €144.00."),
        tiles: Vec::new(),
    }
}

fn order() -> OrderView {
    OrderView {
        number: Some(text("TW-20481")),
        first_name: text("Ines"),
        status: StatusView { kind: "ok", text: text("Paid") },
        date: text("23 November 2026"),
        datetime: text("2026-11-23T11:04:00Z"),
        lines: lines(),
        totals: totals(),
        email: text("ines@example.com"),
        shipping_address: vec![text("Ines Albrecht"), text("Lindengasse 14")],
        billing_address: Some(vec![text("Ines Albrecht"), text("Hauptplatz 1")]),
        payment_name: Some(text("Bank transfer")),
        payment_text: Some(text("We send it once the transfer has arrived.")),
        href: text("/orders/ord_1"),
        is_pending: true,
        is_canceled: false,
        steps: ["done", "now", "todo"]
            .map(|stand| StepView { stand, text: text("Ordered"), note: Some(text("At once")), date: Some(text("23 November 2026")) })
            .into(),
    }
}

/// Every page in every language.
fn rendered() -> Vec<(&'static str, String)> {
    let languages = Languages::load();
    let templates = Templates::load(&Assets::load(), &languages);
    ["en", "de-AT"].iter().flat_map(|language| rendered_in(language, &templates, &languages)).collect()
}

fn rendered_in(language: &str, templates: &Templates, languages: &Languages) -> Vec<(&'static str, String)> {
    let shell = Shell { language: text(language), ..shell() };
    let bare = Shell { language: text(language), ..Shell::bare() };
    let tongue = &languages.tongue(&language.parse().unwrap());
    let messages = &languages.messages(language.split('-').next().unwrap());
    let render = |name: &'static str, view: &dyn Fn(&Shell) -> Result<String, Error>, shell: &Shell| {
        (name, view(shell).unwrap_or_else(|error| unreachable!("{name}: {error:#}")))
    };
    macro_rules! page {
        ($name:literal, $view:expr) => {
            page!($name, $view, &shell)
        };
        ($name:literal, $view:expr, $shell:expr) => {
            render($name, &|shell: &Shell| templates.render($name, shell, &$view), $shell)
        };
    }
    let error = |tiles| ErrorView { status: 404, title: text("This shelf is empty"), text: text("The page has moved."), again: None, is_alone: false, tiles };
    vec![
        page!("home.html", home()),
        page!("home.html", HomeView { hero: None, categories: Vec::new(), featured: Vec::new(), stories: Vec::new(), newest: Vec::new() }),
        page!("listing.html", listing()),
        page!(
            "listing.html",
            ListingView { tiles: Vec::new(), above: Vec::new(), below: Vec::new(), text: String::new(), filter: None, first: None, next: None, ..listing() }
        ),
        page!("listing.html", ListingView { tiles: Vec::new(), previous: None, first: None, next: None, ..listing() }),
        page!("product.html", product(true)),
        page!("product.html", product(false)),
        page!("cart.html", cart()),
        page!("cart.html", CartView { is_completing: true, is_blocked: false, added: None, ..cart() }),
        page!("cart.html", CartView { lines: Vec::new(), totals: None, tiles: tiles(), ..cart() }),
        page!("drawer.html", cart()),
        page!("drawer.html", CartView { added: None, is_completing: true, ..cart() }),
        page!("drawer.html", CartView { lines: Vec::new(), totals: None, added: None, is_blocked: false, ..cart() }),
        page!("refused.html", RefusedView { problem: text("Only 2 left.") }),
        page!("checkout.html", checkout(true, tongue)),
        page!("checkout.html", checkout(false, tongue)),
        page!("waiting.html", waiting(true, messages), &bare),
        page!("waiting.html", waiting(false, messages), &bare),
        page!("confirmation.html", order()),
        page!("order.html", order()),
        page!(
            "order.html",
            OrderView { number: None, billing_address: None, payment_name: None, payment_text: None, is_pending: false, is_canceled: true, ..order() }
        ),
        page!("error.html", error(tiles())),
        page!("error.html", error(Vec::new()), &bare),
        page!("error.html", ErrorView { status: 503, is_alone: true, again: Some(text("/cart")), ..error(Vec::new()) }),
    ]
}

#[test]
fn every_template_renders_with_sample_contexts() {
    let pages: BTreeSet<String> = rendered().into_iter().map(|(name, _)| name.to_owned()).collect();
    let all: BTreeSet<String> = Embedded::iter().map(|name| name.to_string()).filter(|name| name.ends_with(".html") && !name.starts_with('_')).collect();
    assert_eq!(pages, all);
}

#[test]
fn no_page_holds_what_the_content_security_policy_forbids() {
    for (name, html) in rendered() {
        assert!(!html.contains(" style=") && !html.contains("<style"), "{name}");
        let allowed = ["<script type=\"module\" src=\"/static/", "<script type=\"application/ld+json\">"].map(|start| html.matches(start).count());
        assert_eq!(html.matches("<script").count(), allowed.iter().sum::<usize>(), "{name}");
        // The last three of htmx's would have to be evaluated: scripts in attributes, values of scripts, filters of triggers.
        let evaluated = [" hx-on", "\"js:", "change["];
        for handler in [" onclick=", " onchange=", " onsubmit=", " onload=", "javascript:"].into_iter().chain(evaluated) {
            assert!(!html.contains(handler), "{name} holds {handler}");
        }
    }
}

#[test]
fn what_the_api_says_never_becomes_markup() {
    for (name, html) in rendered().into_iter().filter(|(_, html)| html.contains("Pitcher&gt;")) {
        assert!(html.contains("Harbour &lt;Pitcher&gt;") && !html.contains("<Pitcher"), "{name}");
    }
    assert!(rendered().iter().any(|(_, html)| html.contains("Saltmarsh &amp; Sons") && html.contains("alt=\"A &quot;tall&quot; pitcher\"")));
}

#[test]
fn labels_and_descriptions_point_at_one_element_each() {
    for (name, html) in rendered() {
        let ids: Vec<&str> = attribute(&html, " id=\"").collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name} repeats an id: {ids:?}");
        for target in attribute(&html, " for=\"").chain(attribute(&html, " aria-describedby=\"")).chain(attribute(&html, " aria-labelledby=\"")) {
            assert!(unique.contains(target), "{name} has no {target}");
        }
        // Parts of pages have none.
        assert_eq!(html.matches("<h1").count(), usize::from(html.contains("<html")), "{name}");
    }
}

fn attribute<'html>(html: &'html str, start: &'html str) -> impl Iterator<Item = &'html str> {
    html.split(start).skip(1).filter_map(|rest| rest.split('"').next())
}
