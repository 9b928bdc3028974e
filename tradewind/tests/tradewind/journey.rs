//! One shopper's way from the product to the order, through the pages, with the API in the same process and in another one.

use std::collections::BTreeMap;

use crate::books::small_shop;
use crate::process::{Folder, http};

#[tokio::test]
async fn a_guest_buys_through_the_pages_whether_the_api_is_in_their_process_or_in_another() {
    let folder = Folder::new().env("TRADEWIND__DEMO", "true").env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us");
    folder.run(&["seed", "--from", small_shop(&folder, &[10]).to_str().unwrap()]).await.succeeded();
    let whole = folder.serve(&[]).await;
    let apart = Folder::new().env("TRADEWIND__WEB__INTERNAL_CREDENTIAL", "between-us").env("TRADEWIND__WEB__API_URL", whole.base_url());
    let pages = apart.serve(&["--target", "storefront"]).await;

    for base_url in [whole.base_url(), pages.base_url()] {
        let mut browser = Browser { base_url, cookies: BTreeMap::new() };
        let list = browser.get("/products").await;
        let product = list.text.split("href=\"/products/").nth(1).unwrap().split(['"', '?', '#']).next().unwrap().to_owned();
        let cart = browser.post("/cart/lines", &[("product", &product), ("quantity", "1")]).await;
        assert_eq!(cart.status, 200, "{}", cart.text);
        let page = browser.get("/checkout").await;
        let hidden = ["key", "cart", "expected_amount", "expected_currency"].map(|name| (name, page.value(name)));
        let typed =
            [("email", "ines@example.com"), ("country", "AT"), ("name", "Ines Gruber"), ("street", "Hafengasse 3"), ("postcode", "1030"), ("city", "Wien")];
        let paid = [("payment", "sandbox"), ("test_card", "0000000000001000"), ("billed_there", "on")];
        let form: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).chain(typed).chain(paid).collect();
        let thanks = browser.post("/checkout", &form).await;
        assert!(thanks.status == 200 && thanks.path.starts_with("/checkout/thanks/ord_"), "{} {}\n{}", thanks.status, thanks.path, thanks.text);
        assert!(thanks.text.contains("Thank you, Ines") && thanks.text.contains("TW-100"), "{}", thanks.text);
        let order = browser.get(&thanks.path.replace("/checkout/thanks/", "/orders/")).await;
        assert!(order.status == 200 && order.text.contains("ines@example.com"), "{}", order.text);
    }
    pages.terminate().await.succeeded();
    whole.terminate().await.succeeded();
}

/// As much of a browser as forms need: cookies, and redirects that are followed.
struct Browser<'shop> {
    base_url: &'shop str,
    cookies: BTreeMap<String, String>,
}

/// What is shown in the end.
struct Shown {
    status: u16,
    path: String,
    text: String,
}

impl Shown {
    /// The value of a hidden field.
    fn value(&self, name: &str) -> String {
        let field = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        field.split('"').next().unwrap().to_owned()
    }
}

impl Browser<'_> {
    async fn get(&mut self, path: &str) -> Shown {
        self.go(path, None).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        self.go(path, Some(form)).await
    }

    async fn go(&mut self, path: &str, mut form: Option<&[(&str, &str)]>) -> Shown {
        let mut path = path.to_owned();
        loop {
            let url = format!("{}{path}", self.base_url);
            let request = form.take().map_or_else(|| http().get(&url), |form| http().post(&url).header("sec-fetch-site", "same-origin").form(form));
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let answer = request.header("cookie", cookies).send().await.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let status = answer.status().as_u16();
            match answer.headers().get("location").filter(|_| (300..400).contains(&status)) {
                Some(location) => path = location.to_str().unwrap().trim_start_matches(self.base_url).split('#').next().unwrap().to_owned(),
                None => return Shown { status, path, text: answer.text().await.unwrap() },
            }
        }
    }
}
