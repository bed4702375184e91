//! `bundler report`: a page about a bundle, for who must approve it.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;
use clap::Args;

use super::document::{PAGE, check_output};
use super::{print, verify};
use crate::report;

/// Writes a page about a bundle for who must approve it: what it is, what changed, who
/// vouches, what worries
///
/// The page is one file of HTML. It needs no network and no server, has a search, and prints
/// on A4. It is made only if every byte of the bundle is right, as `bundler verify` reads them.
/// The packages' signatures are checked again. Of the older bundle, only the lock and the
/// manifests are read.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// Say what changed since this older bundle
    #[arg(long, value_name = "OLD")]
    against: Option<PathBuf>,
    /// Check first that one of the keys in this file has signed the bundle, and the older one
    /// too; repeat the option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// The page to write; `-` prints it
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = std::iter::once(&arguments.bundle).chain(&arguments.against);
    check_output(&arguments.output, &PAGE, read)?;
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&arguments.bundle, &keys)?.complete()?;
    let before = arguments.against.as_deref().map(|old| {
        let opened = Bundle::open_trusted(old, &keys);
        opened.with_context(|| format!("--against {}", old.display()))
    });
    let before = before.transpose()?;
    verify::whole(&bundle, arguments.quiet)?;
    let page = report::page(&bundle, before.as_ref(), SystemTime::now())?;
    print::output(&arguments.output, page.as_bytes())
}
