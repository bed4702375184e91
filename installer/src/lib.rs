//! Turns a bare node into a Kubernetes master or worker from a bundle alone.
//! This program has no network stack. So far it checks bundles.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify;
use clap::{Parser, Subcommand};

/// Puts Kubernetes on this node from a bundle, with no network but the nodes'
/// own
#[derive(Parser)]
#[command(version, max_term_width = 80)]
struct Installer {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every byte of the bundle and names all that is damaged
    Verify {
        /// The bundle, or its parts; the only one beside this program if left
        /// out
        bundle: Option<PathBuf>,
    },
}

/// Runs the program with the process's own arguments. Exit status: 0 done, 1
/// failed, 2 wrong usage.
pub fn run() -> ExitCode {
    let result = match Installer::parse().command {
        Command::Verify { bundle } => check(bundle),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("error: {error}\n");
            for cause in error.chain().skip(1) {
                text.push_str(&format!("  caused by: {cause}\n"));
            }
            // With standard error closed there is nobody left to tell.
            drop(std::io::stderr().write_all(text.as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn check(bundle: Option<PathBuf>) -> anyhow::Result<()> {
    let path = match bundle {
        Some(path) => path,
        None => beside_program()?,
    };
    let bundle = Bundle::open(&path)?;
    let verification = verify::verify(&bundle, |_| {});
    if let Some(report) = verification.report() {
        bail!("{report}");
    }
    writeln!(
        std::io::stdout(),
        "good: {} blobs, {} bytes, index {}",
        verification.blobs,
        verification.bytes,
        bundle.index_digest()
    )?;
    Ok(())
}

/// The only bundle in this program's folder.
fn beside_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("finding this program's folder")?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut bundles: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".tar")
                || name.contains(".tar.part01of")
                || name.contains(".tar.part1of")
        })
        .collect();
    bundles.sort();
    match bundles.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!("no bundle lies in {}; name one", folder.display()),
        several => {
            let names: Vec<String> =
                several.iter().map(|path| path.display().to_string()).collect();
            bail!("several bundles lie in {}: {}; name one", folder.display(), names.join(", "))
        }
    }
}
