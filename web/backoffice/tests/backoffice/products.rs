//! The list of products, one product, its variants and its stock.

use http::StatusCode;
use identity_api::Role;

use crate::api::World;
use crate::browser::Browser;
use crate::samples;

fn path(browser: &Browser) -> String {
    format!("/backoffice/products/{}", browser.world().product.id)
}

fn variant(number: u8) -> catalog_api::VariantId {
    samples::id(number)
}

fn level(number: u8) -> String {
    format!("stock.{}.{}", samples::locations()[0].id, variant(number))
}

fn texts(browser: &Browser) -> (String, String) {
    let world = browser.world();
    (world.product.title.clone(), world.product.summary.clone())
}

#[tokio::test]
async fn the_list_shows_price_and_stock_and_passes_its_filter_on() {
    let mut browser = Browser::signed_in();
    let page = browser.get("/backoffice/products?q=mug&published=true").await;
    assert!(page.has("Morning mug") && page.has("€24.00") && page.has("MUG-SEA and 1 more") && page.has("Low"));
    let asked = browser.world().asked.iter().find(|asked| asked.what.starts_with("GET /admin/v1/products")).unwrap().what.clone();
    assert_eq!(asked, "GET /admin/v1/products?q=mug&published=true&limit=50");
}

#[tokio::test]
async fn only_what_was_changed_is_sent() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    let done = browser.submit(&page, &path, &[("summary", "A mug for every hour.")]).await;
    assert_eq!(done.location(), format!("{path}?done=product"));
    let asked = browser.changes().pop().unwrap();
    assert_eq!(asked.body, r#"{"summary":"A mug for every hour."}"#);
    assert_eq!(asked.header("if-match"), Some("\"7\""));
    let page = browser.follow(done).await;
    let nothing = browser.submit(&page, &path, &[]).await;
    assert_eq!(nothing.location(), format!("{path}?done=nothing"));
    assert_eq!(browser.changes().len(), 1);
}

#[tokio::test]
async fn a_box_that_is_not_ticked_takes_the_product_out_of_the_shop() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    let mut fields = page.form(&path);
    fields.remove("published");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(&path, &fields).await;
    assert!(!browser.world().product.published);
}

#[tokio::test]
async fn a_refused_title_is_kept_with_its_reason_beside_it() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    let refused = browser.submit(&page, &path, &[("title", " "), ("description", "Half\r\na story.")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("id=\"title-error\""));
    assert_eq!(refused.form(&path)["description"], "Half\na story.");
    assert_eq!(browser.world().product.description, samples::product().description);
}

#[tokio::test]
async fn edits_that_do_not_clash_are_merged_without_a_question() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.title = "Evening mug".to_owned();
        world.product.version = 8;
    });
    let done = browser.submit(&page, &path, &[("summary", "New.")]).await;
    assert_eq!(done.location(), format!("{path}?done=merged"));
    let world = browser.world();
    assert_eq!((world.product.title.as_str(), world.product.summary.as_str()), ("Evening mug", "New."));
}

#[tokio::test]
async fn a_field_both_changed_is_asked_and_nothing_is_written_until_then() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.title = "Evening mug".to_owned();
        world.product.version = 8;
    });
    let conflict = browser.submit(&page, &path, &[("title", "Noon mug"), ("summary", "New.")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    for text in ["Someone saved this product before you", "Morning mug", "Evening mug", "Noon mug", "Kept from both: summary."] {
        assert!(conflict.has(text), "{text}");
    }
    assert_eq!(browser.world().product.summary, "A mug for the first hour.");

    let editing = browser.submit(&conflict, &path, &[("action", "edit")]).await;
    assert_eq!(editing.form(&path)["title"], "Noon mug");
    assert_eq!(editing.form(&path)["version"], "8");
    assert_eq!(browser.world().product.title, "Evening mug", "keeping on editing writes nothing");

    let done = browser.submit(&conflict, &path, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(texts(&browser), ("Noon mug".to_owned(), "New.".to_owned()));
}

#[tokio::test]
async fn choosing_theirs_keeps_their_title_and_your_other_changes() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.title = "Evening mug".to_owned();
        world.product.version = 8;
    });
    let conflict = browser.submit(&page, &path, &[("title", "Noon mug"), ("summary", "New.")]).await;
    browser.submit(&conflict, &path, &[("title", "Evening mug")]).await;
    assert_eq!(texts(&browser), ("Evening mug".to_owned(), "New.".to_owned()));
}

