//! `bundler parity`: makes the parity file of a bundle that is there already.

use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use bundle_format::damage::parity;
use bundle_format::damage::plan::Share;
use clap::Args;

use super::document::{PARITY, check_beside};
use super::{print, verify};
use crate::build;

/// Makes the parity file of a bundle: <BUNDLE>.parity beside it, by which bad sectors of a
/// stick are repaired on site
///
/// `bundler build --parity 2%` makes it together with the bundle.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// How much of the bundle it can repair, at most 50%. With 0% it only says what is
    /// damaged
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    parity: Share,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    check(&arguments.bundle)?;
    let bundle = Bundle::open(&arguments.bundle)?;
    // A parity file of damaged bytes would keep the damage.
    verify::whole(&bundle, arguments.quiet)?;
    if !bundle.repairs().is_empty() {
        bail!(
            "the bundle is damaged, and what lies beside it repairs it: keep that, and bring the \
             bundle again, or make a good copy with `installer verify --copy`"
        );
    }
    tell(&arguments.bundle, arguments.parity, arguments.quiet)
}

/// Fails if the parity file of the bundle at `bundle` would replace another kind of file.
pub(super) fn check(bundle: &Path) -> anyhow::Result<()> {
    check_beside(&parity::path_of(bundle), &PARITY)
}

/// Makes the parity file of a verified bundle, and says so.
pub(super) fn tell(bundle: &Path, share: Share, quiet: bool) -> anyhow::Result<()> {
    let path = build::make_parity(bundle, share, quiet)?;
    print::notice(&format!("{}: {}", path.display(), build::parity_words(&path)?));
    print::data(&format!("{}\n", path.display()))
}
