//! What shoppers see.

use catalog_api::{CategoryAnswer, ChannelAnswer, ChannelKind, List, MediaReference, ProductAnswer, ProductSummary, StockBand};
use kernel::{Currency, Money, Page};
use serde_json::json;

use crate::{create, create_category, matrix, open, patch, single, slugs};

#[tokio::test]
async fn a_request_finds_its_channel_by_code_then_host_then_default() {
    let shop = open().await;
    let default: ChannelAnswer = shop.read("/store/v1/channel").await.expect(200);
    assert_eq!((default.code.as_str(), default.kind, default.currency), ("default", ChannelKind::Live, Currency::EUR));

    let smoke: ChannelAnswer = shop.get("/store/v1/channel").header("x-channel", "smoke").send().await.expect(200);
    assert_eq!((smoke.code.as_str(), smoke.kind), ("smoke", ChannelKind::Test));
    shop.get("/store/v1/channel").header("x-channel", "nowhere").send().await.expect_problem(404, "channel_not_found");

    let hosts = json!({ "hosts": ["smoke.example.com"] });
    drop(shop.staff("PATCH", &format!("/admin/v1/channels/{}", smoke.id)).header("if-match", "\"1\"").json(&hosts).send().await.expect::<ChannelAnswer>(200));
    let code_at = async |host: &str| shop.get("/store/v1/channel").header("host", host).send().await.expect::<ChannelAnswer>(200).code;
    assert_eq!(code_at("Smoke.Example.com:8080").await, "smoke");
    assert_eq!(code_at("other.example.com").await, "default");
    let named = shop.get("/store/v1/channel").header("host", "smoke.example.com").header("x-channel", "default").send().await;
    assert_eq!(named.expect::<ChannelAnswer>(200).code, "default");
}

/// The widths a picture is to be had in.
fn widths(picture: &MediaReference) -> Vec<(&str, i32)> {
    picture.sources.iter().map(|source| (source.url.as_str(), source.width)).collect()
}

#[tokio::test]
async fn a_product_page_has_everything_it_needs() {
    let shop = open().await;
    let category = create_category(&shop, "art-prints", None).await;
    let mut draft = matrix("low-tide-hills");
    draft["category"] = json!("art-prints");
    let made = create(&shop, &draft).await;

    let product: ProductAnswer = shop.read("/store/v1/products/low-tide-hills").await.expect(200);
    assert_eq!(product.id, made.id);
    assert_eq!(product.category, Some(category));
    assert_eq!(product.facts, ["Pigment ink", "Keep out of direct sun"]);
    assert_eq!(product.media.iter().map(|picture| picture.url.as_str()).collect::<Vec<_>>(), ["/media/hills.svg", "/media/hills-oak.svg"]);
    assert_eq!(widths(&product.media[0]), [("/media/hills-320.webp", 320), ("/media/hills-640.webp", 640)]);
    assert_eq!(widths(&product.media[1]), []);
    let options: Vec<(&str, Vec<&str>)> =
        product.options.iter().map(|option| (option.name.as_str(), option.values.iter().map(|value| value.value.as_str()).collect())).collect();
    assert_eq!(options, [("Frame", vec!["Black", "Oak"]), ("Size", vec!["S", "L"])]);
    assert_eq!(product.options[0].values[1].swatch.as_deref(), Some("#c69c66"));
    let skus: Vec<&str> = product.variants.iter().map(|variant| variant.sku.as_str()).collect();
    assert_eq!(skus, ["LOW-TIDE-HILLS-BLACK-S", "LOW-TIDE-HILLS-BLACK-L", "LOW-TIDE-HILLS-OAK-S"]);
    let first = &product.variants[0];
    assert_eq!((first.price, first.compare_at), (Money::new(4_900, Currency::EUR), Some(Money::new(5_900, Currency::EUR))));
    assert_eq!(first.options["Frame"], "Black");
    assert_eq!(first.stock, StockBand::Out);
}

