//! Invariants re-summed on a live database. A check looks at bounded batches of rows, each on one read-only snapshot, so it may run beside
//! sales and what is half done meanwhile is not taken for a fault.

mod ops;

use std::fmt;

use futures_util::future::BoxFuture;
use kernel::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Actor, Db, DbError};

/// How many rows a batch looks at.
const BATCH: i64 = 500;

/// How a check looks at one batch. Everything it reads must come through this connection: that is the snapshot.
pub type Look = for<'a> fn(&'a mut PgConnection, &'a Place) -> BoxFuture<'a, Result<Batch, sqlx::Error>>;

/// Something that must always hold.
#[derive(Clone, Copy)]
pub struct Check {
    /// The stable name, `<schema>.<what>`; a label of metrics.
    pub name: &'static str,
    /// What must hold, as a sentence.
    pub rule: &'static str,
    /// What to do where it does not.
    pub remedy: &'static str,
    /// Looks at one batch.
    pub look: Look,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Where a check goes on.
#[derive(Debug, Clone)]
pub struct Place {
    after: Option<String>,
    now: Timestamp,
}

impl Place {
    /// Behind the row that a batch named last; at the beginning if there is none.
    #[must_use]
    pub const fn new(after: Option<String>, now: Timestamp) -> Self {
        Self { after, now }
    }

    /// The name of the row to go on behind.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The same as an id; at the beginning the one that sorts before all others.
    #[must_use]
    pub fn after_id(&self) -> Uuid {
        self.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(Uuid::nil())
    }

    /// How many rows to look at.
    #[must_use]
    pub const fn most(&self) -> i64 {
        BATCH
    }

    /// The moment of the whole run.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}

/// What a check saw in one batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// How many rows it looked at.
    pub rows: u64,
    /// The row to go on behind; nothing when all was seen.
    pub next: Option<String>,
}

impl Batch {
    /// A batch of rows known by their ids, in order.
    #[must_use]
    pub fn of_ids(place: &Place, ids: &[Uuid], findings: Vec<Finding>) -> Self {
        Self::of(place, ids.len(), ids.last().map(Uuid::to_string), findings)
    }

    /// A batch of `rows` rows of which `last` is the last.
    #[must_use]
    pub fn of(place: &Place, rows: usize, last: Option<String>, findings: Vec<Finding>) -> Self {
        let is_full = i64::try_from(rows).is_ok_and(|rows| rows >= place.most());
        Self { findings, rows: u64::try_from(rows).unwrap_or(u64::MAX), next: last.filter(|_| is_full) }
    }
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong and where, in words.
    pub words: String,
    /// How much is wrong, where that can be counted: units, or minor units of money.
    pub amount: i64,
}

impl Finding {
    /// A finding that is counted, not measured.
    #[must_use]
    pub const fn new(words: String) -> Self {
        Self { words, amount: 0 }
    }
}

/// The checks of the platform's own tables.
#[must_use]
pub fn platform_checks() -> Vec<Check> {
    ops::checks()
}

/// Lets a check look at the batch behind `place`, on a read-only snapshot of its own.
///
/// # Errors
/// The database failed.
pub async fn look(db: &Db, check: &Check, place: &Place) -> Result<Batch, DbError> {
    let mut tx = db.begin(Actor::system("check")).await?;
    sqlx::query("set transaction isolation level repeatable read, read only").execute(tx.conn()).await?;
    let batch = (check.look)(tx.conn(), place).await?;
    tx.rollback().await?;
    Ok(batch)
}

/// Everything that these checks find, in words, seen through one connection. For tests, and where one may hold everything at once.
///
/// # Errors
/// The database failed.
pub async fn list_findings(conn: &mut PgConnection, checks: &[Check], now: Timestamp) -> Result<Vec<String>, sqlx::Error> {
    let mut words = Vec::new();
    for check in checks {
        let mut place = Place::new(None, now);
        loop {
            let batch = (check.look)(conn, &place).await?;
            words.extend(batch.findings.into_iter().map(|finding| finding.words));
            match batch.next {
                Some(next) => place = Place::new(Some(next), now),
                None => break,
            }
        }
    }
    Ok(words)
}
