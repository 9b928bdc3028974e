//! What staff do.

use catalog_api::{AdminProduct, CategoryAnswer, ChannelAnswer, List, ProductAnswer, ProductSummary};
use kernel::{Currency, Money, Page};
use serde_json::{Value, json};
use testkit::{Reply, Shop};

use crate::{create, create_category, events, matrix, open, patch, single};

async fn patch_variant(shop: &Shop, product: &AdminProduct, index: usize, version: i64, body: &Value) -> Reply {
    let path = format!("/admin/v1/products/{}/variants/{}", product.id, product.variants[index].id);
    shop.staff("PATCH", &path).header("if-match", &format!("\"{version}\"")).json(body).send().await
}

async fn audit_actions(shop: &Shop) -> Vec<String> {
    sqlx::query_scalar("select action from ops.audit_entry order by action").fetch_all(shop.begin().await.conn()).await.unwrap()
}

#[tokio::test]
async fn a_product_is_made_whole_told_of_and_audited() {
    let shop = open().await;
    let reply = shop.staff("POST", "/admin/v1/products").json(&matrix("hills")).send().await;
    let made: AdminProduct = reply.expect(201);
    assert_eq!((made.version, reply.header("etag")), (1, "\"1\""));
    assert_eq!(made.channels, ["default", "smoke"]);
    let read = shop.staff("GET", &format!("/admin/v1/products/{}", made.id)).send().await;
    assert_eq!((read.expect::<AdminProduct>(200), read.header("etag")), (made, "\"1\""));
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 1);
    assert_eq!(audit_actions(&shop).await, ["product.created"]);
}

#[tokio::test]
async fn a_matrix_of_2500_variants_is_made_and_read() {
    let shop = open().await;
    let values =
        |name: &str, count: usize| json!({ "name": name, "values": (0..count).map(|value| json!({ "value": value.to_string() })).collect::<Vec<_>>() });
    let variants: Vec<Value> = (0..2_500)
        .map(|number| {
            let options = json!({ "Row": (number / 50).to_string(), "Column": (number % 50).to_string() });
            json!({ "sku": format!("GRID-{number}"), "options": options, "prices": [{ "price": { "amount": 100 + number, "currency": "EUR" } }] })
        })
        .collect();
    let draft = json!({ "slug": "grid", "title": "Grid", "published": true, "options": [values("Row", 50), values("Column", 50)], "variants": variants });
    let made = create(&shop, &draft).await;
    assert_eq!((made.variants.len(), made.variants[2_499].sku.as_str()), (2_500, "GRID-2499"));
    drop(patch_variant(&shop, &made, 0, 1, &json!({ "prices": [{ "price": { "amount": 1, "currency": "EUR" } }] })).await.expect::<AdminProduct>(200));
    let page: Page<ProductSummary> = shop.read("/store/v1/products").await.expect(200);
    assert_eq!(page.items[0].price, Money::new(1, Currency::EUR));
}

#[tokio::test]
async fn a_repeat_with_the_same_key_makes_nothing_twice() {
    let shop = open().await;
    let send = async || shop.staff("POST", "/admin/v1/products").header("idempotency-key", "k1").json(&single("cup", 900)).send().await;
    let first = send().await;
    let second = send().await;
    assert_eq!((first.status, second.status, second.header("idempotency-replayed"), second.header("etag")), (201, 201, "true", "\"1\""));
    assert_eq!(first.text, second.text);
    let other = shop.staff("POST", "/admin/v1/products").header("idempotency-key", "k1").json(&single("bowl", 900)).send().await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 1);
}

#[tokio::test]
async fn a_slug_is_used_once_in_each_channel() {
    let shop = open().await;
    let sold_in = |sku: &str, channels: Value| {
        let mut draft = single("cup", 900);
        draft["variants"][0]["sku"] = json!(sku);
        draft["channels"] = channels;
        draft
    };
    create(&shop, &sold_in("A", json!(["default"]))).await;
    let taken = shop.staff("POST", "/admin/v1/products").json(&sold_in("B", json!([]))).send().await;
    assert_eq!(taken.expect_problem(409, "slug_taken").json["errors"][0]["pointer"], "/slug");
    create(&shop, &sold_in("C", json!(["smoke"]))).await;
    let all = shop.staff("GET", "/admin/v1/products").send().await.expect::<Page<AdminProduct>>(200);
    assert_eq!(all.items.len(), 2, "the refused product left nothing behind");
}

