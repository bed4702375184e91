//! `bundler audit`: who vouches for what is in a bundle.

use std::path::PathBuf;
use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::signature::{HOW_TO_ASK, TrustedKeys};
use bundle_format::text::{count, printable};
use clap::Args;
use serde_json::json;

use super::{print, verify};
use crate::inspect::audit::{self, Audit, Audited, By, Ending};

/// Shows who vouches for each thing in a bundle: nobody, the connection by which it came,
/// who made the bundle, or a vendor's key
///
/// It needs no network, reads every byte of the bundle as `bundler verify` does, and checks the
/// packages' signatures again. What nobody vouches for comes first.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// Check first that one of the keys in this file has signed the bundle; repeat the
    /// option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&arguments.bundle, &keys)?.complete()?;
    verify::whole(&bundle, arguments.quiet)?;
    let now = SystemTime::now();
    let audit = audit::audit(&bundle, now)?;
    let (name, index, signed) = (&bundle.lock().name, bundle.index_digest(), bundle.signed());
    if arguments.json {
        let signed = signed.map(|by| by.key.to_string());
        let shown = json!({
            "bundle": name,
            "index": index,
            "signedBy": signed,
            "audited": audit.things,
            "metadata": audit.metadata,
        });
        return print::json(&format!("{shown:#}\n"));
    }
    let signed = match signed {
        Some(by) => format!("signed: {by}"),
        None => format!("not asked for; {HOW_TO_ASK}"),
    };
    let mut text = format!("bundle     {name}\nindex      {index}\nsignature  {signed}\n");
    text += &ending(&audit, now);
    text += &with_sha1(&audit);
    for part in audit.things.chunk_by(|a, b| a.voucher.by == b.voucher.by) {
        let Some(first) = part.first() else { continue };
        text += &format!("\n{} ({})\n", title(first.voucher.by), count(part.len(), "thing"));
        part.iter().for_each(|one| text += &line(one));
    }
    let (metadata, number) = (&audit.metadata, count(audit.metadata.len(), "repository"));
    text += &format!(
        "\nThe repositories' metadata, whose signatures `bundler lock` checked ({number})\n"
    );
    metadata.iter().for_each(|one| text += &line(one));
    print::data(&text)
}

/// The heading above the things with such a voucher.
fn title(by: By) -> &'static str {
    match by {
        By::Nobody => "NOBODY vouches for these",
        By::Connection => {
            "fixed by digest when the lock was made; until then only the connection vouched"
        }
        By::Maker => "from who made the bundle",
        By::SignedList => {
            "listed in metadata that a vendor signed; only `bundler lock` checked that, so whoever \
             edited the lock could name other packages"
        }
        By::Signature => "signed by a vendor, which was checked now",
    }
}

/// The keys that expire while a bundle may still be in use, each with its day, the soonest
/// first.
fn ending(audit: &Audit, now: SystemTime) -> String {
    let keys = audit.ending(now);
    if keys.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\nKeys that end within a year, or have ended. This bundle can still be installed then; `lock` and `build` \
         need the vendor's renewed key\n",
    );
    for Ending { end, key, things } in keys {
        text += &format!("  {end}  {}\n    key {}\n", count(things, "thing"), printable(&key));
    }
    text
}

/// What is signed with SHA-1.
fn with_sha1(audit: &Audit) -> String {
    let all = audit.things.iter().chain(&audit.metadata);
    let weak: Vec<String> = all.filter(|one| one.voucher.sha1).map(line).collect();
    if weak.is_empty() {
        return String::new();
    }
    let number = count(weak.len(), "thing");
    let title = "Signed with SHA-1, which is broken: two contents with one hash can be made";
    format!("\n{title} ({number})\n{}", weak.concat())
}

fn line(one: &Audited) -> String {
    format!("  {}\n    {}\n", printable(&one.what), printable(&one.voucher.words))
}
