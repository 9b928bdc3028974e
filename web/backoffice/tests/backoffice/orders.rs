//! The list of orders, one order, and what staff do to it.

use http::StatusCode;
use identity_api::Role;
use kernel::Problem;
use payments_api::CaptureState;

use crate::api::{World, remark};
use crate::browser::Browser;
use crate::samples;

fn path(browser: &Browser) -> String {
    format!("/backoffice/orders/{}", browser.world().order.order.id)
}

/// Somebody else comments and captures a part.
fn tomas_captures(world: &mut World) {
    world.order.timeline.push(remark("Took ten euros for the first parcel."));
    world.order = samples::captured(world.order.clone(), 1_000, CaptureState::Succeeded);
}

#[tokio::test]
async fn the_list_passes_its_filters_on_and_pages_on_from_the_cursor() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/orders?q=hanna%40&state=placed&channel=smoke").await;
    assert!(page.has("TW-10482") && page.has("€64.00") && page.has("22 Nov 2026, 14:07"));
    assert!(page.has("<option value=\"smoke\" selected>") && page.has("Saltmarsh Supply"));
    let older = "/backoffice/orders?q=hanna%40&state=placed&channel=smoke&after=later";
    assert!(page.has(older));
    let page = browser.get(older).await;
    assert!(!page.has("Older"), "the last page leads no further");
    let asked = browser.world().asked.iter().rev().find(|asked| asked.what.starts_with("GET /admin/v1/orders?")).unwrap().what.clone();
    assert_eq!(asked, "GET /admin/v1/orders?q=hanna%40&state=placed&channel=smoke&limit=50&after=later");
    browser.get("/backoffice/orders?payment=held&capture=failed&channel=*test&from=2026-11-01&until=2026-11-30&sort=oldest").await;
    let asked = browser.world().asked.iter().rev().find(|asked| asked.what.starts_with("GET /admin/v1/orders?")).unwrap().what.clone();
    let wanted = "kind=test&payment_status=authorized%2Cpartially_paid&capture_failed=true&from=2026-11-01&until=2026-11-30&sort=oldest&limit=50";
    assert_eq!(asked, format!("GET /admin/v1/orders?{wanted}"));
    // Nonsense in the address shows the list.
    assert_eq!(browser.get("/backoffice/orders?state=nonsense&after=").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_order_says_where_it_stands_and_what_to_do_next() {
    let mut browser = Browser::signed_in();
    let page = browser.get(&path(&browser)).await;
    for text in [
        "TW-10482",
        "Capture €64.00 when the goods leave.",
        "€0.00 of €64.00 captured. €64.00 is held.",
        "Morning mug <b>, 2 × 28.52",
        "57.04",
        "6.96",
        "Sandbox, attempt 1",
        "sb_71",
    ] {
        assert!(page.has(text), "{text}");
    }
    assert!(page.has("The shopper</b> made the order") && page.has("Order placed"));
    assert!(!page.html.contains("Morning mug <b>"), "escaped");
}

#[tokio::test]
async fn capturing_a_part_sends_the_amount_on_the_version_that_was_seen() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    let action = format!("{path}/capture");
    assert_eq!(page.form(&action)["amount"], "64.00", "the whole is offered");
    let done = browser.submit(&page, &action, &[("amount", "10,5")]).await;
    assert_eq!(done.location(), format!("{path}?done=capture"));
    let asked = browser.changes().pop().unwrap();
    assert_eq!(asked.body, r#"{"amount":{"amount":1050,"currency":"EUR"}}"#);
    assert_eq!(asked.header("if-match"), Some("\"3\""));
    assert_eq!(asked.header("idempotency-key"), Some(page.form(&action)["key"].as_str()));
    let page = browser.follow(done).await;
    assert!(page.has("Captured €10.50.") && page.has("€53.50 is held."));
    assert!(!page.has("Cancel order"), "what is captured cannot be canceled");
}

#[tokio::test]
async fn a_capture_without_an_answer_is_shown_as_unknown_and_neither_as_done_nor_as_failed() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    browser.world().capture_ends = CaptureState::Unknown;
    let page = browser.get(&path).await;
    let done = browser.submit(&page, &format!("{path}/capture"), &[]).await;
    let page = browser.follow(done).await;
    assert!(page.has("The provider has not answered for €64.00 yet.") && page.has("settles by itself"));
    assert!(!page.has("id=\"capture\""), "there is nothing left to ask for");
}