#[tokio::test]
async fn a_sku_is_used_once_in_the_shop_whatever_its_letters() {
    let shop = open().await;
    create(&shop, &single("cup", 900)).await;
    let mut draft = matrix("hills");
    draft["variants"][1]["sku"] = json!("cup");
    let taken = shop.staff("POST", "/admin/v1/products").json(&draft).send().await;
    assert_eq!(taken.expect_problem(409, "sku_taken").json["errors"][0]["pointer"], "/variants/1/sku");

    let hills = create(&shop, &matrix("hills")).await;
    patch_variant(&shop, &hills, 0, 1, &json!({ "sku": "Cup" })).await.expect_problem(409, "sku_taken");
    let own = patch_variant(&shop, &hills, 0, 1, &json!({ "sku": "hills-black-s" })).await.expect::<AdminProduct>(200);
    assert_eq!(own.variants[0].sku, "hills-black-s");
}

#[tokio::test]
async fn two_products_made_at_once_with_one_sku_leave_one() {
    let shop = open().await;
    let make = async |slug: &str| {
        let mut draft = single(slug, 900);
        draft["variants"][0]["sku"] = json!("SAME");
        shop.staff("POST", "/admin/v1/products").json(&draft).send().await.status
    };
    let (first, second) = tokio::join!(make("a"), make("b"));
    let mut statuses = [first, second];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn an_edit_names_the_version_it_was_made_on() {
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let path = format!("/admin/v1/products/{}", product.id);
    shop.staff("PATCH", &path).json(&json!({ "title": "New" })).send().await.expect_problem(428, "version_required");
    shop.staff("PATCH", &path).header("if-match", "abc").json(&json!({ "title": "New" })).send().await.expect_problem(400, "invalid_header");

    let edited = patch(&shop, &product, 1, &json!({ "title": "New", "summary": "" })).await;
    let after: AdminProduct = edited.expect(200);
    assert_eq!((after.title.as_str(), after.summary.as_str(), after.description, after.version), ("New", "", product.description.clone(), 2));
    assert_eq!(edited.header("etag"), "\"2\"");

    let stale = patch(&shop, &product, 1, &json!({ "title": "Other" })).await;
    assert_eq!(stale.expect_problem(412, "stale_version").json["context"]["version"], 2);
    patch_variant(&shop, &product, 0, 1, &json!({ "sku": "X" })).await.expect_problem(412, "stale_version");
    let variant = format!("{path}/variants/{}", product.variants[0].id);
    shop.staff("PATCH", &variant).json(&json!({ "sku": "X" })).send().await.expect_problem(428, "version_required");
    assert_eq!(audit_actions(&shop).await, ["product.created", "product.updated"]);
}

#[tokio::test]
async fn of_two_edits_at_once_one_is_stale() {
    let shop = open().await;
    let product = create(&shop, &single("cup", 900)).await;
    let (first, second) = (json!({ "title": "One" }), json!({ "title": "Two" }));
    let (first, second) = tokio::join!(patch(&shop, &product, 1, &first), patch(&shop, &product, 1, &second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_variant_gets_new_prices_and_keeps_those_not_named() {
    let shop = open().await;
    let product = create(&shop, &matrix("hills")).await;
    let prices = json!({ "prices": [{ "price": { "amount": 4500, "currency": "EUR" } }, { "price": { "amount": 5000, "currency": "USD" } }] });
    let edited: AdminProduct = patch_variant(&shop, &product, 0, 1, &prices).await.expect(200);
    let shown: Vec<String> = edited.variants[0].prices.iter().map(|price| price.price.to_string()).collect();
    assert_eq!((shown, edited.version), (vec!["45.00 EUR".to_owned(), "50.00 USD".to_owned()], 2));
    assert_eq!(edited.variants[0].prices[0].compare_at, None, "a new price is no reduction unless it says so");

    let dollars = json!({ "prices": [{ "price": { "amount": 5500, "currency": "USD" } }] });
    let edited: AdminProduct = patch_variant(&shop, &product, 0, 2, &dollars).await.expect(200);
    let shown: Vec<String> = edited.variants[0].prices.iter().map(|price| price.price.to_string()).collect();
    assert_eq!(shown, ["45.00 EUR", "55.00 USD"]);
    let page: Page<ProductSummary> = shop.read("/store/v1/products").await.expect(200);
    assert_eq!((page.items[0].price, page.items[0].compare_at), (Money::new(4_500, Currency::EUR), None));
    assert_eq!(audit_actions(&shop).await, ["product.created", "variant.updated", "variant.updated"]);
    assert_eq!(events(&shop, "catalog.ProductChanged").await, 3);
}

#[tokio::test]
async fn a_variant_belongs_to_its_product() {
    let shop = open().await;
    let hills = create(&shop, &matrix("hills")).await;
    let cup = create(&shop, &single("cup", 900)).await;
    let path = format!("/admin/v1/products/{}/variants/{}", cup.id, hills.variants[0].id);
    shop.staff("PATCH", &path).header("if-match", "\"1\"").json(&json!({ "sku": "X" })).send().await.expect_problem(404, "variant_not_found");
    let cup: AdminProduct = shop.staff("GET", &format!("/admin/v1/products/{}", cup.id)).send().await.expect(200);
    assert_eq!(cup.version, 1, "a refused edit counts nothing");
}

#[tokio::test]
async fn a_product_moves_to_another_category() {
    let shop = open().await;
    create_category(&shop, "cups", None).await;
    let product = create(&shop, &single("cup", 900)).await;
    let moved: AdminProduct = patch(&shop, &product, 1, &json!({ "category": "cups" })).await.expect(200);
    assert_eq!(moved.category.unwrap().slug, "cups");
    let unknown = patch(&shop, &product, 2, &json!({ "category": "nowhere" })).await;
    assert_eq!(unknown.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/category");
    let shown: ProductAnswer = shop.read("/store/v1/products/cup").await.expect(200);
    assert_eq!(shown.category.unwrap().slug, "cups");
}

#[tokio::test]
async fn a_category_slug_is_used_once() {
    let shop = open().await;
    create_category(&shop, "cups", None).await;
    let again = shop.staff("POST", "/admin/v1/categories").json(&json!({ "slug": "cups", "name": "Cups" })).send().await;
    assert_eq!(again.expect_problem(409, "slug_taken").json["errors"][0]["pointer"], "/slug");
    let orphan = json!({ "slug": "mugs", "name": "Mugs", "parent_id": catalog_api::CategoryId::new(kernel::Timestamp::UNIX_EPOCH) });
    let orphan = shop.staff("POST", "/admin/v1/categories").json(&orphan).send().await;
    assert_eq!(orphan.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/parent_id");
    assert_eq!((audit_actions(&shop).await, events(&shop, "catalog.CategoryChanged").await), (vec!["category.created".to_owned()], 1));
}

#[tokio::test]
async fn a_channel_is_changed_field_by_field() {
    let shop = open().await;
    let channels: List<ChannelAnswer> = shop.staff("GET", "/admin/v1/channels").send().await.expect(200);
    let [default, smoke] = channels.items.as_slice() else { panic!("{channels:?}") };
    let change = async |channel: &ChannelAnswer, version: i64, body: Value| {
        shop.staff("PATCH", &format!("/admin/v1/channels/{}", channel.id)).header("if-match", &format!("\"{version}\"")).json(&body).send().await
    };
    let body = json!({ "name": "Saltmarsh Supply", "hosts": ["b.example.com", "a.example.com"], "countries": ["DE", "AT", "DE"], "delivery_price": { "amount": 0, "currency": "EUR" } });
    let changed = change(default, 1, body).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    let changed: ChannelAnswer = changed.expect(200);
    let expected = ChannelAnswer {
        name: "Saltmarsh Supply".to_owned(),
        hosts: vec!["a.example.com".to_owned(), "b.example.com".to_owned()],
        countries: vec!["AT".parse().unwrap(), "DE".parse().unwrap()],
        delivery: catalog_api::DeliveryMethod { price: Money::zero(Currency::EUR), ..default.delivery.clone() },
        version: 2,
        ..default.clone()
    };
    assert_eq!(changed, expected);

    change(default, 1, json!({ "name": "Late" })).await.expect_problem(412, "stale_version");
    change(smoke, 1, json!({ "hosts": ["b.example.com"] })).await.expect_problem(409, "host_taken");
    let kept: ChannelAnswer = change(default, 2, json!({ "hosts": ["a.example.com", "c.example.com"] })).await.expect(200);
    assert_eq!(kept.hosts, ["a.example.com", "c.example.com"]);
    drop(change(smoke, 1, json!({ "hosts": ["b.example.com"] })).await.expect::<ChannelAnswer>(200));
    let dollars = change(default, 3, json!({ "delivery_price": { "amount": 1, "currency": "USD" } })).await;
    assert_eq!(dollars.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/delivery_price/currency");
    let path = format!("/admin/v1/channels/{}", default.id);
    shop.staff("PATCH", &path).json(&json!({})).send().await.expect_problem(428, "version_required");
    assert_eq!(events(&shop, "catalog.ChannelChanged").await, 3);
}

#[tokio::test]
async fn a_home_page_tells_what_staff_gave_it_until_they_give_it_something_else() {
    let shop = open().await;
    let channels: List<ChannelAnswer> = shop.staff("GET", "/admin/v1/channels").send().await.expect(200);
    let path = format!("/admin/v1/channels/{}", channels.items[0].id);
    let change = async |version: i64, body: Value| shop.staff("PATCH", &path).header("if-match", &format!("\"{version}\"")).json(&body).send().await;
    let feature = json!({
        "title": "Made to be used every day", "text": "From small workshops.", "link": { "label": "Shop ceramics", "path": "/categories/ceramics" },
        "image": { "url": "/media/a-960.webp", "alt": "A pitcher", "width": 960, "height": 696, "sources": [{ "url": "/media/a-960.webp", "width": 960 }] },
        "narrow_image": { "url": "/media/b-480.webp", "alt": "A pitcher", "width": 480, "height": 566 }
    });
    drop(change(1, json!({ "features": [feature] })).await.expect::<ChannelAnswer>(200));
    drop(change(2, json!({ "name": "Saltmarsh Supply" })).await.expect::<ChannelAnswer>(200));
    let told = shop.read("/store/v1/channel").await;
    assert_eq!(told.json["features"], json!([feature]));
    let kept: ChannelAnswer = told.expect(200);
    assert_eq!(kept.features[0].image.sources[0].width, 960);

    let cases =
        [("/link/path", json!("//elsewhere.example")), ("/link/path", json!("https://elsewhere.example")), ("/title", json!("")), ("/image/width", json!(0))];
    for (at, to) in cases {
        let mut broken = feature.clone();
        *broken.pointer_mut(at).unwrap() = to;
        let refused = change(3, json!({ "features": [broken] })).await;
        assert_eq!(refused.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], format!("/features/0{at}"));
    }
    let emptied: ChannelAnswer = change(3, json!({ "features": [] })).await.expect(200);
    assert!(emptied.features.is_empty());
}

#[tokio::test]
async fn a_category_may_have_a_picture() {
    let shop = open().await;
    let image = json!({ "url": "/media/a.webp", "alt": "A pitcher", "width": 960, "height": 1200 });
    let draft = json!({ "slug": "ceramics", "name": "Ceramics", "image": image });
    let made: CategoryAnswer = shop.staff("POST", "/admin/v1/categories").json(&draft).send().await.expect(201);
    assert_eq!(made.image.as_ref().map(|image| image.width), Some(960));
    let listed: List<CategoryAnswer> = shop.read("/store/v1/categories").await.expect(200);
    assert_eq!(listed.items.as_slice(), std::slice::from_ref(&made));
    let mut product = single("pitcher", 3_400);
    product["category"] = json!("ceramics");
    assert_eq!(create(&shop, &product).await.category, Some(made));
}

#[tokio::test]
async fn who_may_only_look_changes_nothing_and_strangers_see_nothing() {
    let shop = open().await;
    let product = create(&shop, &single("cup", 900)).await;
    let channel = shop.read("/store/v1/channel").await.expect::<ChannelAnswer>(200).id;
    let one = format!("/admin/v1/products/{}", product.id);
    let variant = format!("{one}/variants/{}", product.variants[0].id);
    let settings = format!("/admin/v1/channels/{channel}");
    for path in ["/admin/v1/channels", "/admin/v1/categories", "/admin/v1/products", &one] {
        assert_eq!(shop.get(path).bearer(shop.pass().view_only()).send().await.status, 200, "{path}");
        shop.get(path).send().await.expect_problem(401, "unauthenticated");
    }
    let edits = [
        ("POST", "/admin/v1/products", single("bowl", 1)),
        ("POST", "/admin/v1/categories", json!({ "slug": "cups", "name": "Cups" })),
        ("PATCH", &one, json!({ "title": "X" })),
        ("PATCH", &variant, json!({ "sku": "X" })),
        ("PATCH", &settings, json!({ "name": "X" })),
    ];
    for (method, path, body) in edits {
        let request = || shop.request(method, path).header("if-match", "\"1\"").json(&body);
        request().bearer(shop.pass().view_only()).send().await.expect_problem(403, "forbidden");
        request().send().await.expect_problem(401, "unauthenticated");
    }
    assert_eq!(audit_actions(&shop).await, ["product.created"]);
}

#[tokio::test]
async fn staff_read_the_products_of_some_variants_at_once() {
    let shop = open().await;
    let cup = create(&shop, &single("cup", 900)).await;
    let hills = create(&shop, &matrix("hills")).await;
    create(&shop, &single("plate", 900)).await;
    let ids = [cup.variants[0].id, hills.variants[0].id, hills.variants[1].id].map(|id| id.to_string()).join(",");
    let page: Page<AdminProduct> = shop.staff("GET", &format!("/admin/v1/products?variant_ids={ids}")).send().await.expect(200);
    assert_eq!(page.items.iter().map(|product| product.id).collect::<Vec<_>>(), [hills.id, cup.id]);
    assert_eq!(page.next, None);
    for wrong in ["x".to_owned(), vec![cup.variants[0].id.to_string(); 101].join(",")] {
        shop.staff("GET", &format!("/admin/v1/products?variant_ids={wrong}")).send().await.expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_product_moves_to_another_address_and_the_old_one_keeps_leading_to_it() {
    let shop = open().await;
    let cup = create(&shop, &single("cup", 900)).await;
    let moved: AdminProduct = patch(&shop, &cup, 1, &json!({ "slug": "blue-cup" })).await.expect(200);
    assert_eq!((moved.slug.as_str(), moved.version), ("blue-cup", 2));
    for slug in ["blue-cup", "cup"] {
        assert_eq!(shop.read(&format!("/store/v1/products/{slug}")).await.expect::<ProductAnswer>(200).slug, "blue-cup", "{slug}");
    }
    let again: AdminProduct = patch(&shop, &cup, 2, &json!({ "slug": "mug" })).await.expect(200);
    assert_eq!(shop.read("/store/v1/products/cup").await.expect::<ProductAnswer>(200).slug, again.slug, "through two moves");

    // Another product takes the old address: it is found there from then on, also where the answer was kept.
    let mut other = single("saucer", 300);
    other["slug"] = json!("cup");
    create(&shop, &other).await;
    assert_eq!(shop.read("/store/v1/products/cup").await.expect::<ProductAnswer>(200).title, "The saucer");
    let back: AdminProduct = patch(&shop, &cup, 3, &json!({ "slug": "blue-cup" })).await.expect(200);
    assert_eq!(shop.read("/store/v1/products/mug").await.expect::<ProductAnswer>(200).slug, back.slug, "one's own old address may be taken again");

    let taken = patch(&shop, &cup, 4, &json!({ "slug": "cup" })).await;
    assert_eq!(taken.expect_problem(409, "slug_taken").json["errors"][0]["pointer"], "/slug");
    for wrong in ["", "Blue Cup", "-a", "a--b"] {
        patch(&shop, &cup, 4, &json!({ "slug": wrong })).await.expect_problem(422, "invalid_body");
    }
    assert_eq!(shop.read("/store/v1/products/blue-cup").await.status, 200);
}

#[tokio::test]
async fn facts_and_category_are_replaced_and_taken_away() {
    let shop = open().await;
    create_category(&shop, "art", None).await;
    let hills = create(&shop, &matrix("hills")).await;
    let changed: AdminProduct = patch(&shop, &hills, 1, &json!({ "facts": ["Framed"], "category": "art" })).await.expect(200);
    assert_eq!((changed.facts, changed.category.map(|category| category.slug)), (vec!["Framed".to_owned()], Some("art".to_owned())));
    let bare: AdminProduct = patch(&shop, &hills, 2, &json!({ "facts": [], "category": "" })).await.expect(200);
    assert_eq!((bare.facts, bare.category), (Vec::<String>::new(), None));
    assert_eq!(bare.title, hills.title, "what is absent stays");
    patch(&shop, &hills, 3, &json!({ "category": "nowhere" })).await.expect_problem(422, "invalid_body");
    patch(&shop, &hills, 3, &json!({ "facts": [" "] })).await.expect_problem(422, "invalid_body");
}

#[tokio::test]
async fn a_product_is_sold_in_the_channels_it_is_said_to_be_sold_in() {
    let shop = open().await;
    let cup = create(&shop, &single("cup", 900)).await;
    let to_shoppers = async || shop.get("/store/v1/products/cup").send().await.status;
    assert_eq!(to_shoppers().await, 200);
    let taken_out: AdminProduct = patch(&shop, &cup, 1, &json!({ "channels": ["smoke"] })).await.expect(200);
    assert_eq!(taken_out.channels, ["smoke"]);
    assert_eq!(to_shoppers().await, 404, "shoppers of the default channel are told at once");
    let mut other = single("other", 500);
    other["slug"] = json!("cup");
    other["channels"] = json!(["default"]);
    create(&shop, &other).await;
    let taken = patch(&shop, &cup, 2, &json!({ "channels": ["smoke", "default"] })).await;
    assert_eq!(taken.expect_problem(409, "slug_taken").json["errors"][0]["pointer"], "/channels");
    patch(&shop, &cup, 2, &json!({ "channels": [] })).await.expect_problem(422, "invalid_body");
    let unknown = patch(&shop, &cup, 2, &json!({ "channels": ["smoke", "moon"] })).await;
    assert_eq!(unknown.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/channels/1");
    let read: AdminProduct = shop.staff("GET", &format!("/admin/v1/products/{}", cup.id)).send().await.expect(200);
    assert_eq!((read.channels, read.version), (vec!["smoke".to_owned()], 2), "what was refused left nothing behind");
}

#[tokio::test]
async fn pictures_are_reordered_described_and_removed() {
    let shop = open().await;
    let hills = create(&shop, &matrix("hills")).await;
    let mut media = hills.media.clone();
    media.reverse();
    media[1].alt = "Hills at dusk".to_owned();
    media[1].option_value = Some("Black".to_owned());
    let changed: AdminProduct = patch(&shop, &hills, 1, &json!({ "media": media })).await.expect(200);
    assert_eq!(changed.media, media);
    assert_eq!(shop.read("/store/v1/products/hills").await.expect::<ProductAnswer>(200).media, media, "shoppers see it at once");
    media.truncate(1);
    assert_eq!(patch(&shop, &hills, 2, &json!({ "media": media })).await.expect::<AdminProduct>(200).media.len(), 1);
    let mut wrong = media.clone();
    wrong[0].option_value = Some("Walnut".to_owned());
    let refused = patch(&shop, &hills, 3, &json!({ "media": wrong })).await;
    assert_eq!(refused.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/media/0/option_value");
    assert_eq!(patch(&shop, &hills, 3, &json!({ "media": [] })).await.expect::<AdminProduct>(200).media, []);
    patch(&shop, &hills, 3, &json!({ "media": media })).await.expect_problem(412, "stale_version");
    let written: i64 =
        sqlx::query_scalar("select count(*) from ops.audit_entry where action = 'product.updated' and detail #>> '{media,1,alt}' = 'Hills at dusk'")
            .fetch_one(shop.begin().await.conn())
            .await
            .unwrap();
    assert_eq!(written, 1, "what was asked for is written down");
}
