//! Narrowing lists, and counting what would be left.

use catalog_api::{ChannelAnswer, ProductFacets, StockBand};
use inventory_api::StockBandChanged;
use serde_json::{Value, json};
use testkit::Shop;

use crate::{create, create_category, open, slugs};

/// A published product to choose by glaze and size: each variant with its price, what it was before, and how much there is.
async fn pot(shop: &Shop, slug: &str, variants: &[(&str, &str, i64, Option<i64>, StockBand)]) {
    let euros = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let values = |of: fn(&(&'static str, &'static str)) -> &'static str| {
        let all = [("Sea", "S"), ("Rust", "M"), ("Ink", "L")];
        let used: Vec<&str> = all.iter().map(of).collect();
        used
    };
    let option = |name: &str, values: Vec<&str>| {
        let value = |value: &str| if name == "Glaze" { json!({ "value": value, "swatch": "#3f6f73" }) } else { json!({ "value": value }) };
        json!({ "name": name, "values": values.into_iter().map(value).collect::<Vec<_>>() })
    };
    let draft = json!({
        "slug": slug, "title": slug, "published": true, "category": "pots",
        "options": [option("Glaze", values(|pair| pair.0)), option("Size", values(|pair| pair.1))],
        "variants": variants.iter().map(|(glaze, size, price, before, _)| json!({
            "sku": format!("{slug}-{glaze}-{size}"), "options": { "Glaze": glaze, "Size": size },
            "prices": [{ "price": euros(*price), "compare_at": before.map(euros) }],
        })).collect::<Vec<_>>(),
    });
    let made = create(shop, &draft).await;
    let channel: ChannelAnswer = shop.read("/store/v1/channel").await.expect(200);
    let mut tx = shop.begin().await;
    for (variant, (.., band)) in made.variants.iter().zip(variants) {
        if *band != StockBand::Out {
            tx.publish(&StockBandChanged { channel_id: channel.id, variant_id: variant.id, band: *band, sequence: 1 }).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

/// Four pots. Only the bowl is sold out, the jug only in sea.
async fn filled() -> Shop {
    use StockBand::{In, Low, Out};
    let shop = open().await;
    create_category(&shop, "pots", None).await;
    pot(&shop, "jug", &[("Sea", "S", 3_600, Some(4_400), Out), ("Rust", "S", 3_600, None, In), ("Rust", "L", 4_800, None, Low)]).await;
    pot(&shop, "mug", &[("Sea", "S", 2_200, None, In)]).await;
    pot(&shop, "bowl", &[("Ink", "M", 8_400, None, Out)]).await;
    pot(&shop, "vase", &[("Ink", "L", 5_600, Some(6_000), Low), ("Sea", "L", 6_000, None, Low)]).await;
    shop.work_off().await;
    shop
}

async fn listed(shop: &Shop, query: &str) -> Vec<String> {
    slugs(&shop.read(&format!("/store/v1/products?{query}")).await)
}

async fn facets(shop: &Shop, query: &str) -> ProductFacets {
    shop.read(&format!("/store/v1/product-facets?{query}")).await.expect(200)
}

fn counts(facets: &ProductFacets, option: &str) -> Vec<(String, i64)> {
    let option = facets.options.iter().find(|known| known.name == option);
    option.map(|option| option.values.iter().map(|value| (value.value.clone(), value.count)).collect()).unwrap_or_default()
}

fn of(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_list_is_narrowed_by_stock_reduction_price_and_values() {
    let shop = filled().await;
    for (query, expected) in [
        ("", vec!["jug", "mug", "bowl", "vase"]),
        ("in_stock=true", vec!["jug", "mug", "vase"]),
        ("in_stock=false", vec!["jug", "mug", "bowl", "vase"]),
        ("reduced=true", vec!["jug", "vase"]),
        ("price_min=3600", vec!["jug", "bowl", "vase"]),
        ("price_max=3600", vec!["jug", "mug"]),
        ("price_min=3600&price_max=5600", vec!["jug", "vase"]),
        ("options=Glaze:Sea", vec!["jug", "mug", "vase"]),
        ("options=Glaze:Sea,Glaze:Ink", vec!["jug", "mug", "bowl", "vase"]),
        // One variant has to fit all of it: the jug in sea is small, and it is sold out.
        ("options=Glaze:Sea,Size:L", vec!["vase"]),
        ("options=Glaze:Sea&in_stock=true", vec!["mug", "vase"]),
        ("options=Glaze:Gold", vec![]),
        ("options=Colour:Sea", vec![]),
        ("category=pots&options=Size:L&sort=price_descending&in_stock=true", vec!["vase", "jug"]),
    ] {
        assert_eq!(listed(&shop, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn each_count_is_the_length_of_the_list_one_would_get() {
    let shop = filled().await;
    let all = facets(&shop, "").await;
    assert_eq!((all.total, all.in_stock, all.reduced, all.is_partial), (4, 3, 2, false));
    let prices = all.prices.unwrap();
    assert_eq!((prices.lowest.amount_minor(), prices.highest.amount_minor()), (2_200, 8_400));
    assert_eq!(counts(&all, "Glaze"), of(&[("Sea", 3), ("Rust", 1), ("Ink", 2)]), "in the merchant's order");
    assert_eq!(counts(&all, "Size"), of(&[("S", 2), ("M", 1), ("L", 2)]));
    assert_eq!(all.options.iter().find(|option| option.name == "Glaze").unwrap().values[0].swatch.as_deref(), Some("#3f6f73"));

    // What is chosen of an option does not count against its other values, but against all else.
    for chosen in [
        "options=Glaze:Sea",
        "options=Glaze:Sea,Size:L",
        "in_stock=true&options=Size:S",
        "reduced=true",
        "price_max=3600",
        "in_stock=true&reduced=true&price_min=5000",
    ] {
        let told = facets(&shop, chosen).await;
        assert_eq!(usize::try_from(told.total).unwrap(), listed(&shop, chosen).await.len(), "{chosen}");
        let in_stock = if chosen.contains("in_stock") { chosen.to_owned() } else { format!("{chosen}&in_stock=true") };
        assert_eq!(usize::try_from(told.in_stock).unwrap(), listed(&shop, &in_stock).await.len(), "{chosen}");
        for option in ["Glaze", "Size"] {
            let others: Vec<&str> = chosen.split(['&', '=', ',']).filter(|part| part.contains(':') && !part.starts_with(option)).collect();
            let rest: Vec<&str> = chosen.split('&').filter(|part| !part.starts_with("options=")).collect();
            for value in ["Sea", "Rust", "Ink", "S", "M", "L"] {
                let mut pairs = others.clone();
                let pair = format!("{option}:{value}");
                pairs.push(&pair);
                let query = format!("{}&options={}", rest.join("&"), pairs.join(","));
                let expected = listed(&shop, query.trim_start_matches('&')).await.len();
                let count = counts(&told, option).into_iter().find(|(known, _)| known == value).map_or(0, |(_, count)| count);
                assert_eq!(usize::try_from(count).unwrap(), expected, "{chosen}: {option} {value}");
            }
        }
    }
}

#[tokio::test]
async fn a_narrowed_list_is_walked_in_both_directions() {
    let shop = open().await;
    create_category(&shop, "pots", None).await;
    for number in 0..23_i64 {
        let before = (number % 2 == 0).then_some(9_000);
        pot(&shop, &format!("pot-{number}"), &[("Sea", "S", 100 + number % 4, before, StockBand::Out)]).await;
        shop.wait(number % 3);
    }
    for sort in ["featured", "price_ascending", "price_descending", "title", "newest"] {
        let whole = listed(&shop, &format!("limit=100&reduced=true&sort={sort}")).await;
        assert_eq!(whole.len(), 12);
        let (mut pages, mut query) = (Vec::new(), String::new());
        loop {
            let reply = shop.read(&format!("/store/v1/products?limit=5&reduced=true&sort={sort}{query}")).await;
            pages.push(slugs(&reply));
            assert_eq!(reply.json["previous"].is_null(), pages.len() == 1, "{sort}");
            let Some(next) = reply.json["next"].as_str() else { break query = format!("&before={}", reply.json["previous"].as_str().unwrap()) };
            query = format!("&after={next}");
        }
        assert_eq!((pages.len(), pages.concat()), (3, whole.clone()), "{sort}");
        let second = shop.read(&format!("/store/v1/products?limit=5&reduced=true&sort={sort}{query}")).await;
        assert_eq!(slugs(&second), pages[1], "{sort}");
        let first = shop.read(&format!("/store/v1/products?limit=5&reduced=true&sort={sort}&before={}", second.json["previous"].as_str().unwrap())).await;
        assert_eq!((slugs(&first), &first.json["previous"]), (pages[0].clone(), &Value::Null), "{sort}");
        let again = shop.read(&format!("/store/v1/products?limit=5&reduced=true&sort={sort}&after={}", first.json["next"].as_str().unwrap())).await;
        assert_eq!(slugs(&again), pages[1], "{sort}");
        // Too little before it for a page: the first page, whole.
        let short = shop.read(&format!("/store/v1/products?limit=10&reduced=true&sort={sort}&before={}", second.json["previous"].as_str().unwrap())).await;
        assert_eq!((slugs(&short), &short.json["previous"]), (whole[..10].to_vec(), &Value::Null), "{sort}");
    }
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused_with_their_name() {
    let shop = filled().await;
    let cursor = shop.read("/store/v1/products?limit=2").await.json["next"].as_str().unwrap().to_owned();
    let both = format!("after={cursor}&before={cursor}");
    let other = format!("sort=title&before={cursor}");
    for (query, name) in [
        ("in_stock=perhaps", "in_stock"),
        ("reduced=1", "reduced"),
        ("price_min=-1", "price_min"),
        ("price_min=1.5", "price_min"),
        ("price_max=100000000001", "price_max"),
        ("price_min=2&price_max=1", "price_max"),
        ("options=Glaze", "options"),
        ("options=Glaze:%00", "options"),
        ("before=nonsense", "before"),
        (&both, "before"),
        (&other, "before"),
    ] {
        let problem = shop.get(&format!("/store/v1/products?{query}")).send().await;
        problem.expect_problem(400, "invalid_query");
        assert_eq!(problem.json["errors"][0]["pointer"], name, "{query}: {}", problem.text);
        if !query.contains("before") {
            shop.get(&format!("/store/v1/product-facets?{query}")).send().await.expect_problem(400, "invalid_query");
        }
    }
    shop.get("/store/v1/product-facets?sort=title").send().await.expect_problem(400, "invalid_query");
    shop.get("/store/v1/product-facets?category=none").send().await.expect_problem(404, "category_not_found");
}

#[tokio::test]
async fn the_same_question_is_kept_once() {
    let shop = filled().await;
    let kept = async || shop.context().stores().renders().size().await.0;
    listed(&shop, "options=Size:L,Glaze:Sea&in_stock=true").await;
    let before = kept().await;
    for same in ["in_stock=true&options=Glaze:Sea,Size:L&limit=24", "options=Glaze:Sea,Size:L,Size:L&in_stock=true&reduced=false&price_min=0&sort=featured"] {
        listed(&shop, same).await;
        assert_eq!(kept().await, before, "{same}");
    }
    facets(&shop, "reduced=true").await;
    let before = kept().await;
    facets(&shop, "in_stock=false&reduced=true&options=").await;
    assert_eq!(kept().await, before);
    facets(&shop, "in_stock=true&reduced=true").await;
    assert_eq!(kept().await, before + 1);
}

#[tokio::test]
async fn what_is_sold_out_leaves_lists_and_counts_at_once() {
    let shop = filled().await;
    let channel: ChannelAnswer = shop.read("/store/v1/channel").await.expect(200);
    let mug: catalog_api::ProductAnswer = shop.read("/store/v1/products/mug").await.expect(200);
    assert!(listed(&shop, "in_stock=true").await.contains(&"mug".to_owned()));
    assert_eq!(facets(&shop, "").await.in_stock, 3);
    let mut tx = shop.begin().await;
    let news = StockBandChanged { channel_id: channel.id, variant_id: mug.variants[0].id, band: StockBand::Out, sequence: 2 };
    tx.publish(&news).await.unwrap();
    tx.commit().await.unwrap();
    shop.work_off().await;
    assert!(!listed(&shop, "in_stock=true").await.contains(&"mug".to_owned()));
    assert_eq!(facets(&shop, "").await.in_stock, 2);
    // And back.
    let mut tx = shop.begin().await;
    tx.publish(&StockBandChanged { band: StockBand::Low, sequence: 3, ..news }).await.unwrap();
    tx.commit().await.unwrap();
    shop.work_off().await;
    assert!(listed(&shop, "in_stock=true").await.contains(&"mug".to_owned()));
}

#[tokio::test]
async fn lists_show_the_colours_of_their_products() {
    let shop = filled().await;
    let list = shop.read("/store/v1/products?category=pots").await;
    assert_eq!(list.json["items"][0]["swatches"], json!(["#3f6f73", "#3f6f73", "#3f6f73"]));
}
