use catalog_api::{ChannelId, List};
use inventory::HoldUntil;
use inventory_api::{LevelAnswer, LocationAnswer, LocationId, MovementAnswer, MovementKind};
use kernel::Page;
use serde_json::{Value, json};
use testkit::{Reply, Shop};

use crate::stand::{books_balance, channel, hold, levels, line, location, main_location, number, open, other_channel, put, stocked, test_channel, variant};

const LEVELS: &str = "/admin/v1/stock-levels";
const LOCATIONS: &str = "/admin/v1/stock-locations";
const MOVEMENTS: &str = "/admin/v1/stock-movements";

async fn adjust(shop: &Shop, body: &Value) -> Reply {
    shop.staff("POST", LEVELS).json(body).send().await
}

#[tokio::test]
async fn a_shop_begins_with_a_location_for_each_channel() {
    let shop = open().await;
    let list: List<LocationAnswer> = shop.staff("GET", LOCATIONS).send().await.expect(200);
    let seen: Vec<_> = list.items.iter().map(|location| (location.code.as_str(), location.channel_ids.as_slice())).collect();
    assert_eq!(seen, [("main", [channel()].as_slice()), ("test", [test_channel()].as_slice())]);
}

#[tokio::test]
async fn a_made_location_is_listed_last_with_each_channel_once() {
    let shop = open().await;
    let other = other_channel(&shop).await;
    let id = location(&shop, "annex", &[other, channel(), channel()]).await;
    let list: List<LocationAnswer> = shop.staff("GET", LOCATIONS).send().await.expect(200);
    let annex = list.items.last().unwrap();
    assert_eq!((annex.id, annex.code.as_str(), annex.channel_ids.as_slice()), (id, "annex", [channel(), other].as_slice()));
    assert_eq!(number(&shop, "select count(*) from ops.audit_entry where action = 'stock_location.created'").await, 1);
}

