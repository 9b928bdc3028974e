//! Dead letters are seen, and sent round again.

use http::StatusCode;
use identity_api::Role;
use kernel::Problem;
use kernel::jobs::JobState;

use crate::browser::Browser;

fn replay_of(browser: &Browser) -> String {
    format!("/backoffice/jobs/{}/replay", browser.world().job.id)
}

#[tokio::test]
async fn a_dead_letter_says_what_went_wrong_and_goes_round_again() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/jobs").await;
    assert!(page.has("payments.capture") && page.has("caused by: account <closed>") && page.has("\"capture_id\": \"cap_1\""));
    assert!(!page.html.contains("<closed>"), "escaped");
    let action = replay_of(&browser);
    let done = browser.submit(&page, &action, &[]).await;
    assert_eq!(browser.changes().pop().unwrap().header("idempotency-key"), Some(page.form(&action)["key"].as_str()));
    let page = browser.follow(done).await;
    assert!(page.has("The job is back in the queue.") && page.has("No dead letters."));
    let waiting = browser.get("/backoffice/jobs?state=ready").await;
    assert!(waiting.has("payments.capture") && !waiting.has("/replay\""));
    assert_eq!(browser.get(&action).await.location(), "/backoffice/jobs", "reloading leads back");
}

#[tokio::test]
async fn a_letter_somebody_else_has_sent_round_already_is_told_so() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/jobs").await;
    browser.world().meanwhile = Some(|world| world.job.state = JobState::Ready);
    let refused = browser.submit(&page, &replay_of(&browser), &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.has("This job is not dead."));
}

#[tokio::test]
async fn when_nobody_knows_whether_it_was_replayed_the_same_key_is_sent_again() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/jobs").await;
    browser.world().refuse = Some(Problem::unavailable(1));
    let action = replay_of(&browser);
    let failed = browser.submit(&page, &action, &[]).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.form(&action)["key"], page.form(&action)["key"]);
}

#[tokio::test]
async fn the_address_filters_and_nonsense_in_it_shows_the_dead_letters() {
    let mut browser = Browser::signed_in();
    browser.get("/backoffice/jobs?state=done&kind=payments.capture").await;
    let asked = browser.world().asked.iter().rev().find(|asked| asked.what.starts_with("GET /admin/v1/jobs?")).unwrap().what.clone();
    assert_eq!(asked, "GET /admin/v1/jobs?state=done&kind=payments.capture&limit=50");
    assert!(browser.get("/backoffice/jobs?state=nonsense").await.has("payments.capture"));
    browser.world().me.role = Role::Viewer;
    assert!(!browser.get("/backoffice/jobs").await.has("/replay\""));
}

#[tokio::test]
async fn queues_and_schedules_stand_beside_the_dead_letters() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/jobs").await;
    for text in ["catalog", "Behind", "43 min", "payments.reconcile", "Failing", "no <answer>", "22 Nov 2026, 14:17"] {
        assert!(page.has(text), "{text}");
    }
    assert!(!page.html.contains("no <answer>"), "escaped");
}
