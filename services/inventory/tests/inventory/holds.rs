use inventory::{HoldUntil, Shortage};
use kernel::{Page, Quantity};

use crate::stand::{
    available, books_balance, channel, commit, execute, expire, hold, levels, line, location, main_location, number, open, pin, put, release, run, stocked,
    test_channel, until, variant,
};

#[tokio::test]
async fn held_units_are_reserved_and_no_longer_available() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    hold(&shop, &[line(mug, 3)], until(&shop, 900)).await.unwrap();
    assert_eq!(levels(&shop, mug).await, [(10, 3)]);
    assert_eq!(available(&shop, channel(), mug).await, 7);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_variant_nobody_has_seen_counts_as_nothing_available() {
    let shop = open().await;
    let unseen = variant(&shop);
    assert_eq!(available(&shop, channel(), unseen).await, 0);
    let short = hold(&shop, &[line(unseen, 2)], HoldUntil::Committed).await.unwrap_err();
    assert_eq!(short, [Shortage { variant_id: unseen, requested: 2, available: 0 }]);
}

#[tokio::test]
async fn a_shortage_names_every_short_variant_and_writes_nothing() {
    let shop = open().await;
    let (plenty, few, none) = (stocked(&shop, 100).await, stocked(&shop, 2).await, stocked(&shop, 0).await);
    let short = hold(&shop, &[line(none, 1), line(plenty, 5), line(few, 3)], until(&shop, 900)).await.unwrap_err();
    let mut expected = vec![Shortage { variant_id: few, requested: 3, available: 2 }, Shortage { variant_id: none, requested: 1, available: 0 }];
    expected.sort_by_key(|short| short.variant_id);
    assert_eq!(short, expected);
    // The helper commits after a refusal, so whatever had been written would be here.
    assert_eq!((levels(&shop, plenty).await, levels(&shop, few).await), (vec![(100, 0)], vec![(2, 0)]));
    assert_eq!(number(&shop, "select count(*) from inventory.hold").await, 0);
    assert_eq!(number(&shop, "select count(*) from inventory.movement where kind = 'held'").await, 0);
    books_balance(&shop).await;
}

