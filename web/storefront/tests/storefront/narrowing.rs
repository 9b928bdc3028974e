//! Filters, order and parts of a list, by address.

use http::StatusCode;

use crate::api::{category, eur, product};
use crate::browser::{Browser, Shown};

/// How many of the shop's three products a page lists.
fn listed(page: &Shown) -> Vec<&'static str> {
    ["Harbour Pitcher", "Breakfast &lt;Tea&gt;", "Moon Vase"].into_iter().filter(|title| page.html.contains(&format!("\">{title}</a></h3>"))).collect()
}

#[tokio::test]
async fn a_list_is_narrowed_by_its_address_and_says_by_what() {
    let mut browser = Browser::new();
    let page = browser.get("/products?in_stock=1&option.Glaze=Rust&option.Glaze=Sea").await;
    assert_eq!(listed(&page), ["Harbour Pitcher"]);
    page.shows(&[
        "1 piece</p>",
        "3 active",
        "name=\"option.Glaze\" value=\"Rust\" checked",
        "name=\"option.Glaze\" value=\"Sea\" checked",
        "name=\"in_stock\" value=\"1\" checked",
        // Each chip leads to the list without it.
        "href=\"/products?option.Glaze=Rust&amp;option.Glaze=Sea\"",
        "href=\"/products?in_stock=1&amp;option.Glaze=Sea\"",
        "href=\"/products?in_stock=1&amp;option.Glaze=Rust\"",
        "<a class=\"link note\" href=\"/products\"",
        // Another order keeps the filter.
        "<input type=\"hidden\" name=\"option.Glaze\" value=\"Rust\">",
    ]);
    // The chalk pitcher is sold out, but it would be found if stock did not matter.
    assert!(!page.html.contains("value=\"Chalk\""), "a value that leaves nothing is not offered");
    browser.get("/products?option.Glaze=Rust").await.shows(&["value=\"Chalk\"", "<span class=\"n\"><span class=\"sr\">, </span>1</span>"]);
}

#[tokio::test]
async fn prices_are_typed_in_the_units_of_the_shop() {
    let mut browser = Browser::new();
    let page = browser.get("/products?min=11&max=38,00").await;
    assert_eq!(listed(&page), ["Harbour Pitcher", "Breakfast &lt;Tea&gt;"]);
    page.shows(&["€11 to €38", "name=\"min\"", "value=\"11\"", "value=\"38\"", "placeholder=\"€56\""]);
    assert_eq!(listed(&browser.get("/products?max=20").await), ["Breakfast &lt;Tea&gt;"]);
    assert_eq!(listed(&browser.get("/products?min=lots&max=").await).len(), 3);
    let requests = &browser.api.memory().requests;
    assert!(requests.iter().any(|(request, _)| request.contains("/store/v1/product-facets?price_min=1100&price_max=3800")), "{requests:?}");
}

#[tokio::test]
async fn where_nothing_fits_there_is_a_way_out() {
    let mut browser = Browser::new();
    let page = browser.get("/categories/ceramics?option.Glaze=Sea&max=1").await;
    assert_eq!((page.status, listed(&page).len()), (StatusCode::OK, 0));
    page.shows(&[
        "Nothing fits all of this",
        "0 pieces</p>",
        "<a class=\"button\" href=\"/categories/ceramics\"",
        "name=\"option.Glaze\" value=\"Sea\" checked",
    ]);
}

#[tokio::test]
async fn a_narrowed_list_is_left_to_those_who_were_led_to_it() {
    let mut browser = Browser::new();
    let canonical = "<link rel=\"canonical\" href=\"http://127.0.0.1:8080/categories/ceramics\">";
    for query in ["?in_stock=1", "?option.Glaze=Sea&sort=title", "?max=40", "?reduced=1"] {
        browser.get(&format!("/categories/ceramics{query}")).await.shows(&[canonical, "<meta name=\"robots\" content=\"noindex\">"]);
    }
    for query in ["", "?sort=title", "?utm_source=mail"] {
        browser.get(&format!("/categories/ceramics{query}")).await.shows(&[canonical]).hides(&["noindex"]);
    }
}

#[tokio::test]
async fn reduced_pieces_are_found_together() {
    let mut browser = Browser::new();
    browser.get("/products").await.hides(&["name=\"reduced\""]);
    browser.api.memory().products[2].variants[0].compare_at = Some(eur(7_000));
    browser.get("/products").await.shows(&["name=\"reduced\" value=\"1\""]);
    assert_eq!(listed(&browser.get("/products?reduced=1").await), ["Moon Vase"]);
}

#[tokio::test]
async fn long_lists_are_leafed_through_in_both_directions_with_everything_else_kept() {
    let mut browser = Browser::new();
    let plates = category("plates", "Plates", "");
    let number = |number| product(&format!("plate-{number}"), &format!("Plate {number}"), &plates, &[], &[(&[], 100, catalog_api::StockBand::In)]);
    browser.api.memory().products.extend((0..60).map(number));
    browser.api.memory().categories.push(plates.clone());
    let first = browser.get("/categories/plates?in_stock=1").await;
    first.shows(&["60 pieces</p>", "href=\"/categories/plates?in_stock=1&amp;after=24\""]).hides(&["First pieces", "Previous pieces"]);
    let last = browser.get("/categories/plates?in_stock=1&after=48").await;
    last.shows(&["Plate 59", "href=\"/categories/plates?in_stock=1&amp;before=48\"", "href=\"/categories/plates?in_stock=1\" hx-get"]).hides(&["More pieces"]);
    let middle = browser.get("/categories/plates?in_stock=1&before=48").await;
    middle.shows(&["Plate 24<", "Plate 47<", "after=48\"", "before=24\""]);
    browser.get("/categories/plates?before=48").await.shows(&["noindex"]);
    let start = browser.get("/categories/plates?before=24").await;
    start.shows(&["Plate 0<", "Plate 23<", "after=24\""]).hides(&["First pieces", "Previous pieces"]);
}

#[tokio::test]
async fn many_values_stand_behind_a_fold_and_what_is_chosen_never_does() {
    let mut browser = Browser::new();
    let mugs = category("mugs", "Mugs", "");
    let colours: Vec<String> = (0..12).map(|number| format!("Colour {number:02}")).collect();
    let names: Vec<&str> = colours.iter().map(String::as_str).collect();
    let variants: Vec<[&str; 1]> = names.iter().map(|name| [*name]).collect();
    let variants: Vec<(&[&str], i64, catalog_api::StockBand)> = variants.iter().map(|values| (values.as_slice(), 100, catalog_api::StockBand::In)).collect();
    let mug = product("mug", "Mug", &mugs, &[("Colour", &names)], &variants);
    browser.api.memory().products.push(mug);
    browser.api.memory().categories.push(mugs);
    let page = browser.get("/categories/mugs").await;
    page.shows(&["4 more</summary>"]);
    let fold = page.html.find("4 more</summary>").unwrap();
    assert!(page.html.find("value=\"Colour 07\"").unwrap() < fold && page.html.find("value=\"Colour 11\"").unwrap() > fold);
    let page = browser.get("/categories/mugs?option.Colour=Colour+11").await;
    let fold = page.html.find("3 more</summary>").unwrap();
    assert!(page.html.find("value=\"Colour 11\" checked").unwrap() < fold);
}
