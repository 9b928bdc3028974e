//! What scripts of ours are answered, who put it into the page that is there.

use axum::body::Body;
use http::{Request, StatusCode, header};

use crate::browser::{Browser, Shown};

/// A form that htmx sends for an element of the page.
async fn send(browser: &Browser, address: &str, target: &str, fields: &[(&str, &str)]) -> Shown {
    let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::post(address)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, cookies.join("; "))
        .header("hx-request", "true")
        .header("hx-target", target);
    browser.raw(request.body(Body::from(serde_urlencoded::to_string(fields).unwrap())).unwrap()).await
}

const DRAWER: &str = "div#drawer-in";

#[tokio::test]
async fn what_is_put_into_the_cart_is_shown_in_the_drawer() {
    let browser = Browser::new();
    let shown = send(&browser, "/cart/lines", DRAWER, &[("product", "breakfast-tea"), ("quantity", "2")]).await;
    assert_eq!((shown.status, shown.header("cache-control")), (StatusCode::OK, "no-store"));
    assert!(shown.header("set-cookie").starts_with("cart="));
    shown.shows(&[
        "Breakfast &lt;Tea&gt; is in your cart.",
        "data-cart-now=\"2\"",
        "€22.00",
        "href=\"/checkout\"",
        "href=\"/cart\"",
        "2 items in your cart, €22.00.",
    ]);
    shown.hides(&["<html", "<h1"]);
}

#[tokio::test]
async fn a_refusal_is_put_beside_the_button_and_not_into_the_drawer() {
    let browser = Browser::new();
    let pitcher = [("product", "harbour-pitcher"), ("option.Glaze", "Chalk"), ("option.Size", "1.2 litre")];
    let shown = send(&browser, "/cart/lines", DRAWER, &pitcher).await;
    assert_eq!((shown.status, shown.header("hx-retarget")), (StatusCode::UNPROCESSABLE_ENTITY, "#refused"));
    shown.shows(&["It is not made in this combination.", "role=\"alert\""]).hides(&["<html"]);
    assert!(browser.api.memory().carts.is_empty());
}

#[tokio::test]
async fn quantities_change_in_the_drawer_and_on_the_page() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", "1")]).await;
    let line = browser.get("/cart").await;
    let line = line.html.split("id=\"cln_").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let address = format!("/cart/lines/cln_{line}");
    let shown = send(&browser, &address, DRAWER, &[("quantity", "1"), ("more", "1")]).await;
    shown.shows(&["data-cart-now=\"2\"", "€22.00"]).hides(&["<html", "is in your cart."]);
    let shown = send(&browser, &address, "div#cart", &[("quantity", "2"), ("more", "1")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    shown.shows(&["<html", "data-cart-now=\"3\"", "3 items in your cart, €33.00."]);

    let tea = browser.api.variant("breakfast-tea", &[]);
    browser.api.memory().stock.insert(tea, 3);
    for target in [DRAWER, "div#cart"] {
        let refused = send(&browser, &address, target, &[("quantity", "9")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{target}");
        refused.shows(&["Your quantity was not changed. There are 3.", "value=\"3\""]);
    }
    let empty = send(&browser, &address, DRAWER, &[("remove", "1")]).await;
    empty.shows(&["Your cart is empty.", "data-cart-now=\"0\"", "href=\"/cart\""]).hides(&["/checkout"]);
    // It was taken out in another tab.
    let gone = send(&browser, "/cart/lines/nonsense", DRAWER, &[("quantity", "1")]).await;
    assert_eq!(gone.header("hx-redirect"), "/cart");
}

#[tokio::test]
async fn a_list_is_the_same_page_for_a_script() {
    let mut browser = Browser::new();
    let page = browser.get("/products?in_stock=1").await;
    let request = Request::get("/products?in_stock=1").header(header::HOST, "127.0.0.1:8080").header("hx-request", "true").header("hx-target", "div#listing");
    let part = browser.raw(request.body(Body::empty()).unwrap()).await;
    let list = |shown: &Shown| shown.html.split_once("id=\"listing\"").unwrap().1.split_once("</main>").unwrap().0.to_owned();
    assert_eq!((part.status, list(&part)), (StatusCode::OK, list(&page)));
}
