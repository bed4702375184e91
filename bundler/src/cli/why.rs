//! `bundler why`: the reason for an artifact.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::held::Held;
use super::print;
use crate::inspect::why;

/// Says why a package, an image or a file is in the bundle
#[derive(Args)]
pub(super) struct Arguments {
    /// A package (kubelet, kubelet-1.28.2), an image (registry.k8s.io/pause:3.9
    /// or pause), a manifest, a key's fingerprint, installer, a digest, or a title
    /// as `extract --list` shows it
    name: String,
    /// A lock, the spec beside it, or a bundle
    #[arg(default_value = "bundle.yaml.lock.json")]
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let held = Held::open(&arguments.file)?;
    let lock = held.lock();
    let lines = why::reasons(lock, &arguments.name);
    if lines.is_empty() {
        bail!("{}: {}", arguments.file.display(), why::nothing(lock, &arguments.name));
    }
    print::data(&format!("{}\n", lines.join("\n")))
}
