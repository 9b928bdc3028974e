//! Filling a shop with the demo data.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Folder, Running};

fn demo() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../demo").canonicalize().unwrap().display().to_string()
}

/// Slugs of everything a shopper can find, and how many of them are in stock.
async fn products(running: &Running) -> (Vec<String>, usize) {
    let (mut slugs, mut stocked, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page: Value = running.get(&format!("/store/v1/products?limit=100{after}")).await.json().await.unwrap();
        for product in page["items"].as_array().unwrap() {
            slugs.push(product["slug"].as_str().unwrap().to_owned());
            stocked += usize::from(product["stock"] != "out");
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (slugs, stocked),
        }
    }
}

#[tokio::test]
async fn the_demo_shop_is_filled_once() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let first = folder.run(&["seed", "--from", &demo()]).await.succeeded();
    assert!(first.contains("8 categories, 59 products, 547 pictures, 510 stock levels"), "{first}");

    let channel: Value = running.get("/store/v1/channel").await.json().await.unwrap();
    assert_eq!(channel["name"], "Saltmarsh Supply");
    let (slugs, stocked) = products(&running).await;
    assert_eq!((slugs.len(), stocked), (59, 56), "three products are sold out on purpose");
    let hero = &channel["features"][0]["narrow_image"]["sources"][0];
    let picture = running.get(hero["url"].as_str().unwrap()).await;
    assert_eq!((picture.status().as_u16(), picture.headers()["content-type"].to_str().unwrap()), (200, "image/webp"));
    assert_eq!(picture.bytes().await.unwrap().get(..4), Some(&b"RIFF"[..]));

    let second = folder.run(&["seed", "--from", &demo()]).await.succeeded();
    assert!(second.contains("nothing was changed"), "{second}");
    assert_eq!(products(&running).await, (slugs, stocked));
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn a_seeding_that_was_killed_is_taken_up_where_it_was() {
    let folder = Folder::new();
    let running = folder.serve(&[]).await;
    let mut seeding = folder.begin(&["seed", "--from", &demo()]);
    // The pictures are copied in order, after the categories and before the products; each product takes some milliseconds.
    let last_picture = folder.data().join("objects/media/workshop-pendant-room-960.webp");
    while !last_picture.exists() {
        assert!(seeding.try_wait().unwrap().is_none(), "the seeding ended before it could be killed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    seeding.kill().unwrap();
    seeding.wait().unwrap();

    let rest = folder.run(&["seed", "--from", &demo()]).await.succeeded();
    assert!(rest.contains("0 categories") && rest.contains("0 pictures") && !rest.contains(" 59 products"), "killed in the middle: {rest}");
    let (slugs, stocked) = products(&running).await;
    assert_eq!((slugs.len(), stocked), (59, 56));
    assert!(folder.run(&["seed", "--from", &demo()]).await.succeeded().contains("nothing was changed"));
    running.terminate().await.succeeded();
}

#[tokio::test]
async fn a_folder_without_a_valid_catalogue_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("catalogue.json"), r#"{ "channel": { "code": "default", "name": "X", "colour": "red" } }"#).unwrap();
    let complaint = folder.run(&["seed", "--from", &folder.path().display().to_string()]).await.failed();
    assert!(complaint.contains("catalogue.json") && complaint.contains("colour") && complaint.contains("line 1"), "{complaint}");
    assert!(!folder.data().join("postgres").exists());
}
