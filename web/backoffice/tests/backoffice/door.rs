//! Signing in and out, invitations, and what stands around every page.

use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::Problem;
use tower::ServiceExt;

use crate::browser::Browser;

const SIGN_IN: &str = "/backoffice/sign-in";

#[tokio::test]
async fn signing_in_leads_to_the_page_one_came_for_and_keeps_the_token_in_a_cookie_only_the_server_reads() {
    let mut browser = Browser::new();
    let turned_away = browser.get("/backoffice/products?q=mug").await;
    assert_eq!(turned_away.status, StatusCode::SEE_OTHER);
    let door = browser.follow(turned_away).await;
    let let_in = browser.submit(&door, SIGN_IN, &[("email", "ines@saltmarsh.example"), ("password", "correct horse battery")]).await;
    let cookie = let_in.headers[header::SET_COOKIE].to_str().unwrap();
    for attribute in ["__Host-staff=", "; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Expires="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let page = browser.follow(let_in).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("value=\"mug\"") && page.has("Ines Varga"));
    let token = browser.world().token.reveal();
    let last = browser.world().asked.last().unwrap().clone();
    assert_eq!(last.header("authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(last.header("cookie"), None, "the API reads no cookie");
    assert!(!page.html.contains(&token), "the token is never in a page");
}

#[tokio::test]
async fn a_wrong_password_keeps_the_address_and_says_nothing_of_which_was_wrong() {
    let mut browser = Browser::new();
    let page = browser.post(SIGN_IN, &[("email", "ines@saltmarsh.example"), ("password", "guess"), ("next", "/backoffice/products")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.has("E-mail and password do not match"));
    assert_eq!(page.form(SIGN_IN)["email"], "ines@saltmarsh.example");
    assert_eq!(page.form(SIGN_IN)["next"], "/backoffice/products");
    assert!(!page.html.contains("guess"), "a password is not written back");
    let empty = browser.post(SIGN_IN, &[]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.cookie.is_none());
}

#[tokio::test]
async fn nobody_is_led_to_another_site_after_signing_in() {
    let mut browser = Browser::new();
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/backoffice/..//evil.example"] {
        let page = browser.post(SIGN_IN, &[("email", "ines@saltmarsh.example"), ("password", "correct horse battery"), ("next", next)]).await;
        assert_eq!(page.location(), "/backoffice/sign-in/kept?next=%2Fbackoffice", "{next}");
    }
}

#[tokio::test]
async fn a_browser_that_does_not_keep_the_cookie_is_told_why() {
    let mut browser = Browser::new();
    let let_in = browser.post(SIGN_IN, &[("email", "ines@saltmarsh.example"), ("password", "correct horse battery")]).await;
    browser.cookie = None;
    let page = browser.follow(let_in).await;
    assert!(page.has("The browser did not keep the session."));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let mut browser = Browser::signed_in();
    let old = browser.cookie.clone();
    let out = browser.post("/backoffice/sign-out", &[]).await;
    assert_eq!(out.location(), SIGN_IN);
    assert!(browser.cookie.is_none());
    browser.cookie = old;
    assert_eq!(browser.get("/backoffice/orders").await.status, StatusCode::SEE_OTHER);
    // Once more, with a session that is over and with none at all.
    assert_eq!(browser.post("/backoffice/sign-out", &[]).await.location(), SIGN_IN);
    assert_eq!(browser.post("/backoffice/sign-out", &[]).await.location(), SIGN_IN);
}

#[tokio::test]
async fn an_invitation_makes_a_member_and_signs_in() {
    let mut browser = Browser::new();
    let token = browser.world().invitation.reveal();
    let page = browser.get(&format!("/backoffice/invitation?token={token}")).await;
    let short = browser.submit(&page, "/backoffice/invitation", &[("name", "Joost Amsing"), ("password", "short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(short.form("/backoffice/invitation")["name"], "Joost Amsing", "the name is kept");
    assert!(short.has("id=\"password-error\""));
    let joined = browser.submit(&short, "/backoffice/invitation", &[("password", "long enough to remember")]).await;
    let page = browser.follow(joined).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("Joost Amsing"));
}

#[tokio::test]
async fn a_link_that_is_broken_or_used_shows_no_form() {
    let mut browser = Browser::new();
    let broken = browser.get("/backoffice/invitation?token=half").await;
    assert_eq!(broken.status, StatusCode::NOT_FOUND);
    assert!(!broken.html.contains("name=\"password\""));
    let other = kernel::Token::generate().reveal();
    let used = browser.post("/backoffice/invitation", &[("token", &other), ("name", "A"), ("password", "long enough to remember")]).await;
    assert_eq!(used.status, StatusCode::NOT_FOUND);
    assert!(!used.html.contains("name=\"password\""));
}

#[tokio::test]
async fn forms_from_other_sites_are_refused_before_anything_happens() {
    let mut browser = Browser::signed_in();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        let request = Request::post("/backoffice/sign-out").header(name, value).header("host", "shop.internal");
        let page = browser.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(String::new()).unwrap()).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(page.has("This came from another site"));
    }
    assert_eq!(browser.changes().len(), 0);
    let request = Request::post("/backoffice/sign-out").header("origin", "https://shop.example").header("host", "shop.internal");
    let page = browser.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(String::new()).unwrap()).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "the shop's own address is trusted behind a proxy too");
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let mut browser = Browser::signed_in();
    for path in ["/backoffice/orders", "/backoffice/nowhere", "/backoffice/sign-in", "/backoffice"] {
        let page = browser.get(path).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn static_files_are_named_by_their_content_and_kept_for_ever() {
    let mut browser = Browser::new();
    let page = browser.get(SIGN_IN).await;
    let files: Vec<_> = page.html.split('"').filter(|part| part.starts_with("/backoffice/static/")).map(ToOwned::to_owned).collect();
    assert_eq!(files.len(), 4);
    for file in files {
        let answer = browser.get(&file).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"), "{file}");
    }
    assert_eq!(browser.get("/backoffice/static/style.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_does_not_exist_or_cannot_be_asked_is_a_page_and_not_a_document_for_programs() {
    let mut browser = Browser::signed_in();
    for path in ["/backoffice/nowhere", "/backoffice/orders/ord_1", "/backoffice/orders/ord_00000000000000000000000999", "/backoffice/products/x/y/z"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.has("There is no such page") && page.has("</nav>"), "{path}");
    }
    let wrong = browser.send(Request::delete("/backoffice/orders").body(String::new()).unwrap()).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.html.starts_with("<!doctype html>"));
    assert_eq!(browser.get("/backoffice/").await.location(), "/backoffice");
}

#[tokio::test]
async fn a_form_sent_after_the_session_ended_is_kept_to_be_sent_again() {
    let mut browser = Browser::signed_in();
    let order = browser.world().order.order.id;
    let path = format!("/backoffice/orders/{order}");
    let page = browser.get(&path).await;
    browser.world().token = kernel::Token::generate();
    let action = format!("{path}/comments");
    let over = browser.submit(&page, &action, &[("text", "She is fine with two parcels.\nI rang her.")]).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
    assert!(over.has("You are signed out"));
    // In the other tab the person signs in again.
    browser.cookie = Some(format!("__Host-staff={}", browser.world().token.reveal()));
    let again = browser.submit(&over, &action, &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().order.timeline.last().unwrap().detail.as_deref(), Some("She is fine with two parcels.\nI rang her."));
}

#[tokio::test]
async fn an_api_that_fails_is_told_in_words_without_its_insides() {
    let mut browser = Browser::signed_in();
    browser.world().refuse = Some(Problem::unavailable(7));
    let page = browser.post("/backoffice/sign-in", &[("email", "a@b.example"), ("password", "x")]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.has("Try again in 7 seconds."));
    let large = browser.post("/backoffice/sign-in", &[("email", &"a".repeat(2_000_000))]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(large.html.starts_with("<!doctype html>") && large.has("The form is too large") && large.has("Nothing was saved."));
    let json = Request::post("/backoffice/sign-in").header(header::CONTENT_TYPE, "application/json").body("{}".to_owned()).unwrap();
    assert_eq!(browser.send(json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// What a layer refuses a request with.
type Refuse = fn() -> Problem;

/// What the layers of a port answer before a page is reached.
#[tokio::test]
async fn what_is_refused_before_a_page_is_reached_is_a_page_too_for_whoever_asks_for_one() {
    let refusing = |problem: Refuse| backoffice::refusals_as_pages(axum::Router::new().fallback(move || async move { problem() }));
    let cases: [(Refuse, u16, &str); 5] = [
        (|| Problem::new(503, "overloaded", "Too much to do at the moment").retry_after(3), 503, "too much to do"),
        (|| Problem::new(429, "too_many_requests", "Too many").retry_after(3), 429, "Wait a moment"),
        (|| Problem::new(405, "method_not_allowed", "No"), 405, "cannot be asked for like that"),
        (|| Problem::not_found("file"), 404, "There is no such page"),
        (Problem::internal, 500, "Something failed on our side"),
    ];
    for (problem, status, told) in cases {
        let ask = |accept: &str| Request::get("/backoffice/x").header(header::ACCEPT, accept).header("cookie", "a=b").body(axum::body::Body::empty()).unwrap();
        let page = refusing(problem).oneshot(ask("text/html,*/*")).await.unwrap();
        assert_eq!(page.status(), status);
        assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
        if status == 503 {
            assert_eq!(page.headers()[header::RETRY_AFTER], "3", "what was said about trying again stays said");
        }
        let html = String::from_utf8(page.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(html.starts_with("<!doctype html>") && html.to_lowercase().contains(&told.to_lowercase()), "{status}: {html}");
        let document = refusing(problem).oneshot(ask("application/json")).await.unwrap();
        assert_eq!(document.headers()[header::CONTENT_TYPE], "application/problem+json", "programs get documents");
    }
}
