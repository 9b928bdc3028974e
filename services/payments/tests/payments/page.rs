//! The sandbox's page of the second step.

use payments::Outcome;
use payments_api::{AttemptState, NextAction};

use crate::{Stand, card, new_attempt, order};

impl Stand {
    async fn second_step(&self) -> (payments::Attempt, String) {
        let attempt = self.pay(card::SECOND_STEP).await;
        let Some(NextAction::Redirect { url }) = attempt.next_action.clone() else { panic!("{attempt:?}") };
        (attempt, url)
    }
}

#[tokio::test]
async fn the_page_shows_the_amount_and_two_buttons_and_nothing_can_run_on_it() {
    let stand = Stand::open().await;
    let (_, url) = stand.second_step().await;
    let page = stand.shop.read(&url).await;
    assert!(page.text.contains("100.00 EUR") && page.text.contains("value=\"approve\"") && page.text.contains("value=\"decline\""));
    assert!(page.text.contains("<html lang=\"en\">") && page.text.contains("<title>") && page.text.contains("<h1>"));
    assert!(!page.text.contains("<script") && !page.text.contains("<style") && !page.text.contains(" style=") && !page.text.contains("http"));
    let policy = page.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
}

#[tokio::test]
async fn the_bank_looks_like_one_and_speaks_the_language_of_the_shopper() {
    let stand = Stand::open().await;
    let (_, url) = stand.second_step().await;
    let page = stand.shop.get(&url).header("accept-language", "de-AT,en;q=0.5").send().await;
    assert!(page.text.contains("<html lang=\"de\">") && page.text.contains("Bestätigen Sie Ihre Zahlung"), "{}", page.text);
    assert!(page.text.contains("<link rel=\"stylesheet\" href=\"/sandbox/bank.css\">"));
    let style = stand.shop.read("/sandbox/bank.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.text.contains("prefers-color-scheme: dark") && !style.text.contains("url("));
}

#[tokio::test]
async fn approving_and_declining_lead_back_to_the_shop() {
    let stand = Stand::open().await;
    for (decision, state) in [("approve", AttemptState::Authorized), ("decline", AttemptState::Failed)] {
        let (attempt, url) = stand.second_step().await;
        let reply = stand.shop.post(&url).header("content-type", "application/x-www-form-urlencoded").body(format!("decision={decision}")).send().await;
        assert_eq!((reply.status, reply.header("location")), (303, "/checkout/return?cart=1"));
        let outcome = stand.payments.look_up(&attempt).await;
        assert_eq!(stand.record(attempt.id, &outcome).await.attempt.state, state);
    }
}

#[tokio::test]
async fn a_shopper_who_does_not_come_back_is_heard_of_by_news() {
    let stand = Stand::open().await;
    let (attempt, url) = stand.second_step().await;
    stand.shop.post(&url).body("decision=approve").send().await;
    stand.shop.wait(3);
    stand.shop.work_off().await;
    assert_eq!(stand.attempt(attempt.id).await.state, AttemptState::Authorized);
    assert_eq!(stand.events("payments.AttemptChanged").await, 1);
}

#[tokio::test]
async fn a_decision_stands_whatever_is_pressed_after_it() {
    let stand = Stand::open().await;
    let (attempt, url) = stand.second_step().await;
    stand.shop.post(&url).body("decision=decline").send().await;
    let reply = stand.shop.post(&url).body("decision=approve").send().await;
    assert_eq!(reply.status, 303);
    assert!(matches!(stand.payments.look_up(&attempt).await, Outcome::Declined { code, .. } if code == "authentication_failed"));
    let page = stand.shop.read(&url).await;
    assert!(page.text.contains("was declined") && !page.text.contains("<form"));
    assert!(page.text.contains("href=\"/checkout/return?cart=1\""));
}

#[tokio::test]
async fn nonsense_on_the_page_changes_nothing() {
    let stand = Stand::open().await;
    let (attempt, url) = stand.second_step().await;
    for body in ["", "decision=", "decision=perhaps", "%%%", "{}"] {
        assert_eq!(stand.shop.post(&url).body(body).send().await.status, 400, "{body}");
    }
    assert_eq!(stand.at_sandbox(&attempt).await, "requires_action");
    assert_eq!(stand.shop.get("/sandbox/payments/sbx_unknown").send().await.status, 404);
    assert_eq!(stand.shop.post("/sandbox/payments/sbx_unknown").body("decision=approve").send().await.status, 404);
}

#[tokio::test]
async fn a_way_back_is_written_as_text_and_without_one_the_shop_is_entered_at_its_door() {
    let stand = Stand::open().await;
    for (return_url, href) in [(Some("/a?b=1&c=\"><script>x</script>".to_owned()), "/a?b=1&amp;c=&quot;&gt;&lt;script&gt;x&lt;/script&gt;"), (None, "/")] {
        let mut tx = stand.shop.begin().await;
        let new = payments::NewAttempt { return_url, ..new_attempt(order(), crate::choice(card::SECOND_STEP)) };
        let attempt = payments::insert_attempt(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        let Outcome::RequiresAction { next_action: NextAction::Redirect { url }, .. } = stand.payments.authorize(&attempt).await else { panic!() };
        stand.payments.cancel(&attempt).await;
        let page = stand.shop.read(&url).await;
        assert!(page.text.contains(&format!("href=\"{href}\"")), "{}", page.text);
    }
}
