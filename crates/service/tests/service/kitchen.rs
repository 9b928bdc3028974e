//! A service made up for the tests: it writes audit entries, at various speeds.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use garde::Validate;
use kernel::{Event, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Answer, Command, Context, Failure, Service};
use sqlx::migrate::Migrator;
use testkit::Shop;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| Migrator { table_name: Cow::Borrowed("kitchen.migration"), ..Migrator::DEFAULT });

/// What is to be cooked.
#[derive(Debug, Deserialize, Serialize, Validate)]
pub(crate) struct Cook {
    /// The dish.
    #[garde(length(min = 1, max = 20))]
    pub(crate) dish: String,
    /// How long it takes.
    #[garde(range(max = 5_000))]
    pub(crate) takes_ms: u64,
}

/// Something was cooked.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Cooked {
    /// The dish.
    pub(crate) dish: String,
}

impl Event for Cooked {
    const NAME: &'static str = "kitchen.Cooked";
    const VERSION: i32 = 1;
}

/// How often the job `kitchen.call` was tried. It fails at first, then panics, then succeeds.
pub(crate) type Tries = Arc<AtomicU32>;

pub(crate) fn service(context: &Context, tries: &Tries) -> Service {
    let routes = Router::new().route("/store/v1/dishes", post(cook)).route("/store/v1/refusals", post(refuse)).with_state(context.clone());
    let (calls, cleans) = (Arc::clone(tries), Arc::clone(tries));
    Service::new("kitchen", &MIGRATOR)
        .other_routes(routes)
        .on::<Cooked>("kitchen.serve", |tx, cooked| {
            Box::pin(async move {
                tx.audit("dish.served", &cooked.dish, json!({})).await?;
                if cooked.dish == "burnt" { Err(Problem::new(409, "burnt", "Burnt").into()) } else { Ok(()) }
            })
        })
        .job("kitchen.call", move |_| {
            let before = calls.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                match before {
                    0 => Err(Failure::Internal(std::io::Error::other("the line is dead").into())),
                    1 => panic!("the telephone fell down"),
                    _ => Ok(()),
                }
            })
        })
        .schedule("kitchen.clean", Duration::from_secs(60), move || {
            cleans.fetch_add(100, Ordering::SeqCst);
            Box::pin(std::future::ready(Ok(())))
        })
}

pub(crate) async fn open(tries: &Tries) -> Shop {
    Shop::open(|context| vec![service(context, tries)]).await
}

async fn cook(State(context): State<Context>, command: Command<Cook>) -> Result<Answer, Failure> {
    let Cook { dish, takes_ms } = command.body;
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                tx.audit("dish.cooked", &dish, json!({})).await?;
                tx.publish(&Cooked { dish: dish.clone() }).await?;
                tokio::time::sleep(Duration::from_millis(takes_ms)).await;
                let number: i64 = sqlx::query_scalar("select count(*) from ops.audit_entry").fetch_one(tx.conn()).await?;
                Ok(Answer::created(&json!({ "dish": dish, "number": number }))?.version(7))
            })
        })
        .await
}

async fn refuse(State(context): State<Context>, command: Command<()>) -> Result<Answer, Failure> {
    context
        .mutate(&command.call, command.key, move |tx| {
            Box::pin(async move {
                tx.audit("dish.cooked", "nothing", json!({})).await?;
                Err(Problem::new(409, "out_of_salt", "No salt").into())
            })
        })
        .await
}

/// How many audit entries of this action there are.
pub(crate) async fn audited(shop: &Shop, action: &str) -> i64 {
    let mut conn = shop.context().db().read_latest().await.unwrap();
    sqlx::query_scalar("select count(*) from ops.audit_entry where action = $1").bind(action).fetch_one(&mut *conn).await.unwrap()
}
