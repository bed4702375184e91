//! The content of a lock, in the order in which a person should read changes:
//! settings, packages, images, manifests, other files, warnings.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bundle_format::Digest;
use bundle_format::day::day;
use bundle_format::lock::{
    Descriptor, FileKind, Lock, LockedFile, LockedHop, LockedImage, LockedManifest, LockedRpm,
    LockedSignature, LockedTarget,
};

use super::subject::{Kind, Subject};
use super::texts::Texts;
use crate::rpm::key::Keyring;

/// All versions of each artifact.
pub(super) type Artifacts = BTreeMap<Subject, BTreeMap<String, Artifact>>;

/// One version of an artifact.
#[derive(Clone, Debug, Default)]
pub(super) struct Artifact {
    /// What distinguishes it from another artifact of the same version.
    pub(super) exact: String,
    /// Its full name and its bytes, if its version should mean the same bytes for ever.
    pub(super) fixed: Option<(String, Digest)>,
    /// Texts that are compared line by line, the best first, each with its source
    /// in the lock.
    pub(super) texts: Vec<(Descriptor, String)>,
}

/// The artifacts of a lock; empty without a lock.
pub(super) fn of(lock: Option<&Lock>, texts: &Texts<'_>) -> Artifacts {
    let mut found = Found(Artifacts::new());
    let Some(lock) = lock else { return found.0 };
    for off in &lock.disabled_checks {
        let what = format!("disabled check {} {}", off.check, off.subject);
        found.add(Kind::Check, what, &off.reason, "");
    }
    found.add(Kind::Release, "kubernetes", lock.kubernetes.as_str(), "");
    for hop in &lock.hops {
        let minor = hop.kubernetes.minor();
        let subject =
            Subject { of_hop: true, ..Subject::new(Kind::Release, format!("hop 1.{minor}")) };
        found.put(subject, hop.kubernetes.to_string(), Artifact::default());
        found.hop(lock, hop);
    }
    if let Some(containerd) = &lock.containerd {
        found.add(Kind::Release, "containerd", containerd, "");
    }
    if let Some(sandbox) = &lock.sandbox_image {
        found.add(Kind::Release, "sandbox image", &sandbox.to_string(), "");
    }
    lock.targets.iter().for_each(|target| found.target(target));
    for (key, value) in lock.cluster.entries() {
        found.add(Kind::Cluster, format!("cluster {key}"), &value.to_string(), "");
    }
    lock.rpms.iter().for_each(|rpm| found.package(rpm));
    lock.images.iter().for_each(|image| found.image(image));
    lock.manifests.iter().for_each(|manifest| found.manifest(manifest));
    lock.files.iter().for_each(|file| found.file(file, texts));
    for input in &lock.inputs {
        found.add(Kind::File, format!("local file {}", input.path), &short(input.digest), "");
    }
    for warning in &lock.warnings {
        found.add(Kind::Warning, "warning", warning, "");
    }
    found.0
}

struct Found(Artifacts);

impl Found {
    fn add(&mut self, kind: Kind, what: impl Into<String>, version: &str, exact: &str) {
        let artifact = Artifact { exact: exact.to_owned(), ..Artifact::default() };
        self.put(Subject::new(kind, what), version.to_owned(), artifact);
    }

    fn put(&mut self, subject: Subject, version: String, artifact: Artifact) {
        self.0.entry(subject).or_default().insert(version, artifact);
    }

    fn target(&mut self, target: &LockedTarget) {
        let id = &target.id;
        self.add(Kind::Target, format!("baseline {id}"), &target.baseline, "");
        for system in &target.systems {
            self.add(Kind::Target, format!("match {id}"), &system.to_string(), "");
        }
        if target.module_hotfixes {
            self.add(Kind::Target, format!("module hotfixes {id}"), "on", "");
        }
        for repository in &target.repositories {
            let what = format!("repository {id} {}", repository.id);
            self.add(Kind::Repository, what, repository.base_url.as_str(), "");
            let what = format!("revision of repository {id} {}", repository.id);
            let digest = short(repository.repomd);
            match &repository.revision {
                Some(revision) => self.add(Kind::Repository, what, revision, &digest),
                None => self.add(Kind::Repository, what, &digest, ""),
            }
            let what = format!("signer of repository {id} {}", repository.id);
            let signer = repository
                .repomd_signed_by
                .as_deref()
                .unwrap_or("not checked, because repoGpgcheck is off");
            self.add(Kind::Repository, what, signer, "");
            let what = format!("keys of repository {id} {}", repository.id);
            let keys = match repository.keys.as_slice() {
                [] => "none for its packages, because gpgcheck is off".to_owned(),
                keys => keys.join(", "),
            };
            self.add(Kind::Repository, what, &keys, "");
        }
    }

