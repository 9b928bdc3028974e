//! Views that staff keep for themselves.

use identity_api::{MOST_SAVED_VIEWS, Role, SavedViewAnswer, SavedViewList};
use kernel::Token;
use serde_json::json;
use testkit::{Reply, Shop};

use crate::stand::{join, number, open, owner, starting_line};

const VIEWS: &str = "/admin/v1/saved-views";

async fn keep(shop: &Shop, token: &Token, name: &str) -> Reply {
    shop.post(VIEWS).bearer(token).json(&json!({ "list": "orders", "name": name, "query": "state=placed&payment=held" })).send().await
}

async fn names(shop: &Shop, token: &Token) -> Vec<String> {
    let list: SavedViewList = shop.get(&format!("{VIEWS}?list=orders")).bearer(token).send().await.expect(200);
    list.items.into_iter().map(|view| view.name).collect()
}

#[tokio::test]
async fn a_view_is_kept_and_forgotten_by_whoever_made_it_and_seen_by_nobody_else() {
    let shop = open().await;
    let (ada, ben) = (owner(&shop).await.token, join(&shop, "ben@example.com", Role::Viewer).await.token);
    let kept: SavedViewAnswer = keep(&shop, &ada, "  Big ones ").await.expect(201);
    assert_eq!((kept.name.as_str(), kept.query.as_str()), ("Big ones", "state=placed&payment=held"));
    shop.wait(1);
    keep(&shop, &ada, "Late ones").await.expect_status(201);
    assert_eq!(names(&shop, &ada).await, ["Big ones", "Late ones"]);
    assert!(names(&shop, &ben).await.is_empty());
    assert_eq!(keep(&shop, &ben, "Big ones").await.status, 201, "others may use the same name, viewers too");
    let path = format!("{VIEWS}/{}", kept.id);
    shop.request("DELETE", &path).bearer(&ben).send().await.expect_problem(404, "saved_view_not_found");
    shop.request("DELETE", &path).bearer(&ada).send().await.expect_status(204);
    shop.request("DELETE", &path).bearer(&ada).send().await.expect_problem(404, "saved_view_not_found");
    assert_eq!(names(&shop, &ada).await, ["Late ones"]);
    shop.get(&format!("{VIEWS}?list=orders")).send().await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_view_has_a_name_of_its_own_and_a_query_that_fits_an_address() {
    let shop = open().await;
    let token = owner(&shop).await.token;
    keep(&shop, &token, "Mine").await.expect_status(201);
    assert_eq!(keep(&shop, &token, "Mine").await.expect_problem(409, "view_name_taken").json["errors"][0]["pointer"], "/name");
    for name in ["", "  ", "a\nb", &"x".repeat(41)] {
        keep(&shop, &token, name).await.expect_problem(422, "invalid_body");
    }
    let with = |query: String| shop.post(VIEWS).bearer(&token).json(&json!({ "list": "orders", "name": "Other", "query": query })).send();
    for query in ["a b".to_owned(), "a\nb".to_owned(), "q=\u{e9}".to_owned(), "x".repeat(1_001)] {
        with(query).await.expect_problem(422, "invalid_body");
    }
    with(String::new()).await.expect_status(201);
    shop.post(VIEWS).bearer(&token).json(&json!({ "list": "planets", "name": "N", "query": "" })).send().await.expect_problem(422, "invalid_body");
    shop.get(&format!("{VIEWS}?list=planets")).bearer(&token).send().await.expect_problem(400, "invalid_query");
}

#[tokio::test]
async fn no_more_views_are_kept_than_may_be_not_even_at_the_same_moment() {
    let shop = open().await;
    let token = owner(&shop).await.token;
    for number in 1..MOST_SAVED_VIEWS {
        keep(&shop, &token, &number.to_string()).await.expect_status(201);
    }
    let line = starting_line(4);
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (shop, token, line) = (shop.clone(), token.clone(), line.clone());
        tries.spawn(async move {
            line.wait().await;
            keep(&shop, &token, &format!("at once {number}")).await.status
        });
    }
    let mut statuses = tries.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    assert_eq!(number(&shop, "select count(*) from identity.saved_view").await, MOST_SAVED_VIEWS);
    keep(&shop, &token, "one more").await.expect_problem(409, "too_many_views");
}
