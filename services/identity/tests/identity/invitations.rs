use identity::InviteError;
use identity_api::{InvitationCreated, Role, SessionCreated, StaffAnswer};
use kernel::Token;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stand::{
    ACCEPT, CURRENT, INVITATIONS, OWNER, PASSWORD, SECONDS_PER_DAY, accept, audited, invite, join, me, number, open, opens, owner, sign_in, staff,
    starting_line,
};

#[tokio::test]
async fn an_invited_member_joins_works_signs_out_and_comes_back() {
    let shop = open().await;
    assert!(!identity::any_staff(&mut shop.context().db().read().await.unwrap()).await.unwrap());
    let token = invite(&shop, " Ada@Example.com ", Role::Owner).await;
    let joined: SessionCreated = accept(&shop, &token, "  Ada Lovelace ", PASSWORD).await.expect(201);
    assert_eq!((joined.staff.email.as_str(), joined.staff.name.as_str(), joined.staff.role), (OWNER, "Ada Lovelace", Role::Owner));
    assert!(identity::any_staff(&mut shop.context().db().read().await.unwrap()).await.unwrap());
    assert_eq!(me(&shop, &joined.token).await.expect::<StaffAnswer>(200), joined.staff);
    let out = shop.request("DELETE", CURRENT).bearer(&joined.token).send().await;
    assert_eq!((out.status, out.text.as_str()), (204, ""));
    assert!(!opens(&shop, &joined.token).await);
    let again: SessionCreated = sign_in(&shop, OWNER, PASSWORD).await.expect(201);
    assert_eq!((again.staff, again.token == joined.token), (joined.staff, false));
    assert!(opens(&shop, &again.token).await);
    for (action, times) in [("staff.invited", 1), ("staff.joined", 1), ("staff.signed_in", 2), ("staff.signed_out", 1)] {
        assert_eq!(audited(&shop, action).await, times, "{action}");
    }
}

#[tokio::test]
async fn an_owner_invites_through_the_api_and_the_role_holds() {
    let shop = open().await;
    let ada = owner(&shop).await;
    let invited = shop.post(INVITATIONS).bearer(&ada.token).json(&json!({ "email": "Bob@example.com", "role": "manager" })).send().await;
    assert_eq!(invited.header("cache-control"), "no-store");
    let invited: InvitationCreated = invited.expect(201);
    assert_eq!((invited.email.as_str(), invited.expires_at), ("bob@example.com", shop.clock().now() + chrono::TimeDelta::days(7)));
    let bob: SessionCreated = accept(&shop, &invited.token, "Bob", PASSWORD).await.expect(201);
    assert_eq!(bob.staff.role, Role::Manager);
    let names: Vec<_> = staff(&shop, &bob.token).await.into_iter().map(|member| member.name).collect();
    assert_eq!(names, ["ada", "Bob"]);
}

#[tokio::test]
async fn only_owners_invite() {
    let shop = open().await;
    let body = json!({ "email": "eve@example.com", "role": "owner" });
    for (email, role) in [("bob@example.com", Role::Manager), ("cleo@example.com", Role::Viewer)] {
        let member = join(&shop, email, role).await;
        shop.post(INVITATIONS).bearer(&member.token).json(&body).send().await.expect_problem(403, "forbidden");
    }
    shop.post(INVITATIONS).json(&body).send().await.expect_problem(401, "unauthenticated");
    assert_eq!(number(&shop, "select count(*) from identity.invitation where email = 'eve@example.com'").await, 0);
}

#[tokio::test]
async fn an_active_member_is_not_invited_again_by_colleagues() {
    let shop = open().await;
    let ada = owner(&shop).await;
    let body = json!({ "email": "ADA@example.com", "role": "viewer" });
    shop.post(INVITATIONS).bearer(&ada.token).json(&body).send().await.expect_problem(409, "staff_exists");
    assert_eq!(me(&shop, &ada.token).await.expect::<StaffAnswer>(200).role, Role::Owner);
}

#[tokio::test]
async fn bad_invitations_are_refused_with_the_field_to_mend() {
    let shop = open().await;
    let ada = owner(&shop).await;
    let refused = async |body: Value, pointer: &str| {
        let reply = shop.post(INVITATIONS).bearer(&ada.token).json(&body).send().await;
        assert_eq!(reply.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], pointer, "{}", reply.text);
    };
    for email in
        ["", "eve", "eve@", "@example.com", "e ve@example.com", "eve@exa\u{0}mple.com", "seed@system.invalid", &format!("{}@example.com", "e".repeat(250))]
    {
        refused(json!({ "email": email, "role": "viewer" }), "/email").await;
    }
    refused(json!({ "email": "eve@example.com", "role": "king" }), "/role").await;
    refused(json!({ "email": "eve@example.com", "role": "viewer", "admin": true }), "/admin").await;
    shop.post(INVITATIONS).bearer(&ada.token).body("{}").send().await.expect_problem(415, "unsupported_media_type");
    let mut tx = shop.begin().await;
    assert!(matches!(identity::invite(&mut tx, "not an address", Role::Owner).await, Err(InviteError::Email)));
}