#[tokio::test]
async fn each_changed_variant_is_saved_on_the_version_the_one_before_left() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/variants");
    let page = browser.get(&path).await;
    let (sea, moss) = (format!("price.EUR.{}", variant(1)), format!("sku.{}", variant(2)));
    let before = format!("before.EUR.{}", variant(1));
    let done = browser.submit(&page, &action, &[(&sea, "19.5"), (&before, "24"), (&moss, "MUG-MOSS-2")]).await;
    assert_eq!(done.location(), format!("{path}?done=variants&from=0"));
    let sent: Vec<_> = browser.changes().iter().map(|asked| (asked.header("if-match").unwrap().to_owned(), asked.body.clone())).collect();
    let prices = r#"{"prices":[{"price":{"amount":1950,"currency":"EUR"},"compare_at":{"amount":2400,"currency":"EUR"}}]}"#;
    assert_eq!(sent, [("\"7\"".to_owned(), prices.to_owned()), ("\"8\"".to_owned(), r#"{"sku":"MUG-MOSS-2"}"#.to_owned())]);
}

#[tokio::test]
async fn a_cell_that_cannot_be_read_stops_the_whole_table_and_loses_nothing() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/variants");
    let page = browser.get(&path).await;
    let (price, sku) = (format!("price.EUR.{}", variant(1)), format!("sku.{}", variant(2)));
    let refused = browser.submit(&page, &action, &[(&price, "24.OO"), (&sku, "NEW")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("Not an amount: write it like 79.00."));
    assert_eq!((refused.form(&action)[&price].as_str(), refused.form(&action)[&sku].as_str()), ("24.OO", "NEW"));
    assert_eq!(browser.changes().len(), 0);
}

#[tokio::test]
async fn a_taken_sku_is_told_in_its_cell_and_the_others_are_saved() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/variants");
    let page = browser.get(&path).await;
    let (sku, price) = (format!("sku.{}", variant(1)), format!("price.EUR.{}", variant(2)));
    let refused = browser.submit(&page, &action, &[(&sku, "MUG-MOSS"), (&price, "30")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.has("It is in use already.") && refused.has("1 variant is saved, the others are kept in their cells."));
    assert_eq!(refused.form(&action)[&sku], "MUG-MOSS");
    let formless = browser.submit(&refused, &action, &[(&sku, "MUG SEA!")]).await;
    assert!(formless.has("A SKU begins with a letter or digit") && formless.form(&action)[&sku] == "MUG SEA!");
    assert_eq!(browser.world().product.variants[1].prices[0].price, samples::euro(3_000));
}

#[tokio::test]
async fn a_price_both_changed_is_told_in_its_cell_and_saving_again_sets_yours() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/variants");
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.variants[0].prices[0].price = samples::euro(2_200);
        world.product.version = 8;
    });
    let price = format!("price.EUR.{}", variant(1));
    let conflict = browser.submit(&page, &action, &[(&price, "19.00")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    assert!(conflict.has("Somebody else changed this from 24.00 to 22.00."));
    assert_eq!(browser.world().product.variants[0].prices[0].price, samples::euro(2_200));
    let done = browser.submit(&conflict, &action, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().product.variants[0].prices[0].price, samples::euro(1_900));
}

#[tokio::test]
async fn a_price_is_saved_over_changes_that_do_not_touch_it() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.title = "Evening mug".to_owned();
        world.product.version = 8;
    });
    let done = browser.submit(&page, &format!("{path}/variants"), &[(&format!("price.EUR.{}", variant(1)), "19.00")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().product.variants[0].prices[0].price, samples::euro(1_900));
}

#[tokio::test]
async fn stock_is_set_on_the_version_that_was_counted_and_added_to_without_one() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/stock");
    let page = browser.get(&path).await;
    assert!(page.has("Rotterdam, on hand"));
    let done = browser.submit(&page, &action, &[(&level(1), "20"), (&level(2), "+5"), ("reason", "received")]).await;
    assert_eq!(done.location(), format!("{path}?done=stock&from=0"));
    let sent = browser.changes();
    assert_eq!((sent[0].header("if-match"), sent[1].header("if-match")), (Some("\"4\""), None));
    assert!(sent[0].body.contains(r#""on_hand":20"#) && sent[1].body.contains(r#""delta":5"#) && sent[1].body.contains(r#""reason":"received""#));
    let on_hand: Vec<_> = browser.world().levels.iter().map(|level| level.on_hand).collect();
    assert_eq!(on_hand, [20, 5]);
}

#[tokio::test]
async fn a_sale_meanwhile_does_not_stop_a_count_of_what_is_on_hand() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.levels[0].reserved = 3;
        world.levels[0].version = 5;
    });
    let done = browser.submit(&page, &format!("{path}/stock"), &[(&level(1), "20")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().levels[0].on_hand, 20);
}

