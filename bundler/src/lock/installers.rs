//! The installers of a bundle: those that the spec names, or the one next to this
//! program.

use std::path::PathBuf;

use anyhow::Context;
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{FileKind, FileSource, LockedFile};
use bundle_format::{Architecture, BundlePath};

use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// The largest installer that is read, in bytes. Real ones have a few megabytes.
const MAX_INSTALLER: u64 = 256 << 20;

/// The path of the installer next to this program.
pub(crate) fn beside_bundler() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("installer"))
}

/// The places of the installers: those that the spec names, or the one next to this
/// program.
pub(crate) fn sources(file: &SpecFile) -> Vec<(Architecture, String)> {
    if let Some(listed) = &file.spec.installers {
        return listed
            .iter()
            .map(|installer| (installer.architecture, installer.file.clone()))
            .collect();
    }
    match (beside_bundler(), std::env::consts::ARCH.parse::<Architecture>()) {
        (Ok(path), Ok(own))
            if path.is_file()
                && file.spec.targets.iter().any(|target| target.architecture == own) =>
        {
            vec![(own, path.display().to_string())]
        }
        _ => Vec::new(),
    }
}

/// The installers, with a warning for each architecture that has none.
pub(super) fn lock(
    file: &SpecFile,
    upstreams: &Upstreams,
    architectures: &[Architecture],
) -> anyhow::Result<(Vec<LockedFile>, Vec<String>)> {
    let sources = sources(file);
    let mut installers = Vec::new();
    for (architecture, source) in &sources {
        let bytes = upstreams
            .read(file, source, MAX_INSTALLER)
            .with_context(|| format!("reading the installer for {architecture}"))?;
        let source = match &file.spec.installers {
            Some(_) => FileSource::Named(source.clone()),
            None => FileSource::BesideBundler,
        };
        installers.push(LockedFile {
            kind: FileKind::Installer,
            path: BundlePath::Installer { architecture: *architecture },
            source,
            content: upstreams.keep(FILE_TYPE, &bytes)?,
        });
    }
    let missing = architectures
        .iter()
        .filter(|wanted| !sources.iter().any(|(architecture, _)| architecture == *wanted))
        .map(|architecture| {
            format!(
                "the bundle holds no installer for {architecture}: name one under `installers:`"
            )
        })
        .collect();
    Ok((installers, missing))
}
