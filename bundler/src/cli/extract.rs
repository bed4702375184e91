//! `bundler extract`: files out of a bundle.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use clap::{Args, ValueEnum};

use super::report;
use crate::bundle::extract;

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
    /// Files and images by their titles, as --list shows them; all if left out
    titles: Vec<String>,
    /// Everything of a kind
    #[arg(long, conflicts_with = "titles")]
    kind: Option<Kind>,
    /// The folder
    #[arg(short = 'C', long, default_value = ".")]
    folder: PathBuf,
    /// Only print the titles
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Rpms,
    Manifests,
    Keys,
    Installers,
    Images,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Rpms => "rpms/",
            Self::Manifests => "manifests/",
            Self::Keys => "keys/",
            Self::Installers => "installers/",
            Self::Images => "images/",
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bundle = Bundle::open(&arguments.bundle)?;
    let mut items = extract::items(&bundle)?;
    let titles: HashSet<&str> = items.iter().map(|item| item.title.as_str()).collect();
    let wanted: HashSet<&str> = arguments.titles.iter().map(String::as_str).collect();
    let mut unknown: Vec<&str> = wanted.difference(&titles).copied().collect();
    unknown.sort_unstable();
    if !unknown.is_empty() {
        bail!("the bundle has no {}; `--list` shows what it has", unknown.join(", "));
    }
    items.retain(|item| match arguments.kind {
        Some(kind) => item.title.starts_with(kind.folder()),
        None => wanted.is_empty() || wanted.contains(item.title.as_str()),
    });
    if arguments.list {
        let lines: String = items.iter().map(|item| format!("{}\n", item.title)).collect();
        return report::data(&lines);
    }
    extract::extract(&bundle, &arguments.folder, &items)?;
    let s = if items.len() == 1 { "" } else { "s" };
    let folder = arguments.folder.display();
    report::notice(&format!("extracted {} file{s} to {folder}", items.len()));
    Ok(())
}
