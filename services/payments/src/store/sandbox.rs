//! The sandbox's own books.

use kernel::{Currency, Money, Timestamp};
use sqlx::PgConnection;

use super::{decode, money};

/// Where a payment stands at the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentState {
    /// It waits for the shopper.
    RequiresAction,
    /// It takes its time.
    Processing,
    /// The money is held.
    Authorized,
    /// It said no.
    Declined,
    /// It was taken back before it was authorized.
    Canceled,
    /// The money was let go.
    Voided,
}

impl PaymentState {
    const ALL: [Self; 6] = [Self::RequiresAction, Self::Processing, Self::Authorized, Self::Declined, Self::Canceled, Self::Voided];

    const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Voided => "voided",
        }
    }
}

/// A payment to be opened.
#[derive(Debug)]
pub(crate) struct NewPayment<'a> {
    /// The caller's key.
    pub(crate) key: &'a str,
    /// The sandbox's own name for it; it opens the page of the second step.
    pub(crate) reference: String,
    /// Which test card, by name.
    pub(crate) instrument: &'static str,
    /// How much.
    pub(crate) amount: Money,
    /// Where it begins.
    pub(crate) state: PaymentState,
    /// Why it is, or will be, declined.
    pub(crate) decline_code: Option<&'static str>,
    /// Where the second step leads back to.
    pub(crate) return_url: Option<&'a str>,
    /// When and as what it settles by itself.
    pub(crate) settles: Option<(Timestamp, PaymentState)>,
}

/// A payment as the sandbox has it.
#[derive(Debug)]
pub(crate) struct Payment {
    /// The sandbox's own name for it.
    pub(crate) reference: String,
    /// Which test card, by name; nothing if it was canceled unheard.
    pub(crate) instrument: Option<String>,
    /// How much; nothing if it was canceled unheard.
    pub(crate) amount: Option<Money>,
    /// Where it stands.
    pub(crate) state: PaymentState,
    /// Why it is, or will be, declined.
    pub(crate) decline_code: Option<String>,
    /// Where the second step leads back to.
    pub(crate) return_url: Option<String>,
}

struct PaymentRow {
    reference: String,
    instrument: Option<String>,
    amount_minor: Option<i64>,
    currency: Option<Currency>,
    state: String,
    decline_code: Option<String>,
    return_url: Option<String>,
}

impl PaymentRow {
    fn payment(self) -> Result<Payment, sqlx::Error> {
        Ok(Payment {
            reference: self.reference,
            instrument: self.instrument,
            amount: self.amount_minor.zip(self.currency).map(|(amount, currency)| money(amount, currency)),
            state: decode("sandbox state", &self.state, |word| PaymentState::ALL.into_iter().find(|state| state.as_str() == word))?,
            decline_code: self.decline_code,
            return_url: self.return_url,
        })
    }
}

/// Opens a payment; false when the key is known.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_payment(conn: &mut PgConnection, new: &NewPayment<'_>, now: Timestamp) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into payments.sandbox_payment
             (idempotency_key, reference, instrument, amount_minor, currency, state, decline_code, return_url, settles_at, settles_as, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
         on conflict (idempotency_key) do nothing",
        new.key,
        new.reference,
        new.instrument,
        new.amount.amount_minor(),
        new.amount.currency().code(),
        new.state.as_str(),
        new.decline_code,
        new.return_url,
        new.settles.map(|(at, _)| at),
        new.settles.map(|(_, state)| state.as_str()),
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Notes an unheard payment as canceled; a known one stays as it is.
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_canceled(conn: &mut PgConnection, key: &str, reference: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into payments.sandbox_payment (idempotency_key, reference, state, created_at, updated_at) values ($1, $2, 'canceled', $3, $3)
         on conflict (idempotency_key) do nothing",
        key,
        reference,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a payment, lets it settle if its time has come, and reads it.
///
/// # Errors
/// The database failed.
pub(crate) async fn settle_payment(conn: &mut PgConnection, key: &str, now: Timestamp) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        PaymentRow,
        r#"update payments.sandbox_payment
           set state = case when state = 'processing' and settles_at <= $2 then settles_as else state end,
               updated_at = case when state = 'processing' and settles_at <= $2 then $2 else updated_at end
           where idempotency_key = $1
           returning reference, instrument, amount_minor, currency as "currency: Currency", state, decline_code, return_url"#,
        key,
        now
    )
    .fetch_optional(conn)
    .await?;
    row.map(PaymentRow::payment).transpose()
}

