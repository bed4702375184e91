//! A spec's manifests: each is fetched, checked against its digest, patched, and
//! searched for images.

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::bounds::MAX_YAML;
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{LockedFile, LockedManifest, Why};

use super::applied::Applied;
use super::render;
use super::task::Task;
use crate::libyaml::document::File;
use crate::manifest::discovery::{Discovery, Found};
use crate::page;
use crate::spec::Manifest;

/// A manifest's part of the lock.
pub(super) struct Locked {
    pub(super) manifest: LockedManifest,
    /// Its text with all patches, as kubectl reads it.
    pub(super) file: File,
    pub(super) found: Vec<Found>,
    /// The chart that it was made of, if it is of one.
    pub(super) chart: Option<LockedFile>,
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// The reason for an image that the manifest `manifest` names.
    pub(super) fn why(&self, manifest: &str) -> Why {
        Why::Manifest {
            manifest: manifest.to_owned(),
            document: self.document.clone(),
            path: self.path.clone(),
        }
    }
}

/// Reads a manifest, and makes its entry in the lock.
pub(super) fn lock(task: &Task<'_>, manifest: &Manifest) -> anyhow::Result<Locked> {
    let source = manifest.source();
    let rendered = render::render(task, manifest)?;
    let text = match &rendered {
        Some(rendered) => rendered.text.clone(),
        None => read(task, manifest, source)?,
    };
    let applied = Applied::new(manifest, &text)?;
    let mut warnings = doubts(manifest, &text, &applied.discovery);
    if let Some(rendered) = &rendered {
        warnings.extend(rendered.warning.clone());
        warnings.extend(render::remark(&manifest.name, &applied.file));
    }
    warnings.extend(remarks(&manifest.name, &applied.discovery));
    let images = applied.images();
    let locked = LockedManifest {
        name: manifest.name.clone(),
        source: source.to_owned(),
        rendered: rendered.as_ref().map(|rendered| rendered.by.clone()),
        upstream: task.upstreams.keep(YAML_TYPE, text.as_bytes())?,
        applied: task.upstreams.keep(YAML_TYPE, applied.text.as_bytes())?,
        passes: applied.keep_passes(task.upstreams)?,
        expects: applied.expects(),
        patches: applied.edits,
        images,
    };
    let mut found = applied.discovery.found;
    found.retain(|found| locked.images.contains(&found.image));
    let chart = rendered.and_then(|rendered| rendered.chart);
    Ok(Locked { manifest: locked, file: applied.file, found, chart, warnings })
}

/// Upstream's text. Fails if the spec gives another digest.
fn read(task: &Task<'_>, manifest: &Manifest, source: &str) -> anyhow::Result<String> {
    let bytes = match task.kept.and_then(|kept| kept.manifest(&manifest.name, source)) {
        Some(locked) => as_locked(task, locked)?,
        None => task.upstreams.read(task.file, source, MAX_YAML)?,
    };
    let digest = Digest::of(&bytes);
    if let Some(wanted) = &manifest.sha256
        && *wanted != digest.hex()
    {
        bail!(
            "{source} has the sha256 {}, but the spec says {wanted}: upstream or somebody on the \
             way changed the file",
            digest.hex()
        );
    }
    if let Some(what) = page::instead(&bytes) {
        bail!("{source} gave {what} instead of Kubernetes YAML: {}", page::advice(source));
    }
    String::from_utf8(bytes).with_context(|| {
        format!("{source} is not UTF-8: save it as UTF-8, or name a URL that gives the file itself")
    })
}

/// The bytes of a manifest that stays as it is locked: from the cache, or from
/// upstream if upstream still has the same bytes.
fn as_locked(task: &Task<'_>, locked: &LockedManifest) -> anyhow::Result<Vec<u8>> {
    let (name, source) = (&locked.name, &locked.source);
    if let Ok(bytes) = task.upstreams.cache.document(&locked.upstream) {
        return Ok(bytes);
    }
    let bytes = task.upstreams.read(task.file, source, MAX_YAML)?;
    if Digest::of(&bytes) != locked.upstream.digest {
        bail!(
            "{source} has changed since the lock was made, and the cache no longer has the locked \
             text: upgrade this manifest too, with `--upgrade {name}`"
        );
    }
    Ok(bytes)
}

/// What a person should check in a manifest.
fn remarks(name: &str, discovery: &Discovery) -> Vec<String> {
    let guesses = discovery.guesses.iter().map(|guess| {
        format!(
            "manifest {name}, line {}: `{}` may be an image ({}); list it under `images:` if it is",
            guess.line, guess.text, guess.why
        )
    });
    let pulls_always = discovery.pulls_always.first().map(|line| {
        format!(
            "manifest {name}, line {line}: `imagePullPolicy: Always` asks a registry at every \
             start, but an air-gapped node cannot reach one: patch it with `pullPolicy: \
             IfNotPresent`"
        )
    });
    guesses.chain(pulls_always).collect()
}

/// Signs that a file was cut off. Such a file is often valid YAML, so this matters if
/// the spec gives no digest.
fn doubts(manifest: &Manifest, text: &str, discovery: &Discovery) -> Vec<String> {
    if manifest.url.is_none() || manifest.sha256.is_some() {
        return Vec::new();
    }
    let name = &manifest.name;
    let mut doubts = Vec::new();
    if !text.ends_with('\n') {
        doubts.push(format!(
            "manifest {name} ends in the middle of a line, so it may be cut short: compare it \
             with its publisher's own, and pin it by `sha256`"
        ));
    }
    if discovery.found.is_empty() {
        doubts.push(format!(
            "manifest {name} names no image, so it may be cut short: pin it by `sha256` if it \
             needs none"
        ));
    }
    doubts
}
