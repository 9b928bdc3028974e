use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use service::Surfaces;

use crate::cli::say;
use crate::services;

/// Which document, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which surface to describe.
    #[arg(long, value_enum, default_value_t = Surface::Store)]
    surface: Surface,
    /// Write `store.json` and `admin.json` into this folder instead of printing one.
    #[arg(long, value_name = "DIR", conflicts_with = "surface")]
    write: Option<PathBuf>,
}

/// One of the two public surfaces.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Surface {
    /// What shoppers call: `/store/v1`.
    Store,
    /// What staff call: `/admin/v1`.
    Admin,
}

/// Prints or writes the OpenAPI documents. They come from the handlers that serve, so no database is needed.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (context, services) = services::unconnected()?;
    let surfaces = Surfaces::of(&context, &services);
    let Some(folder) = &arguments.write else {
        let document = match arguments.surface {
            Surface::Store => surfaces.store_document,
            Surface::Admin => surfaces.admin_document,
        };
        say(document.to_pretty_json()?);
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (name, document) in [("store.json", surfaces.store_document), ("admin.json", surfaces.admin_document)] {
        let path = folder.join(name);
        std::fs::write(&path, document.to_pretty_json()? + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(())
}
