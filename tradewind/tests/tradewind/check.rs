//! `tradewind check` and its schedule: whatever is wrong is found, and said where and what to do.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use orders_api::OrderId;
use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::books::{assert_everything_holds, findings, small_shop, text};
use crate::process::{Folder, Running, http};
use crate::shopper::Shopper;

const DECLINED: &str = "0000000000002001";
const SECOND_STEP: &str = "0000000000003000";

#[tokio::test]
async fn in_a_sound_shop_everything_holds_with_and_without_a_server() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    folder.run(&["seed", "--from", small_shop(&folder, &[10]).to_str().unwrap()]).await.succeeded();
    let shopper = Shopper::come_in(&running).await;
    assert_eq!(shopper.completes(&running, None, 200).await["status"], "placed");
    let beside = folder.run(&["check"]).await.succeeded();
    assert!(beside.contains("Everything holds: 25 invariants") && beside.contains("ok       shop.sales") && !beside.contains("PROBLEM"), "{beside}");
    running.terminate().await.succeeded();
    assert_everything_holds(&folder).await;
}

#[tokio::test]
async fn every_kind_of_fault_is_found_and_told_in_words() {
    let database = TestDatabase::create(&[]).await;
    let folder = Folder::new().env("DATABASE_URL", &database.url()).env("TRADEWIND__DEMO", "true").env("TRADEWIND__WORKER__CHECK_EVERY_MS", "1000");
    let mut broken = Broken::shop(&folder, &database).await;
    assert_everything_holds(&folder).await;
    let expected = broken.everything().await;

    let ended = folder.run(&["check", "--json"]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let found = findings(&ended);
    for (check, words) in &expected {
        assert!(found.iter().any(|(by, said)| by == check && said.contains(words)), "{check} does not say {words:?}: {found:#?}");
    }
    let checks: BTreeSet<&str> = found.iter().map(|(check, _)| &**check).collect();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let all: BTreeSet<&str> = report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(checks, all, "every check has found something");

    let told = folder.run(&["check"]).await;
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    for part in ["PROBLEM  inventory.oversold", "What to do: Count the shelf", "finding(s): 25 invariants", "Nothing was changed."] {
        assert!(told.stdout.contains(part), "{part} is missing in {}", told.stdout);
    }
    assert_the_schedule_tells_it(&folder).await;
}

/// A server that works looks by itself, and exports what it found.
async fn assert_the_schedule_tells_it(folder: &Folder) {
    let running = folder.serve(&[]).await;
    let begun = Instant::now();
    let metrics = loop {
        let metrics = http().get(format!("{}/metrics", running.operations_url())).send().await.unwrap().text().await.unwrap();
        if metrics.contains("check_last_run_timestamp_seconds") {
            break metrics;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the schedule does not run:\n{}", running.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for line in ["inventory_oversold_units 1", "check_findings{check=\"orders.lines\"} 1", "check_findings{check=\"checkout.open\"} "] {
        assert!(metrics.lines().any(|shown| shown.starts_with(line)), "{line} is missing in {metrics}");
    }
    assert!(running.logs().contains("an invariant does not hold"), "{}", running.logs());
    running.terminate().await.succeeded();
}

/// A shop in which somebody goes around every guard.
struct Broken {
    conn: PgConnection,
    /// Sales, each to be broken in another way.
    sales: Vec<OrderId>,
    refused: OrderId,
    waiting: OrderId,
    expected: Vec<(&'static str, String)>,
}

impl Broken {
    async fn shop(folder: &Folder, database: &TestDatabase) -> Self {
        folder.run(&["migrate"]).await.succeeded();
        folder.run(&["seed", "--from", small_shop(folder, &[100, 100, 100, 100]).to_str().unwrap()]).await.succeeded();
        let running = folder.serve(&[]).await;
        let mut sales = Vec::new();
        for _ in 0..14 {
            sales.push(order_of(&Shopper::come_in(&running).await.completes(&running, None, 200).await));
        }
        Shopper::come_in(&running).await.completes(&running, Some(DECLINED), 402).await;
        let waiting = order_of(&Shopper::come_in(&running).await.completes(&running, Some(SECOND_STEP), 202).await);
        Shopper::come_in(&running).await;
        idle(&running, database).await;
        running.terminate().await.succeeded();
        let mut conn = database.options().connect().await.unwrap();
        let refused: Uuid = sqlx::query_scalar("select id from orders.order where state = 'canceled'").fetch_one(&mut conn).await.unwrap();
        // A superuser's way around foreign keys and triggers.
        sqlx::query("set session_replication_role = replica").execute(&mut conn).await.unwrap();
        Self { conn, sales, refused: OrderId::from_uuid(refused), waiting, expected: Vec::new() }
    }

    /// Breaks something in a way that this check must tell in these words.
    async fn breaks(&mut self, check: &'static str, words: &str, statement: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut self.conn).await.unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        self.expects(check, words);
    }

    fn expects(&mut self, check: &'static str, words: &str) {
        self.expected.push((check, words.to_owned()));
    }

    /// Takes the guards away and breaks everything there is.
    async fn everything(&mut self) -> Vec<(&'static str, String)> {
        let unguarded = "alter table inventory.level drop constraint level_reserved_within_on_hand; \
             drop index orders.order_number_unique, orders.order_one_per_cart";
        sqlx::raw_sql(unguarded).execute(&mut self.conn).await.unwrap();
        self.stock().await;
        self.money().await;
        self.orders().await;
        self.platform().await;
        self.between_services().await;
        std::mem::take(&mut self.expected)
    }

    async fn stock(&mut self) {
        let variant = "(select variant_id from inventory.level where reserved > 0)";
        let other = "(select min(variant_id::text)::uuid from inventory.level where reserved = 0)";
        self.breaks(
            "inventory.oversold",
            "reserved of",
            &format!("update inventory.level set on_hand = reserved - 1 where reserved > 0 and variant_id in {variant}"),
        )
        .await;
        self.expects("inventory.levels", "but its movements sum up to 100");
        let line = format!("update inventory.hold_line set quantity = 7 where hold_id = {}", self.hold_of(0));
        self.breaks("inventory.reservations", "reserved, but its holds sum up to", &line).await;
        self.expects("inventory.holds", "is committed: its lines reserve 7, but its movements sum up to 1");
        self.expects("shop.sales", &format!("order {} is placed, but its hold", self.sales[0]));
        self.breaks("inventory.bands", "available, but the band told is low", &format!("update inventory.band set band = 'low' where variant_id = {other}"))
            .await;
        self.expects("shop.stock_bands", "the catalogue shows in, but its");
    }

    async fn money(&mut self) {
        let posting = format!(
            "delete from payments.ledger_posting where account = 'delivery' and transaction_id = (select id from payments.ledger_transaction where order_id = '{}')",
            self.sales[1].uuid()
        );
        self.breaks("payments.ledger", "does not balance", &posting).await;
        let capture = format!(
            "insert into payments.capture (id, attempt_id, amount_minor, currency, state, requested_by, created_at, settled_at)
             select gen_random_uuid(), id, amount_minor + 1, currency, 'succeeded', 'test', now(), now() from payments.attempt where order_id = '{}'",
            self.sales[2].uuid()
        );
        self.breaks("payments.captures", "the ledger has 0 for it", &capture).await;
        self.expects("payments.attempts", "is captured or being captured");
        self.expects("payments.attempts", "counts 0 captured and 0 being captured, its captures come to");
        let sandbox = "update payments.sandbox_payment set state = 'authorized' where state = 'declined'";
        self.breaks("payments.sandbox", "the sandbox still holds its money", sandbox).await;
        let owed = format!(
            "update payments.ledger_posting set amount_minor = amount_minor - 1 where account = 'receivable' and transaction_id = (select id from payments.ledger_transaction where order_id = '{}')",
            self.sales[3].uuid()
        );
        self.breaks("shop.sales", &format!("order {} is placed, but the ledger has a sale over", self.sales[3]), &owed).await;
    }

    async fn orders(&mut self) {
        let [lines, timeline, number, cart] = [4, 5, 6, 8].map(|index| self.sales[index].uuid());
        let [same_number, same_cart] = [7, 9].map(|index| self.sales[index].uuid());
        self.breaks("orders.lines", "its lines do not add up to it", &format!("update orders.order set item_count = item_count + 1 where id = '{lines}'"))
            .await;
        let entry = format!("delete from orders.timeline_entry where kind = 'placed' and order_id = '{timeline}'");
        self.breaks("orders.timeline", "does not say once that it was placed", &entry).await;
        let doubled = format!("update orders.order set number = (select number from orders.order where id = '{same_number}') where id = '{number}'");
        self.breaks("orders.numbers", &format!("is also that of {}", self.sales[7]), &doubled).await;
        let doubled = format!("update orders.order set cart_id = (select cart_id from orders.order where id = '{same_cart}') where id = '{cart}'");
        self.breaks("orders.one_per_cart", &format!("its cart is also that of {}", self.sales[9]), &doubled).await;
        self.expects("shop.completions", &format!("purchase of {}: the order is made of another cart", self.sales[8]));
        let noted = format!("update orders.order set capture_failed = true where id = '{}'", self.sales[13].uuid());
        self.breaks("orders.payment_noted", &format!("order {}: noted as authorized after a failed capture", self.sales[13]), &noted).await;
    }

    async fn platform(&mut self) {
        let lost = "delete from ops.job where event_id = (select id from ops.event where subscribers = 1 limit 1)";
        self.breaks("ops.outbox", "has 0 jobs for 1 subscribers", lost).await;
        let dead = "insert into ops.job (id, kind, payload, state, attempts, run_at, created_at, finished_at, last_error)
             values (gen_random_uuid(), 'kitchen.clean', '1', 'dead', 20, now(), now(), now(), 'no soap')";
        self.breaks("ops.dead_jobs", "is dead after 20 attempts: no soap", dead).await;
        let stuck = "insert into ops.idempotency_key (surface, actor, route, key, request_hash, state, lease_until, created_at, expires_at)
             values ('store', 'guest', 'POST /soap', 'k', '', 'running', now() - interval '2 hours', now() - interval '3 hours', now() + interval '21 hours')";
        self.breaks("ops.idempotency_keys", "a key of POST /soap has had no answer since", stuck).await;
    }

    async fn between_services(&mut self) {
        let late = format!("update checkout.completion set created_at = now() - interval '2 hours' where order_id = '{}'", self.waiting.uuid());
        self.breaks("checkout.open", &format!("completion of {} has been waiting", self.waiting), &late).await;
        let unpaid = format!("update payments.attempt set state = 'canceled' where order_id = '{}'", self.sales[10].uuid());
        self.breaks("shop.sales", &format!("order {} is placed, but it has 0 authorized payments", self.sales[10]), &unpaid).await;
        let let_go = format!("update inventory.hold set state = 'released' where id = {}", self.hold_of(11));
        self.breaks("shop.sales", &format!("order {} is placed, but its hold", self.sales[11]), &let_go).await;
        let refused = self.refused.uuid();
        let kept =
            format!("update inventory.hold set state = 'committed', expires_at = null where id = (select hold_id from orders.order where id = '{refused}')");
        self.breaks("shop.sales", &format!("order {} is canceled, but its hold", self.refused), &kept).await;
        let lost = format!("delete from orders.order where id = '{}'", self.sales[12].uuid());
        self.breaks("shop.holds", "takes stock for no order", &lost).await;
        self.expects("shop.payments", &format!("is for order {}, which does not exist", self.sales[12].uuid()));
        self.expects("shop.ledger", &format!("is about order {}, which does not exist", self.sales[12].uuid()));
        self.expects("shop.completions", &format!("purchase of {}: it is placed, but the order does not exist", self.sales[12]));
        let reopened = format!("update cart.cart set state = 'active' where id = (select cart_id from orders.order where id = '{}')", self.sales[13].uuid());
        self.breaks("shop.completions", &format!("purchase of {}: it is placed, but the cart is active", self.sales[13]), &reopened).await;
        let never = "update cart.cart set state = 'completed' where id = (select id from cart.cart where state = 'active' order by created_at desc limit 1)";
        self.breaks("shop.carts", "it is completed, but no purchase made it so", never).await;
    }

    fn hold_of(&self, sale: usize) -> String {
        format!("(select hold_id from orders.order where id = '{}')", self.sales[sale].uuid())
    }
}

fn order_of(completion: &Value) -> OrderId {
    text(&completion["order"]["id"]).parse().unwrap_or_else(|error| panic!("{error}: {completion}"))
}

/// Waits until the server has passed all news on.
async fn idle(running: &Running, database: &TestDatabase) {
    let mut conn = database.options().connect().await.unwrap();
    let begun = Instant::now();
    while crate::books::count(&mut conn, "select count(*) from ops.job where event_id is not null and state in ('ready', 'running')").await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "news is left over:\n{}", running.logs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
