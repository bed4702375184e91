//! `bundler sign`: signs a bundle that was built.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::signature;
use clap::Args;

use super::document::{SIGNATURE, check_beside};
use super::password::Password;
use super::{print, verify};
use crate::inspect::image_signatures;
use crate::signing::{self, Written};

/// Signs a bundle: writes <BUNDLE>.minisig beside it, which signs its index with the
/// digests of all the rest
///
/// A bundle has one signature only. If there is one already, it is replaced, and this says whose
/// it was.
///
/// It reads every byte first, as `bundler verify` does, and does not sign what is damaged.
/// Sign what you know: `bundler report`, `bundler inspect` and `bundler diff` show what it is.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// The secret key, as `bundler keygen` or `minisign -G` made it
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    password: Password,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    check(&arguments.bundle)?;
    let key = signing::read(&arguments.key, || arguments.password.read())?;
    let path = &arguments.bundle;
    let bundle = Bundle::open(path)?;
    let found = verify::whole(&bundle, arguments.quiet)?;
    image_signatures::check(bundle.lock())?;
    if let Some(lack) = found.lack() {
        print::notice(&format!("{lack}\nthe signature is over their digests too"));
    }
    tell(&signing::sign(&bundle, path, &key, SystemTime::now())?)
}

/// Fails if the signature of the bundle at `bundle` would replace another kind of file.
pub(super) fn check(bundle: &Path) -> anyhow::Result<()> {
    check_beside(&signature::path_of(bundle), &SIGNATURE)
}

/// Says which signature was written, and which one it replaced.
pub(super) fn tell(written: &Written) -> anyhow::Result<()> {
    if let Some(replaced) = &written.replaced {
        print::notice(replaced);
    }
    print::data(&format!("{}\n", written.path.display()))
}
