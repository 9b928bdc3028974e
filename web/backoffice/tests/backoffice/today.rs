//! Where work begins: sales beside those of the week before, and what waits for someone.

use http::StatusCode;

use crate::browser::Browser;

#[tokio::test]
async fn the_day_is_told_in_figures_as_a_drawing_and_as_a_table() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["€128.00", "2 orders", "Last Sunday: €64.00 by 14:00, €96.00 and 2 orders in all.", "£10.00, 1 order", "role=\"img\"", "As a table"] {
        assert!(page.has(text), "{text}");
    }
    let rows: Vec<_> = page.html.split("<th scope=\"row\">").skip(1).map(|row| row.split("</tr>").next().unwrap().to_owned()).collect();
    assert_eq!(rows.len(), 24);
    assert!(rows[9].contains(">128.00<") && rows[20].contains(">–<") && rows[20].contains(">32.00<"), "hours to come are not yet nothing");
}

#[tokio::test]
async fn what_waits_for_someone_is_counted_and_leads_to_its_place() {
    let mut browser = Browser::signed_in();
    let order = browser.world().order.order.id;
    let page = browser.get("/backoffice").await;
    for text in [
        "href=\"/backoffice/orders?state=placed&payment=held\"><b>6</b><span>to capture",
        "<b>1,000 or more</b><span>pending",
        "href=\"/backoffice/orders?state=pending\"",
        "<b class=\"bad\">1</b><span>dead jobs",
        "TW-10482",
    ] {
        assert!(page.has(text), "{text}");
    }
    assert!(!page.has("failed captures"), "where all is well nothing is red");
    assert!(page.html.contains(&format!("/backoffice/orders/{order}")));
    browser.world().figures.capture_failed = 3;
    assert!(browser.get("/backoffice").await.has("href=\"/backoffice/orders?capture=failed\"><b class=\"bad\">3</b><span>failed captures"));
    let asked: Vec<_> = browser.world().asked.iter().filter(|asked| asked.what.contains("/orders?")).map(|asked| asked.what.clone()).collect();
    for wanted in ["state=placed&payment_status=authorized%2Cpartially_paid&sort=oldest&limit=5", "capture_failed=true&sort=oldest&limit=5"] {
        assert!(asked.iter().any(|asked| asked == &format!("GET /admin/v1/orders?{wanted}")), "{wanted} in {asked:?}");
    }
}

#[tokio::test]
async fn what_is_low_is_named_and_leads_to_its_movements() {
    let mut browser = Browser::signed_in();
    browser.world().levels[0].available = 3;
    let variant = browser.world().levels[0].variant_id;
    let page = browser.get("/backoffice").await;
    for text in ["Low stock", "Morning mug", "<small>Sea</small>", "Rotterdam"] {
        assert!(page.has(text), "{text}");
    }
    assert!(page.has(&format!("href=\"/backoffice/inventory/{variant}\"")));
    assert!(browser.world().asked.iter().any(|asked| asked.what == "GET /admin/v1/stock-levels?scarce=true&limit=50"));
    browser.world().levels[0].available = 6;
    assert!(browser.get("/backoffice").await.has("Nothing is low or sold out."), "plenty in this place, however scarce elsewhere");
    browser.world().levels.clear();
    assert!(browser.get("/backoffice").await.has("Nothing is low or sold out."));
}
