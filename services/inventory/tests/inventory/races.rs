use std::sync::Arc;
use std::time::Duration;

use db::Actor;
use inventory::HoldUntil;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::stand::{
    available, books_balance, channel, commit, crowd, expire, hold, hold_through, levels, line, location, main_location, number, open, pin, put, release,
    stocked, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_buyers_of_fifty_units_get_exactly_fifty() {
    let shop = open().await;
    let mug = stocked(&shop, 50).await;
    let db = crowd(&shop, 100);
    let start = Arc::new(Barrier::new(200));
    let mut buyers = JoinSet::new();
    for _ in 0..200 {
        let (db, start, until) = (db.clone(), Arc::clone(&start), until(&shop, 900));
        buyers.spawn(async move {
            start.wait().await;
            hold_through(&db, &[line(mug, 1)], until).await
        });
    }
    let (got, refused): (Vec<_>, Vec<_>) = buyers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((got.len(), refused.len()), (50, 150));
    assert!(refused.iter().all(|refused| refused.as_ref().unwrap_err()[0].available == 0));
    assert_eq!(levels(&shop, mug).await, [(50, 50)]);
    assert_eq!(number(&shop, "select sum(reserved_delta)::bigint from inventory.movement").await, 50);
    assert_eq!(number(&shop, "select count(*) from inventory.hold where state = 'held'").await, 50);
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn holds_of_the_same_variants_in_opposite_orders_never_deadlock() {
    let shop = open().await;
    let second = location(&shop, "second", &[channel()]).await;
    let mut variants = Vec::new();
    for _ in 0..6 {
        let variant = stocked(&shop, 40).await;
        put(&shop, second, variant, 40).await;
        variants.push(variant);
    }
    let db = crowd(&shop, 40);
    let mut buyers = JoinSet::new();
    for buyer in 0..40 {
        let (db, until) = (db.clone(), until(&shop, 900));
        let mut lines: Vec<_> = variants.iter().map(|variant| line(*variant, 2)).collect();
        if buyer % 2 == 0 {
            lines.reverse();
        }
        // A deadlock would be a database error and panic here.
        buyers.spawn(async move {
            let held = hold_through(&db, &lines, until).await.unwrap();
            if buyer % 4 < 2 {
                assert!(release(&db, held).await);
            }
        });
    }
    buyers.join_all().await;
    for variant in variants {
        assert_eq!(available(&shop, channel(), variant).await, 80 - 20 * 2);
    }
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_release_and_a_commit_at_once_leave_one_truth() {
    let shop = open().await;
    let mug = stocked(&shop, 100).await;
    let db = crowd(&shop, 20);
    for _ in 0..25 {
        let held = hold(&shop, &[line(mug, 2)], until(&shop, 900)).await.unwrap();
        let start = Arc::new(Barrier::new(2));
        let committing = JoinSet::from_iter([{
            let (db, start) = (db.clone(), Arc::clone(&start));
            async move {
                start.wait().await;
                commit(&db, held).await
            }
        }]);
        start.wait().await;
        let released = release(&db, held).await;
        let committed = committing.join_all().await[0];
        // Held, or committed a moment before: either way there is stock to give back, and a commit afterwards finds none.
        assert!(released);
        assert!(!commit(&db, held).await, "committed before: {committed}");
        assert_eq!(levels(&shop, mug).await, [(100, 0)]);
    }
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_ten_releases_at_once_one_gives_the_stock_back() {
    let shop = open().await;
    let mug = stocked(&shop, 10).await;
    let held = hold(&shop, &[line(mug, 4)], HoldUntil::Committed).await.unwrap();
    let db = crowd(&shop, 10);
    let mut releases = JoinSet::new();
    for _ in 0..10 {
        let db = db.clone();
        releases.spawn(async move { release(&db, held).await });
    }
    assert_eq!(releases.join_all().await.into_iter().filter(|released| *released).count(), 1);
    assert_eq!(levels(&shop, mug).await, [(10, 0)]);
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn expiry_beside_commits_releases_and_pins_gives_each_hold_one_end() {
    let shop = open().await;
    let mug = stocked(&shop, 200).await;
    let db = crowd(&shop, 40);
    let mut holds = Vec::new();
    for _ in 0..60 {
        holds.push(hold(&shop, &[line(mug, 1)], until(&shop, 60)).await.unwrap());
    }
    shop.wait(61);
    let mut hands = JoinSet::new();
    for (hand, held) in holds.into_iter().enumerate() {
        let db = db.clone();
        hands.spawn(async move {
            let (done, state) = match hand % 3 {
                0 => (commit(&db, held).await, "committed"),
                1 => (pin(&db, held).await, "held"),
                _ => (release(&db, held).await, "released"),
            };
            // Whoever was told no came after the expiry.
            (held, if done { state } else { "expired" })
        });
    }
    expire(&shop).await;
    for (held, expected) in hands.join_all().await {
        let state: String = sqlx::query_scalar("select state from inventory.hold where id = $1").bind(held.uuid()).fetch_one(db.writer()).await.unwrap();
        assert_eq!(state, expected);
    }
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn staff_and_shoppers_at_the_same_level_lose_no_unit() {
    let shop = open().await;
    let mug = stocked(&shop, 60).await;
    let db = crowd(&shop, 30);
    let mut hands = JoinSet::new();
    for hand in 0..60 {
        let (db, shop) = (db.clone(), shop.clone());
        hands.spawn(async move {
            if hand % 3 == 0 {
                assert!(put(&shop, main_location(), mug, 1).await.on_hand > 60);
                return;
            }
            let held = hold_through(&db, &[line(mug, hand % 3)], until(&shop, 900)).await.unwrap();
            assert!(hand % 3 == 1 || release(&db, held).await);
        });
    }
    hands.join_all().await;
    assert_eq!(levels(&shop, mug).await, [(80, 20)]);
    books_balance(&shop).await;
    db.close().await;
}

#[tokio::test]
async fn changes_at_two_locations_at_once_tell_the_band_of_their_sum() {
    let shop = open().await;
    let second = location(&shop, "second", &[channel()]).await;
    let mug = stocked(&shop, 5).await;
    put(&shop, second, mug, 5).await;
    let here = hold(&shop, &[line(mug, 5)], HoldUntil::Committed).await.unwrap();
    let there = hold(&shop, &[line(mug, 5)], HoldUntil::Committed).await.unwrap();
    // Five come back here and five there: each transaction alone would call that low, and they touch no level in common.
    let mut first = shop.begin().await;
    assert!(inventory::release_hold(&mut first, here).await.unwrap());
    let second = JoinSet::from_iter([{
        let shop = shop.clone();
        async move { release(shop.context().db(), there).await }
    }]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    first.commit().await.unwrap();
    assert_eq!(second.join_all().await, [true]);
    assert_eq!(available(&shop, channel(), mug).await, 10);
    books_balance(&shop).await;
}

#[tokio::test]
async fn a_hold_waits_for_the_transaction_before_it_and_sees_what_that_left() {
    let shop = open().await;
    let mug = stocked(&shop, 5).await;
    let mut first = shop.context().db().begin(Actor::guest()).await.unwrap();
    inventory::hold(&mut first, channel(), &[line(mug, 4)], until(&shop, 900)).await.unwrap();
    let second = {
        let (shop, until) = (shop.clone(), until(&shop, 900));
        JoinSet::from_iter([async move { hold(&shop, &[line(mug, 2)], until).await }])
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.commit().await.unwrap();
    assert_eq!(second.join_all().await[0].as_ref().unwrap_err()[0].available, 1);
    books_balance(&shop).await;
}