#[tokio::test]
async fn a_count_against_another_count_is_told_in_its_cell_and_sets_nothing() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/stock");
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.levels[0].on_hand = 15;
        world.levels[0].version = 5;
    });
    let conflict = browser.submit(&page, &action, &[(&level(1), "20"), (&level(2), "7"), ("reason", "written_off")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    assert!(conflict.has("Somebody else changed this from 18 to 15.") && conflict.has("1 cell is saved"));
    assert!(conflict.has("<option value=\"written_off\" selected>"));
    assert_eq!(browser.world().levels[0].on_hand, 15);
    assert_eq!(conflict.form(&action)[&level(1)], "20");
    let done = browser.submit(&conflict, &action, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.world().levels[0].on_hand, 20);
}

#[tokio::test]
async fn stock_that_is_no_number_or_below_what_is_reserved_is_told_in_its_cell() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let action = format!("{path}/stock");
    let page = browser.get(&path).await;
    let wrong = browser.submit(&page, &action, &[(&level(1), "1O"), (&level(2), "5")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.has("Not a number") && browser.changes().is_empty());
    assert_eq!((wrong.form(&action)[&level(1)].as_str(), wrong.form(&action)[&level(2)].as_str()), ("1O", "5"));
    let low = browser.submit(&wrong, &action, &[(&level(1), "1")]).await;
    assert_eq!(low.status, StatusCode::CONFLICT);
    assert!(low.has("More is reserved than would be left."));
}

#[tokio::test]
async fn a_product_of_many_variants_is_shown_in_pages() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    {
        let mut world = browser.world();
        let sample = world.product.variants[0].clone();
        world.product.variants =
            (1..=120).map(|number| catalog_api::AdminVariant { id: samples::id(number), sku: format!("M-{number}"), ..sample.clone() }).collect();
    }
    let page = browser.get(&format!("{path}?from=60")).await;
    assert!(page.has("51 to 100 of 120 variants"));
    assert!(page.has("value=\"M-51\"") && !page.has("value=\"M-50\"") && !page.has("value=\"M-101\""));
    assert!(page.has(&format!("{path}?from=0#variants")) && page.has(&format!("{path}?from=100#variants")));
    assert!(browser.get(&format!("{path}?from=99999")).await.has("101 to 120 of 120 variants"));
}

#[tokio::test]
async fn viewers_may_look_at_a_product_and_change_nothing() {
    let mut browser = Browser::signed_in();
    browser.world().me.role = Role::Viewer;
    let page = browser.get(&path(&browser)).await;
    assert!(page.has("Morning mug") && !page.has("Save product") && !page.has("Save pictures") && !page.has("Save variants") && !page.has("Save stock"));
}

#[tokio::test]
async fn address_facts_category_and_channels_are_changed_one_by_one() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    assert!(page.has("<option value=\"cups\" selected>Kitchen › Cups</option>"));
    assert_eq!(page.form(&path)["was_channels"], "default");
    let done = browser.submit(&page, &path, &[("slug", "dawn-mug"), ("facts", "Dishwasher safe\r\n\r\n Two sizes "), ("category", "")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.changes().pop().unwrap().body, r#"{"slug":"dawn-mug","facts":["Dishwasher safe","Two sizes"],"category":""}"#);
    let page = browser.get(&path).await;
    let mut fields: Vec<(String, String)> = page.form(&path).into_iter().filter(|(name, _)| name != "channels").collect();
    let sent: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let refused = browser.post(&path, &sent).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("Choose at least one channel."));
    fields.extend(["default", "smoke"].map(|code| ("channels".to_owned(), code.to_owned())));
    let sent: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(&path, &sent).await;
    assert_eq!(browser.world().product.channels, ["default", "smoke"]);
}

#[tokio::test]
async fn a_taken_address_is_told_beside_its_field() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    for (slug, status, told) in
        [("taken", StatusCode::CONFLICT, "Another product has this address."), ("Dawn Mug", StatusCode::UNPROCESSABLE_ENTITY, "An address holds small letters")]
    {
        let refused = browser.submit(&page, &path, &[("slug", slug)]).await;
        assert_eq!(refused.status, status);
        assert!(refused.has(told) && refused.has("id=\"slug-error\""), "{slug}");
        assert_eq!(refused.form(&path)["slug"], slug);
    }
}

