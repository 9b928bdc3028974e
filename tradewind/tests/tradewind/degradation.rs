//! What goes on when something is away, and that it comes back by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use db::local::{LocalOptions, LocalPostgres};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::ConnectOptions;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::books::{assert_everything_holds, count, small_shop, text, wait_until_all_is_settled};
use crate::process::{Folder, Running};
use crate::shopper::Shopper;

const APPROVED: &str = "0000000000001000";
const NAME: &str = "shop";

/// A database server that the test can take away; the shop only has its address.
struct Writer {
    options: LocalOptions,
    server: Option<LocalPostgres>,
}

impl Writer {
    async fn start(folder: &Folder) -> Self {
        let options = LocalOptions::new(folder.path().join("elsewhere"));
        let server = LocalPostgres::start(&options).await.unwrap();
        server.ensure_database(NAME).await.unwrap();
        Self { options, server: Some(server) }
    }

    fn url(&self) -> String {
        self.server.as_ref().unwrap().address().url(NAME)
    }

    /// Ends the server at once, as a power cut would: nothing is said good-bye to, and what was not written is lost.
    async fn cut_off(&mut self) {
        let server = self.server.take().unwrap();
        let pid = std::fs::read_to_string(self.options.data_dir.join("postgres/postmaster.pid")).unwrap();
        let pid = Pid::from_raw(pid.lines().next().unwrap().trim().parse().unwrap()).unwrap();
        kill_process(pid, Signal::QUIT).unwrap();
        server.exited().await;
    }

    async fn come_back(&mut self) {
        let server = LocalPostgres::start(&self.options).await.unwrap();
        self.server = Some(server);
    }

    async fn stop(self) {
        self.server.unwrap().stop().await;
    }
}

