//! One field for everything.

use http::StatusCode;

use crate::browser::Browser;

#[tokio::test]
async fn orders_and_products_are_found_by_one_field_and_a_number_leads_to_its_order() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/search?q=mug").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["TW-10482", "Hanna Brandt", "Morning mug", "MUG-SEA", "/backoffice/orders?q=mug"] {
        assert!(page.has(text), "{text}");
    }
    let asked: Vec<_> = browser.world().asked.iter().map(|asked| asked.what.clone()).collect();
    for path in ["GET /admin/v1/orders?q=mug&limit=8", "GET /admin/v1/products?q=mug&limit=8"] {
        assert!(asked.iter().any(|asked| asked == path), "{path} in {asked:?}");
    }
    let order = browser.world().order.order.id;
    assert_eq!(browser.get("/backoffice/search?q=tw-10482").await.location(), format!("/backoffice/orders/{order}"));
}

#[tokio::test]
async fn the_field_stands_on_every_page_and_an_empty_search_asks_nothing() {
    let mut browser = Browser::signed_in();
    for path in ["/backoffice/orders", "/backoffice/products", "/backoffice/nowhere"] {
        let page = browser.get(path).await;
        assert!(page.has("href=\"/backoffice/search\"") && page.has("id=\"palette\""), "{path}");
    }
    browser.world().asked.clear();
    assert!(browser.get("/backoffice/search?q=+").await.has("Orders by number"));
    assert_eq!(browser.world().asked.len(), 1, "only who is signed in");
    let page = browser.get("/backoffice/search?q=%3Cb%3E").await;
    assert!(!page.html.contains("<b>\""), "escaped");
}

#[tokio::test]
async fn the_palette_is_answered_a_list_of_options_and_no_whole_page() {
    let mut browser = Browser::signed_in();
    let list = browser.get("/backoffice/search?part=palette&q=mug").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(!list.has("<html") && !list.has("<nav"));
    let order = browser.world().order.order.id;
    for text in ["role=\"option\"", "TW-10482", "Hanna Brandt, €64.00", "Morning mug", "MUG-SEA", "data-told="] {
        assert!(list.has(text), "{text}");
    }
    assert!(list.has(&format!("href=\"/backoffice/orders/{order}\"")));
    browser.world().asked.clear();
    let commands = browser.get("/backoffice/search?part=palette&q=%3Ecapture").await;
    assert!(commands.has("Orders to capture") && !commands.has("TW-10482"));
    assert_eq!(browser.world().asked.len(), 0, "pages and actions are known here");
    browser.cookie = None;
    assert_eq!(browser.get("/backoffice/search?part=palette&q=mug").await.status, StatusCode::SEE_OTHER);
}
