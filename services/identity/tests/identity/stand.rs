//! What the tests stand on: a back office with an owner.

use std::sync::Arc;

use identity_api::{Role, SessionCreated, StaffAnswer};
use kernel::Token;
use serde_json::{Value, json};
use testkit::{Reply, Shop};

pub(crate) const SESSIONS: &str = "/admin/v1/sessions";
pub(crate) const CURRENT: &str = "/admin/v1/sessions/current";
pub(crate) const ACCEPT: &str = "/admin/v1/invitations/accept";
pub(crate) const INVITATIONS: &str = "/admin/v1/invitations";
pub(crate) const ME: &str = "/admin/v1/me";
pub(crate) const STAFF: &str = "/admin/v1/staff";

pub(crate) const OWNER: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

pub(crate) async fn open() -> Shop {
    Shop::open_with(|db, stores| identity::authenticator(db.clone(), stores), |context| vec![identity::service(context)]).await
}

/// Invites as the command line does.
pub(crate) async fn invite(shop: &Shop, email: &str, role: Role) -> Token {
    let mut tx = shop.begin().await;
    let (token, _) = identity::invite(&mut tx, email, role).await.unwrap();
    tx.commit().await.unwrap();
    token
}

pub(crate) async fn accept(shop: &Shop, token: &Token, name: &str, password: &str) -> Reply {
    shop.post(ACCEPT).json(&json!({ "token": token, "name": name, "password": password })).send().await
}

/// Invites and accepts.
pub(crate) async fn join(shop: &Shop, email: &str, role: Role) -> SessionCreated {
    let token = invite(shop, email, role).await;
    accept(shop, &token, email.split('@').next().unwrap(), PASSWORD).await.expect(201)
}

pub(crate) async fn owner(shop: &Shop) -> SessionCreated {
    join(shop, OWNER, Role::Owner).await
}

pub(crate) async fn sign_in(shop: &Shop, email: &str, password: &str) -> Reply {
    sign_in_from(shop, "192.0.2.1", email, password).await
}

/// Signs in through our own web tier, which passes the browser's address on.
pub(crate) async fn sign_in_from(shop: &Shop, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    shop.post(SESSIONS).header("x-client-address", address).header("x-internal-credential", "internal").json(&body).send().await
}

pub(crate) async fn me(shop: &Shop, token: &Token) -> Reply {
    shop.get(ME).bearer(token).send().await
}

/// Whether a token still opens the door.
pub(crate) async fn opens(shop: &Shop, token: &Token) -> bool {
    let reply = me(shop, token).await;
    if reply.status == 200 {
        return true;
    }
    reply.expect_problem(401, "unauthenticated");
    false
}

pub(crate) async fn staff(shop: &Shop, token: &Token) -> Vec<StaffAnswer> {
    shop.get(STAFF).bearer(token).send().await.expect::<identity_api::StaffList>(200).items
}

/// Runs the sweep once.
pub(crate) async fn sweep(shop: &Shop) {
    let mut tx = shop.begin().await;
    tx.enqueue("identity.sweep", &Value::Null, None, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.work_off().await, 1);
    assert_eq!(number(shop, "select count(*) from ops.job where state <> 'done'").await, 0);
}

/// The one number a statement answers.
pub(crate) async fn number(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(shop.context().db().writer()).await.unwrap()
}

/// Runs a statement behind the service's back.
pub(crate) async fn execute(shop: &Shop, statement: &'static str) -> u64 {
    sqlx::query(statement).execute(shop.context().db().writer()).await.unwrap().rows_affected()
}

/// How often an action stands in the audit.
pub(crate) async fn audited(shop: &Shop, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from ops.audit_entry where action = $1").bind(action).fetch_one(shop.context().db().writer()).await.unwrap()
}

/// Lets several tasks go at the same moment.
pub(crate) fn starting_line(runners: usize) -> Arc<tokio::sync::Barrier> {
    Arc::new(tokio::sync::Barrier::new(runners))
}
