//! The catalogue through the router that is served, on real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bad_input;
mod filters;
mod kept;
mod offers;
mod paging;
mod shoppers;
mod staff;
mod stock;

use catalog_api::{AdminProduct, CategoryAnswer};
use serde_json::{Value, json};
use testkit::{Reply, Shop};

/// A shop with nothing but the catalogue.
pub(crate) async fn open() -> Shop {
    Shop::open(|context| vec![catalog::service(context)]).await
}

/// A published product of one variant that costs so much.
pub(crate) fn single(slug: &str, amount: i64) -> Value {
    json!({
        "slug": slug, "title": format!("The {slug}"), "published": true,
        "variants": [{ "sku": slug.to_uppercase(), "prices": [{ "price": { "amount": amount, "currency": "EUR" } }] }]
    })
}

/// A published product to choose by frame and size, with a picture of the oak frame, reduced in its cheapest variant.
pub(crate) fn matrix(slug: &str) -> Value {
    let variant = |frame: &str, size: &str, price: Value| {
        let sku = format!("{slug}-{frame}-{size}").to_uppercase();
        json!({ "sku": sku, "options": { "Frame": frame, "Size": size }, "prices": [price] })
    };
    let euros = |amount: i64| json!({ "price": { "amount": amount, "currency": "EUR" } });
    json!({
        "slug": slug, "title": "Low Tide Hills", "summary": "Five ridges under a late sun.", "description": "A quiet landscape.\n\nPrinted in seven inks.",
        "facts": ["Pigment ink", "Keep out of direct sun"], "published": true,
        "options": [
            { "name": "Frame", "values": [{ "value": "Black", "swatch": "#2f2d2b" }, { "value": "Oak", "swatch": "#c69c66" }] },
            { "name": "Size", "values": [{ "value": "S" }, { "value": "L" }] },
        ],
        "variants": [
            variant("Black", "S", json!({ "price": { "amount": 4900, "currency": "EUR" }, "compare_at": { "amount": 5900, "currency": "EUR" } })),
            variant("Black", "L", euros(6900)),
            variant("Oak", "S", euros(5900)),
        ],
        "media": [
            { "url": "/media/hills.svg", "alt": "Hills", "width": 800, "height": 1000,
              "sources": [{ "url": "/media/hills-320.webp", "width": 320 }, { "url": "/media/hills-640.webp", "width": 640 }] },
            { "url": "/media/hills-oak.svg", "alt": "Hills in oak", "width": 800, "height": 1000, "option_value": "Oak" },
        ]
    })
}

/// Makes a product.
pub(crate) async fn create(shop: &Shop, draft: &Value) -> AdminProduct {
    shop.staff("POST", "/admin/v1/products").json(draft).send().await.expect(201)
}

/// Makes a category.
pub(crate) async fn create_category(shop: &Shop, slug: &str, parent: Option<&CategoryAnswer>) -> CategoryAnswer {
    let draft = json!({ "slug": slug, "name": slug, "parent_id": parent.map(|parent| parent.id) });
    shop.staff("POST", "/admin/v1/categories").json(&draft).send().await.expect(201)
}

/// Changes a product that is at `version`.
pub(crate) async fn patch(shop: &Shop, product: &AdminProduct, version: i64, body: &Value) -> Reply {
    shop.staff("PATCH", &format!("/admin/v1/products/{}", product.id)).header("if-match", &format!("\"{version}\"")).json(body).send().await
}

/// How many events of this name were told.
pub(crate) async fn events(shop: &Shop, name: &str) -> i64 {
    sqlx::query_scalar("select count(*) from ops.event where name = $1").bind(name).fetch_one(shop.begin().await.conn()).await.unwrap()
}

/// The slugs of a store answer, in its order.
pub(crate) fn slugs(reply: &Reply) -> Vec<String> {
    reply.json["items"].as_array().unwrap().iter().map(|item| item["slug"].as_str().unwrap().to_owned()).collect()
}
