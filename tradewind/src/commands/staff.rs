use std::path::Path;

use clap::Subcommand;
use db::Actor;
use identity_api::Role;
use platform::config::Config;

use crate::cli::say;
use crate::inside::Inside;
use crate::settings;

/// What can be done with staff from here.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a one-time link by which somebody chooses a password and enters the back office. Also for who has lost the password.
    Invite(Invite),
}

/// Whom to invite.
#[derive(Debug, clap::Args)]
pub(crate) struct Invite {
    /// The e-mail address to sign in with.
    email: String,
    /// What they may do: owner, manager or viewer.
    #[arg(long, default_value = "owner")]
    role: Role,
}

/// Does it, beside a running server or without one.
///
/// # Errors
/// The database cannot be reached, or the invitation is refused.
pub(crate) async fn run(file: Option<&Path>, command: &Command) -> anyhow::Result<()> {
    let loaded = settings::load(file)?;
    settings::init_tool_logs(&loaded)?;
    let config = loaded.config;
    let Command::Invite(who) = command;
    let inside = Inside::open(&config).await?;
    let link = invite(&inside, &config, who).await;
    inside.close().await;
    say(link?);
    Ok(())
}

async fn invite(inside: &Inside, config: &Config, who: &Invite) -> anyhow::Result<String> {
    let mut tx = inside.context().db().begin(Actor::system("command line")).await?;
    let (token, expires_at) = identity::invite(&mut tx, &who.email, who.role).await?;
    tx.commit().await?;
    let url = settings::public_url(config, config.http.public_address);
    Ok(format!(
        "Back office, for {} as {} (works once, until {}):\n  {url}/backoffice/invitation?token={}",
        who.email,
        who.role.as_str(),
        expires_at.format("%-d %B %Y, %H:%M UTC"),
        token.reveal()
    ))
}