#[tokio::test]
async fn bad_locations_are_refused_with_the_field_to_mend() {
    let shop = open().await;
    let create = async |body: Value| shop.staff("POST", LOCATIONS).json(&body).send().await;
    let draft = |code: &str, name: &str| json!({ "code": code, "name": name, "channel_ids": [] });
    create(draft("main", "Main")).await.expect_problem(409, "location_code_taken");
    for code in ["", "Big", "a--b", "-a", "a b", &"a".repeat(61)] {
        let reply = create(draft(code, "Name")).await;
        assert_eq!(reply.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/code", "{code:?}");
    }
    assert_eq!(create(draft("a", "")).await.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/name");
    create(json!({ "code": "a", "name": "A", "channel_ids": ["chn_1"] })).await.expect_problem(422, "invalid_body");
    create(json!({ "code": "a", "name": "A", "channel_ids": [], "color": "red" })).await.expect_problem(422, "invalid_body");
    for name in ["  ", "A\u{0}", "A\nB", &"a".repeat(201)] {
        assert_eq!(create(draft("a", name)).await.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/name", "{name:?}");
    }
    let unknown = json!({ "code": "a", "name": "A", "channel_ids": [channel(), ChannelId::new(shop.clock().now())] });
    assert_eq!(create(unknown).await.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], "/channel_ids");
    let mixed = json!({ "code": "a", "name": "A", "channel_ids": [channel(), test_channel()] });
    assert_eq!(create(mixed).await.expect_problem(422, "invalid_body").json["errors"][0]["code"], "mixed", "a trial takes nothing that is there to be sold");
    create(json!({ "code": "a", "name": "A", "channel_ids": vec![channel(); 51] })).await.expect_problem(422, "invalid_body");
    shop.staff("POST", LOCATIONS).body("{").header("content-type", "application/json").send().await.expect_problem(400, "malformed_json");
    shop.staff("POST", LOCATIONS).body("{}").send().await.expect_problem(415, "unsupported_media_type");
    assert_eq!(number(&shop, "select count(*) from inventory.location").await, 2);
}

#[tokio::test]
async fn a_level_is_made_set_and_changed() {
    let shop = open().await;
    let mug = variant(&shop);
    let body = |change: Value| {
        let mut body = json!({ "location_id": main_location(), "variant_id": mug, "reason": "counted" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let made = adjust(&shop, &body(json!({ "on_hand": 12, "reason": "received" }))).await;
    let level: LevelAnswer = made.expect(200);
    let expected = LevelAnswer { location_id: main_location(), variant_id: mug, on_hand: 12, reserved: 0, available: 12, version: 1 };
    assert_eq!((level, made.header("etag")), (expected, "\"1\""));
    let set = shop.staff("POST", LEVELS).header("if-match", "\"1\"").json(&body(json!({ "on_hand": 10 }))).send().await;
    assert_eq!((set.expect::<LevelAnswer>(200).on_hand, set.header("etag")), (10, "\"2\""));
    let changed: LevelAnswer = adjust(&shop, &body(json!({ "delta": -3, "reason": "written_off" }))).await.expect(200);
    assert_eq!((changed.on_hand, changed.version), (7, 3));
    let same = shop.staff("POST", LEVELS).header("if-match", "\"3\"").json(&body(json!({ "on_hand": 7 }))).send().await;
    assert_eq!(same.expect::<LevelAnswer>(200).version, 4, "a count that found the level right is written down");
    assert_eq!(number(&shop, "select count(*) from ops.audit_entry where action = 'stock.adjusted'").await, 4);
    books_balance(&shop).await;
}

#[tokio::test]
async fn setting_a_level_needs_the_version_it_was_made_on() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let body = json!({ "location_id": main_location(), "variant_id": mug, "on_hand": 5, "reason": "counted" });
    adjust(&shop, &body).await.expect_problem(428, "version_required");
    hold(&shop, &[line(mug, 1)], HoldUntil::Committed).await.unwrap();
    let stale = shop.staff("POST", LEVELS).header("if-match", "\"1\"").json(&body).send().await;
    assert_eq!(stale.expect_problem(412, "stale_version").json["context"]["version"], 2, "the sale in between counts");
    shop.staff("POST", LEVELS).header("if-match", "soon").json(&body).send().await.expect_problem(400, "invalid_header");
    let change = json!({ "location_id": main_location(), "variant_id": mug, "delta": 5, "reason": "received" });
    shop.staff("POST", LEVELS).header("if-match", "\"1\"").json(&change).send().await.expect_problem(412, "stale_version");
    let unseen = json!({ "location_id": main_location(), "variant_id": variant(&shop), "on_hand": 5, "reason": "counted" });
    shop.staff("POST", LEVELS).header("if-match", "\"1\"").json(&unseen).send().await.expect_problem(412, "stale_version");
    assert_eq!(levels(&shop, mug).await, [(10, 1)]);
    assert_eq!(number(&shop, "select count(*) from inventory.level").await, 1, "a refusal leaves no empty level behind");
    books_balance(&shop).await;
}

#[tokio::test]
async fn what_is_promised_cannot_be_taken_off_the_shelf() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    hold(&shop, &[line(mug, 4)], HoldUntil::Committed).await.unwrap();
    let body = |delta: i64| json!({ "location_id": main_location(), "variant_id": mug, "delta": delta, "reason": "written_off" });
    let refused = adjust(&shop, &body(-7)).await;
    assert_eq!(refused.expect_problem(409, "below_reserved").json["context"], json!({ "on_hand": 10, "reserved": 4 }));
    let set = json!({ "location_id": main_location(), "variant_id": mug, "on_hand": 3, "reason": "counted" });
    shop.staff("POST", LEVELS).header("if-match", "\"2\"").json(&set).send().await.expect_problem(409, "below_reserved");
    assert_eq!(adjust(&shop, &body(-6)).await.expect::<LevelAnswer>(200).available, 0);
    assert_eq!(levels(&shop, mug).await, [(4, 4)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn bad_adjustments_are_refused_with_the_field_to_mend() {
    let shop = open().await;
    let mug = variant(&shop);
    let refused = async |change: Value, pointer: &str| {
        let mut body = json!({ "location_id": main_location(), "variant_id": mug, "reason": "counted" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let reply = adjust(&shop, &body).await;
        assert_eq!(reply.expect_problem(422, "invalid_body").json["errors"][0]["pointer"], pointer, "{}", reply.text);
    };
    refused(json!({}), "/on_hand").await;
    refused(json!({ "on_hand": 1, "delta": 1 }), "/delta").await;
    refused(json!({ "delta": 0 }), "/delta").await;
    refused(json!({ "on_hand": -1 }), "/on_hand").await;
    refused(json!({ "on_hand": 1_000_000_001_i64 }), "/on_hand").await;
    refused(json!({ "delta": i64::MAX }), "/delta").await;
    refused(json!({ "on_hand": 1.5 }), "/on_hand").await;
    refused(json!({ "on_hand": "1" }), "/on_hand").await;
    refused(json!({ "on_hand": 1, "reason": "stolen" }), "/reason").await;
    refused(json!({ "on_hand": 1, "reason": "written_off" }), "/reason").await;
    refused(json!({ "on_hand": 1, "variant_id": "var_1" }), "/variant_id").await;
    refused(json!({ "on_hand": 1, "location_id": mug }), "/location_id").await;
    refused(json!({ "on_hand": 1, "location_id": LocationId::new(shop.clock().now()) }), "/location_id").await;
    assert_eq!(number(&shop, "select count(*) from inventory.level").await, 0);
    put(&shop, main_location(), mug, 1_000_000_000).await;
    refused(json!({ "delta": 1 }), "/delta").await;
}

#[tokio::test]
async fn viewers_look_and_change_nothing_and_strangers_do_not_look() {
    let shop = open().await;
    let mug = stocked(&shop, 1).await;
    let change = json!({ "location_id": main_location(), "variant_id": mug, "delta": 1, "reason": "received" });
    let draft = json!({ "code": "annex", "name": "Annex", "channel_ids": [] });
    let movements = format!("{MOVEMENTS}?variant_id={mug}");
    let viewer = shop.pass().view_only();
    for path in [LEVELS, LOCATIONS, &movements] {
        assert_eq!(shop.get(path).bearer(viewer).send().await.status, 200);
        shop.get(path).send().await.expect_problem(401, "unauthenticated");
    }
    for (path, body) in [(LEVELS, &change), (LOCATIONS, &draft)] {
        shop.post(path).bearer(viewer).json(body).send().await.expect_problem(403, "forbidden");
        shop.post(path).json(body).send().await.expect_problem(401, "unauthenticated");
    }
    assert_eq!(levels(&shop, mug).await, [(1, 0)]);
}

#[tokio::test]
async fn a_repeat_under_the_same_key_changes_the_level_once() {
    let shop = open().await;
    let mug = stocked(&shop, 1).await;
    let body = json!({ "location_id": main_location(), "variant_id": mug, "delta": 5, "reason": "received" });
    let send = async |body: &Value| shop.staff("POST", LEVELS).header("idempotency-key", "delivery-17").json(body).send().await;
    let (first, again) = (send(&body).await, send(&body).await);
    assert_eq!(first.expect::<LevelAnswer>(200).on_hand, 6);
    assert_eq!((again.status, &again.text, again.header("etag")), (first.status, &first.text, first.header("etag")));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let other = json!({ "location_id": main_location(), "variant_id": mug, "delta": 6, "reason": "received" });
    send(&other).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(levels(&shop, mug).await, [(6, 0)]);
    let draft = json!({ "code": "annex", "name": "Annex", "channel_ids": [] });
    let make = async || shop.staff("POST", LOCATIONS).header("idempotency-key", "annex").json(&draft).send().await;
    assert_eq!(make().await.expect::<LocationAnswer>(201), make().await.expect::<LocationAnswer>(201));
}

#[tokio::test]
async fn levels_are_listed_page_by_page_and_narrowed_by_variant_and_location() {
    let shop = open().await;
    let second = location(&shop, "second", &[channel()]).await;
    let mut variants = Vec::new();
    for units in 1..=3 {
        let variant = stocked(&shop, units).await;
        put(&shop, second, variant, 10 * units).await;
        variants.push(variant);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page: Page<LevelAnswer> = shop.staff("GET", &format!("{LEVELS}?limit=4{after}")).send().await.expect(200);
        assert!(page.items.len() <= 4);
        seen.extend(page.items.into_iter().map(|level| (level.variant_id, level.location_id, level.on_hand)));
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    let mut expected: Vec<_> =
        variants.iter().zip(1..).flat_map(|(variant, units)| [(*variant, main_location(), units), (*variant, second, 10 * units)]).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);

    let found = async |query: &str| shop.staff("GET", &format!("{LEVELS}?{query}")).send().await.expect::<Page<LevelAnswer>>(200).items.len();
    assert_eq!(found(&format!("location_id={second}")).await, 3);
    assert_eq!(found(&format!("variant_ids={},{}", variants[0], variants[2])).await, 4);
    assert_eq!(found(&format!("variant_ids={},{}&location_id={second}", variants[0], variants[2])).await, 2);
    assert_eq!(found(&format!("variant_id={}&variant_ids={},{}", variants[0], variants[0], variants[1])).await, 2);
    assert_eq!(found(&format!("variant_id={}", variant(&shop))).await, 0);
}

#[tokio::test]
async fn the_journal_is_read_newest_first_and_says_who_did_what() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 2)], HoldUntil::Committed).await.unwrap();
    put(&shop, main_location(), mug, -1).await;
    let path = format!("{MOVEMENTS}?variant_id={mug}&limit=2");
    let first: Page<MovementAnswer> = shop.staff("GET", &path).send().await.expect(200);
    let rest: Page<MovementAnswer> = shop.staff("GET", &format!("{path}&after={}", first.next.unwrap())).send().await.expect(200);
    let seen: Vec<_> = first.items.iter().chain(&rest.items).map(|movement| (movement.kind, movement.on_hand_delta, movement.reserved_delta)).collect();
    assert_eq!(seen, [(MovementKind::Counted, -1, 0), (MovementKind::Held, 0, 2), (MovementKind::Received, 10, 0)]);
    assert_eq!((first.items[1].hold_id, first.items[1].actor.as_str(), rest.next), (Some(held), "guest", None));
    assert!(first.items[0].actor.starts_with("staff:"), "{}", first.items[0].actor);
}

#[tokio::test]
async fn bad_queries_are_refused_with_the_parameter_to_mend() {
    let shop = open().await;
    let mug = variant(&shop);
    let many = vec![mug.to_string(); 101].join(",");
    let cases = [
        (format!("{LEVELS}?limit=0"), "limit"),
        (format!("{LEVELS}?limit=101"), "limit"),
        (format!("{LEVELS}?limit=x"), "limit"),
        (format!("{LEVELS}?after=nonsense"), "after"),
        (format!("{LEVELS}?variant_id=var_1"), "variant_id"),
        (format!("{LEVELS}?variant_ids={mug},x"), "variant_ids"),
        (format!("{LEVELS}?variant_ids={many}"), "variant_ids"),
        (format!("{LEVELS}?location_id={mug}"), "location_id"),
        (format!("{LEVELS}?colour=red"), "colour"),
        (MOVEMENTS.to_owned(), "query"),
        (format!("{MOVEMENTS}?variant_id={mug}&limit=0"), "limit"),
        (format!("{MOVEMENTS}?variant_id={mug}&after=x"), "after"),
    ];
    for (path, name) in cases {
        let reply = shop.staff("GET", &path).send().await;
        assert_eq!(reply.expect_problem(400, "invalid_query").json["errors"][0]["pointer"], name, "{path}: {}", reply.text);
    }
    let cursor_of_levels = format!("{MOVEMENTS}?variant_id={mug}&after={}", kernel::Cursor::encode(&(mug, main_location())));
    shop.staff("GET", &cursor_of_levels).send().await.expect_problem(400, "invalid_query");
}

#[tokio::test]
async fn scarce_levels_are_those_of_variants_that_are_low_or_sold_out_page_by_page() {
    let shop = open().await;
    let mut scarce = Vec::new();
    for units in [50, 2, 0, 1, 60] {
        let mug = stocked(&shop, units).await;
        if units < 5 {
            scarce.push(mug);
        }
        shop.wait(1);
    }
    // Enough for shoppers of one channel, too little for those of the other: both levels are told.
    let both = stocked(&shop, 1).await;
    let annex = location(&shop, "annex", &[test_channel()]).await;
    put(&shop, annex, both, 50).await;
    scarce.extend([both, both]);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page: Page<LevelAnswer> = shop.staff("GET", &format!("{LEVELS}?scarce=true&limit=1{after}")).send().await.expect(200);
        seen.extend(page.items.iter().map(|level| level.variant_id));
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, scarce);
    let narrowed = format!("{LEVELS}?scarce=true&location_id={}", main_location());
    shop.staff("GET", &narrowed).send().await.expect_problem(400, "invalid_query");
}
