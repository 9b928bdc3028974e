//! Payments against its own sandbox, on real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod captures;
mod cards;
mod ledger;
mod methods;
mod news;
mod page;
mod reconciler;
mod voids;

use std::time::Duration;

use catalog_api::ChannelKind;
use kernel::{Currency, Money};
use payments::{Attempt, NewAttempt, Outcome, Payments, Recorded, Settings};
use payments_api::{AttemptId, PaymentChoice, PaymentSummary};
use testkit::Shop;
use uuid::Uuid;

/// The test cards, by what they do.
pub(crate) mod card {
    pub(crate) const APPROVED: &str = "0000000000001000";
    pub(crate) const SECOND_STEP: &str = "0000000000003000";
    pub(crate) const TIMES_OUT: &str = "0000000000004000";
    pub(crate) const IS_LOST: &str = "0000000000004001";
    pub(crate) const ANSWERS_LATE: &str = "0000000000005000";
    pub(crate) const DECLINES_LATE: &str = "0000000000005001";
    pub(crate) const ANSWERS_TWICE: &str = "0000000000006000";
    pub(crate) const CAPTURE_TIMES_OUT: &str = "0000000000007000";
    pub(crate) const CAPTURE_REFUSED: &str = "0000000000008000";
}

/// A shop that takes payments.
#[derive(Clone)]
pub(crate) struct Stand {
    pub(crate) shop: Shop,
    pub(crate) payments: Payments,
}

pub(crate) fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

pub(crate) fn choice(card: &str) -> PaymentChoice {
    PaymentChoice { provider: "sandbox".to_owned(), test_card: Some(card.to_owned()) }
}

pub(crate) fn bank_transfer() -> PaymentChoice {
    PaymentChoice { provider: "manual".to_owned(), test_card: None }
}

pub(crate) fn new_attempt(order_id: Uuid, choice: PaymentChoice) -> NewAttempt {
    NewAttempt { order_id, channel_kind: ChannelKind::Test, amount: euros(10_000), choice, return_url: Some("/checkout/return?cart=1".to_owned()) }
}

pub(crate) fn order() -> Uuid {
    Uuid::from_bytes(kernel::random::bytes())
}

impl Stand {
    /// Opens a shop whose providers have five seconds to answer: longer than this machine ever takes.
    pub(crate) async fn open() -> Self {
        Self::open_with(Duration::from_secs(5)).await
    }

    /// Opens a shop that does not wait long for providers: silence is what is tested.
    pub(crate) async fn open_impatient() -> Self {
        Self::open_with(Duration::from_millis(1_500)).await
    }

    async fn open_with(provider_timeout: Duration) -> Self {
        let settings = Settings { provider_timeout, ..Settings::default() };
        let shop = Shop::open(|context| vec![catalog::service(context), payments::service(&Payments::new(context, settings))]).await;
        let payments = Payments::new(shop.context(), settings);
        Self { shop, payments }
    }

    /// Writes an attempt and commits it.
    pub(crate) async fn create(&self, choice: PaymentChoice) -> Attempt {
        let mut tx = self.shop.begin().await;
        let attempt = payments::insert_attempt(&mut tx, new_attempt(order(), choice)).await.unwrap();
        tx.commit().await.unwrap();
        attempt
    }

    /// Records an outcome and commits it.
    pub(crate) async fn record(&self, id: AttemptId, outcome: &Outcome) -> Recorded {
        let mut tx = self.shop.begin().await;
        let recorded = payments::record(&mut tx, id, outcome).await.unwrap();
        tx.commit().await.unwrap();
        recorded
    }

    /// Pays as a checkout does: attempt, call, record.
    pub(crate) async fn pay(&self, card: &str) -> Attempt {
        let attempt = self.create(choice(card)).await;
        let outcome = self.payments.authorize(&attempt).await;
        self.record(attempt.id, &outcome).await.attempt
    }

    /// The attempt as it stands.
    pub(crate) async fn attempt(&self, id: AttemptId) -> Attempt {
        payments::find_attempt(self.shop.begin().await.conn(), id).await.unwrap().unwrap()
    }

    /// How the attempt's order stands in money.
    pub(crate) async fn summary(&self, attempt: &Attempt) -> PaymentSummary {
        payments::find_payment_summary(self.shop.begin().await.conn(), attempt.order_id).await.unwrap()
    }

    /// What does not hold.
    pub(crate) async fn check(&self) -> Vec<String> {
        db::check::list_findings(self.shop.begin().await.conn(), &payments::checks(), self.shop.context().now()).await.unwrap()
    }

    /// How many events of this name there are.
    pub(crate) async fn events(&self, name: &str) -> i64 {
        sqlx::query_scalar("select count(*) from ops.event where name = $1").bind(name).fetch_one(self.shop.begin().await.conn()).await.unwrap()
    }

    /// A number from the database.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.shop.begin().await.conn()).await.unwrap()
    }

    /// Where the attempt's payment stands at the sandbox.
    pub(crate) async fn at_sandbox(&self, attempt: &Attempt) -> String {
        sqlx::query_scalar("select state from payments.sandbox_payment where idempotency_key = $1")
            .bind(attempt.id.uuid().to_string())
            .fetch_one(self.shop.begin().await.conn())
            .await
            .unwrap()
    }

    /// Changes something behind the program's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        let mut tx = self.shop.begin().await;
        sqlx::query(statement).execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
    }
}
