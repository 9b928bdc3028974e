//! The list of staff.

use kernel::Page;
use orders_api::{OrderFigures, OrderSummary, SalesAnswer, SalesOfHour};
use payments_api::PaymentStatus;
use testkit::Shop;

use crate::stand::{CAPTURE_REFUSED, Plan, books_balance, euros, open, placed};

async fn list(shop: &Shop, query: &str) -> Page<OrderSummary> {
    shop.staff("GET", &format!("/admin/v1/orders{query}")).send().await.expect(200)
}

async fn emails(shop: &Shop, query: &str) -> Vec<String> {
    list(shop, query).await.items.into_iter().map(|order| order.email).collect()
}

#[tokio::test]
async fn orders_are_listed_newest_first_with_what_staff_need_to_know() {
    let shop = open().await;
    placed(&shop).await;
    shop.wait(1);
    let second = Plan { email: "grace@example.com", name: "Grace Hopper", ..Plan::default() }.placed(&shop).await;
    let page = list(&shop, "").await;
    assert_eq!(page.items.iter().map(|order| order.number.as_deref().unwrap()).collect::<Vec<_>>(), ["TW-1002", "TW-1001"]);
    let newest = &page.items[0];
    assert_eq!((newest.id, newest.name.as_str(), newest.item_count, newest.total), (second.id, "Grace Hopper", 3, euros(2_990)));
    assert_eq!(newest.payment_status, PaymentStatus::Authorized);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn trials_are_left_out_unless_their_channel_is_named() {
    let shop = open().await;
    placed(&shop).await;
    Plan { channel: 2, email: "smoke@example.com", ..Plan::default() }.placed(&shop).await;
    assert_eq!(emails(&shop, "").await, ["ada@example.com"]);
    assert_eq!(emails(&shop, "?channel=smoke").await, ["smoke@example.com"]);
    assert_eq!(emails(&shop, "?channel=default").await, ["ada@example.com"]);
    assert!(emails(&shop, "?channel=nowhere").await.is_empty());
    assert!(emails(&shop, "?q=smoke@example.com").await.is_empty());
    assert_eq!(emails(&shop, "?kind=test").await, ["smoke@example.com"]);
    assert_eq!(emails(&shop, "?kind=live").await, ["ada@example.com"]);
    assert!(emails(&shop, "?kind=live&channel=smoke").await.is_empty(), "both are meant");
    assert_eq!(list(&shop, "?kind=test").await.items[0].channel, "smoke");
}

#[tokio::test]
async fn orders_are_found_by_state_number_and_the_start_of_the_email() {
    let shop = open().await;
    placed(&shop).await;
    Plan { email: "Ada.B@example.com", ..Plan::default() }.pending(&shop).await;
    Plan { email: "a_d%a@example.com", ..Plan::default() }.pending(&shop).await.cancel_pending("card_declined").await;
    assert_eq!(emails(&shop, "?state=placed").await, ["ada@example.com"]);
    assert_eq!(emails(&shop, "?state=pending").await, ["Ada.B@example.com"]);
    assert_eq!(emails(&shop, "?state=canceled&q=a_d").await, ["a_d%a@example.com"]);
    assert_eq!(emails(&shop, "?q=tw-1001").await, ["ada@example.com"]);
    assert_eq!(emails(&shop, "?q=ADA.").await, ["Ada.B@example.com"], "letter case does not matter");
    assert_eq!(emails(&shop, "?q=a_d%25a").await, ["a_d%a@example.com"], "wildcards are letters");
    assert!(emails(&shop, "?q=%25").await.is_empty());
    assert_eq!(emails(&shop, "?q=TW-1").await, ["ada@example.com"], "the start of a number is enough");
    assert!(emails(&shop, "?q=1001").await.is_empty(), "a number is looked for from its start");
    assert_eq!(emails(&shop, "?q=&channel=").await.len(), 3, "an empty field of a form asks for nothing");
}

#[tokio::test]
async fn pages_show_every_order_once_even_of_one_moment_and_while_new_ones_come() {
    let shop = open().await;
    for _ in 0..7 {
        Plan::default().pending(&shop).await;
    }
    let mut seen = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = list(&shop, &query).await;
        assert!(page.items.len() <= 3);
        seen.extend(page.items.iter().map(|order| order.id));
        // A new order comes before what was seen, and does not push anything onto the next page.
        shop.wait(1);
        Plan::default().pending(&shop).await;
        let Some(next) = page.next else { break };
        query = format!("?limit=3&after={next}");
    }
    assert_eq!(seen.len(), 7);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn a_page_of_exactly_the_rest_has_no_next() {
    let shop = open().await;
    for _ in 0..2 {
        Plan::default().pending(&shop).await;
    }
    assert!(list(&shop, "?limit=2").await.next.is_none());
    assert!(list(&shop, "?limit=1").await.next.is_some());
}

#[tokio::test]
async fn viewers_may_look_and_nobody_else() {
    let shop = open().await;
    let order = placed(&shop).await;
    for path in ["/admin/v1/orders".to_owned(), order.path()] {
        assert_eq!(shop.get(&path).bearer(shop.pass().view_only()).send().await.status, 200);
        shop.get(&path).send().await.expect_problem(401, "unauthenticated");
        shop.get(&path).bearer(&order.token).send().await.expect_problem(401, "unauthenticated");
    }
    for what in ["capture", "cancel", "comments"] {
        let path = format!("{}/{what}", order.path());
        let body = if what == "comments" { serde_json::json!({ "text": "hello" }) } else { serde_json::json!({}) };
        let by = |token: &kernel::Token| shop.post(&path).bearer(token).header("if-match", "\"2\"").json(&body).send();
        by(shop.pass().view_only()).await.expect_problem(403, "forbidden");
        by(&order.token).await.expect_problem(401, "unauthenticated");
    }
    assert_eq!(order.story().await, ["created", "placed"]);
}

#[tokio::test]
async fn sales_are_told_by_the_hour_beside_those_of_the_same_weekday_before() {
    let shop = open().await;
    placed(&shop).await;
    shop.wait(7 * 86_400);
    placed(&shop).await;
    placed(&shop).await;
    Plan { channel: 2, ..Plan::default() }.placed(&shop).await;
    Plan::default().pending(&shop).await;
    let hour = i32::try_from(shop.clock().now().timestamp() % 86_400 / 3_600).unwrap();
    let sales: SalesAnswer = shop.staff("GET", "/admin/v1/sales").send().await.expect(200);
    assert_eq!(sales.day, [SalesOfHour { hour, order_count: 2, total: euros(5_980) }], "neither trials nor what is not paid");
    assert_eq!(sales.week_before, [SalesOfHour { hour, order_count: 1, total: euros(2_990) }]);
    assert_eq!((sales.begins_at.timestamp() % 86_400, sales.now), (0, shop.clock().now()));
    let day = sales.begins_at.format("%Y-%m-%d").to_string();
    assert_eq!(shop.staff("GET", &format!("/admin/v1/sales?day={day}")).send().await.expect::<SalesAnswer>(200), sales);
    let other: SalesAnswer = shop.staff("GET", "/admin/v1/sales?day=2001-02-03").send().await.expect(200);
    assert_eq!((other.day, other.week_before), (Vec::new(), Vec::new()));
    for wrong in ["yesterday", "2026-02-30", "1999-12-31", "-4000-01-01", "99999-01-01"] {
        shop.staff("GET", &format!("/admin/v1/sales?day={wrong}")).send().await.expect_problem(400, "invalid_query");
    }
    let canceled = placed(&shop).await;
    canceled.cancel(canceled.read().await.version).await.expect_status(200);
    assert_eq!(shop.staff("GET", "/admin/v1/sales").send().await.expect::<SalesAnswer>(200).day, sales.day, "what is canceled is no sale");
}

async fn figures(shop: &Shop) -> OrderFigures {
    shop.staff("GET", "/admin/v1/order-figures").send().await.expect(200)
}

const TO_CAPTURE: &str = "?state=placed&payment_status=authorized,partially_paid";

#[tokio::test]
async fn orders_are_found_by_how_they_stand_in_money_at_every_step() {
    let shop = open().await;
    Plan { email: "waiting@example.com", ..Plan::default() }.pending(&shop).await;
    Plan { channel: 2, email: "trial@example.com", ..Plan::default() }.placed(&shop).await;
    let order = placed(&shop).await;
    assert_eq!(emails(&shop, TO_CAPTURE).await, ["ada@example.com"]);
    assert_eq!(emails(&shop, "?payment_status=pending").await, ["waiting@example.com"]);
    assert_eq!(figures(&shop).await, OrderFigures { to_capture: 1, capture_failed: 0, pending: 1 }, "trials are not counted");

    // The answer to a capture has it noted already, before any worker hears of it.
    order.capture(order.read().await.version, Some(1_000)).await.expect_status(200);
    assert_eq!(emails(&shop, "?payment_status=partially_paid").await, ["ada@example.com"]);
    assert_eq!(emails(&shop, TO_CAPTURE).await, ["ada@example.com"]);
    order.capture(order.read().await.version, None).await.expect_status(200);
    assert!(emails(&shop, TO_CAPTURE).await.is_empty());
    assert_eq!(emails(&shop, "?payment_status=paid").await, ["ada@example.com"]);
    assert_eq!(figures(&shop).await.to_capture, 0);
    shop.work_off().await;
    assert_eq!(emails(&shop, "?payment_status=paid").await, ["ada@example.com"]);
    books_balance(&shop).await;

    let canceled = Plan { email: "gone@example.com", ..Plan::default() }.placed(&shop).await;
    canceled.cancel(canceled.read().await.version).await.expect_status(200);
    assert_eq!(emails(&shop, "?payment_status=voided").await, ["gone@example.com"]);
    for wrong in ["payment_status=held", "payment_status=paid,", "capture_failed=maybe", "kind=real", "sort=up", "from=today", "until=2026-02-30"] {
        shop.staff("GET", &format!("/admin/v1/orders?{wrong}")).send().await.expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_capture_that_a_worker_finishes_is_noted_too() {
    let shop = open().await;
    let order = placed(&shop).await;
    // As a request that died right after its first commit.
    let mut tx = shop.begin().await;
    payments::request_capture(&mut tx, order.id.uuid(), None).await.unwrap();
    tx.commit().await.unwrap();
    shop.wait(11);
    shop.work_off().await;
    assert_eq!(order.read().await.order.payment_status, PaymentStatus::Paid);
    assert_eq!(emails(&shop, "?payment_status=paid").await, ["ada@example.com"]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_failed_capture_waits_for_somebody_until_money_is_taken_or_let_go() {
    let shop = open().await;
    let order = Plan { card: Some(CAPTURE_REFUSED), ..Plan::default() }.placed(&shop).await;
    placed(&shop).await;
    assert!(emails(&shop, "?capture_failed=true").await.is_empty());
    order.capture(order.read().await.version, Some(1_000)).await.expect_status(200);
    let failed = list(&shop, "?capture_failed=true").await.items;
    assert_eq!(failed.iter().map(|order| (order.id, order.capture_failed)).collect::<Vec<_>>(), [(order.id, true)]);
    assert_eq!(emails(&shop, "?capture_failed=false").await.len(), 1);
    assert_eq!(figures(&shop).await, OrderFigures { to_capture: 2, capture_failed: 1, pending: 0 });
    shop.work_off().await;
    assert_eq!(order.story().await, ["created", "placed", "capture_requested", "capture_failed"]);
    let told = order.read().await.timeline.pop().unwrap();
    assert_eq!((told.detail.as_deref(), told.actor.as_str()), (Some("10.00 EUR capture_refused"), "system:orders.note_capture_failure"));
    assert_eq!(figures(&shop).await.capture_failed, 1, "news that comes later changes nothing");
    order.cancel(order.read().await.version).await.expect_status(200);
    assert_eq!(figures(&shop).await, OrderFigures { to_capture: 1, capture_failed: 0, pending: 0 });
    shop.work_off().await;
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_note_that_is_not_what_payments_say_is_found_by_the_check() {
    let shop = open().await;
    placed(&shop).await;
    books_balance(&shop).await;
    for wrong in ["update orders.order set payment_status = 'paid'", "update orders.order set payment_status = 'authorized', capture_failed = true"] {
        sqlx::query(wrong).execute(shop.context().db().writer()).await.unwrap();
        let mut conn = shop.context().db().read_latest().await.unwrap();
        let found = db::check::list_findings(&mut conn, &orders::checks(), shop.context().now()).await.unwrap();
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
    }
}

#[tokio::test]
async fn orders_are_found_by_the_days_they_were_made_on_and_may_come_oldest_first() {
    let shop = open().await;
    let day = |shop: &Shop| shop.clock().now().format("%Y-%m-%d").to_string();
    let mut days = Vec::new();
    for email in ["first@example.com", "second@example.com", "third@example.com"] {
        days.push(day(&shop));
        Plan { email, ..Plan::default() }.pending(&shop).await;
        shop.wait(86_400);
    }
    assert_eq!(emails(&shop, &format!("?from={}", days[1])).await, ["third@example.com", "second@example.com"]);
    assert_eq!(emails(&shop, &format!("?until={}", days[1])).await, ["second@example.com", "first@example.com"]);
    assert_eq!(emails(&shop, &format!("?from={}&until={}", days[1], days[1])).await, ["second@example.com"]);
    assert_eq!(emails(&shop, "?from=&until=&payment_status=").await.len(), 3, "an empty field of a form asks for nothing");
    let page = list(&shop, "?sort=oldest&limit=2").await;
    let seen: Vec<_> = page.items.iter().map(|order| order.email.as_str()).collect();
    assert_eq!(seen, ["first@example.com", "second@example.com"]);
    assert_eq!(emails(&shop, &format!("?sort=oldest&limit=2&after={}", page.next.unwrap())).await, ["third@example.com"]);
}
