//! The command line.

mod bundle;
mod doctor;
mod install;
mod node;
mod reset;
mod status;
mod token;
mod verify;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::cluster::NodeName;
use crate::failure::{Failure, describe};
use crate::role::Role;

/// Puts Kubernetes on this node from a bundle, with no network but the nodes'
/// own
///
/// `installer --role master` makes the first node of a cluster, and writes a
/// join file; `installer --role worker --join FILE` makes the others. Each
/// prints a plan and asks before it changes anything. Run it again after
/// whatever went wrong.
#[derive(Parser)]
#[command(version, max_term_width = 80, args_conflicts_with_subcommands = true)]
struct Installer {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    install: Option<Install>,
}

/// What a run needs to know.
#[derive(Args)]
pub(crate) struct Install {
    /// What this node is to be
    #[arg(long, value_enum)]
    role: Role,
    /// The bundle, or its parts; the only one beside this program if left out
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// The cluster file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The join file from the master, for a worker
    #[arg(long, value_name = "FILE")]
    join: Option<PathBuf>,
    /// The address by which the other nodes reach this one
    #[arg(long, value_name = "ADDRESS")]
    address: Option<Ipv4Addr>,
    /// This node's name in the cluster; the host name if left out
    #[arg(long, value_name = "NAME", value_parser = node_name)]
    node_name: Option<NodeName>,
    /// Print the plan, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only these steps, by name
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// All but these steps
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// A root file system to look at instead of this one's, with --dry-run
    #[arg(long, value_name = "FOLDER", requires = "dry_run")]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every byte of the bundle and names all that is damaged
    Verify {
        /// The bundle, or its parts; the only one beside this program if left
        /// out
        bundle: Option<PathBuf>,
    },
    /// Writes a new join file, whose token holds for a day
    Token {
        /// Where to; standard output if left out
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Says what this node is, and whether it is at work
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Looks for what is wrong with this node: the cause first, each with its
    /// cure
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes back what was done to this node
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the program with the process's own arguments. Exit status: 0 done, 1
/// failed, 2 wrong usage.
pub fn run() -> ExitCode {
    let arguments = Installer::parse();
    let (result, log) = match (arguments.command, arguments.install) {
        (Some(Command::Verify { bundle }), _) => (verify::verify(bundle), None),
        (Some(Command::Token { output }), _) => (token::token(output.as_deref()), None),
        (Some(Command::Status { json }), _) => (status::status(json), None),
        (Some(Command::Doctor { json }), _) => (doctor::doctor(json), None),
        (Some(Command::Reset { yes }), _) => (reset::reset(yes), None),
        (None, Some(install)) => {
            (install::install(&install), Some("/var/log/kubeferry/install.log"))
        }
        (None, None) => {
            let error =
                Failure::new("what is this node to be?", "give --role master or --role worker");
            (Err(error.into()), None)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed there is nobody left to tell.
            drop(io::stderr().write_all(describe(&error, log).as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn node_name(text: &str) -> Result<NodeName, String> {
    NodeName::try_from(text.to_owned())
}

/// Asks the person at the terminal; nobody else says yes.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    use std::io::IsTerminal;
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
