//! Proves a shop that serves: somebody buys on the channel `smoke`, whose sales are trials, and many come at once.
//!
//! Nothing here reaches the live channel: its stock lies elsewhere, and nothing is bought before the shop has said that it sells on trial.

mod api;
mod backoffice;
mod load;
mod pages;
mod storefront;
mod visitor;

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;

pub(crate) use load::Plan;
use load::{Script, Summary};
pub(crate) use visitor::Address;
use visitor::Visitor;

/// The code of the channel whose sales are trials.
const CHANNEL: &str = "smoke";
/// The host by which pages find it.
const HOST: &str = "smoke.invalid";
/// The sandbox's card that is approved.
const APPROVED_CARD: &str = "0000000000001000";
/// How long the first answer may take: addresses of new pods spread a little later than their readiness.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many come at once. Each waits for its answers, so no more requests than these are ever open.
const VISITORS: usize = 24;

/// A part of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Api,
    Storefront,
    Backoffice,
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "API",
            Self::Storefront => "storefront",
            Self::Backoffice => "back office",
        })
    }
}

/// How the trial went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// An order was made; its number.
    Bought(String),
    /// The shop sells nothing at all yet, on no channel.
    Empty,
    /// The sign-in page and everything it is made of are there.
    Opened,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bought(number) => write!(f, "order {number} was made and found again"),
            Self::Empty => f.write_str("nothing is sold here yet, so nothing was bought"),
            Self::Opened => f.write_str("the sign-in page and its files are there"),
        }
    }
}

/// Does once what people do there, and looks at every answer.
///
/// # Errors
/// An answer is not right; the error names the step.
pub(crate) async fn try_once(http: &reqwest::Client, surface: Surface, address: &Address) -> anyhow::Result<Trial> {
    let visitor = visitor_of(http, surface, address);
    match surface {
        Surface::Api => api::buy(visitor).await,
        Surface::Storefront => storefront::buy(visitor).await,
        Surface::Backoffice => backoffice::open(visitor).await,
    }
}

/// Makes the requests of a plan, of what this surface serves.
///
/// # Errors
/// There is nothing to ask for. Whatever is answered is in the summary.
pub(crate) async fn load(http: &reqwest::Client, surface: Surface, address: &Address, plan: Plan) -> anyhow::Result<Summary> {
    let visitor = || visitor_of(http, surface, address);
    match surface {
        Surface::Api => run(api::Shelf::look(visitor()).await?, plan, |shelf, number| api::Shopper::new(visitor(), shelf, number)).await,
        Surface::Storefront => {
            run(storefront::Window::look(visitor()).await?, plan, |window, number| storefront::Shopper::new(visitor(), window, number)).await
        }
        Surface::Backoffice => run(backoffice::files(&mut visitor()).await?, plan, |files, number| backoffice::Caller::new(visitor(), files, number)).await,
    }
}

async fn run<K: Clone, S: Script>(known: K, plan: Plan, script: impl Fn(K, usize) -> S) -> anyhow::Result<Summary> {
    let scripts = (0..VISITORS).map(|number| script(known.clone(), number)).collect();
    load::run(scripts, plan).await.context("synthetic load")
}

fn visitor_of(http: &reqwest::Client, surface: Surface, address: &Address) -> Visitor {
    let visitor = Visitor::new(http.clone(), address.clone());
    match surface {
        Surface::Api => visitor.with_header(kernel::headers::CHANNEL, CHANNEL),
        Surface::Storefront => visitor.with_header("host", HOST),
        Surface::Backoffice => visitor,
    }
}
