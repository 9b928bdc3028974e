use identity_api::{Role, SessionCreated, StaffAnswer};
use kernel::Token;
use serde_json::json;

use crate::stand::{
    CURRENT, INVITATIONS, ME, OWNER, PASSWORD, SECONDS_PER_DAY, SESSIONS, STAFF, accept, audited, execute, invite, join, me, number, open, opens, owner,
    sign_in, staff, sweep,
};

const HOUR: i64 = 3_600;

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_is_not_told() {
    let shop = open().await;
    owner(&shop).await;
    join(&shop, "gone@example.com", Role::Owner).await;
    assert_eq!(execute(&shop, "update identity.staff set state = 'disabled' where email = 'gone@example.com'").await, 1);
    let mut tx = shop.begin().await;
    identity::issue_system_session(&mut tx, "seed", 5).await.unwrap();
    tx.commit().await.unwrap();
    let wrong = sign_in(&shop, OWNER, "not the password").await;
    wrong.expect_problem(401, "credentials_wrong");
    let unknown = ["nobody@example.com", "gone@example.com", "seed@system.invalid", "no address", "nul\u{0}@example.com", "'; drop table identity.staff; --"];
    for email in unknown {
        let reply = sign_in(&shop, email, PASSWORD).await;
        assert_eq!((reply.status, &reply.text, &reply.headers), (wrong.status, &wrong.text, &wrong.headers), "{email:?}");
    }
}

#[tokio::test]
async fn the_address_is_recognized_however_it_is_written() {
    let shop = open().await;
    owner(&shop).await;
    assert_eq!(sign_in(&shop, "  ADA@Example.COM", PASSWORD).await.status, 201);
    sign_in(&shop, OWNER, &PASSWORD.to_uppercase()).await.expect_problem(401, "credentials_wrong");
    sign_in(&shop, OWNER, &format!("{PASSWORD} ")).await.expect_problem(401, "credentials_wrong");
}

#[tokio::test]
async fn bad_sign_ins_are_problems() {
    let shop = open().await;
    let refused = async |body: serde_json::Value, pointer: &str| {
        let reply = shop.post(SESSIONS).json(&body).send().await;
        assert_eq!(reply.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], pointer, "{}", reply.text);
    };
    refused(json!({ "email": "", "password": "x" }), "/email").await;
    refused(json!({ "email": "a".repeat(255), "password": "x" }), "/email").await;
    refused(json!({ "email": OWNER, "password": "" }), "/password").await;
    refused(json!({ "email": OWNER, "password": "x".repeat(1_001) }), "/password").await;
    refused(json!({ "email": OWNER, "password": 12 }), "/password").await;
    refused(json!({ "email": OWNER, "password": "x", "remember": true }), "/remember").await;
    shop.post(SESSIONS).header("content-type", "application/json").body("").send().await.expect_problem(400, "malformed_json");
    shop.post(SESSIONS).body("email=a").send().await.expect_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn only_a_live_token_opens_the_door() {
    let shop = open().await;
    let ada = owner(&shop).await;
    assert!(!opens(&shop, &Token::generate()).await);
    for (method, path) in [("GET", ME), ("GET", STAFF), ("POST", INVITATIONS), ("DELETE", CURRENT)] {
        let reply = shop.request(method, path).send().await;
        assert_eq!(reply.expect_problem(401, "unauthenticated").header("www-authenticate"), "Bearer");
        shop.request(method, path).bearer("short").send().await.expect_problem(401, "unauthenticated");
        let other_scheme = format!("Basic {}", ada.token);
        shop.request(method, path).header("authorization", &other_scheme).send().await.expect_problem(401, "unauthenticated");
    }
    let hashes = "select count(*) from identity.session where octet_length(token_hash) = 32";
    assert_eq!(number(&shop, hashes).await, 1);
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from identity.session").fetch_one(shop.context().db().writer()).await.unwrap();
    assert!(ada.token.hash().matches(&stored), "only the hash is kept");
}

