//! `bundler extract`: files out of a bundle.

use std::path::PathBuf;

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use clap::{Args, ValueEnum};

use super::report;
use crate::bundle::extract;

/// Writes files of a bundle into a folder, under readable names
///
/// Images are read from the bundle as it is, by `skopeo copy
/// oci-archive:BUNDLE:NAME` or `ctr images import`.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or its parts
    bundle: PathBuf,
    /// Files by their titles, as --list shows them; all if left out
    titles: Vec<String>,
    /// All files of a kind
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
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Rpms => "rpms/",
            Self::Manifests => "manifests/",
            Self::Keys => "keys/",
            Self::Installers => "installers/",
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bundle = Bundle::open(&arguments.bundle)?;
    let wanted = |title: &String| match arguments.kind {
        Some(kind) => title.starts_with(kind.folder()),
        None => arguments.titles.is_empty() || arguments.titles.contains(title),
    };
    let titles: Vec<&String> = bundle.contents().iter().map(|content| &content.title).collect();
    let unknown: Vec<&str> = arguments
        .titles
        .iter()
        .filter(|title| !titles.contains(title))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        bail!("the bundle has no {}; `--list` shows what it has", unknown.join(", "));
    }
    if arguments.list {
        let lines: String =
            titles.iter().filter(|title| wanted(title)).map(|title| format!("{title}\n")).collect();
        return report::data(&lines);
    }
    let count = extract::extract(&bundle, &arguments.folder, |content| wanted(&content.title))?;
    report::notice(&format!("extracted {count} files to {}", arguments.folder.display()));
    Ok(())
}
