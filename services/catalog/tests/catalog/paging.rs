//! Leafing through lists.

use serde_json::json;
use testkit::Shop;

use crate::{create, open, single, slugs};

/// Twenty-three products, with prices, titles and moments that coincide.
async fn filled() -> Shop {
    let shop = open().await;
    for number in 0..23_i64 {
        let mut draft = single(&format!("thing-{number}"), 100 + number % 4);
        draft["title"] = json!(format!("{} thing", ["Äpfel", "boat", "Boat", "cup"][usize::try_from(number % 4).unwrap()]));
        create(&shop, &draft).await;
        if number % 3 == 0 {
            shop.wait(60);
        }
    }
    shop
}

async fn walk(shop: &Shop, path: &str, limit: u32) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = String::new();
    for _ in 0..50 {
        let reply = shop.staff("GET", &format!("{path}limit={limit}{after}")).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let found = slugs(&reply);
        assert!(found.len() <= usize::try_from(limit).unwrap());
        all.extend(found);
        let Some(next) = reply.json["next"].as_str() else { return all };
        after = format!("&after={next}");
    }
    panic!("{path} has no end: {all:?}");
}

#[tokio::test]
async fn every_order_walks_the_whole_list_once() {
    let shop = filled().await;
    for sort in ["featured", "price_ascending", "price_descending", "title", "newest"] {
        let path = format!("/store/v1/products?sort={sort}&");
        let whole = walk(&shop, &path, 100).await;
        let mut distinct = whole.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 23, "{sort}");
        for limit in [1, 5, 23] {
            assert_eq!(walk(&shop, &path, limit).await, whole, "{sort} by {limit}");
        }
    }
}

#[tokio::test]
async fn orders_are_what_they_say() {
    let shop = filled().await;
    let column = async |sort: &str, pointer: &str| {
        let reply = shop.read(&format!("/store/v1/products?limit=100&sort={sort}")).await;
        reply.json["items"].as_array().unwrap().iter().map(|item| item.pointer(pointer).unwrap().clone()).collect::<Vec<_>>()
    };
    let prices: Vec<i64> = column("price_ascending", "/price/amount").await.iter().map(|price| price.as_i64().unwrap()).collect();
    assert!(prices.is_sorted());
    let prices: Vec<i64> = column("price_descending", "/price/amount").await.iter().map(|price| price.as_i64().unwrap()).collect();
    assert!(prices.iter().rev().is_sorted());
    let titles: Vec<String> = column("title", "/title").await.iter().map(|title| title.as_str().unwrap().to_lowercase()).collect();
    assert_eq!(titles.first().map(String::as_str), Some("boat thing"));
    let newest: Vec<String> = walk(&shop, "/store/v1/products?sort=newest&", 100).await;
    assert_eq!((newest[0].as_str(), newest[22].as_str()), ("thing-22", "thing-0"));
    assert_eq!(walk(&shop, "/store/v1/products?", 100).await, newest.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn staff_walk_every_product_newest_first_published_or_not() {
    let shop = filled().await;
    let mut hidden = single("hidden", 1);
    hidden["published"] = json!(false);
    create(&shop, &hidden).await;
    let all = walk(&shop, "/admin/v1/products?", 7).await;
    assert_eq!((all.len(), all[0].as_str(), all[23].as_str()), (24, "hidden", "thing-0"));
    assert_eq!(walk(&shop, "/admin/v1/products?published=false&", 7).await, ["hidden"]);
    assert_eq!(walk(&shop, "/admin/v1/products?published=true&", 7).await.len(), 23);
}

#[tokio::test]
async fn staff_find_by_words_of_the_title_and_by_the_start_of_a_sku() {
    let shop = open().await;
    let mut pitcher = single("harbour-pitcher", 100);
    pitcher["title"] = json!("Harbour Pitcher 1.5 l");
    create(&shop, &pitcher).await;
    create(&shop, &single("bowl", 100)).await;
    let found = async |query: &str| slugs(&shop.staff("GET", &format!("/admin/v1/products?q={query}")).send().await);
    for query in ["pitch", "harbour+PITCHER", "pitcher%20harb", "1.5", "harbour-p", "HARBOUR-PITCHER", "%20pitcher%00"] {
        assert_eq!(found(query).await, ["harbour-pitcher"], "{query}");
    }
    for query in ["pitcher+bowl", "%25", "_owl", "itcher", "'", "%5C", "!%26%7C():*"] {
        assert_eq!(found(query).await, Vec::<String>::new(), "{query}");
    }
    assert_eq!(found("").await, ["bowl", "harbour-pitcher"]);
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let shop = filled().await;
    let next = shop.read("/store/v1/products?limit=5&sort=title").await.json["next"].as_str().unwrap().to_owned();
    shop.get(&format!("/store/v1/products?sort=newest&after={next}")).send().await.expect_problem(400, "invalid_query");
    shop.get(&format!("/store/v1/products?after={next}")).send().await.expect_problem(400, "invalid_query");
}
