//! `bundler verify`: checks every byte of a bundle.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::{self, Verification};
use bundle_format::signature::{HOW_TO_ASK, NOT_ASKED, TrustedKeys};
use bundle_format::text::count;
use clap::Args;
use indicatif::HumanBytes;

use super::print;
use crate::inspect::image_signatures;
use crate::progress::Progress;

/// Checks every byte of a bundle, and names everything that is damaged
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    #[arg(required_unless_present = "named", conflicts_with = "named")]
    bundle: Option<PathBuf>,
    /// The same as BUNDLE, as an option like the installer's; repeat it for bundles that
    /// have what a delta lacks
    #[arg(long = "bundle", value_name = "FILE")]
    named: Vec<PathBuf>,
    /// Check first that one of the keys in this file has signed it. Repeat the option for more
    /// files: one of all their keys must have signed. No other keys count here, also none in
    /// /etc/kubeferry/trusted.pub
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // clap makes sure that one of them is given.
    let mut paths = arguments.bundle.iter().chain(&arguments.named).cloned();
    let path = paths.next().context("name the bundle")?;
    let others: Vec<PathBuf> = paths.collect();
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&path, &keys)?.with_others(&others)?;
    let found = whole(&bundle, arguments.quiet)?;
    let signers = image_signatures::check(bundle.lock())?;
    let by = |(signer, images)| format!("{} signed {signer}\n", count(images, "image"));
    let images: String = signers.into_iter().map(by).collect();
    let lack = found.lack().map(|lack| format!("{lack}\n")).unwrap_or_default();
    let signed = bundle.signed().map(|by| format!("signed: {by}\n")).unwrap_or_default();
    if bundle.signed().is_none() {
        print::notice(&format!("{NOT_ASKED}; {HOW_TO_ASK}"));
    }
    print::data(&format!(
        "{signed}{images}good: {}, {}, index {}\n{lack}",
        count(found.blobs, "blob"),
        HumanBytes(found.bytes),
        bundle.index_digest()
    ))
}

/// Reads the whole bundle. The error names everything that is damaged.
pub(super) fn whole(bundle: &Bundle, quiet: bool) -> anyhow::Result<Verification> {
    let progress = Progress::new("verifying", bundle.length(), quiet);
    let verification = verify::verify(bundle, |count| progress.add("", count));
    progress.finish();
    if let Some(report) = verification.report() {
        let repairs = bundle.repairs().into_iter().map(|repairs| format!("\n{repairs}"));
        bail!("{report}{}", repairs.collect::<String>());
    }
    for repairs in bundle.repairs() {
        print::notice(&format!("{repairs}; bring the bundle again from where it was made"));
    }
    bundle.passed_over().iter().for_each(|words| print::notice(words));
    Ok(verification)
}
