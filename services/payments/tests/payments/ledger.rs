//! The ledger: balanced, booked once, never changed.

use catalog_api::ChannelKind;
use kernel::{Currency, Money};
use payments::ledger::{self, LedgerError, Sale};
use uuid::Uuid;

use crate::{Stand, euros, order};

fn sale(order_id: Uuid) -> Sale {
    Sale { order_id, channel_kind: ChannelKind::Test, subtotal: euros(9_500), delivery: euros(500) }
}

impl Stand {
    async fn balances(&self) -> Vec<(String, i64)> {
        let query = "select account, sum(amount_minor)::bigint from payments.ledger_posting group by account order by account";
        sqlx::query_as(query).fetch_all(self.shop.begin().await.conn()).await.unwrap()
    }

    async fn refused_by(&self, statement: &'static str) -> String {
        let mut tx = self.shop.begin().await;
        let executed = sqlx::query(statement).execute(tx.conn()).await;
        let error = match executed {
            Err(error) => error,
            Ok(_) => match tx.commit().await {
                Err(db::DbError::Sqlx(error)) => error,
                other => panic!("{statement} was not refused: {other:?}"),
            },
        };
        db::constraint_of(&error).unwrap_or_default().to_owned()
    }
}

fn named(balances: &[(&str, i64)]) -> Vec<(String, i64)> {
    balances.iter().map(|(account, amount)| ((*account).to_owned(), *amount)).collect()
}

#[tokio::test]
async fn a_sale_and_its_capture_end_with_the_money_at_the_provider() {
    let stand = Stand::open().await;
    let attempt = stand.transfer().await;
    let mut tx = stand.shop.begin().await;
    ledger::record_sale(&mut tx, &sale(attempt.order_id)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stand.balances().await, named(&[("delivery", -500), ("receivable", 10_000), ("sales", -9_500)]));
    stand.request(&attempt, None).await.unwrap();
    assert_eq!(stand.balances().await, named(&[("clearing:manual", 10_000), ("delivery", -500), ("receivable", 0), ("sales", -9_500)]));
}

#[tokio::test]
async fn a_sale_and_its_reversal_are_booked_once_however_often_they_are_asked_for() {
    let stand = Stand::open().await;
    let order = order();
    for _ in 0..3 {
        let mut tx = stand.shop.begin().await;
        ledger::record_sale(&mut tx, &sale(order)).await.unwrap();
        ledger::record_sale(&mut tx, &sale(order)).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(stand.count("select count(*) from payments.ledger_transaction").await, 1);
    for _ in 0..3 {
        let mut tx = stand.shop.begin().await;
        ledger::reverse_sale(&mut tx, order).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(stand.count("select count(*) from payments.ledger_transaction").await, 2);
    assert_eq!(stand.balances().await, named(&[("delivery", 0), ("receivable", 0), ("sales", 0)]));
    assert_eq!(stand.check().await, [""; 0]);
}

#[tokio::test]
async fn what_is_no_sale_is_not_booked() {
    let stand = Stand::open().await;
    let mut tx = stand.shop.begin().await;
    assert!(matches!(ledger::reverse_sale(&mut tx, order()).await, Err(LedgerError::NoSale(_))));
    let mixed = Sale { delivery: Money::new(500, "USD".parse().unwrap()), ..sale(order()) };
    assert!(matches!(ledger::record_sale(&mut tx, &mixed).await, Err(LedgerError::Money(_))));
    let negative = Sale { delivery: euros(-1), ..sale(order()) };
    assert!(matches!(ledger::record_sale(&mut tx, &negative).await, Err(LedgerError::Negative)));
    let free = Sale { subtotal: Money::zero(Currency::EUR), delivery: Money::zero(Currency::EUR), ..sale(order()) };
    ledger::record_sale(&mut tx, &free).await.unwrap();
    let free_delivery = Sale { delivery: Money::zero(Currency::EUR), ..sale(order()) };
    ledger::record_sale(&mut tx, &free_delivery).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stand.balances().await, named(&[("receivable", 9_500), ("sales", -9_500)]));
}

#[tokio::test]
async fn a_transaction_that_does_not_balance_cannot_be_committed() {
    let stand = Stand::open().await;
    let unbalanced = "with t as (
            insert into payments.ledger_transaction (id, kind, subject, order_id, channel_kind, actor, occurred_at)
            values (gen_random_uuid(), 'sale', 'a', gen_random_uuid(), 'live', 'test', now()) returning id)
         insert into payments.ledger_posting (transaction_id, position, account, amount_minor, currency)
         select id, p.position, p.account, p.amount_minor, p.currency from t,
             (values (1, 'receivable', 100, 'EUR'), (2, 'sales', -99, 'EUR')) as p (position, account, amount_minor, currency)";
    assert_eq!(stand.refused_by(unbalanced).await, "ledger_transaction_balanced");
    let two_currencies = "with t as (
            insert into payments.ledger_transaction (id, kind, subject, order_id, channel_kind, actor, occurred_at)
            values (gen_random_uuid(), 'sale', 'b', gen_random_uuid(), 'live', 'test', now()) returning id)
         insert into payments.ledger_posting (transaction_id, position, account, amount_minor, currency)
         select id, p.position, p.account, p.amount_minor, p.currency from t,
             (values (1, 'receivable', 100, 'EUR'), (2, 'sales', -100, 'USD')) as p (position, account, amount_minor, currency)";
    assert_eq!(stand.refused_by(two_currencies).await, "ledger_transaction_balanced");
    let empty = "insert into payments.ledger_transaction (id, kind, subject, order_id, channel_kind, actor, occurred_at)
         values (gen_random_uuid(), 'sale', 'c', gen_random_uuid(), 'live', 'test', now())";
    assert_eq!(stand.refused_by(empty).await, "ledger_transaction_balanced");

    let mut tx = stand.shop.begin().await;
    ledger::record_sale(&mut tx, &sale(order())).await.unwrap();
    tx.commit().await.unwrap();
    let added_later = "insert into payments.ledger_posting (transaction_id, position, account, amount_minor, currency)
         select id, 9, 'sales', 1, 'EUR' from payments.ledger_transaction";
    assert_eq!(stand.refused_by(added_later).await, "ledger_transaction_balanced");
    assert_eq!(stand.count("select count(*) from payments.ledger_transaction").await, 1);
}

#[tokio::test]
async fn the_ledger_is_never_changed() {
    let stand = Stand::open().await;
    let mut tx = stand.shop.begin().await;
    ledger::record_sale(&mut tx, &sale(order())).await.unwrap();
    tx.commit().await.unwrap();
    for statement in [
        "update payments.ledger_posting set amount_minor = amount_minor * 2",
        "delete from payments.ledger_posting",
        "update payments.ledger_transaction set kind = 'capture'",
        "delete from payments.ledger_transaction",
        "truncate payments.ledger_transaction, payments.ledger_posting",
    ] {
        assert_eq!(stand.refused_by(statement).await, "ledger_append_only", "{statement}");
    }
    // A target has not even the right to try.
    for statement in ["update payments.ledger_posting set amount_minor = 1", "delete from payments.ledger_transaction"] {
        let mut tx = stand.shop.begin().await;
        sqlx::query("set local role tw_payments_rw").execute(tx.conn()).await.unwrap();
        let error = sqlx::query(statement).execute(tx.conn()).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
    }
    assert_eq!(stand.balances().await, named(&[("delivery", -500), ("receivable", 10_000), ("sales", -9_500)]));
}
