//! The command line. Each subcommand has a file with its arguments and the calls that
//! it makes.

use std::process::ExitCode;

use bundle_format::secret::hidden_within;
use clap::{Parser, Subcommand};

mod audit;
mod build;
mod bundle_output;
mod complete;
mod diff;
mod document;
mod extract;
mod form;
mod held;
mod images;
mod init;
mod inspect;
mod keygen;
mod lock;
mod lock_file;
mod parity;
mod password;
mod patch;
mod print;
mod pull;
mod push;
mod reach;
mod receivers;
mod report;
mod resolve;
mod sbom;
mod schema;
mod serve;
mod sign;
mod size;
mod verify;
mod why;

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
    Init(init::Arguments),
    Lock(lock::Arguments),
    Build(build::Arguments),
    Complete(complete::Arguments),
    Keygen(keygen::Arguments),
    Sign(sign::Arguments),
    Verify(verify::Arguments),
    Parity(parity::Arguments),
    Patch(patch::Arguments),
    Push(push::Arguments),
    Pull(pull::Arguments),
    Inspect(inspect::Arguments),
    Audit(audit::Arguments),
    Sbom(sbom::Arguments),
    Report(report::Arguments),
    Extract(extract::Arguments),
    Serve(serve::Arguments),
    Diff(diff::Arguments),
    Why(why::Arguments),
    Images(images::Arguments),
    Resolve(resolve::Arguments),
    Schema(schema::Arguments),
}

/// Runs the program with the arguments of the process. Exit status: 0 done, 1 failed,
/// 2 wrong usage, 3 from `lock --check` if the lock would be different.
pub fn run() -> ExitCode {
    let parsed = match Bundler::try_parse() {
        Ok(parsed) => parsed,
        // Help and version are our own texts. Other errors repeat what the
        // user typed.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            print::notice(&hidden_within(&error.render().to_string()));
            return ExitCode::from(2);
        }
    };
    let result = match parsed.command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Lock(arguments) => match lock::run(&arguments) {
            Ok(status) => return status,
            Err(error) => Err(error),
        },
        Command::Build(arguments) => build::run(&arguments),
        Command::Complete(arguments) => complete::run(&arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Parity(arguments) => parity::run(&arguments),
        Command::Patch(arguments) => patch::run(&arguments),
        Command::Push(arguments) => push::run(&arguments),
        Command::Pull(arguments) => pull::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Sbom(arguments) => sbom::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Extract(arguments) => extract::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Images(arguments) => images::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::failure(&error);
            ExitCode::FAILURE
        }
    }
}
