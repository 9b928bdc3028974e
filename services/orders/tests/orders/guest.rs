//! A guest's order page.

use kernel::Token;
use orders_api::OrderAnswer;

use crate::stand::{Plan, open, placed};

#[tokio::test]
async fn an_order_opens_with_the_secret_of_its_cart() {
    let shop = open().await;
    let order = placed(&shop).await;
    let reply = shop.get(&format!("/store/v1/orders/{}", order.id)).header("x-order-token", &order.token).send().await;
    assert_eq!(reply.expect::<OrderAnswer>(200), order.read().await.order);
    assert_eq!(reply.header("cache-control"), "no-store");
    let pending = Plan::default().pending(&shop).await;
    let reply = shop.get(&format!("/store/v1/orders/{}", pending.id)).header("x-order-token", &pending.token).send().await;
    assert_eq!(reply.expect::<OrderAnswer>(200).number, None, "one may look while the payment runs");
}

#[tokio::test]
async fn a_wrong_or_missing_secret_and_an_unknown_order_are_answered_alike() {
    let shop = open().await;
    let (order, other) = (placed(&shop).await, placed(&shop).await);
    let path = format!("/store/v1/orders/{}", order.id);
    let mut answers = vec![shop.get(&path).send().await];
    for secret in [other.token.reveal(), Token::generate().reveal(), "nonsense".to_owned(), String::new()] {
        answers.push(shop.get(&path).header("x-order-token", &secret).send().await);
    }
    answers.push(shop.get("/store/v1/orders/ord_01h00000000000000000000000").header("x-order-token", &order.token).send().await);
    for answer in &answers {
        answer.expect_problem(404, "order_not_found");
        assert_eq!(answer.json, answers[0].json);
    }
    // The staff's token does not open it either: it is another surface.
    shop.staff("GET", &path).send().await.expect_problem(404, "order_not_found");
}
