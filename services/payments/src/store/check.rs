//! What must always hold of money, asked of the tables themselves.

use db::check::{Batch, Check, Finding, Place};
use payments_api::{AttemptId, CaptureId};
use sqlx::PgConnection;
use uuid::Uuid;

/// The invariants of this schema.
pub(crate) fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "payments.ledger",
            rule: "Every transaction of the ledger balances in each currency, and stands for something that happened",
            remedy: "The ledger is append-only: somebody has gone around its triggers. Compare it with the last backup, and book what is missing as a transaction of its own.",
            look: |conn, place| Box::pin(ledger(conn, place)),
        },
        Check {
            name: "payments.captures",
            rule: "Every capture that succeeded is booked once, in full, and no other is booked",
            remedy: "Look the capture up at the provider (its idempotency key is the id). What the provider says is right; book the difference.",
            look: |conn, place| Box::pin(captures(conn, place)),
        },
        Check {
            name: "payments.attempts",
            rule: "No attempt is captured beyond what was authorized, and its counters are what its captures and voids come to",
            remedy: "Look the payment up at the provider (its idempotency key is the attempt's id). If more was taken than was agreed, refund it there.",
            look: |conn, place| Box::pin(attempts(conn, place)),
        },
        Check {
            name: "payments.sandbox",
            rule: "Our books and the sandbox's agree: nothing is taken that it did not give, no money held that nobody remembers",
            remedy: "No real money is at stake. A worker should have voided what is held: see whether one runs, and whether a `payments.settle_void` job is dead.",
            look: |conn, place| Box::pin(sandbox(conn, place)),
        },
    ]
}

async fn ledger(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let ids = sqlx::query_scalar!("select id from payments.ledger_transaction where id > $1 order by id limit $2", place.after_id(), place.most())
        .fetch_all(&mut *conn)
        .await?;
    let lines = sqlx::query_scalar!(
        r#"select format('ledger %s %s does not balance', t.kind, t.subject) as "line!"
           from payments.ledger_transaction as t
           where t.id = any($1) and (
               not exists (select from payments.ledger_posting as p where p.transaction_id = t.id)
               or exists (select from payments.ledger_posting as p where p.transaction_id = t.id group by p.currency having sum(p.amount_minor) <> 0))
           union all
           select format('ledger has a capture %s that is not one', t.subject)
           from payments.ledger_transaction as t
           where t.id = any($1) and t.kind = 'capture' and not exists (select from payments.capture as c where c.id::text = t.subject)"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(Batch::of_ids(place, &ids, lines.into_iter().map(Finding::new).collect()))
}

async fn captures(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select c.id as "id: CaptureId", c.state, c.amount_minor, (
               select coalesce(sum(p.amount_minor), 0)::bigint
               from payments.ledger_transaction as t join payments.ledger_posting as p on p.transaction_id = t.id
               where t.kind = 'capture' and t.subject = c.id::text and p.account like 'clearing:%'
           ) as "booked!"
           from payments.capture as c where c.id > $1 order by c.id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    let wrong = rows.into_iter().filter_map(|row| {
        let owed = if row.state == "succeeded" { row.amount_minor } else { 0 };
        let words = format!("capture {} is {} with {}, the ledger has {} for it", row.id, row.state, row.amount_minor, row.booked);
        (row.booked != owed).then(|| Finding { words, amount: row.booked.saturating_sub(owed) })
    });
    let findings = wrong.collect();
    Ok(Batch::of_ids(place, &ids, findings))
}

async fn attempts(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AttemptId", a.state, a.amount_minor, a.captured_minor, a.capturing_minor, a.is_let_go, c.captured as "captured!", c.capturing as "capturing!",
                  exists (select from payments.void as v where v.attempt_id = a.id and v.state <> 'failed') as "has_void!"
           from payments.attempt as a
           cross join lateral (
               select coalesce(sum(amount_minor) filter (where state = 'succeeded'), 0)::bigint as captured,
                      coalesce(sum(amount_minor) filter (where state in ('requested', 'unknown')), 0)::bigint as capturing
               from payments.capture where attempt_id = a.id
           ) as c
           where a.id > $1 order by a.id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    let mut findings = Vec::new();
    for row in rows {
        if (row.captured_minor, row.capturing_minor) != (row.captured, row.capturing) {
            findings.push(Finding::new(format!(
                "attempt {} counts {} captured and {} being captured, its captures come to {} and {}",
                row.id, row.captured_minor, row.capturing_minor, row.captured, row.capturing
            )));
        }
        let taken = row.captured.saturating_add(row.capturing);
        if taken > row.amount_minor || (taken > 0 && row.state != "authorized") {
            let words = format!("attempt {} is {} with {}, but {} is captured or being captured", row.id, row.state, row.amount_minor, taken);
            findings.push(Finding { words, amount: taken.saturating_sub(row.amount_minor) });
        }
        if row.state == "authorized" && row.is_let_go != row.has_void {
            let marked = if row.is_let_go { "marked" } else { "not marked" };
            findings.push(Finding::new(format!("attempt {} is {marked} let go and its voids say otherwise", row.id)));
        }
    }
    Ok(Batch::of_ids(place, &ids, findings))
}

async fn sandbox(conn: &mut PgConnection, place: &Place) -> Result<Batch, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AttemptId", a.state, a.captured_minor, s.captured_minor as "sandbox_captured?", s.state as "sandbox_state?",
                  exists (select from payments.void as v where v.attempt_id = a.id and v.state in ('requested', 'unknown')) as "voiding!"
           from payments.attempt as a
           left join payments.sandbox_payment as s on s.idempotency_key = a.id::text and a.provider = 'sandbox'
           where a.id > $1 order by a.id limit $2"#,
        place.after_id(),
        place.most()
    )
    .fetch_all(conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    let mut findings = Vec::new();
    for row in rows {
        if let Some(captured) = row.sandbox_captured.filter(|captured| *captured < row.captured_minor) {
            findings.push(Finding::new(format!("attempt {} counts {} captured, the sandbox {captured}", row.id, row.captured_minor)));
        }
        let over = matches!(&*row.state, "failed" | "canceled" | "expired");
        if over && row.sandbox_state.as_deref() == Some("authorized") && !row.voiding {
            findings.push(Finding::new(format!("attempt {} is {}, the sandbox still holds its money and no void is under way", row.id, row.state)));
        }
    }
    Ok(Batch::of_ids(place, &ids, findings))
}