#[tokio::test]
async fn a_category_both_changed_is_asked_by_its_name() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.category = None;
        world.product.version = 8;
    });
    let conflict = browser.submit(&page, &path, &[("category", "kitchen")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    for text in ["Kitchen › Cups", "Nothing", ">Kitchen<"] {
        assert!(conflict.has(text), "{text}");
    }
    browser.submit(&conflict, &path, &[]).await;
    assert_eq!(browser.world().product.category.as_ref().unwrap().slug, "kitchen");
}

/// A mug with three pictures.
fn with_pictures(browser: &Browser) {
    let mut world = browser.world();
    let one = world.product.media[0].clone();
    let picture = |alt: &str| catalog_api::MediaReference { url: format!("/media/{alt}.webp"), alt: alt.to_owned(), option_value: None, ..one.clone() };
    world.product.media = vec![one.clone(), picture("side"), picture("")];
}

fn pictures(browser: &Browser) -> Vec<(String, Option<String>)> {
    browser.world().product.media.iter().map(|media| (media.alt.clone(), media.option_value.clone())).collect()
}

#[tokio::test]
async fn pictures_are_put_in_order_described_tied_to_a_value_and_removed() {
    let mut browser = Browser::signed_in();
    with_pictures(&browser);
    let path = path(&browser);
    let action = format!("{path}/media");
    let page = browser.get(&path).await;
    assert!(page.has("1 has no text") && page.has("Colour: Moss") && page.has("<option value=\"3\" selected>3. of 3</option>"));
    let done = browser.submit(&page, &action, &[("place.2", "1"), ("alt.2", "From above"), ("shows.2", "Moss"), ("remove.1", "yes")]).await;
    assert_eq!(done.location(), format!("{path}?done=media#media"));
    let wanted = [("From above".to_owned(), Some("Moss".to_owned())), ("A mug".to_owned(), Some("Sea".to_owned()))];
    assert_eq!(pictures(&browser), wanted);
    assert_eq!(browser.changes().pop().unwrap().header("if-match"), Some("\"7\""));
    let page = browser.get(&path).await;
    assert_eq!(browser.submit(&page, &action, &[]).await.location(), format!("{path}?done=nothing#media"));
    assert_eq!(browser.get(&action).await.location(), path, "reloading leads back");
}

#[tokio::test]
async fn pictures_both_changed_are_asked_and_those_that_only_you_changed_are_saved() {
    let mut browser = Browser::signed_in();
    with_pictures(&browser);
    let path = path(&browser);
    let action = format!("{path}/media");
    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.title = "Evening mug".to_owned();
        world.product.version = 8;
    });
    assert_eq!(browser.submit(&page, &action, &[("alt.1", "Handle")]).await.location(), format!("{path}?done=merged#media"));

    let page = browser.get(&path).await;
    browser.world().meanwhile = Some(|world: &mut World| {
        world.product.media.remove(0);
        world.product.version += 1;
    });
    let conflict = browser.submit(&page, &action, &[("alt.2", "Foot")]).await;
    assert_eq!(conflict.status, StatusCode::PRECONDITION_FAILED);
    assert!(conflict.has("1. A mug (Sea)") && conflict.has("3. Foot") && !conflict.has("Keep editing"));
    assert_eq!(browser.world().product.media.len(), 2, "nothing is written until one has chosen");
    let done = browser.submit(&conflict, &action, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let alts: Vec<_> = pictures(&browser).into_iter().map(|(alt, _)| alt).collect();
    assert_eq!(alts, ["A mug", "Handle", "Foot"], "yours was chosen");
}

#[tokio::test]
async fn who_changed_what_is_told_with_the_names_people_know() {
    let mut browser = Browser::signed_in();
    let path = path(&browser);
    let page = browser.get(&format!("{path}/audit")).await;
    for text in ["Tomas Lindqvist</b> changed Sea", "Ines Varga</b> changed the product", "Morning mug <b>", "made the product", "Sunday, 22 November 2026"] {
        assert!(page.has(text), "{text}");
    }
    assert!(!page.html.contains("Morning mug <b>"), "escaped");
    let id = browser.world().product.id;
    assert!(browser.world().asked.iter().any(|asked| asked.what == format!("GET /admin/v1/audit-entries?subject={id}&limit=50")));
}

#[tokio::test]
async fn the_list_is_to_be_had_as_a_file_with_a_row_for_each_price() {
    let mut browser = Browser::signed_in();
    assert!(browser.get("/backoffice/products?q=mug").await.has("href=\"/backoffice/products.csv?q=mug\""));
    let file = browser.get("/backoffice/products.csv?q=mug").await;
    let lines: Vec<_> = file.html.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("Morning mug,morning-mug,true,cups,MUG-SEA,Colour: Sea,24.00,,EUR,"), "{}", lines[1]);
}
