//! Buying: cart, checkout, payment, order.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use client::Client;
use http::StatusCode;
use orders_api::OrderState;
use payments_api::PaymentStatus;
use platform::lifecycle::Tasks;
use tokio::net::TcpListener;

use crate::api::{APPROVED, DECLINED, LATE, LOST, SECOND_STEP};
use crate::browser::{Browser, Shown, shop};

const TEA: [(&str, &str); 2] = [("product", "breakfast-tea"), ("quantity", "2")];

/// The form as an honest browser sends it: what stands in its hidden fields, and what a shopper types.
fn filled<'typed>(page: &Shown, typed: &'typed [(&'typed str, &'typed str)]) -> Vec<(String, String)> {
    let hidden = ["key", "cart", "expected_amount", "expected_currency"].map(|name| (name.to_owned(), page.value(name)));
    let usual = [
        ("email", "ines@example.com"),
        ("country", "AT"),
        ("name", "Ines Albrecht"),
        ("street", "Lindengasse 14"),
        ("postcode", "1070"),
        ("city", "Wien"),
        ("payment", "sandbox"),
        ("test_card", APPROVED),
        ("billed_there", "on"),
    ];
    let kept = usual.iter().filter(|(name, _)| !typed.iter().any(|(typed, _)| typed == name));
    hidden.into_iter().chain(kept.chain(typed).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

async fn send(browser: &mut Browser, form: &[(String, String)]) -> Shown {
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post("/checkout", &fields).await
}

/// A browser at the checkout with two teas.
async fn at_checkout() -> (Browser, Shown) {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &TEA).await;
    let page = browser.get("/checkout").await;
    assert_eq!((page.status, page.address.as_str()), (StatusCode::OK, "/checkout"));
    (browser, page)
}

async fn buy(mut browser: Browser) {
    let pitcher = [("product", "harbour-pitcher"), ("option.Glaze", "Rust"), ("option.Size", "1.2 litre"), ("quantity", "1")];
    let cart = browser.post("/cart/lines", &pitcher).await;
    cart.shows(&["Harbour Pitcher is in your cart.", "Rust, 1.2 litre", "€52.90", "Cart, 1 item\""]);
    let page = browser.get("/checkout").await;
    page.shows(&["Order and pay €52.90", "<option value=\"AT\" selected>Austria</option>", "Bank transfer", "Approved at once · 1000"]);
    let thanks = send(&mut browser, &filled(&page, &[])).await;
    assert!(thanks.address.starts_with("/checkout/thanks/ord_"), "{}", thanks.address);
    thanks.shows(&["Thank you, Ines", "TW-20481", "Payment confirmed", "Ines Albrecht, Lindengasse 14, 1070 Wien, Austria", "Cart, 0 items"]);
    assert_eq!(thanks.header("cache-control"), "no-store");
    let order = browser.get(&thanks.address.replace("/checkout/thanks/", "/orders/")).await;
    order.shows(&["<span class=\"num\">Order TW-20481</span>", "23 November 2026", "Test card", "ines@example.com"]);
}

#[tokio::test]
async fn a_guest_buys_with_the_api_in_the_same_process() {
    buy(Browser::new()).await;
}

#[tokio::test]
async fn a_guest_buys_with_the_api_on_another_machine() {
    let api = shop();
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let tasks = Tasks::new();
    tasks.spawn("server", platform::http::serve(listener, api.router(), tasks.clone(), tokio_util::sync::CancellationToken::new(), Duration::ZERO));
    let client = Client::http(reqwest::Client::builder().build().unwrap(), &address, "let us in".into()).unwrap();
    buy(Browser::over(api, client, "http://127.0.0.1:8080")).await;
}

#[tokio::test]
async fn a_choice_that_cannot_be_had_says_why_and_stays_chosen() {
    let mut browser = Browser::new();
    let variant = browser.api.variant("harbour-pitcher", &["Sea", "1.2 litre"]);
    browser.api.memory().stock.insert(variant, 0);
    let choice = [("product", "harbour-pitcher"), ("option.Glaze", "Sea"), ("option.Size", "1.2 litre"), ("quantity", "1")];
    let page = browser.post("/cart/lines", &choice).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    page.shows(&["This choice is sold out. Choose another.", "value=\"1.2 litre\" data-choice checked"]);

    browser.api.memory().stock.insert(variant, 3);
    let more = [("product", "harbour-pitcher"), ("option.Glaze", "Sea"), ("option.Size", "1.2 litre"), ("quantity", "4")];
    let page = browser.post("/cart/lines", &more).await;
    page.shows(&["Only 3 left"]);
    assert_eq!(page.value("quantity"), "4");

    let unmade = [("product", "harbour-pitcher"), ("option.Glaze", "Chalk"), ("option.Size", "1.2 litre"), ("quantity", "1")];
    let page = browser.post("/cart/lines", &unmade).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.shows(&["It is not made in this combination."]);
    for quantity in ["0", "-1", "many", "10000"] {
        let page = browser.post("/cart/lines", &[("product", "breakfast-tea"), ("quantity", quantity)]).await;
        page.shows(&["Choose a quantity from 1 to 9999."]);
    }
}

#[tokio::test]
async fn quantities_are_stepped_typed_and_taken_out() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &TEA).await;
    let cart = browser.get("/cart").await;
    let line = cart.html.split("action=\"/cart/lines/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let address = format!("/cart/lines/{line}");
    let change = async |browser: &mut Browser, fields: &[(&str, &str)]| browser.post(&address, fields).await;

    change(&mut browser, &[("quantity", "2"), ("more", "1")]).await.shows(&["Cart, 3 items", "€11.00 each", "€33.00", "€37.90"]);
    change(&mut browser, &[("quantity", "3"), ("less", "1")]).await.shows(&["Cart, 2 items"]);
    change(&mut browser, &[("quantity", "7")]).await.shows(&["Cart, 7 items"]);
    let refused = change(&mut browser, &[("quantity", "101")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows(&["Your quantity was not changed. There are 100.", "Cart, 7 items"]);
    change(&mut browser, &[("quantity", "lots")]).await.shows(&["Choose a quantity from 1 to 9999."]);
    change(&mut browser, &[("quantity", "7"), ("remove", "1")]).await.shows(&["Your cart is empty.", "Have a look at these"]);
    // Another tab still shows the line.
    change(&mut browser, &[("quantity", "7")]).await.shows(&["Your cart is empty."]);
}

#[tokio::test]
async fn a_cart_that_is_gone_is_forgotten_and_the_next_one_begins() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &TEA).await;
    browser.api.memory().carts.clear();
    browser.get("/cart").await.shows(&["Your cart is empty."]);
    assert!(browser.cookies.is_empty());
    browser.post("/cart/lines", &TEA).await;
    browser.api.memory().carts.clear();
    browser.post("/cart/lines", &TEA).await.shows(&["Cart, 2 items"]);
}

