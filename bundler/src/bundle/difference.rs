//! What changed from one lock to another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Lock;
use bundle_format::text::{count, printable};
use indicatif::HumanBytes;
use serde::Serialize;

use super::fields;

/// What changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Each artifact that is there only now, or no more, or with other bytes.
    pub changes: Vec<Change>,
    /// The bytes of the blobs that only the second has: what a delta would
    /// carry.
    pub delta: u64,
}

/// One artifact that is not the same in both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `rpm el9-x86_64 kubelet`, `image registry.k8s.io/pause:3.9`, ….
    pub what: String,
    /// What it was; none if it was not there.
    pub from: Option<String>,
    /// What it is; none if it is there no more.
    pub to: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            let what = &change.what;
            let line = match (&change.from, &change.to) {
                (None, Some(to)) => format!("+ {what} {to}"),
                (Some(from), None) => format!("- {what} {from}"),
                (Some(from), Some(to)) => format!("~ {what} {from} -> {to}"),
                (None, None) => continue,
            };
            writeln!(f, "{}", printable(&line))?;
        }
        let changes = count(self.changes.len(), "change");
        write!(f, "{changes}, {} of new blobs", HumanBytes(self.delta))
    }
}

/// Compares two locks: by their artifacts, and field by field where those are
/// the same. Two locks that are not equal differ in something.
pub fn of_locks(a: &Lock, b: &Lock) -> Difference {
    let (before, after) = (artifacts(a), artifacts(b));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes: Vec<Change> = names
        .into_iter()
        .map(|name| (name, before.get(name), after.get(name)))
        .filter(|(_, from, to)| from != to)
        .map(|(name, from, to)| Change { what: name.clone(), from: from.cloned(), to: to.cloned() })
        .collect();
    if changes.is_empty() {
        changes = fields::changes(a, b);
    }
    let (held, wanted) = (blobs(a), blobs(b));
    let delta =
        wanted.iter().filter(|(digest, _)| !held.contains_key(*digest)).map(|(_, size)| size).sum();
    Difference { changes, delta }
}

/// Compares two bundles, made-up files such as repodata included.
pub fn of_bundles(a: &Bundle, b: &Bundle) -> Difference {
    let mut difference = of_locks(a.lock(), b.lock());
    let held: BTreeSet<Digest> = blobs(a.lock())
        .into_keys()
        .chain(a.contents().iter().map(|content| content.descriptor.digest))
        .collect();
    let mut wanted = blobs(b.lock());
    wanted.extend(
        b.contents().iter().map(|content| (content.descriptor.digest, content.descriptor.size)),
    );
    difference.delta =
        wanted.iter().filter(|(digest, _)| !held.contains(digest)).map(|(_, size)| size).sum();
    if difference.changes.is_empty() {
        difference.changes = made_up(a, b);
    }
    difference
}

/// What the same lock became by two versions of this program.
fn made_up(a: &Bundle, b: &Bundle) -> Vec<Change> {
    let [before, after] = [a, b].map(|bundle| -> BTreeMap<&str, Digest> {
        let contents = bundle.contents().iter();
        contents.map(|content| (content.title.as_str(), content.descriptor.digest)).collect()
    });
    let titles: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let words = |digest: Option<&Digest>| digest.map(ToString::to_string);
    titles
        .into_iter()
        .map(|title| (title, before.get(title), after.get(title)))
        .filter(|(_, from, to)| from != to)
        .map(|(title, from, to)| Change {
            what: format!("file {title}"),
            from: words(from),
            to: words(to),
        })
        .collect()
}

/// Each artifact by what it is, with the words for its content.
fn artifacts(lock: &Lock) -> BTreeMap<String, String> {
    let mut artifacts = BTreeMap::new();
    let short = |digest: Digest| digest.hex().chars().take(12).collect::<String>();
    artifacts.insert("kubernetes".to_owned(), lock.kubernetes.clone());
    if let Some(containerd) = &lock.containerd {
        artifacts.insert("containerd".to_owned(), containerd.clone());
    }
    if let Some(sandbox) = &lock.sandbox_image {
        artifacts.insert("sandbox image".to_owned(), sandbox.to_string());
    }
    for target in &lock.targets {
        artifacts.insert(format!("baseline {}", target.id), target.baseline.clone());
        for repository in &target.repositories {
            let signed = repository.repomd_signed_by.as_deref().unwrap_or("unsigned");
            artifacts.insert(
                format!("keys of repository {} {}", target.id, repository.id),
                format!("{signed}; {}", repository.keys.join(", ")),
            );
        }
    }
    for rpm in &lock.rpms {
        let what = format!("rpm {} {}.{}", rpm.target, rpm.package.name, rpm.package.arch);
        artifacts.insert(what, format!("{} {}", rpm.package.evr, short(rpm.digest)));
    }
    for image in &lock.images {
        let platforms: Vec<&str> =
            image.platforms.iter().map(|platform| platform.architecture.oci()).collect();
        artifacts.insert(
            format!("image {}", image.name),
            format!("{} {}", short(image.root.digest), platforms.join("+")),
        );
    }
    for manifest in &lock.manifests {
        let words = format!(
            "{} (upstream {})",
            short(manifest.applied.digest),
            short(manifest.upstream.digest)
        );
        artifacts.insert(format!("manifest {}", manifest.name), words);
    }
    for file in &lock.files {
        artifacts.insert(format!("file {}", file.title), short(file.content.digest));
    }
    for (key, value) in lock.cluster.entries() {
        artifacts.insert(format!("cluster {key}"), value.to_string());
    }
    for disabled in &lock.disabled_checks {
        artifacts.insert(
            format!("disabled check {} {}", disabled.check, disabled.subject),
            disabled.reason.clone(),
        );
    }
    artifacts
}

fn blobs(lock: &Lock) -> BTreeMap<Digest, u64> {
    let mut blobs = BTreeMap::new();
    blobs.extend(lock.rpms.iter().map(|rpm| (rpm.digest, rpm.size)));
    for image in &lock.images {
        let documents = std::iter::once(&image.root).chain(&image.unplaced);
        blobs.extend(documents.map(|one| (one.digest, one.size)));
        for platform in &image.platforms {
            let parts = [&platform.manifest, &platform.config].into_iter().chain(&platform.layers);
            blobs.extend(parts.map(|part| (part.digest, part.size)));
        }
    }
    for manifest in &lock.manifests {
        blobs.insert(manifest.applied.digest, manifest.applied.size);
        blobs.insert(manifest.upstream.digest, manifest.upstream.size);
    }
    blobs.extend(lock.files.iter().map(|file| (file.content.digest, file.content.size)));
    blobs
}
