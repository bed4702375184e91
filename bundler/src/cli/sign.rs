//! `bundler sign`: signs a bundle that was built.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use super::password::Password;
use super::print;
use crate::signing;

/// Signs a bundle: writes <BUNDLE>.minisig beside it, which signs its index with the
/// digests of all the rest
///
/// Sign what you have checked: `bundler verify` reads every byte, and `bundler inspect`
/// and `bundler diff` show what it is.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// The secret key, as `bundler keygen` or `minisign -G` made it
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    password: Password,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let key = signing::read(&arguments.key, || arguments.password.read())?;
    let signature = signing::sign(&arguments.bundle, &key, SystemTime::now())?;
    print::data(&format!("{}\n", signature.display()))
}
