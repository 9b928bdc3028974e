//! Every level with the name of what lies there, edited in place; and the journal of one variant.

use http::StatusCode;
use identity_api::Role;

use crate::browser::Browser;

const PATH: &str = "/backoffice/inventory";
const SAVE: &str = "/backoffice/inventory/levels";

fn cell(browser: &Browser) -> String {
    let level = browser.world().levels[0].clone();
    format!("stock.{}.{}", level.location_id, level.variant_id)
}

#[tokio::test]
async fn levels_are_shown_by_name_and_changed_in_place() {
    let mut browser = Browser::signed_in();
    let page = browser.get(PATH).await;
    for text in ["Morning mug", "Sea", "MUG-SEA", "Rotterdam", "On hand in Rotterdam, Morning mug, Sea"] {
        assert!(page.has(text), "{text}");
    }
    let cell = cell(&browser);
    let variant = browser.world().levels[0].variant_id;
    assert!(browser.world().asked.iter().any(|asked| asked.what == format!("GET /admin/v1/products?variant_ids={variant}")));
    let done = browser.submit(&page, SAVE, &[(&cell, "+5"), ("reason", "received")]).await;
    assert_eq!(done.location(), format!("{PATH}?done=stock"));
    assert!(browser.changes().pop().unwrap().body.contains(r#""delta":5,"reason":"received""#));
    assert_eq!(browser.world().levels[0].on_hand, 23);
    let page = browser.follow(done).await;
    assert!(page.has("The stock is saved.") && page.has("value=\"23\""));
    assert_eq!(browser.get(SAVE).await.location(), PATH, "reloading leads back");
    let nothing = browser.submit(&page, SAVE, &[]).await;
    assert_eq!(nothing.location(), format!("{PATH}?done=nothing"));
}

#[tokio::test]
async fn a_cell_that_cannot_be_read_or_was_counted_by_somebody_else_keeps_what_was_typed() {
    let mut browser = Browser::signed_in();
    let page = browser.get(PATH).await;
    let cell = cell(&browser);
    let wrong = browser.submit(&page, SAVE, &[(&cell, "1O")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.has("Nothing is saved yet.") && wrong.has("value=\"1O\"") && wrong.has("aria-invalid"));
    browser.world().meanwhile = Some(|world| {
        world.levels[0].on_hand = 30;
        world.levels[0].version += 1;
    });
    let clash = browser.submit(&page, SAVE, &[(&cell, "12")]).await;
    assert_eq!(clash.status, StatusCode::PRECONDITION_FAILED);
    assert!(clash.has("Somebody else changed this from 18 to 30."));
    assert_eq!(browser.world().levels[0].on_hand, 30);
    assert_eq!(clash.form(SAVE)[&cell], "12");
}

#[tokio::test]
async fn filters_are_passed_on_and_saving_leads_back_to_them() {
    let mut browser = Browser::signed_in();
    let location = browser.world().levels[0].location_id;
    let asked = |browser: &Browser| browser.world().asked.iter().rev().find(|asked| asked.what.starts_with("GET /admin/v1/stock-levels")).unwrap().what.clone();
    let page = browser.get(&format!("{PATH}?location={location}&after=x")).await;
    assert_eq!(asked(&browser), format!("GET /admin/v1/stock-levels?location_id={location}&limit=50&after=x"));
    let back = browser.submit(&page, SAVE, &[]).await;
    assert_eq!(back.location(), format!("{PATH}?location={location}&after=x&done=nothing"));
    let page = browser.get(&format!("{PATH}?show=scarce&location={location}")).await;
    assert_eq!(asked(&browser), "GET /admin/v1/stock-levels?scarce=true&limit=50");
    assert_eq!(browser.submit(&page, SAVE, &[]).await.location(), format!("{PATH}?show=scarce&done=nothing"));
}

#[tokio::test]
async fn a_variant_tells_how_its_stock_came_to_be() {
    let mut browser = Browser::signed_in();
    let variant = browser.world().levels[0].variant_id;
    let page = browser.get(&format!("{PATH}/{variant}")).await;
    for text in ["Morning mug, Sea", "Goods came in", "+20", "Broken, lost or given away", "Tomas Lindqvist", "The shop itself", "Reserved"] {
        assert!(page.has(text), "{text}");
    }
    assert_eq!(browser.get(&format!("{PATH}/var_1")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn viewers_cannot_type_into_the_levels() {
    let mut browser = Browser::signed_in();
    browser.world().me.role = Role::Viewer;
    let page = browser.get(PATH).await;
    assert!(page.html.contains(" readonly") && !page.has("Save stock"));
}
