use std::path::{Path, PathBuf};

use platform::config::Config;

use crate::cli::say;
use crate::inside::Inside;
use crate::seed::{Catalogue, Done, Seeding};
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
    let loaded = settings::load(file)?;
    settings::init_tool_logs(&loaded)?;
    let config = loaded.config;
    let catalogue = Catalogue::read(&arguments.from)?;
    let inside = Inside::open(&config).await?;
    let done = Box::pin(fill(&inside, &config, catalogue, &arguments.from)).await;
    inside.close().await;
    say(report(&done?, &arguments.from));
    Ok(())
}

async fn fill(inside: &Inside, config: &Config, catalogue: Catalogue, folder: &Path) -> anyhow::Result<Done> {
    let token = inside.pass("Seed", PASS_MINUTES).await?;
    let seeding = Seeding::new(catalogue, folder, &config.data_dir, inside.client(&config.http), token.reveal().into());
    let done = seeding.run().await?;
    inside.work_off().await?;
    Ok(done)
}

fn report(done: &Done, folder: &Path) -> String {
    if *done == Done::default() {
        return format!("Everything in {} is in the shop already; nothing was changed.", folder.display());
    }
    let Done { named, categories, products, pictures, levels } = done;
    let name = if *named { "the shop's settings, " } else { "" };
    format!("From {}: {name}{categories} categories, {products} products, {pictures} pictures, {levels} stock levels.", folder.display())
}
