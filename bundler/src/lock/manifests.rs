//! A spec's manifests: fetched, pinned, patched, and read for images.

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_YAML;
use bundle_format::cluster::Conflict;
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{Aspect, Descriptor, Edit, LockedManifest, LockedPass, Why};
use bundle_format::{Digest, ImageReference};

use super::{Kept, Upstreams, files};
use crate::libyaml::document::{self, File};
use crate::manifest::check::{self, Provided, Subject};
use crate::manifest::discovery::{Discovery, Found, discover_in};
use crate::manifest::expectation::expectations;
use crate::manifest::passes::{Pass, passes};
use crate::manifest::patch;
use crate::page;
use crate::spec::{Manifest, Spec, SpecFile};

/// A manifest's part of the lock.
pub(super) struct Locked {
    pub(super) manifest: LockedManifest,
    /// What it says, patches and all.
    pub(super) file: File,
    pub(super) found: Vec<Found>,
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// The reason for an image that the manifest called `manifest` names.
    pub(super) fn why(&self, manifest: &str) -> Why {
        Why::Manifest {
            manifest: manifest.to_owned(),
            document: self.document.clone(),
            path: self.path.clone(),
        }
    }
}

pub(super) fn lock(
    kept: Option<&Kept<'_>>,
    file: &SpecFile,
    manifest: &Manifest,
    upstreams: &Upstreams,
) -> anyhow::Result<Locked> {
    let source = manifest.url.as_deref().or(manifest.file.as_deref()).unwrap_or_default();
    let bytes = match kept.and_then(|kept| kept.manifest(&manifest.name, source)) {
        Some(locked) => as_locked(file, locked, upstreams)?,
        None => files::read_location(file, upstreams, source, MAX_YAML)?,
    };
    let digest = Digest::of(&bytes);
    if let Some(wanted) = &manifest.sha256
        && *wanted != digest.hex()
    {
        bail!(
            "{source} has the sha256 {}, and the spec says {wanted}: upstream changed it, or somebody on the way did",
            digest.hex()
        );
    }
    if let Some(what) = page::instead(&bytes) {
        bail!("{source} gave {what} in place of Kubernetes YAML: {}", page::advice(source));
    }
    let text = String::from_utf8(bytes).with_context(|| {
        format!("{source} is not UTF-8: save it as UTF-8, or name a URL that gives the file itself")
    })?;
    let (applied, patches) =
        apply_patches(manifest, &text).map_err(|error| of_template(error, &text))?;
    let read = document::read(&manifest.name, &applied)
        .map_err(|error| of_template(error.into(), &text))?;
    let discovery = discover_in(&read);
    let mut warnings = doubts(manifest, &text, &discovery);
    for guess in &discovery.guesses {
        warnings.push(format!(
            "manifest {}, line {}: `{}` may be an image ({}); list it under `images:` if it is",
            manifest.name, guess.line, guess.text, guess.why
        ));
    }
    if let Some(line) = discovery.pulls_always.first() {
        warnings.push(format!(
            "manifest {}, line {line}: `imagePullPolicy: Always` asks a registry at every start, and an air-gapped node has none: patch it with `pullPolicy: IfNotPresent`",
            manifest.name
        ));
    }
    let images = images_of(manifest, &discovery);
    let found: Vec<Found> =
        discovery.found.into_iter().filter(|found| images.contains(&found.image)).collect();
    let manifest = LockedManifest {
        name: manifest.name.clone(),
        source: source.to_owned(),
        upstream: described(upstreams, &text)?,
        applied: described(upstreams, &applied)?,
        patches,
        images,
        passes: keep_passes(upstreams, &read, &applied)?,
        expects: expectations(&read),
    };
    Ok(Locked { manifest, file: read, found, warnings })
}

