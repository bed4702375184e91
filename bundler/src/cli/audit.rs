//! `bundler audit`: who vouches for what is in a bundle.

use std::path::PathBuf;
use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;
use bundle_format::text::{count, printable};
use clap::Args;
use serde_json::json;

use super::report;
use crate::inspect::audit::{self, Audited, Voucher};

/// Shows who vouches for each thing in a bundle: nobody, the connection by which it came,
/// who made the bundle, or a vendor's key
///
/// It needs no network, and checks the packages' signatures again. What nobody vouches for
/// comes first.
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
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(&arguments.bundle, &keys)?;
    let all = audit::audit(&bundle, SystemTime::now())?;
    let signed = bundle.signed();
    if arguments.json {
        let signed = signed.map(|by| by.key.to_string());
        let shown = json!({"bundle": bundle.lock().name, "index": bundle.index_digest(),
            "signedBy": signed, "audited": all});
        return report::json(&format!("{shown:#}\n"));
    }
    let signed = match signed {
        Some(by) => format!("signed: {by}"),
        None => "not asked for; --trusted-key FILE asks".to_owned(),
    };
    let mut text = format!(
        "bundle     {}\nindex      {}\nsignature  {signed}\n",
        bundle.lock().name,
        bundle.index_digest()
    );
    for part in all.chunk_by(|a, b| title(&a.voucher) == title(&b.voucher)) {
        let Some(first) = part.first() else { continue };
        text += &format!("\n{} ({})\n", title(&first.voucher), count(part.len(), "thing"));
        part.iter().for_each(|one| text += &line(one));
    }
    report::data(&text)
}

/// What the things have in common for which such a one vouches.
fn title(voucher: &Voucher) -> &'static str {
    match voucher {
        Voucher::Nobody(_) => "NOBODY vouches for these",
        Voucher::Connection(_) => {
            "fixed by digest when the lock was made; until then only the connection vouched"
        }
        Voucher::Maker(_) => "from who made the bundle",
        Voucher::SignedList(_) => {
            "in a list that a vendor has signed, which was checked when the lock was made"
        }
        Voucher::Signature(_) => "signed by a vendor, which was checked now",
    }
}

fn line(one: &Audited) -> String {
    let (Voucher::Nobody(words)
    | Voucher::Connection(words)
    | Voucher::Maker(words)
    | Voucher::SignedList(words)
    | Voucher::Signature(words)) = &one.voucher;
    format!("  {}\n    {}\n", printable(&one.what), printable(words))
}
