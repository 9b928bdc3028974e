//! The money journal.

use catalog_api::ChannelKind;
use kernel::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger::Posting;

kernel::id_kind!(/// A transaction of the ledger.
    pub(crate) LedgerTransaction => LedgerTransactionId, "ldg");

/// A transaction to be booked.
#[derive(Debug)]
pub(crate) struct Booking<'a> {
    /// `sale` or `capture`.
    pub(crate) kind: &'a str,
    /// What it is about; with the kind it makes a repeat harmless.
    pub(crate) subject: &'a str,
    /// The order it belongs to.
    pub(crate) order_id: Uuid,
    /// Whether the order is a real sale.
    pub(crate) channel_kind: ChannelKind,
    /// Who caused it.
    pub(crate) actor: &'a str,
}

/// Books a transaction with its postings; false when it is booked already.
///
/// # Errors
/// The database failed. Postings that do not balance are refused at commit (`ledger_transaction_balanced`).
pub(crate) async fn insert(conn: &mut PgConnection, booking: &Booking<'_>, postings: &[Posting], now: Timestamp) -> Result<bool, sqlx::Error> {
    let accounts: Vec<String> = postings.iter().map(|posting| posting.account.clone()).collect();
    let amounts: Vec<i64> = postings.iter().map(|posting| posting.amount.amount_minor()).collect();
    let currencies: Vec<String> = postings.iter().map(|posting| posting.amount.currency().code().to_owned()).collect();
    let booked = sqlx::query!(
        "with booked as (
             insert into payments.ledger_transaction (id, kind, subject, order_id, channel_kind, actor, occurred_at) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict on constraint ledger_transaction_once do nothing returning id
         )
         insert into payments.ledger_posting (transaction_id, position, account, amount_minor, currency)
         select booked.id, posting.position, posting.account, posting.amount_minor, posting.currency
         from booked, unnest($8::text[], $9::bigint[], $10::text[]) with ordinality as posting (account, amount_minor, currency, position)",
        LedgerTransactionId::new(now).uuid(),
        booking.kind,
        booking.subject,
        booking.order_id,
        booking.channel_kind.as_str(),
        booking.actor,
        now,
        &accounts,
        &amounts,
        &currencies
    )
    .execute(conn)
    .await?;
    Ok(booked.rows_affected() > 0)
}

/// Books the opposite of an order's sale, once; false when it is booked already, or there is no sale.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_reversal(conn: &mut PgConnection, order_id: Uuid, subject: &str, actor: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    let booked = sqlx::query!(
        "with sale as (
             select id, order_id, channel_kind from payments.ledger_transaction where kind = 'sale' and subject = $2 and order_id = $3
         ), booked as (
             insert into payments.ledger_transaction (id, kind, subject, order_id, channel_kind, actor, occurred_at)
             select $1, 'sale_reversal', $2, order_id, channel_kind, $4, $5 from sale
             on conflict on constraint ledger_transaction_once do nothing returning id
         )
         insert into payments.ledger_posting (transaction_id, position, account, amount_minor, currency)
         select booked.id, posting.position, posting.account, -posting.amount_minor, posting.currency
         from booked, sale join payments.ledger_posting as posting on posting.transaction_id = sale.id",
        LedgerTransactionId::new(now).uuid(),
        subject,
        order_id,
        actor,
        now
    )
    .execute(conn)
    .await?;
    Ok(booked.rows_affected() > 0)
}

/// Whether a transaction is booked.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_booked(conn: &mut PgConnection, kind: &str, subject: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from payments.ledger_transaction where kind = $1 and subject = $2) as "booked!""#, kind, subject)
        .fetch_one(conn)
        .await
}
