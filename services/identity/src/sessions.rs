//! Who a bearer token belongs to, asked with every request of staff.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use db::{Actor, Db};
use identity_api::{Role, StaffId, StaffSessionId};
use kernel::{Problem, Timestamp, Token, TokenHash};
use serde::{Deserialize, Serialize};
use service::{Authenticator, BoxFuture, Failure, Principal};
use stores::{Cache, Filled, Key, Lost, Miss, Parcel, Shelf, Stores, Weight, Wish};

use crate::domain::{SEEN_PRECISION, permissions, session_tag, staff_tag};
use crate::store::{self, OpenSession};

/// How long a session that was looked up is believed without being looked up again. The record is the table; news of a sign-out ends what is
/// believed at once, in every process, and where the news was lost this is what it costs.
const BELIEVED: Duration = Duration::from_secs(5);

/// Turns bearer tokens into members of staff, for [`service::Context`].
#[must_use]
pub fn authenticator(db: Db, stores: &Stores) -> Arc<dyn Authenticator> {
    Arc::new(Sessions { believed: stores.records("sessions", BELIEVED), shelf: stores.shelf(BELIEVED), db })
}

struct Sessions {
    db: Db,
    believed: Cache<Session, NoSession>,
    shelf: Option<Shelf>,
}

/// An open session, as it was found.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    id: StaffSessionId,
    staff: StaffId,
    name: String,
    role: Role,
    expires_at: Timestamp,
}

/// Why there is no session.
#[derive(Debug, Clone)]
enum NoSession {
    /// The token opens nothing.
    Unknown,
    /// It could not be looked up.
    Failed(Box<Problem>),
}

impl Session {
    fn principal(&self) -> Principal {
        Principal { id: self.staff.uuid(), name: self.name.clone(), session_id: self.id.uuid(), permissions: permissions(self.role) }
    }

    fn tags(&self) -> Vec<String> {
        vec![session_tag(self.id), staff_tag(self.staff)]
    }
}

impl Weight for Session {
    fn weight(&self) -> usize {
        size_of::<Self>().saturating_add(self.name.len())
    }
}

impl Parcel for Session {
    fn pack(&self) -> Option<Bytes> {
        serde_json::to_vec(self).ok().map(Bytes::from)
    }

    fn unpack(bytes: &Bytes) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Authenticator for Sessions {
    fn authenticate<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Option<Principal>, Failure>> {
        Box::pin(async move {
            let hash = token.hash();
            let key = Key::lookup(&hash.as_bytes().iter().fold("session ".to_owned(), |text, byte| format!("{text}{byte:02x}")));
            let (db, shelf, place) = (self.db.clone(), self.shelf.clone(), key.clone());
            let found = self.believed.get(&key, Wish::default(), move |_, _| async move {
                let look_up = look_up(db, hash);
                match shelf {
                    Some(shelf) => shelf.find_or_make(&place, Wish::default(), look_up).await,
                    None => look_up.await,
                }
            });
            match found.await {
                Ok(session) => Ok((session.expires_at > self.db.clock().now()).then(|| session.principal())),
                Err(Lost::Refused(NoSession::Unknown)) => Ok(None),
                Err(Lost::Refused(NoSession::Failed(problem))) => Err(Failure::Problem(problem)),
                Err(Lost::Broken) => Err(Problem::internal().into()),
            }
        })
    }
}

/// Finds the open session of a token, and notes that it is in use.
async fn look_up(db: Db, token: TokenHash) -> Result<Filled<Session>, Miss<NoSession>> {
    let now = db.clock().now();
    let found = async {
        // The writer: a session revoked a moment ago must not open anything.
        let mut conn = db.read_latest().await?;
        store::find_open_session(&mut conn, &token, now).await
    };
    let session = match found.await {
        Ok(Some(session)) => session,
        Ok(None) => return Err(Miss { error: NoSession::Unknown, is_away: false }),
        Err(error) => return Err(Miss { error: NoSession::Failed(Box::new(Failure::from(error).into_problem())), is_away: true }),
    };
    if now - session.last_seen_at > SEEN_PRECISION {
        touch(&db, &session, now).await;
    }
    let OpenSession { id, staff, name, role, expires_at, .. } = session;
    let session = Session { id, staff, name, role, expires_at };
    let tags = session.tags();
    Ok(Filled::new(session, tags))
}

/// Notes that the session is in use. A request does not fail because that could not be written.
async fn touch(db: &Db, session: &OpenSession, now: Timestamp) {
    let touched = async {
        let mut tx = db.begin(Actor::system("sessions")).await?;
        store::touch_session(tx.conn(), session.id, now).await?;
        tx.commit().await
    };
    if let Err(error) = touched.await {
        tracing::warn!(error = format!("{error:?}"), "a session's last-seen time was not written");
    }
}