async fn open(folder: Folder) -> (Arc<Folder>, Writer, Running) {
    let writer = Writer::start(&folder).await;
    let folder = folder
        .env("DATABASE_URL", &writer.url())
        .env("TRADEWIND__DEMO", "true")
        .env("TRADEWIND__DATABASE__ACQUIRE_TIMEOUT_MS", "1000")
        .env("TRADEWIND__PAYMENTS__PROVIDER_TIMEOUT_MS", "1000")
        .env("TRADEWIND__PAYMENTS__RECONCILE_EVERY_MS", "1000");
    folder.run(&["migrate"]).await.succeeded();
    folder.run(&["seed", "--from", small_shop(&folder, &[1_000]).to_str().unwrap()]).await.succeeded();
    let running = folder.serve(&[]).await;
    (Arc::new(folder), writer, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_nothing_acknowledged_is_lost_and_it_goes_on_by_itself_when_it_is_back() {
    let (folder, mut writer, running) = open(Folder::new()).await;
    let running = Arc::new(running);
    let mut shoppers = Vec::new();
    for _ in 0..40 {
        shoppers.push(Shopper::come_in(&running).await);
    }
    let waiting = Shopper::come_in(&running).await;

    // Everybody buys, six at a time, and when eight have been told that they have bought, the power goes.
    let (at_once, acknowledged) = (Arc::new(Semaphore::new(6)), Arc::new(Semaphore::new(0)));
    let mut buyers = JoinSet::new();
    for (number, shopper) in shoppers.into_iter().enumerate() {
        let (running, at_once, acknowledged) = (Arc::clone(&running), Arc::clone(&at_once), Arc::clone(&acknowledged));
        buyers.spawn(async move {
            let _turn = at_once.acquire().await.unwrap();
            // By card, and by bank transfer, which is settled in the transaction that is answered.
            let card = (number % 2 == 0).then_some(APPROVED);
            let told = shopper.complete(&running, "buy", card).await.unwrap();
            acknowledged.add_permits(usize::from(told.0 == 200));
            (shopper, card, told)
        });
    }
    drop(tokio::time::timeout(Duration::from_secs(60), acknowledged.acquire_many(8)).await.expect("eight sales within a minute").unwrap());
    writer.cut_off().await;
    let told = buyers.join_all().await;
    let acknowledged = told.iter().filter(|(_, _, (status, _))| *status == 200).count();
    let refused = told.iter().filter(|(_, _, (status, _))| *status != 200).count();
    assert!(acknowledged > 0 && refused > 0, "{acknowledged} of 40 were acknowledged");
    for (_, _, (status, body)) in &told {
        assert!([200, 202, 503].contains(status), "{status} {body}");
    }

    // Carts and checkout say when to come again; the process is well.
    let (status, problem) = waiting.complete(&running, "buy", None).await.unwrap();
    assert_eq!(status, 503, "{problem}");
    let cart = crate::process::http().post(format!("{}/store/v1/carts", running.base_url())).send().await.unwrap();
    assert_eq!((cart.status().as_u16(), cart.headers().contains_key("retry-after")), (503, true));
    let ready = crate::process::http().get(format!("{}/readyz", running.operations_url())).send().await.unwrap();
    assert_eq!(ready.status(), 200, "a database that is away does not fail readiness");

    writer.come_back().await;
    let bought = buy_until_answered(&waiting, &running, None).await;
    assert_eq!(bought["status"], "placed", "the process goes on by itself");
    for (shopper, card, (status, first)) in &told {
        let again = buy_until_answered(shopper, &running, *card).await;
        if *status == 200 {
            assert_eq!(first["order"]["id"], again["order"]["id"], "acknowledged, and lost");
        }
    }
    let mut books = writer.server.as_ref().unwrap().address().options(NAME).connect().await.unwrap();
    wait_until_all_is_settled(&mut books, "a power cut").await;
    assert_everything_holds(&folder).await;
    assert_eq!(count(&mut books, "select count(*) from orders.order where state = 'placed'").await, 41, "one sale for each");
    Arc::into_inner(running).unwrap().terminate().await.succeeded();
    writer.stop().await;
}

/// Asks with the same key until it is a sale, also with a new key where the first was canceled by the reconciler.
async fn buy_until_answered(shopper: &Shopper, running: &Running, card: Option<&str>) -> Value {
    let begun = Instant::now();
    let mut key = "buy";
    loop {
        match shopper.complete(running, key, card).await.unwrap() {
            (200, body) => return body,
            (402, body) => {
                assert_eq!((key, &*text(&body["code"])), ("buy", "payment_canceled"), "{body}");
                key = "once more";
            }
            (409, body) if key == "buy" && body["code"] == "in_progress" => {}
            (202 | 503, _) => {}
            (status, body) => panic!("{status} {body}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "no sale of {}", shopper.cart);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[cfg(feature = "faults")]
#[tokio::test]
async fn what_a_killed_worker_had_in_hand_is_done_by_another_when_its_lease_ends() {
    use testkit::TestDatabase;

    const ANSWERS_LATE: &str = "0000000000005000";
    const LEASE: Duration = Duration::from_secs(5);
    let database = TestDatabase::create(&[]).await;
    let folder = Folder::new().env("DATABASE_URL", &database.url()).env("TRADEWIND__DEMO", "true").env("TRADEWIND__WORKER__LEASE_MS", "5000");
    folder.run(&["migrate"]).await.succeeded();
    folder.run(&["seed", "--from", small_shop(&folder, &[10]).to_str().unwrap()]).await.succeeded();
    let api = folder.serve(&["--target", "api"]).await;
    let doomed = folder.serve_with(&["--target", "worker"], &[(checkout::faults::VARIABLE, checkout::faults::FaultPoint::NewsWritten.as_str())]).await;
    Shopper::come_in(&api).await.completes(&api, Some(ANSWERS_LATE), 202).await;
    assert_eq!(doomed.ended().await.signal(), Some(9), "the worker was not killed over the job");
    let killed = Instant::now();

    let mut books = database.options().connect().await.unwrap();
    let in_hand = "select count(*) from ops.job where kind = 'checkout.settle_attempt' and state = 'running' and lease_until > now()";
    assert_eq!(count(&mut books, in_hand).await, 1, "the job is still in the dead worker's hands");
    assert_eq!(count(&mut books, "select count(*) from orders.order where state = 'pending'").await, 1);
    let other = folder.serve(&["--target", "worker"]).await;
    wait_until_all_is_settled(&mut books, "a killed worker").await;
    assert!(killed.elapsed() + Duration::from_secs(1) > LEASE, "taken over before the lease ended");
    let done = "select count(*) from ops.job where kind = 'checkout.settle_attempt' and state = 'done' and attempts = 2";
    assert_eq!(count(&mut books, done).await, 1, "one attempt for each worker");
    assert_eq!(count(&mut books, "select count(*) from orders.order where state = 'placed'").await, 1);
    assert_everything_holds(&folder).await;
    other.terminate().await.succeeded();
    api.terminate().await.succeeded();
}
