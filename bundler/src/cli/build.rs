//! `bundler build`: makes the bundle.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::output;
use bundle_format::text::{count, printable};
use clap::Args;
use indicatif::HumanBytes;

use super::size::Size;
use super::{lock, report};
use crate::build::{self, Output};
use crate::bundle::difference;
use crate::fetch::cache::Cache;
use crate::fetch::memory::Network;
use crate::fetch::notice::Notices;
use crate::lock::{self as locking, Upstreams};
use crate::spec::SpecFile;

/// Makes the bundle of a spec: one tarball, with its checksum and the installer
/// beside it
///
/// It holds what <SPEC>.lock.json lists. Where there is no lock, it is made first.
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
    /// The bundle to write; <NAME>.tar in this folder if left out
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Fail if upstream has other things than the lock, and say which
    #[arg(long)]
    locked: bool,
    /// Use no network, only the cache
    #[arg(long)]
    offline: bool,
    /// Cut the bundle into parts of at most this size, such as 4GiB-1 for FAT32
    #[arg(long, value_name = "SIZE")]
    split: Option<Size>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = SpecFile::read(&arguments.spec)?;
    let named = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.tar", file.spec.name)));
    if named.as_os_str() == "-" {
        bail!(
            "--output -: a bundle is a file with others beside it, and is read again when it is \
             written: name a file"
        );
    }
    let network = if arguments.offline { Network::Off } else { Network::On };
    let notices = Notices::new(arguments.quiet);
    let upstreams = Upstreams::over(network, &file, Cache::of_user()?, &notices)?;
    let lock_path = lock::path_of(&file.path);
    let lock = if lock_path.exists() {
        let lock = lock::read(&lock_path)?;
        if lock.spec != file.digest {
            bail!(
                "{} was changed after {} was made: run `bundler lock` and look at what it changes",
                file.path.display(),
                lock_path.display()
            );
        }
        lock
    } else if arguments.locked {
        bail!("--locked: there is no {}: run `bundler lock`", lock_path.display());
    } else {
        lock::make(&file, &upstreams)?
    };
    if arguments.locked {
        // Sooner than upstream is asked.
        build::check_local_files(&file, &lock)?;
        let today = locking::resolve(&file, &upstreams, SystemTime::now())
            .with_context(|| format!("locking {} again", file.path.display()))?;
        if today != lock {
            bail!(
                "--locked: upstream differs from {}:\n{}",
                lock_path.display(),
                difference::of_locks(&lock, &today)
            );
        }
    }
    // A link stays, and all of the bundle goes where it leads.
    let place = output::file(&named);
    let (path, _) = place.with_context(|| format!("--output {}", named.display()))?;
    let output = Output { path, split: arguments.split.map(|size| size.0) };
    let lock = (&lock, lock_path.as_path());
    let built = build::build(&file, lock, &upstreams, &output, SystemTime::now(), arguments.quiet)?;
    let names: Vec<String> =
        built.files.iter().map(|path| printable(&path.display().to_string())).collect();
    let blobs = count(built.blobs, "blob");
    report::notice(&format!("verified {blobs}, {}", HumanBytes(built.size)));
    for installer in &built.installers {
        report::notice(&format!("beside it: {}", installer.display()));
    }
    report::data(&format!("{}\n", names.join("\n")))
}
