//! A bundle with one manifest and nothing else.

use bundle_format::archive::writer;
use bundle_format::cluster::Given;
use bundle_format::layout::{self, Layout, YAML_TYPE};
use bundle_format::lock::{
    Descriptor, FileKind, FileSource, LOCK_VERSION, LockedFile, LockedManifest,
};
use bundle_format::{Architecture, BundlePath, Digest, Lock};

const MANIFEST: &[u8] = b"kind: Namespace\n";

/// Its bytes.
pub(crate) fn bytes() -> Vec<u8> {
    with_index(&index())
}

/// The same with another `index.json`.
pub(crate) fn with_index(index: &[u8]) -> Vec<u8> {
    let layout = Layout { index: index.to_vec(), ..layout() };
    let mut bytes = Vec::new();
    writer::write(&mut bytes, &layout, |_| Ok(MANIFEST), |_| ()).expect("memory takes it");
    bytes
}

/// A bundle with an installer besides, as a delta without it.
pub(crate) fn delta() -> Vec<u8> {
    let mut lock = locked();
    let content = lock.manifests.first().map(|own| own.applied.clone()).expect("it has one");
    lock.files = vec![LockedFile {
        kind: FileKind::Installer,
        path: BundlePath::Installer { architecture: Architecture::X86_64 },
        source: FileSource::BesideBundler,
        content: Descriptor { digest: Digest::of(b"installer"), size: 9, ..content },
    }];
    let layout = Layout::new(&lock, &[]).expect("a layout is JSON").without(&lock, |_| true);
    let mut bytes = Vec::new();
    writer::write(&mut bytes, &layout, |_| Ok(MANIFEST), |_| ()).expect("memory takes it");
    bytes
}

/// Its `index.json`.
pub(crate) fn index() -> Vec<u8> {
    layout().index
}

/// Its lock.
pub(crate) fn lock() -> Vec<u8> {
    layout::lock_bytes(&locked()).expect("a lock is JSON")
}

fn layout() -> Layout {
    Layout::new(&locked(), &[]).expect("a layout is JSON")
}

/// The same as a type.
pub(crate) fn locked() -> Lock {
    let content = Descriptor {
        media_type: YAML_TYPE.into(),
        digest: Digest::of(MANIFEST),
        size: MANIFEST.len() as u64,
    };
    Lock {
        lock_version: LOCK_VERSION,
        name: "small".to_owned(),
        spec: Digest::of(b""),
        kubernetes: "1.28.2".parse().expect("it is a version"),
        containerd: Some("1.6.25".to_owned()),
        sandbox_image: None,
        targets: Vec::new(),
        rpms: Vec::new(),
        images: Vec::new(),
        manifests: vec![LockedManifest {
            name: "first".to_owned(),
            source: "first.yaml".to_owned(),
            rendered: None,
            upstream: content.clone(),
            applied: content,
            patches: Vec::new(),
            images: Vec::new(),
            passes: Vec::new(),
            expects: Vec::new(),
        }],
        files: Vec::new(),
        inputs: Vec::new(),
        cluster: Given::default(),
        disabled_checks: Vec::new(),
        hops: Vec::new(),
        warnings: Vec::new(),
    }
}
