//! One way from the product to the order and on to the money, through the pages: in one process, with the API in another, and in five.

use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use testkit::{RedisServer, TestDatabase};

use crate::books::{assert_everything_holds, count, small_shop, wait_until_all_is_settled};
use crate::browser::{Browser, Shown};
use crate::process::{Folder, Running};

const APPROVED: &str = "0000000000001000";
/// Is approved a little later, by news that a worker takes in.
const ANSWERS_LATE: &str = "0000000000005000";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a long enough password";

#[tokio::test]
async fn a_guest_buys_through_the_pages_whether_the_api_is_in_their_process_or_in_another() {
    let folder = Folder::new().env("TRADEWIND__DEMO", "true").env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us");
    folder.run(&["seed", "--from", small_shop(&folder, &[10]).to_str().unwrap()]).await.succeeded();
    let whole = folder.serve(&[]).await;
    let apart = Folder::new().env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us").env("TRADEWIND__WEB__API_URL", whole.base_url());
    let pages = apart.serve(&["--target", "storefront,backoffice"]).await;

    let link = invitation(&folder).await;
    for (number, running) in [&whole, &pages].into_iter().enumerate() {
        let order = buy(running.base_url(), APPROVED).await;
        let mut office = Browser::at(running.base_url());
        if number == 0 {
            join(&mut office, &link).await;
        } else {
            sign_in(&mut office).await;
        }
        capture(&mut office, &order).await;
    }
    pages.terminate().await.succeeded();
    whole.terminate().await.succeeded();
}

/// The shop as five processes that know each other by address alone. The pages have no database; each half of them has an API of its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_way_leads_through_five_processes_that_talk_http() {
    let database = TestDatabase::create(&[]).await;
    let redis = RedisServer::start().await;
    let shared = |folder: Folder| folder.env("TRADEWIND__DEMO", "true").env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us").env("REDIS_URL", &redis.url());
    let inside = shared(Folder::new()).env("DATABASE_URL", &database.url());
    inside.run(&["migrate"]).await.succeeded();
    inside.run(&["seed", "--from", small_shop(&inside, &[10]).to_str().unwrap()]).await.succeeded();
    let (store_api, admin_api) = (inside.serve(&["--target", "api"]).await, inside.serve(&["--target", "api"]).await);
    let worker = inside.serve(&["--target", "worker"]).await;
    let before = [&store_api, &admin_api].map(|api| shared(Folder::new()).env("TRADEWIND__WEB__API_URL", api.base_url()));
    let [shop_folder, office_folder] = before;
    let shop = shop_folder.serve(&["--target", "storefront"]).await;
    let office = office_folder.serve(&["--target", "backoffice"]).await;
    for folder in [&shop_folder, &office_folder] {
        assert!(!folder.data().join("postgres").exists(), "pages have no database");
    }

    let order = buy(shop.base_url(), APPROVED).await;
    let mut staff = Browser::at(office.base_url());
    join(&mut staff, &invitation(&inside).await).await;
    capture(&mut staff, &order).await;
    // What was done at one API is true at the other: the session, and the money.
    let bearer = staff.cookie("__Host-staff").to_owned();
    for api in [&store_api, &admin_api] {
        let me = crate::process::http().get(format!("{}/admin/v1/me", api.base_url())).bearer_auth(&bearer).send().await.unwrap();
        assert_eq!(me.status(), 200);
    }
    assert_eq!(staff.post("/backoffice/sign-out", &[]).await.status, 200);
    let begun = Instant::now();
    for api in [&store_api, &admin_api] {
        loop {
            let me = crate::process::http().get(format!("{}/admin/v1/me", api.base_url())).bearer_auth(&bearer).send().await.unwrap();
            if me.status() == 401 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(1), "a session that has ended still opens {}", api.base_url());
        }
    }

    // This one is settled by the worker alone.
    buy_late(shop.base_url()).await;
    let mut books = database.options().connect().await.unwrap();
    wait_until_all_is_settled(&mut books, "five processes").await;
    assert_eq!(count(&mut books, "select count(*) from orders.order where state = 'placed'").await, 2);
    assert!(count(&mut books, "select count(*) from ops.job where kind = 'checkout.settle_attempt' and state = 'done'").await >= 1);
    assert_eq!(count(&mut books, "select count(*) from orders.timeline_entry where kind = 'capture_succeeded'").await, 1);
    assert_everything_holds(&inside).await;
    assert_each_serves_only_its_own(&store_api, &shop, &office).await;
    for running in [shop, office, worker, store_api, admin_api] {
        running.terminate().await.succeeded();
    }
}

