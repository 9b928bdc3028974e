//! The only binary: the whole shop on a laptop, each of its parts in production, and the tools around it.

mod cli;
mod commands;
mod credential;
mod database;
mod docs;
mod elsewhere;
mod faults;
mod figures;
mod inside;
mod inspection;
mod invariants;
mod pages;
mod public;
mod seed;
mod services;
mod settings;
mod smoke;
mod target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run(clap::Parser::parse())
}
