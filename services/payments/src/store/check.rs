//! What must always hold, asked of the tables themselves.

use sqlx::PgConnection;

/// Everything that does not hold, in words; a hundred of each kind at most.
///
/// # Errors
/// The database failed.
pub(crate) async fn list_violations(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut violations = ledger(conn).await?;
    violations.extend(counters(conn).await?);
    violations.extend(sandbox(conn).await?);
    Ok(violations)
}

async fn ledger(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut violations = sqlx::query_scalar!(
        r#"select format('ledger %s %s does not balance', t.kind, t.subject) as "line!"
           from payments.ledger_transaction as t
           where not exists (select from payments.ledger_posting as p where p.transaction_id = t.id)
              or exists (select from payments.ledger_posting as p where p.transaction_id = t.id group by p.currency having sum(p.amount_minor) <> 0)
           limit 100"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let captures = sqlx::query_scalar!(
        r#"select format('capture %s is %s with %s, the ledger has %s for it', c.id, c.state, c.amount_minor, coalesce(booked.amount_minor, 0)) as "line!"
           from payments.capture as c
           left join lateral (
               select p.amount_minor from payments.ledger_transaction as t join payments.ledger_posting as p on p.transaction_id = t.id
               where t.kind = 'capture' and t.subject = c.id::text and p.account like 'clearing:%'
           ) as booked on true
           where coalesce(booked.amount_minor, 0) <> case when c.state = 'succeeded' then c.amount_minor else 0 end
           limit 100"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let strays = sqlx::query_scalar!(
        r#"select format('ledger has a capture %s that is not one', t.subject) as "line!"
           from payments.ledger_transaction as t
           where t.kind = 'capture' and not exists (select from payments.capture as c where c.id::text = t.subject)
           limit 100"#
    )
    .fetch_all(conn)
    .await?;
    violations.extend(captures);
    violations.extend(strays);
    Ok(violations)
}

async fn counters(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut violations = sqlx::query_scalar!(
        r#"select format('attempt %s counts %s captured and %s being captured, its captures come to %s and %s',
                         a.id, a.captured_minor, a.capturing_minor, c.captured, c.capturing) as "line!"
           from payments.attempt as a
           cross join lateral (
               select coalesce(sum(amount_minor) filter (where state = 'succeeded'), 0) as captured,
                      coalesce(sum(amount_minor) filter (where state in ('requested', 'unknown')), 0) as capturing
               from payments.capture where attempt_id = a.id
           ) as c
           where (a.captured_minor, a.capturing_minor) <> (c.captured, c.capturing) or c.captured + c.capturing > a.amount_minor
           limit 100"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let voids = sqlx::query_scalar!(
        r#"select format('attempt %s is %s let go and its voids say otherwise', a.id, case when a.is_let_go then 'marked' else 'not marked' end) as "line!"
           from payments.attempt as a
           where a.state = 'authorized'
             and a.is_let_go <> exists (select from payments.void as v where v.attempt_id = a.id and v.state <> 'failed')
           limit 100"#
    )
    .fetch_all(conn)
    .await?;
    violations.extend(voids);
    Ok(violations)
}

/// Our books against the sandbox's: nothing is taken that it did not give, and nothing held that nobody remembers.
async fn sandbox(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut violations = sqlx::query_scalar!(
        r#"select format('attempt %s counts %s captured, the sandbox %s', a.id, a.captured_minor, s.captured_minor) as "line!"
           from payments.attempt as a
           join payments.sandbox_payment as s on s.idempotency_key = a.id::text
           where a.provider = 'sandbox' and s.captured_minor < a.captured_minor
           limit 100"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let forgotten = sqlx::query_scalar!(
        r#"select format('attempt %s is %s, the sandbox still holds its money and no void is under way', a.id, a.state) as "line!"
           from payments.attempt as a
           join payments.sandbox_payment as s on s.idempotency_key = a.id::text
           where a.provider = 'sandbox' and a.state in ('failed', 'canceled', 'expired') and s.state = 'authorized'
             and not exists (select from payments.void as v where v.attempt_id = a.id and v.state in ('requested', 'unknown'))
           limit 100"#
    )
    .fetch_all(conn)
    .await?;
    violations.extend(forgotten);
    Ok(violations)
}