#[tokio::test]
async fn changes_under_the_shoppers_hands_are_said_in_the_cart() {
    let mut browser = Browser::new();
    browser.post("/cart/lines", &TEA).await;
    let tea = browser.api.variant("breakfast-tea", &[]);
    browser.api.set_price(tea, 1_250);
    browser.get("/cart").await.shows(&["This was €11.00 when you added it. It is €12.50 now.", "href=\"/checkout\">Go to checkout"]);
    browser.api.memory().stock.insert(tea, 1);
    browser.get("/cart").await.shows(&["Only 1 left.", "Take 1", "disabled>Go to checkout"]);
    assert_eq!(browser.get("/checkout").await.address, "/cart");
}

#[tokio::test]
async fn errors_stand_beside_their_fields_and_nothing_typed_is_lost() {
    let (mut browser, page) = at_checkout().await;
    let form = filled(&page, &[("postcode", "107"), ("name", ""), ("extra", "Top \"floor\""), ("billed_there", "")]);
    let form: Vec<_> = form.into_iter().filter(|(name, _)| name != "billed_there").chain([("billing_city".to_owned(), "Graz".to_owned())]).collect();
    let again = send(&mut browser, &form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    again.shows(&[
        "Postcodes of this country have four digits, such as 1070.",
        "Enter your first and last name.",
        "<a href=\"#name\">name</a>",
        "Nothing else was lost.",
        "aria-invalid=\"true\" aria-describedby=\"postcode-d\"",
    ]);
    for (name, value) in
        [("postcode", "107"), ("street", "Lindengasse 14"), ("email", "ines@example.com"), ("extra", "Top &quot;floor&quot;"), ("billing_city", "Graz")]
    {
        assert_eq!(again.value(name), value);
    }
    again.shows(&["value=\"sandbox\" checked"]).hides(&["name=\"billed_there\" checked"]);
    assert!(browser.api.orders().is_empty());
    let thanks = send(&mut browser, &filled(&again, &[])).await;
    thanks.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn what_the_api_finds_wrong_stands_beside_its_field_too() {
    let (mut browser, page) = at_checkout().await;
    let again = send(&mut browser, &filled(&page, &[("country", "FR"), ("postcode", "75011")])).await;
    again.shows(&["Choose a country we deliver to.", "<a href=\"#country\">country</a>"]);
    let again = send(&mut browser, &filled(&again, &[("test_card", "4242424242424242")])).await;
    again.shows(&["Choose one of the test cards."]).hides(&["4242424242424242"]);
}

#[tokio::test]
async fn a_form_sent_twice_buys_once() {
    let (mut browser, page) = at_checkout().await;
    let form = filled(&page, &[]);
    let cookies = browser.cookies.clone();
    let first = send(&mut browser, &form).await;
    // The second request left before the first was answered, so it carries the old cookies.
    let after = std::mem::replace(&mut browser.cookies, cookies);
    let second = send(&mut browser, &form).await;
    assert_eq!(first.address, second.address);
    // And once more when the browser has already forgotten the cart.
    browser.cookies = after;
    let third = send(&mut browser, &form).await;
    assert_eq!(first.address, third.address);
    assert_eq!(browser.api.orders().len(), 1);
}

#[tokio::test]
async fn another_total_is_shown_before_it_is_paid() {
    let (mut browser, page) = at_checkout().await;
    let tea = browser.api.variant("breakfast-tea", &[]);
    browser.api.set_price(tea, 1_250);
    let again = send(&mut browser, &filled(&page, &[])).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows(&["The total is €29.90 now; it was €26.90 when you saw it.", "This was €11.00 when you added it. It is €12.50 now.", "Order and pay €29.90"]);
    assert_ne!(again.value("key"), page.value("key"));
    assert!(browser.api.orders().is_empty());
    send(&mut browser, &filled(&again, &[])).await.shows(&["Thank you, Ines", "€29.90"]);
}

#[tokio::test]
async fn a_cart_that_asks_for_too_much_is_brought_down_without_losing_the_form() {
    let (mut browser, page) = at_checkout().await;
    let tea = browser.api.variant("breakfast-tea", &[]);
    browser.api.memory().stock.insert(tea, 1);
    let again = send(&mut browser, &filled(&page, &[("extra", "Top 4")])).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows(&["Not everything is there any more", "Only 1 left.", "Keep what is there"]);
    let mut form = filled(&again, &[("extra", "Top 4")]);
    form.push(("adjust".to_owned(), "1".to_owned()));
    let less = send(&mut browser, &form).await;
    less.shows(&["Order and pay €15.90"]).hides(&["Only 1 left."]);
    assert_eq!(less.value("extra"), "Top 4");
    send(&mut browser, &filled(&less, &[])).await.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn a_declined_payment_says_why_and_can_be_tried_again() {
    let (mut browser, page) = at_checkout().await;
    let again = send(&mut browser, &filled(&page, &[("test_card", DECLINED), ("phone", "+43 1 2345")])).await;
    assert_eq!(again.status, StatusCode::PAYMENT_REQUIRED);
    again.shows(&["The payment was declined", "Nothing was charged.", &format!("<option value=\"{DECLINED}\" selected>")]);
    assert_eq!(again.value("phone"), "+43 1 2345");
    assert_ne!(again.value("key"), page.value("key"));
    send(&mut browser, &filled(&again, &[])).await.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn a_second_step_leads_to_the_provider_and_back() {
    let (mut browser, page) = at_checkout().await;
    let sent = send(&mut browser, &filled(&page, &[("test_card", SECOND_STEP)])).await;
    assert_eq!((sent.status, sent.location()), (StatusCode::SEE_OTHER, "/sandbox/payments/pay_1"));
    let back = browser.get("/checkout/return").await;
    back.shows(&["Your payment is not confirmed yet", "href=\"/sandbox/payments/pay_1\""]);
    assert_eq!(back.header("refresh"), "");
    // Meanwhile the cart is shut.
    assert_eq!(browser.get("/checkout").await.address, "/checkout/return");
    browser.get("/cart").await.shows(&["This cart is being paid for right now."]);
    browser.api.memory().is_confirmed = true;
    browser.get("/checkout/return").await.shows(&["Thank you, Ines"]);
    // A reload of the page that led on.
    browser.get("/checkout/return").await.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn a_second_step_that_is_refused_brings_the_form_back_filled() {
    let (mut browser, page) = at_checkout().await;
    send(&mut browser, &filled(&page, &[("test_card", SECOND_STEP)])).await;
    browser.api.memory().channel.name = "declines".to_owned();
    let again = browser.get("/checkout/return").await;
    assert_eq!(again.status, StatusCode::PAYMENT_REQUIRED);
    again.shows(&["The payment was canceled", "value=\"sandbox\" checked"]);
    for (name, value) in [("email", "ines@example.com"), ("name", "Ines Albrecht"), ("postcode", "1070")] {
        assert_eq!(again.value(name), value);
    }
    send(&mut browser, &filled(&again, &[])).await.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn a_payment_that_takes_its_time_is_waited_for() {
    let (mut browser, page) = at_checkout().await;
    browser.api.memory().resumes = 5;
    let waiting = send(&mut browser, &filled(&page, &[("test_card", LATE)])).await;
    assert_eq!((waiting.status, waiting.address.as_str(), waiting.header("refresh")), (StatusCode::OK, "/checkout/return", "3"));
    waiting.shows(&["Your payment is being confirmed"]);
    let order = format!("/orders/{}", browser.api.orders()[0].id);
    browser.get(&order).await.shows(&["Waiting for the payment", "See how the payment stands"]);
    browser.api.memory().is_confirmed = true;
    browser.get("/checkout/return").await.shows(&["Thank you, Ines"]);
}

#[tokio::test]
async fn a_lost_answer_keeps_the_key_so_that_sending_again_buys_once() {
    let (mut browser, page) = at_checkout().await;
    let again = send(&mut browser, &filled(&page, &[("test_card", LOST)])).await;
    assert_eq!(again.status, StatusCode::SERVICE_UNAVAILABLE);
    again.shows(&["We did not hear back in time", "it counts once"]);
    assert_eq!(again.value("key"), page.value("key"));
    send(&mut browser, &filled(&again, &[("test_card", LOST)])).await.shows(&["Thank you, Ines"]);
    assert_eq!(browser.api.orders().len(), 1);
}

#[tokio::test]
async fn a_transfer_is_ordered_and_said_to_be_awaited() {
    let (mut browser, page) = at_checkout().await;
    send(&mut browser, &filled(&page, &[("payment", "manual")])).await.shows(&["Payment to come", "We send your order once the transfer has arrived."]);
    assert!(browser.api.orders()[0].payment_provider.as_deref() == Some("manual"));
}

#[tokio::test]
async fn an_order_opens_for_the_browser_that_made_it_only() {
    let (mut browser, page) = at_checkout().await;
    let thanks = send(&mut browser, &filled(&page, &[])).await;
    browser.cookies.clear();
    assert_eq!(browser.get(&thanks.address).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&thanks.address.replace("checkout/thanks", "orders")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_empty_cart_has_no_checkout() {
    let mut browser = Browser::new();
    assert_eq!(browser.get("/checkout").await.address, "/cart");
    assert_eq!(browser.get("/checkout/return").await.address, "/cart");
    assert_eq!(browser.post("/checkout", &[("cart", "crt_1")]).await.address, "/cart");
}

#[tokio::test]
async fn the_carts_secret_lies_in_a_cookie_that_scripts_and_other_hosts_do_not_see() {
    let mut browser = Browser::at("https://shop.example");
    let added = browser.once("POST", "/cart/lines", Some("product=breakfast-tea&quantity=1".to_owned())).await;
    let cookie = added.header("set-cookie");
    assert!(cookie.starts_with("__Host-cart=crt_"), "{cookie}");
    for property in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(property), "{cookie}");
    }
    let token = browser.cookies.get("__Host-cart").unwrap().split('.').nth(1).unwrap().to_owned();
    browser.get("/cart").await.hides(&[&token]);
    browser.get("/checkout").await.hides(&[&token]);
}

/// A channel in German is German from the first page to the order, with the ways Germans write amounts and dates.
#[tokio::test]
async fn the_channels_language_is_that_of_every_page() {
    let mut browser = Browser::new();
    browser.api.memory().channel.locale = "de-DE".parse().unwrap();
    browser.get("/").await.shows(&["<html lang=\"de-DE\"", "Was suchen Sie?", "Standard delivery für 4,90\u{a0}€", "data-many=\"Warenkorb, {count} Stück\""]);
    browser.get("/products").await.shows(&["Alle Stücke", "Preis aufsteigend", "3 Stücke", "Ab 38,00\u{a0}€"]);
    browser.get("/products/moon-vase").await.shows(&["Ausverkauft", "In den Warenkorb"]);
    browser.get("/nothing").await.shows(&["Dieses Regal ist leer"]);
    browser.post("/cart/lines", &TEA).await.shows(&["Warenkorb, 2 Stück", "Zwischensumme", "je 11,00\u{a0}€"]);
    let page = browser.get("/checkout").await;
    page.shows(&["<option value=\"AT\" selected>Österreich</option>", "Überweisung", "Zahlungspflichtig bestellen: 26,90\u{a0}€", "Sofort angenommen"]);
    let wrong = send(&mut browser, &filled(&page, &[("postcode", "1"), ("city", "")])).await;
    wrong.shows(&["2 Angaben brauchen einen Blick:", "Postleitzahlen dieses Landes haben vier Ziffern, zum Beispiel 1070.", "Bitte geben Sie den Ort ein."]);
    let declined = send(&mut browser, &filled(&wrong, &[("test_card", DECLINED)])).await;
    declined.shows(&["Die Zahlung wurde abgelehnt"]).hides(&["declined", "Nothing"]);
    let thanks = send(&mut browser, &filled(&declined, &[])).await;
    thanks.shows(&["Vielen Dank, Ines", "Bestellung TW-20481 ist eingegangen.", "Zahlung bestätigt", "1070 Wien, Österreich"]);
    browser.get(&thanks.address.replace("/checkout/thanks/", "/orders/")).await.shows(&["Bestellt am 23. November 2026."]);
}

#[tokio::test]
async fn an_order_says_how_far_it_has_come_and_nothing_that_nobody_knows() {
    let (mut browser, page) = at_checkout().await;
    send(&mut browser, &filled(&page, &[("payment", "manual")])).await;
    let id = browser.api.orders()[0].id;
    let address = format!("/orders/{id}");
    let change = |browser: &Browser, change: &dyn Fn(&mut orders_api::OrderAnswer)| change(&mut browser.api.memory().orders.get_mut(&id).unwrap().1);

    let shown = browser.get(&address).await;
    shown.shows(&[
        "<strong>Ordered</strong>",
        "aria-current=\"step\"><strong>Payment to come</strong>",
        "<li class=\"todo\"><strong>Paid</strong>",
        "We send your order",
    ]);
    change(&browser, &|order| order.payment_status = PaymentStatus::Paid);
    let shown = browser.get(&address).await;
    shown.shows(&["aria-current=\"step\"><strong>Paid</strong>"]).hides(&["class=\"todo\"", "We send your order"]);

    // Its payment was declined before it was a sale.
    change(&browser, &|order| {
        order.state = OrderState::Canceled;
        order.payment_status = PaymentStatus::Pending;
        (order.number, order.placed_at, order.cancel_reason) = (None, None, Some("card_declined".to_owned()));
    });
    let shown = browser.get(&address).await;
    shown.shows(&[
        "<h1>Your order</h1>",
        "aria-current=\"step\"><strong>Canceled</strong>",
        "The payment was declined",
        "There is nothing to pay.",
        "href=\"/cart\">Back to cart",
    ]);
    shown.hides(&["Payment to come", "We send your order", "class=\"todo\""]);
}
