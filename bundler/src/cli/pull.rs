//! `bundler pull`: gets a bundle from a registry.

use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;
use bundle_format::text::{count, printable};
use clap::Args;
use indicatif::HumanBytes;

use super::reach::ReachOptions;
use super::size::Size;
use super::{bundle_output, print, sign};
use crate::build::Output;
use crate::fetch::cache::Cache;
use crate::fetch::notice::Notices;
use crate::signing;
use crate::site::pull::{self, Pulled};
use crate::site::{Address, Site};

/// Pulls a bundle from a registry: the same file, byte for byte, as `bundler push` read
///
/// Its checksum, the installer and the signature are written beside it, as `bundler build`
/// does. Only what the cache lacks is fetched. The bundle gets its name when all of it was
/// verified.
#[derive(Args)]
pub(super) struct Arguments {
    /// Where it is: oci://HOST/REPOSITORY:TAG
    #[arg(value_name = "oci://HOST/REPOSITORY:TAG")]
    address: Address,
    /// The bundle to write; <NAME>.tar in this folder if left out
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Cut the bundle into parts of at most this size, such as 4GiB-1 for FAT32
    #[arg(long, value_name = "SIZE")]
    split: Option<Size>,
    /// Check first that one of the keys in this file has signed it; repeat the option for
    /// more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    #[command(flatten)]
    reach: ReachOptions,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

/// The file that a bundle of this name gets if nobody has named one. The name comes from the
/// registry, so it replaces nothing but a bundle of the same name.
fn own_name(name: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(format!("{name}.tar"));
    let is_same = || Bundle::open(&path).is_ok_and(|own| own.lock().name == name);
    if path.exists() && !is_same() {
        bail!("{} is there, and is another file: name the bundle with --output", path.display());
    }
    Ok(path)
}

/// Where the bundle is written, with the signature that it may have.
fn place(path: &Path) -> anyhow::Result<PathBuf> {
    let path = bundle_output::place(path, [])?;
    sign::check(&path)?;
    Ok(path)
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { address, quiet, .. } = arguments;
    let named = arguments.output.as_deref().map(place).transpose()?;
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let notices = Notices::new(*quiet);
    let site = Site::new(&[address.host()], &arguments.reach.reach(), &notices)?;
    let cache = Cache::of_user()?.telling(&notices);
    let found = pull::find(&site, &cache, address, &keys)?;
    let path = match named {
        Some(path) => path,
        None => place(&own_name(&found.lock().name)?)?,
    };
    let output = Output { path, split: arguments.split.map(|size| size.0) };
    let Pulled { built, fetched, signature, signed } = found.pull(&output, *quiet)?;
    let names: Vec<String> =
        built.files.iter().map(|path| printable(&path.display().to_string())).collect();
    print::notice(&format!(
        "verified {}, {}; {} were fetched",
        count(built.blobs, "blob"),
        HumanBytes(built.size),
        HumanBytes(fetched)
    ));
    if let Some(signed) = signed {
        print::notice(&format!("signed: {signed}"));
    }
    for beside in built.installers.iter().chain(&signature) {
        print::notice(&format!("beside it: {}", beside.display()));
    }
    let old = signing::outdated(&output.path, found.lock_digest());
    if let Some(old) = old.filter(|_| signature.is_none()) {
        print::notice(&format!("{} is the signature of another bundle", old.display()));
    }
    print::data(&format!("{}\n", names.join("\n")))
}
