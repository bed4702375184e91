//! The command line.

mod backup;
mod bundle;
mod certs;
mod config;
mod doctor;
mod ended;
mod going_back;
mod install;
mod inventory;
mod kubeconfig;
mod manual;
mod node;
mod options;
mod output;
mod place;
mod preflight;
mod remove;
mod reset;
mod schema;
mod show;
mod sources;
mod status;
mod support;
mod token;
mod up;
mod upgrade;
mod verify;

use std::io::Write;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

use bundle_format::cluster::NodeName;
use bundle_format::secret::hidden_within;
use bundle_format::text::{stderr, stdout};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use rustix::fs::Mode;
use rustix::process::umask;

use self::ended::Ended;
use self::options::{Aim, Choice, Look, Source, Way};
use self::place::{Place, ReachOptions};
use crate::failure::{Failure, describe};
use crate::role::Role;
use crate::site::password;
use crate::trust;

/// Puts Kubernetes on this node from a bundle, with no network but the nodes'
/// own
///
/// `installer --role master` makes the first node of a cluster, and writes a
/// join file; `installer --role worker --join FILE` makes the others. Each
/// prints a plan and asks before it changes anything. If something goes wrong,
/// mend it and run the same command again.
#[derive(Parser)]
#[command(version, max_term_width = 80, args_conflicts_with_subcommands = true)]
struct Installer {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    aim: Option<Aim>,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    way: Way,
}

#[derive(Subcommand)]
enum Command {
    /// Prints what a run would do, as --dry-run does
    Plan {
        #[command(flatten)]
        aim: Aim,
        #[command(flatten)]
        choice: Choice,
        #[command(flatten)]
        look: Look,
        /// Print only how this file would change, line by line and without secrets
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        show: Option<PathBuf>,
    },
    /// Shows what this node is, and which problems would stop a run
    Preflight {
        #[command(flatten)]
        aim: Aim,
        #[command(flatten)]
        look: Look,
    },
    /// Prints the cluster's settings for this node, and where each value comes from
    Config {
        #[command(flatten)]
        aim: Aim,
        /// Look at the node whose files this folder has, and not at this one
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
    },
    /// Prints what this node is and its packages, as a list that a bundle's spec can
    /// have as `baseline`
    Inventory {
        #[command(flatten)]
        look: Look,
        /// Print what this node has of bundles, for `bundler build --have`: what containerd
        /// has, the packages in its own repository, and this program
        #[arg(long, conflicts_with_all = ["root", "json"])]
        blobs: bool,
    },
    /// Checks every byte of the bundle and names all that is damaged
    Verify {
        /// The bundle, any of its parts, or the folder it is in; the only one beside
        /// this program if left out. Or oci://HOST/REPOSITORY:TAG, for one in a registry
        #[arg(value_parser = place::place())]
        bundle: Option<Place>,
        /// The same as BUNDLE, by the option that other commands have; repeat it for bundles
        /// that have what a delta lacks
        #[arg(long = "bundle", value_name = "FILE", conflicts_with = "bundle", value_parser = place::place())]
        named: Vec<Place>,
        #[command(flatten)]
        reach: ReachOptions,
        /// Check first that a trusted key has signed it, and trust the keys in this file. They
        /// are added to those in /etc/kubeferry/trusted.pub and in this program, which count
        /// too. Repeat the option for more files
        #[arg(long, value_name = "FILE")]
        trusted_key: Vec<PathBuf>,
        /// Write a good copy of the bundle to this new file: what the stick has damaged is
        /// repaired in it
        #[arg(long, value_name = "FILE")]
        copy: Option<PathBuf>,
        /// Print which chunks of the bundle are lost: `bundler patch` makes of that what
        /// repairs it
        #[arg(long, conflicts_with_all = ["copy", "trusted_key"])]
        map: bool,
    },
    /// Prints a new join file
    Token {
        /// The role of the nodes that join with it. A file for masters is valid for two
        /// hours, and has the key to the cluster's keys
        #[arg(long = "for", value_enum, value_name = "ROLE", default_value_t = Role::Worker)]
        role: Role,
        /// How many hours a file for workers is valid; 24 if left out
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8760))]
        hours: Option<u32>,
        /// The file to write; standard output if left out
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Print a sample: nobody can join with it, but `plan` takes it on any machine. On a
        /// master, the sample is of its cluster, unless --config is given
        #[arg(long, conflicts_with = "hours")]
        sample: bool,
        /// The cluster file whose settings the sample has
        #[arg(long, value_name = "FILE", requires = "sample")]
        config: Option<PathBuf>,
        /// The bundle whose settings and version the sample has
        #[arg(long, value_name = "FILE", requires = "sample")]
        bundle: Option<PathBuf>,
    },
    /// Writes all that the cluster is to one file, on a master. The file is a secret
    Backup {
        #[command(flatten)]
        to: backup::To,
        /// How many of this node's backups in the folder are kept
        #[arg(long, value_name = "N", requires = "folder")]
        keep: Option<NonZeroU16>,
    },
    /// Makes all nodes of a cluster file, over ssh, from one machine. The same line goes on
    /// with what is missing
    Up(up::Wanted),
    /// Takes this node to a bundle of the same or the next minor release
    Upgrade(upgrade::Wanted),
    /// Shows what this node is, and whether it works
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Finds out what is wrong with this node, and prints each cause with its cure
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Collects what a supporter needs to know about this node in one file, without
    /// secrets
    Support {
        /// The file to write, such as support.tar.gz
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Lists this node's certificates: what each is for, and when it expires
    #[command(args_conflicts_with_subcommands = true)]
    Certs {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(subcommand)]
        action: Option<certs::Action>,
    },
    /// Makes a kubeconfig for a person, who may do nothing until you bind a role
    Kubeconfig(kubeconfig::Wanted),
    /// Prints the cluster file's JSON Schema, by which editors complete and check it
    Schema,
    /// Prints a page of the manual
    Manual {
        /// The page
        #[arg(value_enum, default_value_t = manual::Page::Install)]
        page: manual::Page,
    },
    /// Takes another node out of the cluster, on a master. That node need not answer
    Remove {
        /// The node's name in the cluster
        #[arg(value_name = "NODE", value_parser = options::node_name)]
        node: NodeName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Undoes what the installer did to this node
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the program with the process's own arguments. Exit status: 0 done, 1
/// failed, 2 wrong usage.
pub fn run() -> ExitCode {
    if let Some(answered) = password::answered() {
        return answered;
    }
    let arguments = match Installer::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are ours; what is wrong quotes what was typed.
        Err(error) if !error.use_stderr() => {
            let is_version = error.kind() == ErrorKind::DisplayVersion;
            drop(error.print());
            if is_version {
                tell_keys();
            }
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            drop(stderr().write_all(hidden_within(&error.render().to_string()).as_bytes()));
            return ExitCode::from(2);
        }
    };
    // Everybody may read what commands make, such as rpm's database, unless a
    // command sets stricter permissions. The node's own umask does not count.
    umask(Mode::WGRP | Mode::WOTH);
    let (result, log) = carried_out(arguments);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed there is nobody left to tell.
            drop(stderr().write_all(describe(&error, log).as_bytes()));
            ExitCode::FAILURE
        }
    }
}