/// The payment with this name.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_by_reference(conn: &mut PgConnection, reference: &str) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        PaymentRow,
        r#"select reference, instrument, amount_minor, currency as "currency: Currency", state, decline_code, return_url
           from payments.sandbox_payment where reference = $1"#,
        reference
    )
    .fetch_optional(conn)
    .await?;
    row.map(PaymentRow::payment).transpose()
}

/// Takes a payment back unless it has ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn cancel_payment(conn: &mut PgConnection, key: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update payments.sandbox_payment set state = 'canceled', updated_at = $2 where idempotency_key = $1 and state in ('requires_action', 'processing')",
        key,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the second step; the payment's key, or nothing when it does not wait for one.
///
/// # Errors
/// The database failed.
pub(crate) async fn decide_payment(
    conn: &mut PgConnection,
    reference: &str,
    state: PaymentState,
    decline_code: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "update payments.sandbox_payment set state = $2, decline_code = $3, updated_at = $4
         where reference = $1 and state = 'requires_action' returning idempotency_key",
        reference,
        state.as_str(),
        decline_code,
        now
    )
    .fetch_optional(conn)
    .await
}

/// Takes money that is held; false when it is not there.
///
/// # Errors
/// The database failed.
pub(crate) async fn take(conn: &mut PgConnection, key: &str, amount: Money, now: Timestamp) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!(
        "update payments.sandbox_payment set captured_minor = captured_minor + $2, updated_at = $4
         where idempotency_key = $1 and state = 'authorized' and currency = $3 and amount_minor - captured_minor >= $2",
        key,
        amount.amount_minor(),
        amount.currency().code(),
        now
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Lets a payment go; false when money was taken from it. One that holds nothing is let go already.
///
/// # Errors
/// The database failed.
pub(crate) async fn let_go(conn: &mut PgConnection, key: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    sqlx::query!(
        "update payments.sandbox_payment
         set state = case state when 'authorized' then 'voided' else 'canceled' end, updated_at = $2
         where idempotency_key = $1 and captured_minor = 0 and state in ('authorized', 'requires_action', 'processing')",
        key,
        now
    )
    .execute(&mut *conn)
    .await?;
    let holds =
        sqlx::query_scalar!(r#"select exists (select from payments.sandbox_payment where idempotency_key = $1 and state = 'authorized') as "holds!""#, key)
            .fetch_one(conn)
            .await?;
    Ok(!holds)
}

/// The answer to a capture or a void.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Why not, if not.
    pub(crate) failure_code: Option<String>,
}

/// The answer given under this key.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_operation(conn: &mut PgConnection, key: &str) -> Result<Option<Operation>, sqlx::Error> {
    sqlx::query_as!(Operation, "select failure_code from payments.sandbox_operation where idempotency_key = $1", key).fetch_optional(conn).await
}

/// Keeps an answer.
///
/// # Errors
/// The database failed, or the key is known.
pub(crate) async fn insert_operation(
    conn: &mut PgConnection,
    key: &str,
    payment_key: &str,
    kind: &str,
    amount_minor: i64,
    operation: &Operation,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into payments.sandbox_operation (idempotency_key, payment_key, kind, amount_minor, failure_code, created_at) values ($1, $2, $3, $4, $5, $6)",
        key,
        payment_key,
        kind,
        amount_minor,
        operation.failure_code,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what has not moved for long, a thousand rows of each at a time. The number of rows.
///
/// # Errors
/// The database failed.
pub(crate) async fn sweep(conn: &mut PgConnection, before: Timestamp) -> Result<u64, sqlx::Error> {
    let payments = sqlx::query!(
        "delete from payments.sandbox_payment where idempotency_key in
             (select idempotency_key from payments.sandbox_payment where updated_at < $1 limit 1000)",
        before
    )
    .execute(&mut *conn)
    .await?;
    let operations = sqlx::query!(
        "delete from payments.sandbox_operation where idempotency_key in
             (select idempotency_key from payments.sandbox_operation where created_at < $1 limit 1000)",
        before
    )
    .execute(conn)
    .await?;
    Ok(payments.rows_affected() + operations.rows_affected())
}
