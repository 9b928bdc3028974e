use std::path::{Path, PathBuf};

use platform::telemetry;

use crate::cli::say;
use crate::inside::Inside;
use crate::seed::{Done, Seeding};
use crate::settings;

/// Where the data is.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder with `catalogue.json` and `media`.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

/// How long the pass for the admin API is good; a catalogue of thousands of products is done sooner.
const PASS_MINUTES: u32 = 60;

/// Fills the shop, beside a running server or without one. What is there already stays as it is, so a run that was killed is
/// simply begun again.
///
/// # Errors
/// The folder's data is not valid, or the API refused something.
pub(crate) async fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<()> {
    let config = settings::load(file)?.config;
    telemetry::init_logs(&config.log)?;
    let inside = Inside::open(&config).await?;
    let done = Box::pin(fill(&inside, &config, &arguments.from)).await;
    inside.close().await;
    say(report(&done?, &arguments.from));
    Ok(())
}

async fn fill(inside: &Inside, config: &platform::config::Config, folder: &Path) -> anyhow::Result<Done> {
    let token = inside.pass("Seed", PASS_MINUTES).await?;
    let seeding = Seeding::new(folder, &config.data_dir, inside.client(&config.http), token.reveal().into())?;
    let done = seeding.run().await?;
    inside.work_off().await?;
    Ok(done)
}

fn report(done: &Done, folder: &Path) -> String {
    if *done == Done::default() {
        return format!("Everything in {} is in the shop already; nothing was changed.", folder.display());
    }
    let Done { named, categories, products, pictures, levels } = done;
    let name = if *named { "the shop's name, " } else { "" };
    format!("From {}: {name}{categories} categories, {products} products, {pictures} pictures, {levels} stock levels.", folder.display())
}
