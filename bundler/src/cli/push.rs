//! `bundler push`: puts a bundle into a registry.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;
use bundle_format::text::count;
use clap::Args;
use indicatif::HumanBytes;

use super::print;
use super::reach::ReachOptions;
use crate::fetch::cache::Cache;
use crate::fetch::notice::Notices;
use crate::site::push::{self, Pushed};
use crate::site::{Address, Mirror, Site, Tally, Task};

/// Pushes a bundle to a registry, where `bundler pull` gets the same file again
///
/// Only what the registry lacks is sent, and a push that was interrupted goes on. Its
/// signature, if there is one beside it, and its software bill of materials go with it.
/// Logins are those of `docker login` and `podman login`.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// Where it goes: oci://HOST/REPOSITORY:TAG
    #[arg(value_name = "oci://HOST/REPOSITORY:TAG")]
    address: Address,
    /// Push each image under a name of its own too, from which nodes can pull it:
    /// HOST/PATH/<its registry>/<its repository>:<its tag>
    #[arg(long, value_name = "HOST/PATH")]
    images_to: Option<Mirror>,
    /// Replace tags that name something else
    #[arg(long)]
    replace: bool,
    /// Check first that one of the keys in this file has signed the bundle; repeat the
    /// option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    #[command(flatten)]
    reach: ReachOptions,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { bundle: path, address, images_to, replace, quiet, .. } = arguments;
    let keys = TrustedKeys::read(&arguments.trusted_key)?;
    let bundle = Bundle::open_trusted(path, &keys)?.complete()?;
    let notices = Notices::new(*quiet);
    let hosts: Vec<&str> =
        std::iter::once(address.host()).chain(images_to.iter().map(Mirror::host)).collect();
    let site = Site::new(&hosts, &arguments.reach.reach(), &notices)?;
    let pushed = push::push(&Task {
        bundle: &bundle,
        path,
        address,
        site: &site,
        mirror: images_to.as_ref(),
        replace: *replace,
        cache: &Cache::of_user()?.telling(&notices),
        quiet: *quiet,
    })?;
    let Pushed { manifest, tally, images, remarks } = &pushed;
    print::notice(&words("the bundle", tally));
    if let Some(images) = images {
        print::notice(&words("its images", images));
    }
    for remark in remarks {
        print::notice(remark);
    }
    print::data(&format!("{address}@{manifest}\n"))
}

/// `the bundle: 12 blobs sent (20 MiB), 3 mounted, 74 were there`.
fn words(what: &str, tally: &Tally) -> String {
    if tally.is_nothing() {
        return format!("{what}: nothing to do, all is there");
    }
    let Tally { there, mounted, sent, bytes, .. } = tally;
    let mounted = match mounted {
        0 => String::new(),
        _ => format!(", {mounted} taken from another repository"),
    };
    format!(
        "{what}: {} sent ({}){mounted}, {there} there before",
        count(*sent, "blob"),
        HumanBytes(*bytes)
    )
}
