//! The money journal in double entry. Every figure about money can be derived from it; nothing in it is ever changed.
//!
//! Debits are positive, credits negative. A transaction is booked once per (kind, subject), and the database refuses to commit
//! one that does not sum to zero in each currency.

use catalog_api::ChannelKind;
use db::Tx;
use kernel::{Money, MoneyError};
use service::Failure;
use uuid::Uuid;

use crate::attempts::Attempt;
use crate::store::captures::Capture;
use crate::store::ledger::{self as store, Booking};

/// What customers owe us.
const RECEIVABLE: &str = "receivable";
/// What we earned with goods.
const SALES: &str = "sales";
/// What we earned with delivering them.
const DELIVERY: &str = "delivery";

/// One side of a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    /// The account.
    pub(crate) account: String,
    /// A debit, or below zero a credit.
    pub(crate) amount: Money,
}

/// An order that became a sale.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The order.
    pub order_id: Uuid,
    /// Whether the sale is real.
    pub channel_kind: ChannelKind,
    /// What the goods cost, not below zero.
    pub subtotal: Money,
    /// What delivery costs, not below zero.
    pub delivery: Money,
}

/// Why something cannot be booked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A part of a sale is below zero.
    #[error("a part of the sale is below zero")]
    Negative,
    /// The parts do not add up: two currencies, or too much.
    #[error("the parts do not add up")]
    Money(#[from] MoneyError),
    /// The order is no sale, so there is nothing to reverse.
    #[error("order {0} is not booked as a sale")]
    NoSale(Uuid),
    /// The database failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => error.into(),
            error @ (LedgerError::Negative | LedgerError::Money(_) | LedgerError::NoSale(_)) => Self::Internal(error.into()),
        }
    }
}

/// Books a sale: the customer owes the total, we earned goods and delivery. A repeat changes nothing.
///
/// # Errors
/// See [`LedgerError`].
pub async fn record_sale(tx: &mut Tx, sale: &Sale) -> Result<(), LedgerError> {
    if sale.subtotal.amount_minor() < 0 || sale.delivery.amount_minor() < 0 {
        return Err(LedgerError::Negative);
    }
    let total = sale.subtotal.checked_add(sale.delivery)?;
    let postings = [posting(RECEIVABLE, total), posting(SALES, negative(sale.subtotal)?), posting(DELIVERY, negative(sale.delivery)?)];
    Ok(book(tx, "sale", &sale.order_id.to_string(), sale.order_id, sale.channel_kind, &postings).await?)
}

/// Books the opposite of an order's sale. A repeat changes nothing.
///
/// # Errors
/// See [`LedgerError`]; in particular the order must be booked as a sale.
pub async fn reverse_sale(tx: &mut Tx, order_id: Uuid) -> Result<(), LedgerError> {
    let subject = order_id.to_string();
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    let booked = store::insert_reversal(tx.conn(), order_id, &subject, &actor, now).await?;
    if booked || store::is_booked(tx.conn(), "sale_reversal", &subject).await? { Ok(()) } else { Err(LedgerError::NoSale(order_id)) }
}

/// Books a succeeded capture: the provider owes us, the customer no longer does.
pub(crate) async fn record_capture(tx: &mut Tx, attempt: &Attempt, capture: &Capture) -> Result<(), sqlx::Error> {
    let clearing = format!("clearing:{}", attempt.provider);
    let credit = Money::new(-capture.amount.amount_minor(), capture.amount.currency());
    let postings = [posting(&clearing, capture.amount), posting(RECEIVABLE, credit)];
    let subject = capture.id.uuid().to_string();
    book(tx, "capture", &subject, attempt.order_id, attempt.channel_kind, &postings).await
}

async fn book(tx: &mut Tx, kind: &str, subject: &str, order_id: Uuid, channel_kind: ChannelKind, postings: &[Posting]) -> Result<(), sqlx::Error> {
    let postings: Vec<Posting> = postings.iter().filter(|posting| !posting.amount.is_zero()).cloned().collect();
    // A gift moves no money, and a transaction without postings would not be one.
    if postings.is_empty() {
        return Ok(());
    }
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    let booking = Booking { kind, subject, order_id, channel_kind, actor: &actor };
    if !store::insert(tx.conn(), &booking, &postings, now).await? {
        tracing::debug!(kind, subject, "already in the ledger");
    }
    Ok(())
}

fn posting(account: &str, amount: Money) -> Posting {
    Posting { account: account.to_owned(), amount }
}

fn negative(amount: Money) -> Result<Money, MoneyError> {
    Money::zero(amount.currency()).checked_sub(amount)
}
