//! What a set of services looks like from outside.

use crate::kitchen::{Tries, open};

#[tokio::test]
async fn a_shop_of_services_without_staff_routes_opens_and_answers_unknown_routes_with_problems() {
    let shop = open(&Tries::default()).await;
    shop.get("/store/v1/nothing").send().await.expect_problem(404, "route_not_found");
    shop.staff("GET", "/admin/v1/nothing").send().await.expect_problem(404, "route_not_found");
    let reply = shop.get("/store/v1/dishes").send().await;
    reply.expect_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "POST");
}
