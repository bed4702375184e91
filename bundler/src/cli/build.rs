//! `bundler build`: makes the bundle.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::damage::plan::Share;
use bundle_format::text::{count, printable};
use bundle_format::{Lock, layout};
use clap::Args;
use indicatif::HumanBytes;

use super::password::Password;
use super::size::Size;
use super::{bundle_output, lock, lock_file, parity, print, receivers, sign};
use crate::build::{self, Output};
use crate::fetch::cache::Cache;
use crate::fetch::memory::Network;
use crate::fetch::notice::Notices;
use crate::inspect::difference;
use crate::lock as locking;
use crate::signing;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// Makes the bundle of a spec: one tarball, with its checksum and the installer
/// beside it
///
/// The bundle holds what <SPEC>.lock.json lists. If there is no lock, it is made
/// first.
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
    /// The bundle to write; <NAME>.tar in this folder if left out, and <NAME>.delta.tar
    /// with --against or --have
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Leave out what this older bundle has, for who has it already; repeat the option for
    /// more bundles
    #[arg(long, value_name = "OLD")]
    against: Vec<PathBuf>,
    /// Leave out what a site has, by what `installer inventory --blobs` prints there; of
    /// several files, what all of them have
    #[arg(long, value_name = "FILE")]
    have: Vec<PathBuf>,
    /// Fail if upstream differs from the lock, and say in what
    #[arg(long)]
    locked: bool,
    /// Use no network, only the cache
    #[arg(long)]
    offline: bool,
    /// Cut the bundle into parts of at most this size, such as 4GiB-1 for FAT32
    #[arg(long, value_name = "SIZE")]
    split: Option<Size>,
    /// Sign the bundle with this secret key, as `bundler sign` does
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// Make a parity file beside the bundle, by which so much of it can be repaired on site:
    /// 2% is enough for some bad sectors of a stick
    #[arg(long, value_name = "SHARE")]
    parity: Option<Share>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = &SpecFile::read(&arguments.spec)?;
    let path = place(arguments, file)?;
    let had = &receivers::had(&arguments.against, &arguments.have)?;
    // Before anything is fetched: its password may be asked for.
    let key = arguments.sign.as_ref();
    let key = key.map(|key| signing::read(key, || arguments.password.read())).transpose()?;
    let network = if arguments.offline { Network::Off } else { Network::On };
    let notices = Notices::new(arguments.quiet);
    let upstreams = &Upstreams::new(network, file, Cache::of_user()?, &notices)?;
    let lock_path = &lock_file::path_of(&file.path);
    let lock = &lock_of(arguments, file, lock_path, upstreams)?;
    if arguments.locked {
        refuse_drift(file, lock, lock_path, upstreams)?;
    }
    let output = Output { path, split: arguments.split.map(|size| size.0) };
    let (now, quiet) = (SystemTime::now(), arguments.quiet);
    let task = build::Task { file, lock, lock_path, upstreams, had, now, quiet };
    let built = build::build(&task, &output)?;
    let names: Vec<String> =
        built.files.iter().map(|path| printable(&path.display().to_string())).collect();
    let blobs = count(built.blobs, "blob");
    let verified = format!("verified {blobs}, {}", HumanBytes(built.size));
    print::notice(&match built.is_new {
        true => verified,
        false => format!("the bundle is there already: {verified}"),
    });
    if !(arguments.against.is_empty() && arguments.have.is_empty()) {
        print::notice(&receivers::left_out(&built.absent));
    }
    for installer in &built.installers {
        print::notice(&format!("beside it: {}", installer.display()));
    }
    print::data(&format!("{}\n", names.join("\n")))?;
    if let Some(share) = arguments.parity {
        parity::tell(&output.path, share, quiet)?;
    } else if let Some(old) = build::strange_parity(&output.path) {
        print::notice(&format!(
            "{} is of another bundle, and does not count: make it again with `bundler parity`",
            old.display()
        ));
    }
    if let Some(key) = key {
        let path = &output.path;
        let bundle = Bundle::open(path)?;
        return sign::tell(&signing::sign(&bundle, path, &key, SystemTime::now())?);
    }
    if let Some(old) = signing::outdated(&output.path, layout::describe_lock(lock)?.digest) {
        print::notice(&format!(
            "{} is the signature of another bundle: sign this one with `bundler sign`",
            old.display()
        ));
    }
    Ok(())
}

/// Where the bundle is written, with what is to lie beside it.
fn place(arguments: &Arguments, file: &SpecFile) -> anyhow::Result<PathBuf> {
    let named = arguments.output.clone();
    let is_whole = arguments.against.is_empty() && arguments.have.is_empty();
    let end = if is_whole { "tar" } else { "delta.tar" };
    let path = named.unwrap_or_else(|| PathBuf::from(format!("{}.{end}", file.spec.name)));
    let path = bundle_output::place(&path, &arguments.against)?;
    if arguments.parity.is_some() {
        parity::check(&path)?;
    }
    if arguments.sign.is_some() {
        sign::check(&path)?;
    }
    Ok(path)
}

/// The lock beside the spec. It is made first if it is missing.
fn lock_of(
    arguments: &Arguments,
    file: &SpecFile,
    path: &Path,
    upstreams: &Upstreams,
) -> anyhow::Result<Lock> {
    if !path.exists() && arguments.locked {
        bail!("--locked: there is no {}: run `bundler lock`", path.display());
    }
    if !path.exists() {
        return lock::make(file, upstreams);
    }
    let lock = lock_file::read(path)?;
    if lock.spec != file.digest {
        bail!(
            "{} was changed after {} was made: run `bundler lock` and look at what it changes",
            file.path.display(),
            path.display()
        );
    }
    Ok(lock)
}

/// Fails if the lock would be different today.
fn refuse_drift(
    file: &SpecFile,
    lock: &Lock,
    path: &Path,
    upstreams: &Upstreams,
) -> anyhow::Result<()> {
    // Check these before upstream is asked.
    build::check_local_files(file, lock)?;
    let now = SystemTime::now();
    let today = locking::resolve(&locking::Task { file, kept: None, upstreams, now })
        .with_context(|| format!("locking {} again", file.path.display()))?;
    if today != *lock {
        bail!(
            "--locked: upstream differs from {}:\n{}",
            path.display(),
            difference::of_locks(lock, &today)
        );
    }
    Ok(())
}
