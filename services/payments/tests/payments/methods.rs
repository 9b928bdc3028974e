//! How one can pay, over HTTP.

use payments_api::PaymentMethods;

use crate::Stand;

#[tokio::test]
async fn the_methods_of_a_channel_are_told_with_the_test_cards_of_the_sandbox() {
    let stand = Stand::open().await;
    for channel in ["default", "smoke"] {
        assert_eq!(stand.shop.get("/store/v1/payment-methods").header("x-channel", channel).send().await.status, 200, "{channel}");
    }
    let methods: PaymentMethods = stand.shop.get("/store/v1/payment-methods").header("x-channel", "default").send().await.expect(200);
    assert_eq!(methods.items.iter().map(|method| method.provider.as_str()).collect::<Vec<_>>(), ["manual", "sandbox"]);
    assert!(methods.items[0].test_cards.is_empty());
    let cards = &methods.items[1].test_cards;
    assert!(cards.len() >= 8 && cards.iter().all(|card| card.number.len() == 16 && card.number.starts_with("0000") && !card.behaviour.is_empty()));
}

#[tokio::test]
async fn the_methods_of_an_unknown_channel_are_a_problem() {
    let stand = Stand::open().await;
    stand.shop.get("/store/v1/payment-methods").header("x-channel", "nowhere").send().await.expect_problem(404, "channel_not_found");
    stand.shop.post("/store/v1/payment-methods").send().await.expect_problem(405, "method_not_allowed");
}
