//! `bundler sbom`: what is in a bundle, for programs that look for vulnerabilities.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::bounds::MAX_SBOM;
use bundle_format::input::bounded;
use bundle_format::lock::Descriptor;
use bundle_format::signature::TrustedKeys;
use clap::Args;

use super::document::{BILL, check_output};
use super::print;
use crate::sbom;

/// Prints the bundle's software bill of materials: each package, image and file, and what
/// the images say is installed in them
///
/// It is JSON of CycloneDX 1.6, the same as `sbom.cdx.json` in the bundle. For a bundle of an
/// older version, which has none, it is made now. What is read of the bundle is checked;
/// `bundler verify` checks all of it.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// Check first that one of the keys in this file has signed the bundle; repeat the
    /// option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Write it to this file; `-` prints it, as without this option
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.output {
        check_output(path, &BILL, [&arguments.bundle])?;
    }
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&arguments.bundle, &keys)?;
    let bytes = match bundle.sbom() {
        Some(content) => bounded(bundle.open_blob(&content.descriptor)?, MAX_SBOM)
            .with_context(|| format!("reading {} of the bundle", content.path))?,
        None => made(&bundle)?,
    };
    match &arguments.output {
        Some(path) => print::output(path, &bytes),
        None => print::json(&String::from_utf8(bytes)?),
    }
}

fn made(bundle: &Bundle) -> anyhow::Result<Vec<u8>> {
    let open = |blob: &Descriptor| -> anyhow::Result<Box<dyn Read + '_>> {
        Ok(Box::new(bundle.open_blob(blob)?))
    };
    sbom::document(bundle.lock(), &open, &sbom::Layers::default())
}
