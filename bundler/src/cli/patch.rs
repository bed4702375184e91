//! `bundler patch`: makes what repairs a damaged copy of a bundle.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::damage::map::Map;
use bundle_format::damage::patch;
use bundle_format::input;
use bundle_format::text::count;
use clap::Args;

use super::document::{PATCH, check_output};
use super::{print, verify};
use crate::build;

/// The largest text that is read as a map, in bytes.
const MAX_MAP: u64 = 16 << 20;

/// Makes what repairs a damaged copy of a bundle on site: <BUNDLE>.patch
///
/// `installer verify --map` prints there what the copy has lost.
#[derive(Args)]
pub(super) struct Arguments {
    /// The good bundle, or any of its parts
    bundle: PathBuf,
    /// The map that the installer printed
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// The file to write; <BUNDLE>.patch if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let output = arguments.output.clone().unwrap_or_else(|| patch::path_of(&arguments.bundle));
    if output.as_os_str() == "-" {
        bail!("--output -: a patch is no text for a terminal: name a file");
    }
    check_output(&output, &PATCH, [&arguments.bundle, &arguments.map])?;
    let reading = || format!("reading the map {}", arguments.map.display());
    let text = input::named_text(&arguments.map, MAX_MAP).with_context(reading)?;
    let map: Map = text.parse().with_context(reading)?;
    let bundle = Bundle::open(&arguments.bundle)?;
    verify::whole(&bundle, arguments.quiet)?;
    build::make_patch(&bundle, &map, &output)?;
    print::notice(&format!(
        "it has {}: put it beside the damaged bundle, under the bundle's name with .patch",
        count(usize::try_from(map.count()).unwrap_or(usize::MAX), "chunk")
    ));
    print::data(&format!("{}\n", output.display()))
}