#[tokio::test]
async fn an_amount_that_is_none_is_refused_beside_its_field_and_kept() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/capture");
    let mut page = browser.get(&path).await;
    for (typed, told) in [("1O", "Not an amount: write it like 79.00."), ("0", "It must be above zero."), ("", "Enter an amount, such as 79.00.")] {
        page = browser.submit(&page, &action, &[("amount", typed)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(page.has(told), "{typed}");
        assert_eq!(page.form(&action)["amount"], typed);
        assert!(page.html.contains("<dialog id=\"capture\" aria-labelledby=\"capture-h\" open>"), "the dialog is open again");
    }
    let page = browser.submit(&page, &action, &[("amount", "64.01")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has("More than is held.") && page.form(&action)["amount"] == "64.01");
}

#[tokio::test]
async fn a_capture_on_a_changed_order_takes_nothing_shows_what_changed_and_keeps_what_was_typed() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/capture");
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(tomas_captures);
    let conflict = browser.submit(&page, &action, &[("amount", "12.34")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    assert!(conflict.has("This order changed while you had it open.") && conflict.has("Took ten euros for the first parcel."));
    assert!(conflict.has("Tomas Lindqvist"));
    assert_eq!(conflict.html.matches("aria-label=\"Since you opened it\"").count(), 1);
    assert_eq!(conflict.form(&action)["amount"], "12.34");
    assert_eq!(browser.world().order.payment.captured, samples::euro(1_000), "only the other's capture");
    assert_ne!(conflict.form(&action)["key"], page.form(&action)["key"]);
    let done = browser.submit(&conflict, &action, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().order.payment.captured, samples::euro(2_234));
}

#[tokio::test]
async fn canceling_needs_the_dialog_and_carries_the_reason() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    assert!(page.has("href=\"#cancel\"") && page.has("A canceled order cannot be placed again."));
    let done = browser.submit(&page, &format!("{path}/cancel"), &[("reason", "Ordered twice")]).await;
    assert_eq!(browser.changes().pop().unwrap().body, r#"{"reason":"Ordered twice"}"#);
    let page = browser.follow(done).await;
    assert!(page.has("The order is canceled."));
    assert!(!page.has("id=\"capture\"") && !page.has("id=\"cancel\""));
}

#[tokio::test]
async fn a_reason_is_not_lost_when_the_order_can_no_longer_be_canceled() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(tomas_captures);
    let conflict = browser.submit(&page, &format!("{path}/cancel"), &[("reason", "Ordered twice")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    assert!(conflict.has("You typed: Ordered twice"));
}

#[tokio::test]
async fn a_comment_is_added_to_an_order_that_changed_meanwhile() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(tomas_captures);
    let done = browser.submit(&page, &format!("{path}/comments"), &[("text", "Rang her.")]).await;
    assert_eq!(done.location(), format!("{path}?done=comment"));
    assert_eq!(browser.world().order.timeline.last().unwrap().detail.as_deref(), Some("Rang her."));
    let page = browser.follow(done).await;
    let refused = browser.submit(&page, &format!("{path}/comments"), &[("text", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("It must not be empty."));
}

#[tokio::test]
async fn when_nobody_knows_whether_it_was_done_the_same_key_is_sent_again() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/capture");
    let page = browser.get(&path).await;
    browser.world().refuse = Some(Problem::unavailable(1));
    let failed = browser.submit(&page, &action, &[("amount", "1.00")]).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.form(&action)["key"], page.form(&action)["key"]);
    assert_eq!(failed.form(&action)["amount"], "1.00");
}

#[tokio::test]
async fn viewers_see_everything_and_are_shown_no_form() {
    let mut browser = Browser::signed_in();
    browser.world().me.role = Role::Viewer;
    let page = browser.get(&path(&browser)).await;
    assert!(page.has("TW-10482") && !page.has("<dialog id=\"capture\"") && !page.has("<dialog id=\"cancel\"") && !page.has("<textarea"));
    browser.world().refuse = Some(Problem::forbidden());
    let forced = browser.post(&format!("{}/capture", path(&browser)), &[("amount", "1"), ("version", "3")]).await;
    assert_eq!(forced.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn reloading_the_answer_of_a_form_leads_back_to_the_order() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    for action in ["capture", "cancel", "comments"] {
        assert_eq!(browser.get(&format!("{path}/{action}")).await.location(), path);
    }
}

#[tokio::test]
async fn views_stand_there_by_name_with_what_waits_in_them() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/orders?state=placed&payment=held").await;
    assert!(page.has("aria-current=\"page\">To capture <b class=\"tally\">6</b>") && page.has("Pending <b class=\"tally\">1,000 or more</b>"));
    assert!(!page.has("Failed captures") && !page.has("Save view"), "what everybody has need not be kept");
    browser.world().figures.capture_failed = 2;
    assert!(browser.get("/backoffice/orders").await.has("Failed captures <b class=\"tally hot\">2</b>"));
}

#[tokio::test]
async fn a_filter_is_kept_as_a_view_by_its_name_and_forgotten_again() {
    let mut browser = Browser::signed_in();
    let list = "/backoffice/orders?state=placed&channel=smoke";
    let page = browser.get(list).await;
    let done = browser.submit(&page, "/backoffice/orders/views", &[("name", " Trials ")]).await;
    assert_eq!(done.location(), format!("{list}&done=kept"));
    assert_eq!(browser.changes().pop().unwrap().body, r#"{"list":"orders","name":"Trials","query":"state=placed&channel=smoke"}"#);
    let page = browser.follow(done).await;
    assert!(page.has("The view is saved.") && page.has("aria-current=\"page\">Trials</a>") && page.has("Delete view"));

    let other = browser.get("/backoffice/orders?q=ada").await;
    for (name, status, told) in [("Trials", StatusCode::CONFLICT, "It is in use already."), (" ", StatusCode::UNPROCESSABLE_ENTITY, "Give it a name")] {
        let refused = browser.submit(&other, "/backoffice/orders/views", &[("name", name)]).await;
        assert_eq!(refused.status, status);
        assert!(refused.has(told) && refused.has("<details class=\"drop end\" open>"), "{name}");
        assert_eq!(refused.form("/backoffice/orders/views")["query"], "q=ada", "the filter is still there");
    }
    let view = browser.world().views[0].id;
    let gone = browser.submit(&page, &format!("/backoffice/orders/views/{view}/delete"), &[]).await;
    assert_eq!(gone.location(), format!("{list}&done=forgotten"));
    assert!(browser.world().views.is_empty());
    assert!(browser.follow(gone).await.has("Save view"), "it can be kept again");
}

#[tokio::test]
async fn the_list_as_it_is_filtered_is_to_be_had_as_a_file() {
    let mut browser = Browser::signed_in();
    browser.world().order.order.shipping_address.name = "=HYPERLINK(\"evil\")".to_owned();
    let page = browser.get("/backoffice/orders?state=placed").await;
    assert!(page.has("href=\"/backoffice/orders.csv?state=placed\""));
    let file = browser.get("/backoffice/orders.csv?state=placed").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"orders.csv\"");
    let lines: Vec<_> = file.html.lines().collect();
    assert_eq!(lines.len(), 3, "a head, and a page of one twice: {lines:?}");
    assert!(lines[1].starts_with("TW-10482,2026-11-22T14:07:00Z,2026-11-22T14:07:05Z,default,live,placed,authorized,no,"));
    assert!(lines[1].contains(",\"'=HYPERLINK(\"\"evil\"\")\",hanna.brandt@example.com,2,64.00,EUR,"), "{}", lines[1]);
    let asked: Vec<_> = browser.world().asked.iter().filter(|asked| asked.what.contains("limit=100")).map(|asked| asked.what.clone()).collect();
    assert_eq!(asked, ["GET /admin/v1/orders?state=placed&limit=100", "GET /admin/v1/orders?state=placed&limit=100&after=later"]);
    browser.cookie = None;
    assert_eq!(browser.get("/backoffice/orders.csv").await.location(), "/backoffice/sign-in?next=%2Fbackoffice%2Forders.csv");
}

#[tokio::test]
async fn a_capture_that_failed_is_told_on_the_order_and_in_its_timeline() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    {
        let mut world = browser.world();
        world.order = samples::captured(world.order.clone(), 6_400, CaptureState::Failed);
        let mut told = remark("64.00 EUR capture_refused");
        (told.kind, told.actor) = ("capture_failed".to_owned(), "system:orders.note_capture_failure".to_owned());
        world.order.timeline.push(told);
    }
    let page = browser.get(&path).await;
    assert!(page.has("The capture of €64.00 failed. Try it again") && page.has("Capture €64.00"));
    assert!(page.has("The provider refused a capture <span class=\"soft\">€64.00: capture refused</span>"));
}
