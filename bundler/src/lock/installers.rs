//! The installers of a bundle: those that the spec names, or the one next to this
//! program.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_INSTALLER;
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{FileKind, FileSource, LockedFile};
use bundle_format::signature::TrustedKeys;
use bundle_format::{Architecture, BundlePath, built_in, input};

use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

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

/// An installer with the spec's trusted keys in its file. Without such keys, it stays as it
/// is.
pub(crate) fn with_keys(file: &SpecFile, program: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut all = String::new();
    for name in &file.spec.trusted_keys {
        let path = file.beside(name);
        let reading = || format!("reading the trusted key {}", path.display());
        let text = input::file_text(&path, input::WRITTEN_BY_HAND).with_context(reading)?;
        if TrustedKeys::parse(&text).with_context(reading)?.is_empty() {
            bail!("{} has no public key of minisign", path.display());
        }
        all += text.trim_end();
        all.push('\n');
    }
    if all.len() > built_in::MOST {
        bail!("`trustedKeys` has more than {} bytes of keys", built_in::MOST);
    }
    let whole = if all.is_empty() {
        built_in::check(&program).map(|()| program)
    } else {
        built_in::with_keys(&program, &all)
    };
    whole.context("copy the installer again")
}

/// The installers, with a warning for each architecture that has none.
pub(crate) fn lock(
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
        let bytes = with_keys(file, bytes)?;
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