#[tokio::test]
async fn a_list_shows_the_lowest_price_and_what_it_was() {
    let shop = open().await;
    create(&shop, &matrix("low-tide-hills")).await;
    create(&shop, &single("pitcher", 3_400)).await;
    let page: Page<ProductSummary> = shop.read("/store/v1/products").await.expect(200);
    let [hills, pitcher] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((hills.price, hills.price_varies), (Money::new(4_900, Currency::EUR), true));
    assert_eq!(hills.compare_at, Some(Money::new(5_900, Currency::EUR)));
    let image = hills.image.as_ref().unwrap();
    assert_eq!(image.url, "/media/hills.svg");
    assert_eq!(widths(image).len(), 2);
    assert_eq!((pitcher.price_varies, pitcher.compare_at, &pitcher.image, pitcher.stock), (false, None, &None, StockBand::Out));
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn what_is_not_published_or_not_sold_here_is_not_there() {
    let shop = open().await;
    let mut hidden = single("hidden", 100);
    hidden["published"] = json!(false);
    let hidden = create(&shop, &hidden).await;
    let mut elsewhere = single("elsewhere", 100);
    elsewhere["channels"] = json!(["smoke"]);
    create(&shop, &elsewhere).await;
    let mut dollars = single("dollars", 100);
    dollars["variants"][0]["prices"][0]["price"]["currency"] = json!("USD");
    create(&shop, &dollars).await;

    assert_eq!(slugs(&shop.read("/store/v1/products").await), Vec::<String>::new());
    for slug in ["hidden", "elsewhere", "dollars"] {
        shop.get(&format!("/store/v1/products/{slug}")).send().await.expect_problem(404, "product_not_found");
    }
    assert_eq!(slugs(&shop.get("/store/v1/products").header("x-channel", "smoke").send().await), ["elsewhere"]);
    drop(shop.get("/store/v1/products/elsewhere").header("x-channel", "smoke").send().await.expect::<ProductAnswer>(200));

    drop(patch(&shop, &hidden, 1, &json!({ "published": true })).await.expect::<serde_json::Value>(200));
    assert_eq!(slugs(&shop.read("/store/v1/products").await), ["hidden"]);
    drop(patch(&shop, &hidden, 2, &json!({ "published": false })).await.expect::<serde_json::Value>(200));
    assert_eq!(slugs(&shop.read("/store/v1/products").await), Vec::<String>::new());
}

#[tokio::test]
async fn a_variant_without_a_price_in_the_channels_currency_is_left_out() {
    let shop = open().await;
    let mut draft = matrix("hills");
    draft["variants"][0]["prices"][0] = json!({ "price": { "amount": 1, "currency": "USD" } });
    create(&shop, &draft).await;
    let product: ProductAnswer = shop.read("/store/v1/products/hills").await.expect(200);
    assert_eq!(product.variants.iter().map(|variant| variant.sku.as_str()).collect::<Vec<_>>(), ["HILLS-BLACK-L", "HILLS-OAK-S"]);
    let page: Page<ProductSummary> = shop.read("/store/v1/products").await.expect(200);
    assert_eq!(page.items[0].price, Money::new(5_900, Currency::EUR));
}

#[tokio::test]
async fn a_category_holds_what_stands_in_it_and_below_it() {
    let shop = open().await;
    let home = create_category(&shop, "home", None).await;
    let ceramics = create_category(&shop, "ceramics", Some(&home)).await;
    create_category(&shop, "cups", Some(&ceramics)).await;
    create_category(&shop, "garden", None).await;
    for (slug, category) in [("lamp", "home"), ("bowl", "ceramics"), ("cup", "cups"), ("spade", "garden")] {
        let mut draft = single(slug, 100);
        draft["category"] = json!(category);
        create(&shop, &draft).await;
    }
    let listed = async |category: &str| slugs(&shop.read(&format!("/store/v1/products?category={category}")).await);
    assert_eq!(listed("home").await, ["lamp", "bowl", "cup"]);
    assert_eq!(listed("ceramics").await, ["bowl", "cup"]);
    assert_eq!(listed("garden").await, ["spade"]);
    let categories: List<CategoryAnswer> = shop.read("/store/v1/categories").await.expect(200);
    assert_eq!(categories.items.iter().map(|category| category.slug.as_str()).collect::<Vec<_>>(), ["home", "ceramics", "cups", "garden"]);
    assert_eq!(categories.items[1].parent_id, Some(home.id));
}

#[tokio::test]
async fn who_has_an_answer_already_is_told_so_until_it_changes() {
    let shop = open().await;
    let product = create(&shop, &single("cup", 900)).await;
    for path in ["/store/v1/channel", "/store/v1/categories", "/store/v1/products", "/store/v1/products/cup"] {
        let first = shop.read(path).await;
        assert!(first.header("cache-control").starts_with("public, max-age="), "{path}");
        assert_eq!(first.header("vary").to_lowercase(), "x-channel, accept-encoding", "{path}");
        assert!(first.header("surrogate-key").contains("channel:chn_") || path.ends_with("cup"), "{path}");
        let again = shop.get(path).header("if-none-match", first.header("etag")).send().await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        for header in ["etag", "cache-control", "vary", "surrogate-key"] {
            assert_eq!(again.header(header), first.header(header), "{path}");
        }
        assert_eq!(shop.get(path).header("if-none-match", "\"other\"").send().await.status, 200, "{path}");
    }
    let key = format!("product:{}", product.id);
    for path in ["/store/v1/products", "/store/v1/products/cup"] {
        let before = shop.read(path).await;
        assert!(before.header("surrogate-key").split(' ').any(|found| found == key), "{path}");
        let version = shop.staff("GET", &format!("/admin/v1/products/{}", product.id)).send().await.expect::<catalog_api::AdminProduct>(200).version;
        drop(patch(&shop, &product, version, &json!({ "title": format!("Cup {version}") })).await.expect::<serde_json::Value>(200));
        assert_eq!(shop.get(path).header("if-none-match", before.header("etag")).send().await.status, 200, "{path}");
    }
}