#[tokio::test]
async fn lines_of_the_same_variant_add_up() {
    let shop = open().await;
    let mug = stocked(&shop, 5).await;
    let short = hold(&shop, &[line(mug, 3), line(mug, 3)], until(&shop, 900)).await.unwrap_err();
    assert_eq!(short, [Shortage { variant_id: mug, requested: 6, available: 5 }]);
    hold(&shop, &[line(mug, 3), line(mug, 2)], until(&shop, 900)).await.unwrap();
    assert_eq!(levels(&shop, mug).await, [(5, 5)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn the_largest_order_of_several_full_lines_is_held() {
    let shop = open().await;
    let mug = stocked(&shop, 1_000_000).await;
    let full = i64::from(Quantity::MAX);
    hold(&shop, &[line(mug, full), line(mug, full), line(mug, full)], HoldUntil::Committed).await.unwrap();
    assert_eq!(levels(&shop, mug).await, [(1_000_000, 3 * full)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn locations_are_used_in_the_order_they_were_made() {
    let shop = open().await;
    let second = location(&shop, "second", &[channel()]).await;
    let third = location(&shop, "third", &[channel()]).await;
    let mug = variant(&shop);
    for (place, units) in [(third, 10), (second, 4), (main_location(), 3)] {
        put(&shop, place, mug, units).await;
    }
    assert_eq!(available(&shop, channel(), mug).await, 17);
    let nine = hold(&shop, &[line(mug, 9)], until(&shop, 900)).await.unwrap();
    // Location ids are made of the clock, which stands still: look each one up.
    let reserved = async |place| {
        let page: Page<inventory_api::LevelAnswer> =
            shop.staff("GET", &format!("/admin/v1/stock-levels?variant_id={mug}&location_id={place}")).send().await.expect(200);
        page.items[0].reserved
    };
    assert_eq!((reserved(main_location()).await, reserved(second).await, reserved(third).await), (3, 4, 2));
    assert_eq!(hold(&shop, &[line(mug, 9)], until(&shop, 900)).await.unwrap_err()[0].available, 8);
    assert!(release(shop.context().db(), nine).await);
    assert_eq!(available(&shop, channel(), mug).await, 17);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_channel_sells_from_its_own_locations_only() {
    let shop = open().await;
    let mug = stocked(&shop, 5).await;
    assert_eq!(available(&shop, test_channel(), mug).await, 0);
    let mut tx = shop.begin().await;
    let refused = inventory::hold(&mut tx, test_channel(), &[line(mug, 1)], HoldUntil::Committed).await;
    assert!(matches!(refused, Err(inventory::HoldError::Insufficient(_))), "{refused:?}");
}

#[tokio::test]
async fn a_released_hold_gives_its_stock_back_once() {
    let shop = open().await;
    let db = shop.context().db();
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    assert!(release(db, held).await);
    assert!(!release(db, held).await);
    assert!(!commit(db, held).await);
    assert!(!pin(db, held).await);
    assert_eq!(levels(&shop, mug).await, [(10, 0)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_committed_hold_stays_reserved_until_it_is_released() {
    let shop = open().await;
    let db = shop.context().db();
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    assert!(commit(db, held).await);
    assert!(commit(db, held).await, "committing again is no harm");
    shop.wait(86_400);
    expire(&shop).await;
    assert_eq!(levels(&shop, mug).await, [(10, 4)]);
    assert!(release(db, held).await);
    assert_eq!(levels(&shop, mug).await, [(10, 0)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_hold_for_good_needs_no_commit() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], HoldUntil::Committed).await.unwrap();
    shop.wait(86_400);
    expire(&shop).await;
    assert!(commit(shop.context().db(), held).await);
    assert_eq!(levels(&shop, mug).await, [(10, 4)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn holds_expire_after_their_time_and_not_before() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let short = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    hold(&shop, &[line(mug, 1)], until(&shop, 1_800)).await.unwrap();
    shop.wait(900);
    expire(&shop).await;
    assert_eq!(levels(&shop, mug).await, [(10, 5)], "its last moment is still its own");
    shop.wait(1);
    expire(&shop).await;
    assert_eq!(levels(&shop, mug).await, [(10, 1)]);
    assert!(!commit(shop.context().db(), short).await, "an expired hold cannot be committed");
    assert!(!release(shop.context().db(), short).await, "and has nothing to give back");
    assert_eq!(levels(&shop, mug).await, [(10, 1)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn an_overdue_hold_that_nobody_has_expired_yet_can_be_committed() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    shop.wait(901);
    assert!(commit(shop.context().db(), held).await);
    expire(&shop).await;
    assert_eq!(levels(&shop, mug).await, [(10, 4)]);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_pinned_hold_does_not_expire() {
    let shop = open().await;
    let db = shop.context().db();
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    assert!(pin(db, held).await);
    shop.wait(86_400);
    expire(&shop).await;
    assert_eq!(levels(&shop, mug).await, [(10, 4)]);
    assert!(commit(db, held).await);
    assert!(!pin(db, held).await, "a committed hold is not held any more");
    books_balance(&shop).await;
}

#[tokio::test]
async fn more_overdue_holds_than_one_batch_expire_in_one_run() {
    let shop = open().await;
    let (mug, pot) = (stocked(&shop, 500).await, stocked(&shop, 500).await);
    for _ in 0..120 {
        hold(&shop, &[line(mug, 2), line(pot, 1)], until(&shop, 60)).await.unwrap();
    }
    shop.wait(61);
    expire(&shop).await;
    assert_eq!((levels(&shop, mug).await, levels(&shop, pot).await), (vec![(500, 0)], vec![(500, 0)]));
    assert_eq!(number(&shop, "select count(*) from inventory.hold where state = 'expired'").await, 120);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_holds_nothing() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let mut tx = shop.begin().await;
    inventory::hold(&mut tx, channel(), &[line(mug, 10)], until(&shop, 900)).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(levels(&shop, mug).await, [(10, 0)]);
    assert_eq!(number(&shop, "select count(*) from ops.event where name = 'inventory.StockBandChanged'").await, 1, "only the goods that came in");
    books_balance(&shop).await;
}

#[tokio::test]
async fn ended_holds_are_forgotten_after_thirty_days_and_others_never() {
    let shop = open().await;
    let db = shop.context().db();
    let mug = stocked(&shop, 10).await;
    let released = hold(&shop, &[line(mug, 1)], until(&shop, 60)).await.unwrap();
    let committed = hold(&shop, &[line(mug, 2)], HoldUntil::Committed).await.unwrap();
    assert!(release(db, released).await);
    shop.wait(30 * 86_400);
    run(&shop, "inventory.sweep").await;
    assert_eq!(number(&shop, "select count(*) from inventory.hold").await, 2);
    shop.wait(1);
    run(&shop, "inventory.sweep").await;
    assert_eq!(number(&shop, "select count(*) from inventory.hold").await, 1);
    assert_eq!(number(&shop, "select count(*) from inventory.hold_line").await, 1);
    assert!(!release(db, released).await);
    assert!(release(db, committed).await);
    books_balance(&shop).await;
}

#[tokio::test]
async fn the_tables_refuse_what_the_code_must_never_do() {
    let shop = open().await;
    let mug = stocked(&shop, 2).await;
    hold(&shop, &[line(mug, 2)], HoldUntil::Committed).await.unwrap();
    let oversold = execute(&shop, "update inventory.level set reserved = reserved + 1").await.unwrap_err();
    assert_eq!(db::constraint_of(&oversold), Some("level_reserved_within_on_hand"));
    let below = execute(&shop, "update inventory.level set reserved = -1").await.unwrap_err();
    assert_eq!(db::constraint_of(&below), Some("level_reserved_not_negative"));
    let mut tx = shop.begin().await;
    sqlx::query("set local role tw_inventory_rw").execute(tx.conn()).await.unwrap();
    let rewritten = sqlx::query("update inventory.movement set on_hand_delta = 7").execute(tx.conn()).await.unwrap_err();
    assert_eq!(rewritten.as_database_error().unwrap().code().unwrap(), "42501", "the journal is append-only");
}

#[tokio::test]
async fn the_check_sees_every_kind_of_broken_book() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    let broken = async |statement: &'static str, repair: &'static str| {
        assert!(execute(&shop, statement).await.unwrap() > 0, "{statement}");
        let mut conn = shop.context().db().read_latest().await.unwrap();
        let words = db::check::list_findings(&mut conn, &inventory::checks(), shop.context().now()).await.unwrap();
        execute(&shop, repair).await.unwrap();
        words.join("; ")
    };
    let words = broken("update inventory.level set on_hand = 11", "update inventory.level set on_hand = 10").await;
    assert!(words.contains("11 on hand and 4 reserved, but its movements sum up to 10 and 4"), "{words}");
    let words = broken("update inventory.hold_line set quantity = 3", "update inventory.hold_line set quantity = 4").await;
    assert!(words.contains("4 reserved, but its holds sum up to 3"), "{words}");
    let words = broken("update inventory.hold set state = 'expired'", "update inventory.hold set state = 'held'").await;
    assert!(words.contains(&format!("hold {held} is expired: its lines reserve 0, but its movements sum up to 4")), "{words}");
    let words = broken("update inventory.band set band = 'low'", "update inventory.band set band = 'in'").await;
    assert!(words.contains("6 available, but the band told is low"), "{words}");
    let unguarded = "alter table inventory.level drop constraint level_reserved_within_on_hand";
    execute(&shop, unguarded).await.unwrap();
    let words = broken("update inventory.level set reserved = 11", "update inventory.level set reserved = 4").await;
    assert!(words.contains("11 reserved of 10 on hand"), "{words}");
    books_balance(&shop).await;
}
