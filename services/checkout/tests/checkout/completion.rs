use serde_json::{Value, json};

use crate::fixture::{Fixture, purchase};

#[tokio::test]
async fn a_guest_buys_by_bank_transfer_and_sees_the_order() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(2).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(2, "manual", None)).await.expect(200);
    assert_eq!(completion["status"], "placed");
    let order = &completion["order"];
    assert_eq!((&order["state"], &order["payment_status"]), (&json!("placed"), &json!("authorized")));
    assert_eq!(order["number"], "TW-1001");
    assert_eq!(order["totals"]["total"], json!({ "amount": 2490, "currency": "EUR" }));
    let seen: Value =
        fixture.shop.get(&format!("/store/v1/orders/{}", order["id"].as_str().unwrap())).header("x-order-token", &basket.token).send().await.expect(200);
    assert_eq!(&seen, order);
    let staff: Value = fixture.shop.staff("GET", &format!("/admin/v1/orders/{}", order["id"].as_str().unwrap())).send().await.expect(200);
    let told: Vec<&str> = staff["timeline"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(told, ["created", "placed"]);
    assert_eq!(fixture.level().await, (5, 2));
    assert_eq!(fixture.cart(&basket).await["state"], "completed");
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn staff_capture_what_was_bought_and_the_ledger_follows() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect(200);
    let path = format!("/admin/v1/orders/{}", completion["order"]["id"].as_str().unwrap());
    let seen = fixture.shop.staff("GET", &path).send().await;
    let captured: Value =
        fixture.shop.staff("POST", &format!("{path}/capture")).header("if-match", seen.header("etag")).json(&json!({})).send().await.expect(200);
    assert_eq!(captured["order"]["payment_status"], "paid");
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn staff_cancel_an_order_and_its_stock_and_money_go() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect(200);
    let path = format!("/admin/v1/orders/{}", completion["order"]["id"].as_str().unwrap());
    let seen = fixture.shop.staff("GET", &path).send().await;
    let canceled: Value =
        fixture.shop.staff("POST", &format!("{path}/cancel")).header("if-match", seen.header("etag")).json(&json!({})).send().await.expect(200);
    assert_eq!((&canceled["order"]["state"], &canceled["order"]["payment_status"]), (&json!("canceled"), &json!("voided")));
    assert_eq!(fixture.level().await, (5, 0));
    fixture.assert_books_balance().await;
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_later_and_says_so() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let first = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await;
    fixture.shop.wait(3_600);
    let again = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await;
    assert_eq!((first.status, &first.text), (200, &again.text));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    fixture.complete(&basket, "one", &purchase(2, "manual", None)).await.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_cart_that_is_an_order_is_refused_and_names_it() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    let completion: Value = fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect(200);
    let refused = fixture.complete(&basket, "two", &purchase(1, "manual", None)).await;
    refused.expect_problem(409, "cart_completed");
    assert_eq!(refused.json["context"]["order_id"], completion["order"]["id"]);
}

#[tokio::test]
async fn old_completions_are_forgotten_and_open_ones_are_not() {
    let fixture = Fixture::open(5).await;
    let basket = fixture.basket(1).await;
    fixture.complete(&basket, "one", &purchase(1, "manual", None)).await.expect_status(200);
    fixture.shop.wait(91 * 86_400);
    fixture.shop.work_off().await;
    let mut tx = fixture.shop.begin().await;
    tx.enqueue("checkout.sweep", &Value::Null, None, None).await.unwrap();
    tx.commit().await.unwrap();
    fixture.shop.work_off().await;
    fixture.resume(&basket).await.expect_problem(404, "completion_not_found");
}