/// Says whose bundles this program takes, by the keys in its own file.
fn tell_keys() {
    match trust::built_in() {
        Ok(keys) => {
            for key in keys.ids() {
                drop(writeln!(stdout(), "takes only bundles that are signed: key {key}"));
            }
        }
        Err(error) => drop(stderr().write_all(describe(&error, None).as_bytes())),
    }
}

/// Does what was typed.
fn carried_out(arguments: Installer) -> Ended {
    match (arguments.command, arguments.aim) {
        (Some(Command::Plan { aim, choice, look, show: Some(file) }), _) => {
            (show::show(&aim, &choice, look.root.as_deref(), &file), None)
        }
        (Some(Command::Plan { aim, choice, look, show: None }), _) => {
            install::install(&aim, &choice, &look.into())
        }
        (Some(Command::Preflight { aim, look }), _) => (preflight::preflight(&aim, &look), None),
        (Some(Command::Config { aim, root }), _) => (config::config(&aim, root.as_deref()), None),
        (Some(Command::Inventory { blobs: true, .. }), _) => (inventory::blobs(), None),
        (Some(Command::Inventory { look, .. }), _) => {
            (inventory::inventory(look.root.as_deref(), look.json), None)
        }
        (Some(Command::Verify { bundle, named, map: true, .. }), _) => {
            (verify::map(bundle.as_ref().or(named.first())), None)
        }
        (Some(Command::Verify { bundle, named, reach, trusted_key, copy, .. }), _) => {
            let bundle: Vec<Place> = bundle.into_iter().chain(named).collect();
            let source =
                Source { bundle: &bundle, reach: reach.reach(), trusted_key: &trusted_key };
            (verify::verify(&source, copy.as_deref()), None)
        }
        (Some(Command::Token { sample: true, role, output, config, bundle, .. }), _) => {
            let of = token::Of { config: config.as_deref(), bundle: bundle.as_deref() };
            (token::sample(role, &of, output.as_deref()), None)
        }
        (Some(Command::Token { role, hours, output, .. }), _) => {
            (token::token(role, hours, output.as_deref()), None)
        }
        (Some(Command::Backup { to, keep }), _) => (backup::backup(&to, keep), None),
        (Some(Command::Up(wanted)), _) => (up::up(&wanted), None),
        (Some(Command::Upgrade(wanted)), _) => upgrade::upgrade(&wanted),
        (Some(Command::Status { json }), _) => (status::status(json), None),
        (Some(Command::Doctor { json }), _) => (doctor::doctor(json), None),
        (Some(Command::Support { output }), _) => (support::support(&output), None),
        (Some(Command::Certs { json, action: None }), _) => (certs::list(json), None),
        (Some(Command::Certs { action: Some(certs::Action::Renew { yes }), .. }), _) => {
            certs::renew(yes)
        }
        (Some(Command::Kubeconfig(wanted)), _) => (kubeconfig::kubeconfig(wanted), None),
        (Some(Command::Schema), _) => (schema::schema(), None),
        (Some(Command::Manual { page }), _) => (manual::manual(page), None),
        (Some(Command::Remove { node, yes }), _) => remove::remove(&node, yes),
        (Some(Command::Reset { yes }), _) => reset::reset(yes),
        (None, Some(aim)) => install::install(&aim, &arguments.choice, &arguments.way),
        (None, None) => {
            let error =
                Failure::new("what is this node to be?", "give --role master or --role worker");
            (Err(error.into()), None)
        }
    }
}
