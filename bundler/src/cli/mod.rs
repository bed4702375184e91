//! The command line: one file a subcommand, each of them arguments and glue.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod images;
mod report;
mod resolve;

/// Carries a Kubernetes cluster across the air gap: turns a short spec into one
/// checksummed bundle.
#[derive(Parser)]
#[command(version, max_term_width = 80)]
struct Bundler {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Images(images::Arguments),
    Resolve(resolve::Arguments),
}

/// Runs the program with the process's own arguments. Exit status: 0 done, 1
/// failed, 2 wrong usage.
pub fn run() -> ExitCode {
    let result = match Bundler::parse().command {
        Command::Images(arguments) => images::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}
