//! Files that a spec names: keys, installers, manifests beside it or behind a
//! URL.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{Descriptor, FileKind, FileSource, LockedFile};
use bundle_format::{Architecture, BundlePath};
use url::Url;

use super::Upstreams;
use crate::fetch;
use crate::spec::SpecFile;

/// The URL of what the spec names: a URL as it is, or a file beside the spec.
pub fn location(file: &SpecFile, text: &str) -> anyhow::Result<Url> {
    if text.contains("://") {
        return Url::parse(text).with_context(|| format!("reading the URL {text}"));
    }
    let path = std::path::absolute(file.beside(text)).with_context(|| format!("finding {text}"))?;
    match Url::from_file_path(&path) {
        Ok(url) => Ok(url),
        Err(()) => bail!("{} cannot be written as a URL", path.display()),
    }
}

/// The bytes of what the spec names, at most `limit` of them.
pub fn read_location(
    file: &SpecFile,
    upstreams: &Upstreams,
    text: &str,
    limit: u64,
) -> anyhow::Result<Vec<u8>> {
    let url = location(file, text)?;
    Ok(fetch::bytes(&*upstreams.client, &url, limit)?)
}

/// Keeps the bytes of a file and describes it.
pub(super) fn keep(
    upstreams: &Upstreams,
    kind: FileKind,
    path: BundlePath,
    source: FileSource,
    bytes: &[u8],
) -> anyhow::Result<LockedFile> {
    let digest = upstreams.cache.insert(bytes)?;
    let content = Descriptor { media_type: FILE_TYPE.to_owned(), digest, size: bytes.len() as u64 };
    Ok(LockedFile { kind, path, source, content })
}

/// Where an installer lies beside this program.
pub(crate) fn beside_bundler() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("installer"))
}

/// Where the installers are: those of the spec, or the one beside this program.
pub(crate) fn installer_sources(file: &SpecFile) -> Vec<(Architecture, String)> {
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

/// The installers, and a warning for each architecture that has none.
pub(super) fn installers(
    file: &SpecFile,
    upstreams: &Upstreams,
    architectures: &[Architecture],
) -> anyhow::Result<(Vec<LockedFile>, Vec<String>)> {
    /// An installer has a few megabytes.
    const MAX_INSTALLER: u64 = 256 << 20;
    let sources = installer_sources(file);
    let mut installers = Vec::new();
    for (architecture, source) in &sources {
        let bytes = read_location(file, upstreams, source, MAX_INSTALLER)
            .with_context(|| format!("reading the installer for {architecture}"))?;
        let path = BundlePath::Installer { architecture: *architecture };
        let source = match &file.spec.installers {
            Some(_) => FileSource::Named(source.clone()),
            None => FileSource::BesideBundler,
        };
        installers.push(keep(upstreams, FileKind::Installer, path, source, &bytes)?);
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