#[tokio::test]
async fn a_session_ends_after_two_hours_unseen() {
    let shop = open().await;
    let ada = owner(&shop).await;
    shop.wait(2 * HOUR - 1);
    assert!(opens(&shop, &ada.token).await, "and this was seen");
    shop.wait(2 * HOUR - 1);
    assert!(opens(&shop, &ada.token).await);
    shop.wait(2 * HOUR);
    assert!(!opens(&shop, &ada.token).await);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy() {
    let shop = open().await;
    let ada = owner(&shop).await;
    assert_eq!(ada.expires_at, shop.clock().now() + chrono::TimeDelta::hours(12));
    for _ in 0..11 {
        shop.wait(HOUR);
        assert!(opens(&shop, &ada.token).await);
    }
    shop.wait(HOUR - 1);
    assert!(opens(&shop, &ada.token).await);
    shop.wait(1);
    assert!(!opens(&shop, &ada.token).await);
}

#[tokio::test]
async fn being_seen_is_written_once_a_minute_at_most() {
    let shop = open().await;
    let ada = owner(&shop).await;
    let seen = "select extract(epoch from last_seen_at)::bigint from identity.session";
    let start = number(&shop, seen).await;
    shop.wait(60);
    assert!(opens(&shop, &ada.token).await);
    assert_eq!(number(&shop, seen).await, start);
    // A session that was looked up is believed for five seconds.
    shop.wait(6);
    assert!(opens(&shop, &ada.token).await);
    assert_eq!(number(&shop, seen).await, start + 66);
}

#[tokio::test]
async fn a_session_whose_end_nobody_told_opens_nothing_a_few_seconds_later() {
    let shop = open().await;
    let ada = owner(&shop).await;
    assert!(opens(&shop, &ada.token).await);
    assert_eq!(execute(&shop, "update identity.session set revoked_at = now()").await, 1);
    assert!(opens(&shop, &ada.token).await, "it was looked up a moment ago");
    shop.wait(5);
    assert!(!opens(&shop, &ada.token).await);
}

#[tokio::test]
async fn a_new_invitation_that_is_taken_ends_the_sessions_of_before_at_once() {
    let shop = open().await;
    let before = owner(&shop).await;
    assert!(opens(&shop, &before.token).await);
    let after = owner(&shop).await;
    assert!(!opens(&shop, &before.token).await && opens(&shop, &after.token).await);
}

#[tokio::test]
async fn signing_out_ends_this_session_and_no_other() {
    let shop = open().await;
    let phone = owner(&shop).await;
    let desk: SessionCreated = sign_in(&shop, OWNER, PASSWORD).await.expect(201);
    let sign_out = async || shop.request("DELETE", CURRENT).bearer(&phone.token).header("idempotency-key", "out").send().await;
    assert_eq!(sign_out().await.status, 204);
    sign_out().await.expect_problem(401, "unauthenticated");
    assert!(!opens(&shop, &phone.token).await);
    assert!(opens(&shop, &desk.token).await);
}

#[tokio::test]
async fn a_disabled_member_is_out_at_once_and_off_the_list() {
    let shop = open().await;
    let (ada, bob) = (owner(&shop).await, join(&shop, "bob@example.com", Role::Manager).await);
    assert_eq!(staff(&shop, &ada.token).await.len(), 2);
    execute(&shop, "update identity.staff set state = 'disabled' where email = 'bob@example.com'").await;
    assert!(!opens(&shop, &bob.token).await);
    assert_eq!(staff(&shop, &ada.token).await, std::slice::from_ref(&ada.staff));
    // Coming back takes a new invitation.
    let again = shop.post(INVITATIONS).bearer(&ada.token).json(&json!({ "email": "bob@example.com", "role": "viewer" })).send().await;
    let token: Token = serde_json::from_value(again.expect::<serde_json::Value>(201)["token"].clone()).unwrap();
    let back: SessionCreated = accept(&shop, &token, "Bob", PASSWORD).await.expect(201);
    assert_eq!((back.staff.id, back.staff.role), (bob.staff.id, Role::Viewer));
    assert!(!opens(&shop, &bob.token).await, "the old session stays ended");
}

#[tokio::test]
async fn a_changed_role_holds_at_once() {
    let shop = open().await;
    let ada = owner(&shop).await;
    execute(&shop, "update identity.staff set role = 'viewer'").await;
    let invitation = json!({ "email": "eve@example.com", "role": "owner" });
    shop.post(INVITATIONS).bearer(&ada.token).json(&invitation).send().await.expect_problem(403, "forbidden");
    assert_eq!(me(&shop, &ada.token).await.expect::<StaffAnswer>(200).role, Role::Viewer);
}

#[tokio::test]
async fn a_program_works_for_its_minutes_and_is_nobody_on_the_staff() {
    let shop = open().await;
    let ada = owner(&shop).await;
    let mut tx = shop.begin().await;
    let token = identity::issue_system_session(&mut tx, "Seed", 10).await.unwrap();
    tx.commit().await.unwrap();
    let program: StaffAnswer = me(&shop, &token).await.expect(200);
    assert_eq!((program.name.as_str(), program.role), ("Seed", Role::Owner));
    assert_eq!(staff(&shop, &token).await, [ada.staff]);
    assert_eq!(audited(&shop, "staff.program_admitted").await, 1);
    let mut tx = shop.begin().await;
    let second = identity::issue_system_session(&mut tx, "Seed", 10).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(me(&shop, &second).await.expect::<StaffAnswer>(200).id, program.id);
    shop.wait(600);
    assert!(!opens(&shop, &token).await);
}

#[tokio::test]
async fn a_shop_with_only_a_program_still_wants_an_invitation() {
    let shop = open().await;
    let mut tx = shop.begin().await;
    identity::issue_system_session(&mut tx, "seed", 10).await.unwrap();
    assert!(!identity::any_staff(tx.conn()).await.unwrap());
}

#[tokio::test]
async fn what_has_been_over_for_thirty_days_is_forgotten_and_nothing_else() {
    let shop = open().await;
    let counts = async || {
        (
            number(&shop, "select count(*) from identity.session").await,
            number(&shop, "select count(*) from identity.invitation").await,
            number(&shop, "select count(*) from identity.sign_in_throttle").await,
        )
    };
    owner(&shop).await;
    invite(&shop, "never@example.com", Role::Viewer).await;
    sign_in(&shop, OWNER, "not the password").await.expect_problem(401, "credentials_wrong");
    assert_eq!(counts().await, (1, 2, 2));
    sweep(&shop).await;
    assert_eq!(counts().await, (1, 2, 2));
    shop.wait(15 * 60 + 1);
    sweep(&shop).await;
    assert_eq!(counts().await, (1, 2, 0), "tries are forgotten with their window");
    // The accepted invitation ended on the first day, the session half a day later, the other invitation after a week.
    shop.wait(30 * SECONDS_PER_DAY);
    sweep(&shop).await;
    assert_eq!(counts().await, (1, 1, 0));
    shop.wait(12 * HOUR);
    sweep(&shop).await;
    assert_eq!(counts().await, (0, 1, 0));
    shop.wait(7 * SECONDS_PER_DAY);
    let fresh = owner(&shop).await;
    sweep(&shop).await;
    assert_eq!(counts().await, (1, 1, 0), "what is new stays");
    assert!(opens(&shop, &fresh.token).await);
}