    /// What only this hop has.
    fn hop(&mut self, lock: &Lock, hop: &LockedHop) {
        let (mut found, mut last) = (Self(Artifacts::new()), Self(Artifacts::new()));
        let own = lock.own_of_hop(hop);
        own.targets.iter().for_each(|target| found.target(target));
        lock.targets.iter().for_each(|target| last.target(target));
        own.rpms.iter().for_each(|rpm| found.package(rpm));
        own.images.iter().for_each(|image| found.image(image));
        own.files.iter().for_each(|file| found.file(file, &Texts::default()));
        for (subject, mut versions) in found.0 {
            // Only targets are alike here: all else that is alike is not in `own`.
            let same = last.0.get(&subject);
            versions.retain(|version, own| {
                same.and_then(|same| same.get(version)).is_none_or(|same| same.exact != own.exact)
            });
            if !versions.is_empty() {
                let what = format!("hop 1.{} {}", hop.kubernetes.minor(), subject.what);
                self.0.insert(Subject { what, of_hop: true, ..subject }, versions);
            }
        }
    }

    fn package(&mut self, rpm: &LockedRpm) {
        let what = format!("rpm {} {}.{}", rpm.target, rpm.package.name, rpm.package.arch);
        let exact = format!("of {} {}", rpm.repository, short(rpm.digest));
        let fixed = Some((format!("{} for {}", rpm.package, rpm.target), rpm.digest));
        let artifact = Artifact { exact, fixed, ..Artifact::default() };
        self.put(Subject::new(Kind::Package, what), rpm.package.evr.to_string(), artifact);
    }

    fn image(&mut self, image: &LockedImage) {
        let name = &image.name;
        let digest = name.digest().map(|digest| digest.to_string());
        let version = match (name.tag(), digest) {
            (Some(tag), Some(digest)) => format!("{tag}@{digest}"),
            (Some(tag), None) => tag.to_owned(),
            (None, digest) => digest.unwrap_or_default(),
        };
        let platforms: Vec<&str> =
            image.platforms.iter().map(|platform| platform.architecture.oci()).collect();
        let mut exact = format!("{} {}", short(image.root.digest), platforms.join("+"));
        if image.source != *name {
            exact += &format!(" from {}", image.source);
        }
        match &image.signature {
            Some(LockedSignature::Key(own)) => exact += &format!(" signed with {}", own.key_file),
            Some(LockedSignature::Identity(own)) => {
                exact += &format!(" signed by {}", own.identity);
            }
            None => {}
        }
        let fixed = Some((name.tagged().to_string(), image.root.digest));
        let artifact = Artifact { exact, fixed, ..Artifact::default() };
        self.put(Subject::new(Kind::Image, format!("image {}", name.name())), version, artifact);
    }

    fn manifest(&mut self, manifest: &LockedManifest) {
        let what = format!("manifest {}", manifest.name);
        let (applied, upstream) = (&manifest.applied, &manifest.upstream);
        let exact = match applied.digest == upstream.digest {
            true => short(applied.digest),
            false => format!("{} (upstream {})", short(applied.digest), short(upstream.digest)),
        };
        // Only bundles and the cache have the patched text.
        let texts = [applied, upstream].map(|one| (one.clone(), manifest.source.clone()));
        let artifact = Artifact { exact, texts: texts.to_vec(), ..Artifact::default() };
        self.put(Subject::new(Kind::Manifest, what.clone()), String::new(), artifact);
        if let Some(rendered) = &manifest.rendered {
            self.add(Kind::Manifest, format!("{what} rendering"), &rendered.to_string(), "");
        }
        self.add(Kind::Manifest, format!("{what} source"), &manifest.source, "");
    }

    fn file(&mut self, file: &LockedFile, texts: &Texts<'_>) {
        let digest = short(file.content.digest);
        if file.kind == FileKind::Key
            && let Some(bytes) = texts.bytes(&file.content, &file.source.to_string())
            && let Some(words) = key(&bytes)
        {
            return self.add(Kind::File, format!("key {}", file.path), &words, &digest);
        }
        let what = match file.kind {
            FileKind::Key => "key",
            FileKind::Installer => "file",
            FileKind::Chart => "chart",
        };
        self.add(Kind::File, format!("{what} {}", file.path), &digest, "");
    }
}

/// The keys in a file, with fingerprint and expiry.
fn key(bytes: &[u8]) -> Option<String> {
    let mut keyring = Keyring::default();
    keyring.add("", bytes).ok()?;
    let expiries = keyring.expiries(SystemTime::now());
    let keys = keyring.fingerprints().into_iter().zip(expiries).map(|(own, end)| match end {
        Some(end) => format!("{own} until {}", day(end)),
        None => format!("{own} without end"),
    });
    let keys: Vec<String> = keys.collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

fn short(digest: Digest) -> String {
    digest.hex().chars().take(12).collect()
}