#[tokio::test]
async fn an_invitation_is_taken_once() {
    let shop = open().await;
    let token = invite(&shop, OWNER, Role::Owner).await;
    let first: SessionCreated = accept(&shop, &token, "Ada", PASSWORD).await.expect(201);
    accept(&shop, &token, "Eve", "another long password").await.expect_problem(404, "invitation_not_found");
    assert!(opens(&shop, &first.token).await, "the second try ends nothing");
    sign_in(&shop, OWNER, "another long password").await.expect_problem(401, "credentials_wrong");
    accept(&shop, &Token::generate(), "Eve", PASSWORD).await.expect_problem(404, "invitation_not_found");
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days() {
    let shop = open().await;
    let (late, just) = (invite(&shop, "late@example.com", Role::Viewer).await, invite(&shop, "just@example.com", Role::Viewer).await);
    shop.wait(7 * SECONDS_PER_DAY - 1);
    assert_eq!(accept(&shop, &just, "Just", PASSWORD).await.status, 201);
    shop.wait(1);
    accept(&shop, &late, "Late", PASSWORD).await.expect_problem(404, "invitation_not_found");
}

#[tokio::test]
async fn a_newer_invitation_takes_the_place_of_the_older() {
    let shop = open().await;
    let older = invite(&shop, OWNER, Role::Owner).await;
    let newer = invite(&shop, OWNER, Role::Viewer).await;
    accept(&shop, &older, "Ada", PASSWORD).await.expect_problem(404, "invitation_not_found");
    assert_eq!(accept(&shop, &newer, "Ada", PASSWORD).await.expect::<SessionCreated>(201).staff.role, Role::Viewer);
}

#[tokio::test]
async fn an_invitation_from_the_machine_brings_a_member_back_who_lost_the_password() {
    let shop = open().await;
    let before = owner(&shop).await;
    let elsewhere: SessionCreated = sign_in(&shop, OWNER, PASSWORD).await.expect(201);
    let token = invite(&shop, OWNER, Role::Owner).await;
    assert!(opens(&shop, &before.token).await, "an open invitation changes nothing yet");
    let after: SessionCreated = accept(&shop, &token, "Ada", "a brand new password").await.expect(201);
    assert_eq!(after.staff.id, before.staff.id);
    assert!(!opens(&shop, &before.token).await);
    assert!(!opens(&shop, &elsewhere.token).await);
    assert!(opens(&shop, &after.token).await);
    sign_in(&shop, OWNER, PASSWORD).await.expect_problem(401, "credentials_wrong");
    assert_eq!(sign_in(&shop, OWNER, "a brand new password").await.status, 201);
}

#[tokio::test]
async fn easy_passwords_and_empty_names_are_refused_and_leave_the_invitation_open() {
    let shop = open().await;
    let token = invite(&shop, OWNER, Role::Owner).await;
    let refused = async |name: &str, password: &str, pointer: &str, code: &str| {
        let reply = accept(&shop, &token, name, password).await;
        let error = reply.expect_problem(422, "invalid_body").json["errors"][0].clone();
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{password:?}");
    };
    refused("Ada", "eleven char", "/password", "invalid").await;
    refused("Ada", "äöüäöüäöüäö", "/password", "invalid").await;
    refused("Ada", &"long".repeat(251), "/password", "invalid").await;
    refused("Ada", "ADA@example.com", "/password", "too_easy").await;
    refused("Ada", "adaadaadaada", "/password", "too_easy").await;
    refused("Ada", "............", "/password", "too_easy").await;
    refused("", PASSWORD, "/name", "invalid").await;
    refused("   ", PASSWORD, "/name", "invalid").await;
    refused("A\u{0}da", PASSWORD, "/name", "invalid").await;
    refused(&"a".repeat(201), PASSWORD, "/name", "invalid").await;
    assert_eq!(accept(&shop, &token, "Ada", "twelve chars").await.status, 201);
}

#[tokio::test]
async fn bad_bodies_are_problems() {
    let shop = open().await;
    let send = async |body: Value| shop.post(ACCEPT).json(&body).send().await;
    let short = send(json!({ "token": "abc", "name": "Ada", "password": PASSWORD })).await;
    assert_eq!(short.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/token");
    send(json!({ "token": Token::generate(), "name": "Ada" })).await.expect_problem(422, "invalid_body");
    send(json!({ "token": Token::generate(), "name": "Ada", "password": PASSWORD, "role": "owner" })).await.expect_problem(422, "invalid_body");
    shop.post(ACCEPT).header("content-type", "application/json").body("{\"token\":").send().await.expect_problem(400, "malformed_json");
    shop.post(ACCEPT).body("token=abc").send().await.expect_problem(415, "unsupported_media_type");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_ten_who_accept_one_invitation_at_once_one_gets_in() {
    let shop = open().await;
    let token = invite(&shop, OWNER, Role::Owner).await;
    let start = starting_line(10);
    let mut tries = JoinSet::new();
    for number in 0..10 {
        let (shop, token, start) = (shop.clone(), token.clone(), start.clone());
        tries.spawn(async move {
            start.wait().await;
            let password = format!("long password number {number}");
            let reply = accept(&shop, &token, &format!("Ada {number}"), &password).await;
            (reply, password)
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) = tries.join_all().await.into_iter().partition(|(reply, _)| reply.status == 201);
    assert_eq!(won.len(), 1);
    for (reply, password) in &lost {
        reply.expect_problem(404, "invitation_not_found");
        sign_in(&shop, OWNER, password).await.expect_problem(401, "credentials_wrong");
    }
    let (reply, password) = &won[0];
    let session: SessionCreated = reply.expect(201);
    assert!(opens(&shop, &session.token).await);
    assert_eq!(sign_in(&shop, OWNER, password).await.expect::<SessionCreated>(201).staff, session.staff);
    assert_eq!(number(&shop, "select count(*) from identity.staff").await, 1);
    assert_eq!(audited(&shop, "staff.joined").await, 1);
}