/// The bytes of a manifest that stays: those of the cache, or upstream's if they are the
/// same still.
fn as_locked(
    file: &SpecFile,
    locked: &LockedManifest,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<u8>> {
    let (name, source) = (&locked.name, &locked.source);
    if let Ok(bytes) = upstreams.cache.document(&locked.upstream) {
        return Ok(bytes);
    }
    let bytes = files::read_location(file, upstreams, source, MAX_YAML)?;
    if Digest::of(&bytes) != locked.upstream.digest {
        bail!(
            "{source} has changed since the lock was made, and the cache no longer has the locked \
             text: move this manifest too, with `--upgrade {name}`"
        );
    }
    Ok(bytes)
}

/// What the cluster will refuse of the manifests that could be read.
pub(super) fn refused(spec: &Spec, locked: &[(LockedManifest, File)]) -> Vec<String> {
    let subjects: Vec<Subject<'_>> =
        locked.iter().map(|(manifest, file)| Subject { name: &manifest.name, file }).collect();
    let provided = Provided {
        kinds: spec.provided.kinds.iter().cloned().collect(),
        namespaces: spec.provided.namespaces.iter().cloned().collect(),
        is_incomplete: locked.len() < spec.manifests.len(),
    };
    check::problems(&subjects, spec.kubernetes.version.value.minor(), &provided)
}

/// What the manifests expect of the cluster, and the spec's cluster file says otherwise.
/// A pool of a patch is held to it with the spec.
pub(super) fn unmet(spec: &Spec, manifests: &[LockedManifest]) -> Vec<String> {
    let cluster = spec.cluster.cluster();
    let of = |manifest: &LockedManifest| {
        let is_patched = manifest.patches.iter().any(|edit| edit.patch == "poolCidr");
        let expects = manifest.expects.iter().filter(|one| {
            !(is_patched && matches!(one.of, Aspect::PodAddresses | Aspect::PodNetwork))
        });
        let conflicts = expects.filter_map(|one| one.conflict(cluster));
        let words = |conflict: Conflict| {
            format!(
                "manifest {}: {conflict}, unless a site sets another: {}",
                manifest.name,
                conflict.cure()
            )
        };
        conflicts.map(words).collect::<Vec<_>>()
    };
    let is_applied = |one: &&LockedManifest| !cluster.skip_manifests.contains(&one.name);
    manifests.iter().filter(is_applied).flat_map(of).collect()
}

/// What a file that was cut off looks like, where nothing says what it has to
/// be: such a file is often whole YAML.
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

/// A template that nobody filled in is seldom YAML.
fn of_template(error: anyhow::Error, text: &str) -> anyhow::Error {
    match text.contains("{{") {
        true => error.context(format!(
            "it is not YAML, and has `{{{{`: if it is a template of a Helm chart, {}",
            check::RENDER
        )),
        false => error,
    }
}

/// The parts in which a manifest with this text is applied, kept in the cache.
pub fn keep_passes(
    upstreams: &Upstreams,
    file: &File,
    text: &str,
) -> anyhow::Result<Vec<LockedPass>> {
    let keep = |pass: Pass| {
        Ok(LockedPass {
            content: described(upstreams, &pass.text)?,
            defines_kinds: pass.defines_kinds,
            by_server: pass.by_server,
        })
    };
    passes(file, text).into_iter().map(keep).collect()
}

/// The images that the manifest needs, sorted: those that were discovered in it
/// but what the spec ignores.
pub fn images_of(manifest: &Manifest, discovery: &Discovery) -> Vec<ImageReference> {
    let ignored = &manifest.ignore_images;
    let found = discovery.found.iter().map(|found| &found.image);
    let mut images: Vec<_> = found.filter(|image| !ignored.contains(image)).cloned().collect();
    images.sort();
    images.dedup();
    images
}

/// The manifest's text with the spec's patches, and what they changed.
pub fn apply_patches(manifest: &Manifest, text: &str) -> anyhow::Result<(String, Vec<Edit>)> {
    Ok(patch::apply(&manifest.patches, &manifest.name, text)?)
}

fn described(upstreams: &Upstreams, text: &str) -> anyhow::Result<Descriptor> {
    let digest = upstreams.cache.insert(text.as_bytes())?;
    Ok(Descriptor { media_type: YAML_TYPE.to_owned(), digest, size: text.len() as u64 })
}
