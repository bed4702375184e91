//! `bundler extract`: takes files out of a bundle.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;
use bundle_format::BundlePath;
use bundle_format::archive::reader::Bundle;
use bundle_format::text::count;
use clap::{Args, ValueEnum};

use super::print;
use crate::inspect::extract::{self, Item, What};
use crate::inspect::naming::{self, Thing};
use crate::inspect::why;

/// Writes files and images of a bundle into a folder, under readable names
///
/// An image becomes an OCI archive of its own, which `skopeo copy
/// oci-archive:FILE`, `podman load` and `ctr images import` read. The bundle as
/// it is works too: `ctr images import BUNDLE`, or `skopeo copy
/// oci-archive:BUNDLE:NAME` where the registry serves the image by OCI's types;
/// skopeo passes over docker's types in an archive of several images.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// What to take: titles as --list shows them, or names as `why` takes them
    /// (kubelet, pause, calico, installer); all if left out
    #[arg(value_name = "NAMES")]
    names: Vec<String>,
    /// Take everything of this kind
    #[arg(long, conflicts_with = "names")]
    kind: Option<Kind>,
    /// The folder to write into
    #[arg(short = 'C', long, default_value = ".")]
    folder: PathBuf,
    /// Only print the titles
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Rpms,
    Manifests,
    Keys,
    Installers,
    Images,
    Sbom,
}

impl Kind {
    fn of(what: &What<'_>) -> Self {
        match what {
            What::Image(_) => Self::Images,
            What::File(content) => Self::of_file(&content.path),
        }
    }

    fn of_file(path: &BundlePath) -> Self {
        match path {
            BundlePath::Rpm { .. } | BundlePath::Repodata { .. } => Self::Rpms,
            BundlePath::Manifest { .. }
            | BundlePath::Upstream { .. }
            | BundlePath::Pass { .. }
            | BundlePath::Chart { .. } => Self::Manifests,
            BundlePath::Key { .. } => Self::Keys,
            BundlePath::Installer { .. } => Self::Installers,
            BundlePath::Sbom => Self::Sbom,
            BundlePath::Hop { path, .. } => Self::of_file(path),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bundle = Bundle::open(&arguments.bundle)?;
    let mut items = extract::items(&bundle)?;
    let wanted = titles(&bundle, &items, &arguments.names)?;
    items.retain(|item| match arguments.kind {
        Some(kind) => Kind::of(&item.what) == kind,
        None => arguments.names.is_empty() || wanted.contains(item.title.as_str()),
    });
    if arguments.list {
        let lines: String = items.iter().map(|item| format!("{}\n", item.title)).collect();
        return print::data(&lines);
    }
    extract::extract(&bundle, &arguments.folder, &items)?;
    let (files, folder) = (count(items.len(), "file"), arguments.folder.display());
    print::notice(&format!("extracted {files} to {folder}"));
    Ok(())
}

/// The titles of all things that `names` call: by the title itself, or by another
/// name. The error has all names that nothing has.
fn titles(
    bundle: &Bundle,
    items: &[Item<'_>],
    names: &[String],
) -> anyhow::Result<HashSet<String>> {
    let mut titles = HashSet::new();
    let mut unknown = Vec::new();
    for name in names {
        if items.iter().any(|item| item.title.as_str() == name) {
            titles.insert(name.clone());
            continue;
        }
        let found = naming::find(bundle.lock(), name);
        let mut held: Vec<String> = found.iter().filter_map(Thing::title).collect();
        if found.is_empty()
            && let Some((hop, own)) = naming::hop_with(bundle.lock(), name)
        {
            held = naming::find(&own, name).iter().filter_map(|one| one.title_in(hop)).collect();
        }
        if held.is_empty() {
            unknown.push(match found.first() {
                Some(Thing::OnNodes(target, package)) => format!(
                    "the bundle does not hold {package}: it is already on nodes, by the baseline ({})",
                    target.baseline
                ),
                _ => why::nothing(bundle.lock(), name),
            });
        }
        titles.extend(held);
    }
    if !unknown.is_empty() {
        bail!("{}\n`--list` shows what the bundle has", unknown.join("\n"));
    }
    Ok(titles)
}
