//! `bundler complete`: from a delta to the whole bundle.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::input;
use bundle_format::signature::{self, TrustedKeys};
use bundle_format::text::{count, printable};
use clap::Args;
use indicatif::HumanBytes;

use super::size::Size;
use super::{bundle_output, print, sign};
use crate::build::{Output, write_file};
use crate::complete;
use crate::fetch::cache::Cache;
use crate::signing;

/// Makes the whole bundle of a delta, byte for byte as `bundler build` makes it
///
/// What the delta lacks comes from the bundles that --bundle names, and from the cache. Its
/// checksum, the installer and the signature are written beside it.
#[derive(Args)]
pub(super) struct Arguments {
    /// The delta, or any of its parts
    delta: PathBuf,
    /// A bundle that has what the delta lacks; repeat the option for more bundles
    #[arg(long = "bundle", value_name = "FILE")]
    others: Vec<PathBuf>,
    /// The bundle to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Cut the bundle into parts of at most this size, such as 4GiB-1 for FAT32
    #[arg(long, value_name = "SIZE")]
    split: Option<Size>,
    /// Check first that one of the keys in this file has signed the delta; repeat the
    /// option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { delta, others, quiet, .. } = arguments;
    let path = bundle_output::place(&arguments.output, std::iter::once(delta).chain(others))?;
    sign::check(&path)?;
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(delta, &keys)?.with_others(others)?;
    let output = Output { path, split: arguments.split.map(|size| size.0) };
    let built = complete::complete(&bundle, &output, (&Cache::of_user()?, *quiet))?;
    bundle.passed_over().iter().for_each(|words| print::notice(words));
    let blobs = count(built.blobs, "blob");
    print::notice(&format!("verified {blobs}, {}", HumanBytes(built.size)));
    let signature = signature::path_of(&output.path);
    // The delta's signature is over the same index.
    let found = signature::found(delta);
    let own = input::file_text(&found, input::WRITTEN_BY_HAND).ok();
    let is_of_another = |text: &String| signing::is_of_another(text.as_bytes(), &bundle);
    let is_strange = own.as_ref().is_some_and(is_of_another);
    let own = own.filter(|_| !is_strange);
    if is_strange {
        print::notice(&format!("{} is the signature of another bundle", found.display()));
    }
    if let Some(text) = &own {
        write_file(&signature, text.as_bytes())?;
    } else if let Some(old) = signing::outdated(&output.path, bundle.lock_digest()) {
        print::notice(&format!("{} is the signature of another bundle", old.display()));
    }
    for beside in built.installers.iter().chain(own.map(|_| &signature)) {
        print::notice(&format!("beside it: {}", beside.display()));
    }
    let names: Vec<String> =
        built.files.iter().map(|path| printable(&path.display().to_string())).collect();
    print::data(&format!("{}\n", names.join("\n")))
}