async fn assert_each_serves_only_its_own(api: &Running, shop: &Running, office: &Running) {
    let elsewhere = [
        (shop, "/store/v1/products"),
        (shop, "/admin/v1/orders"),
        (shop, "/backoffice"),
        (office, "/products"),
        (office, "/store/v1/carts/crt_1"),
        (api, "/products"),
        (api, "/backoffice/orders"),
    ];
    for (running, path) in elsewhere {
        let answer = running.get(path).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status == 404 && text.contains("not_served_here"), "{path}: {status} {text}");
    }
    assert!(shop.stdout().contains("the API, which its pages call at") && api.stdout().contains("--target worker"), "{}{}", shop.stdout(), api.stdout());
}

/// Buys the first product and returns the order's id.
async fn buy(base_url: &str, card: &str) -> String {
    let mut browser = Browser::at(base_url);
    let thanks = check_out(&mut browser, card).await;
    assert!(thanks.status == 200 && thanks.path.starts_with("/checkout/thanks/ord_"), "{} {}\n{}", thanks.status, thanks.path, thanks.text);
    assert!(thanks.text.contains("Thank you, Ines") && thanks.text.contains("TW-100"), "{}", thanks.text);
    let order = browser.get(&thanks.path.replace("/checkout/thanks/", "/orders/")).await;
    assert!(order.status == 200 && order.text.contains("ines@example.com"), "{}", order.text);
    thanks.path.trim_start_matches("/checkout/thanks/").to_owned()
}

/// Buys with a card whose bank takes its time.
async fn buy_late(base_url: &str) {
    let shown = check_out(&mut Browser::at(base_url), ANSWERS_LATE).await;
    assert_eq!(shown.status, 200, "{} {}", shown.path, shown.text);
}

async fn check_out(browser: &mut Browser<'_>, card: &str) -> Shown {
    let list = browser.get("/products").await;
    let product = list.text.split("href=\"/products/").nth(1).unwrap().split(['"', '?', '#']).next().unwrap().to_owned();
    let cart = browser.post("/cart/lines", &[("product", &product), ("quantity", "1")]).await;
    assert_eq!(cart.status, 200, "{}", cart.text);
    let page = browser.get("/checkout").await;
    let hidden = ["key", "cart", "expected_amount", "expected_currency"].map(|name| (name, page.value(name)));
    let typed = [("email", "ines@example.com"), ("country", "AT"), ("name", "Ines Gruber"), ("street", "Hafengasse 3"), ("postcode", "1030"), ("city", "Wien")];
    let paid = [("payment", "sandbox"), ("test_card", card), ("billed_there", "on")];
    let form: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).chain(typed).chain(paid).collect();
    browser.post("/checkout", &form).await
}

/// The secret of an invitation, as the command line prints it.
async fn invitation(folder: &Folder) -> String {
    let printed = folder.run(&["staff", "invite", EMAIL]).await.succeeded();
    printed.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

async fn join(office: &mut Browser<'_>, token: &str) {
    let joined = office.post("/backoffice/invitation", &[("token", token), ("name", "Ada"), ("password", PASSWORD)]).await;
    assert_eq!(joined.status, 200, "{}", joined.text);
    assert_eq!(office.get("/backoffice").await.path, "/backoffice", "signed in");
}

async fn sign_in(office: &mut Browser<'_>) {
    let signed_in = office.post("/backoffice/sign-in", &[("email", EMAIL), ("password", PASSWORD), ("next", "")]).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    assert_eq!(office.get("/backoffice").await.path, "/backoffice", "signed in");
}

/// Captures the whole amount by the form of the order's page.
async fn capture(office: &mut Browser<'_>, order: &str) {
    let path = format!("/backoffice/orders/{order}");
    let page = office.get(&path).await;
    assert!(page.status == 200 && page.text.contains("Ines Gruber"), "{}", page.text);
    let action = format!("{path}/capture");
    let form = page.hidden(&action);
    let amount = page.value_of_field("amount");
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("amount", amount.as_str())]).collect();
    let captured = office.post(&action, &fields).await;
    assert_eq!(captured.status, 200, "{}", captured.text);
    let page = office.get(&path).await;
    assert!(!page.text.contains(&format!("action=\"{action}\"")), "there is nothing left to capture: {}", page.text);
}
