//! The inside of a bundle: an OCI image layout (OCI image spec, `image-layout.md`).
//! Its index lists each image by name, and one *bundle manifest*, which lists
//! everything else.

use std::collections::HashSet;
use std::io::{self, Write};

use crate::bundle_path::BundlePath;
use crate::digest::{Digest, Hasher};
use crate::lock::descriptor::Descriptor;
use crate::lock::document::Lock;
use crate::lock::file::FileKind;
use crate::lock::image::LockedImage;
use crate::lock::why::Why;
use crate::lock::{LockedHop, LockedTarget};
use crate::oci::{Document, Entry, OCI_INDEX, OCI_MANIFEST};
use crate::reference::ImageReference;

/// The `artifactType` of the bundle manifest.
pub const BUNDLE_TYPE: &str = "application/vnd.kubeferry.bundle.v1+json";
/// The media type of the lock, which is the bundle manifest's config.
pub const LOCK_TYPE: &str = "application/vnd.kubeferry.lock.v1+json";
/// The media type of an RPM.
const RPM_TYPE: &str = "application/x-rpm";
/// The media type of files with no type of their own.
pub const FILE_TYPE: &str = "application/octet-stream";
/// The media type of the software bill of materials.
pub const SBOM_TYPE: &str = "application/vnd.cyclonedx+json";
/// The media type of Kubernetes YAML.
pub const YAML_TYPE: &str = "application/yaml";
/// The annotation with a file's path when it is extracted.
pub const TITLE: &str = "org.opencontainers.image.title";

/// containerd takes an image's name from this annotation (its
/// `images/annotations.go`).
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Other tools take the name from this one (OCI image spec, `annotations.md`).
const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
/// The content of the file `oci-layout`.
pub const OCI_LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";

/// A file in the bundle that does not belong to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its path in the bundle.
    pub path: BundlePath,
    /// Its bytes.
    pub descriptor: Descriptor,
}

/// The plan of an archive: its documents, and its blobs in their order.
#[derive(Clone)]
pub struct Layout {
    /// The bytes of `index.json`.
    pub index: Vec<u8>,
    /// The bytes of the bundle manifest and of the lock. They are in no file yet.
    pub documents: Vec<(Descriptor, Vec<u8>)>,
    /// All blobs, each once, in the archive's order: first the documents, then
    /// what a node needs, in the order in which the node needs it.
    pub blobs: Vec<Descriptor>,
    /// The blobs of the bundle that a delta lacks, in the same order.
    pub absent: Vec<Descriptor>,
}

impl Layout {
    /// The layout of what `lock` lists and of the files `more`, which are made
    /// from it, such as repodata.
    pub fn new(lock: &Lock, more: &[Content]) -> Result<Self, serde_json::Error> {
        Self::planned(lock, more)?.with_lock(lock)
    }

    /// The same, without the bytes of the lock: it may be large.
    pub fn planned(lock: &Lock, more: &[Content]) -> Result<Self, serde_json::Error> {
        Self::around(lock, &describe_lock(lock)?, more)
    }

    /// The same with the bytes of the lock, to write it.
    pub fn with_lock(mut self, lock: &Lock) -> Result<Self, serde_json::Error> {
        let bytes = lock_bytes(lock)?;
        self.documents.insert(0, (described(LOCK_TYPE, &bytes), bytes));
        Ok(self)
    }

    /// The same as [`Self::planned`], for a caller that has the lock's descriptor.
    pub(crate) fn around(
        lock: &Lock,
        lock_blob: &Descriptor,
        more: &[Content],
    ) -> Result<Self, serde_json::Error> {
        let contents = contents(lock, more);
        let layer = |file: &Content| Entry::new(&file.descriptor, [(TITLE, file.path.to_string())]);
        let manifest = Document {
            schema_version: Some(2),
            media_type: Some(OCI_MANIFEST.to_owned()),
            artifact_type: Some(BUNDLE_TYPE.to_owned()),
            config: Some(Entry::new(lock_blob, [])),
            layers: Some(contents.iter().map(layer).collect()),
            manifests: None,
        };
        let manifest_bytes = serde_json::to_vec_pretty(&manifest)?;
        let manifest_blob = described(OCI_MANIFEST, &manifest_bytes);

        let images = boot_order(lock);
        // The hops have some images in common.
        let mut seen = HashSet::new();
        let mut entries: Vec<Entry> = images
            .iter()
            .flat_map(|image| names(image).into_iter().map(move |name| (image, name)))
            .filter(|(_, name)| seen.insert(name.clone()))
            .map(|(image, name)| image_entry(image, &name))
            .collect();
        let mut bundle = Entry::new(&manifest_blob, []);
        bundle.artifact_type = Some(BUNDLE_TYPE.to_owned());
        entries.push(bundle);

        let mut blobs = vec![lock_blob.clone(), manifest_blob.clone()];
        blobs.extend(images.iter().flat_map(|image| documents_of(image)));
        blobs.extend(contents.into_iter().map(|file| file.descriptor));
        blobs.extend(images.iter().flat_map(|image| layers_of(image)));
        Ok(Self {
            index: index_bytes(entries)?,
            documents: vec![(manifest_blob, manifest_bytes)],
            blobs: each_once(blobs),
            absent: Vec::new(),
        })
    }

    /// The layout of an archive with this image only, under its first name, like
    /// the OCI archives of other tools. It has one entry, because some tools
    /// refuse several if they are given no name.
    pub fn of_image(image: &LockedImage) -> Result<Self, serde_json::Error> {
        Self::of_image_by(image, names(image).get(..1).unwrap_or_default())
    }

    /// The layout of an archive with this image only, under all its names, for
    /// containerd.
    pub fn of_image_by_all_names(image: &LockedImage) -> Result<Self, serde_json::Error> {
        Self::of_image_by(image, &names(image))
    }

    fn of_image_by(
        image: &LockedImage,
        names: &[ImageReference],
    ) -> Result<Self, serde_json::Error> {
        let entries = names.iter().map(|name| image_entry(image, name));
        let mut blobs = documents_of(image);
        blobs.extend(layers_of(image));
        Ok(Self {
            index: index_bytes(entries.collect())?,
            documents: Vec::new(),
            blobs: each_once(blobs),
            absent: Vec::new(),
        })
    }
}

fn index_bytes(manifests: Vec<Entry>) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec_pretty(&Document {
        schema_version: Some(2),
        media_type: Some(OCI_INDEX.to_owned()),
        manifests: Some(manifests),
        ..Document::default()
    })
}

fn image_entry(image: &LockedImage, name: &ImageReference) -> Entry {
    let name = name.to_string();
    Entry::new(&image.root, [(CONTAINERD_NAME, name.clone()), (REFERENCE_NAME, name)])
}

/// An image's blobs except its layers.
fn documents_of(image: &LockedImage) -> Vec<Descriptor> {
    let platforms = image.platforms.iter();
    let documents = platforms.flat_map(|one| [one.manifest.clone(), one.config.clone()]);
    let root = std::iter::once(image.root.clone());
    root.chain(documents).chain(image.unplaced.iter().cloned()).collect()
}

fn layers_of(image: &LockedImage) -> impl Iterator<Item = Descriptor> {
    image.platforms.iter().flat_map(|platform| platform.layers.iter().cloned())
}

fn each_once(mut blobs: Vec<Descriptor>) -> Vec<Descriptor> {
    let mut seen = HashSet::new();
    blobs.retain(|blob| seen.insert(blob.digest));
    blobs
}

/// The bytes of a lock, the same beside a spec and in a bundle.
pub fn lock_bytes(lock: &Lock) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(lock)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The lock's own descriptor. Its bytes are hashed and not kept.
pub fn describe_lock(lock: &Lock) -> Result<Descriptor, serde_json::Error> {
    struct Counting(Hasher, u64);
    impl Write for Counting {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            self.1 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counting = Counting(Hasher::new(), 0);
    serde_json::to_writer_pretty(&mut counting, lock)?;
    counting.0.update(b"\n");
    let (digest, size) = (counting.0.finish(), counting.1 + 1);
    Ok(Descriptor { media_type: LOCK_TYPE.into(), digest, size })
}

fn described(media_type: &'static str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    }
}

/// The files of a bundle, in the order in which a node needs them: keys and repodata
/// before packages, packages before manifests. Installers come last, because they are
/// run from beside the bundle. The parts of the paths are not checked here.
pub(crate) fn contents(lock: &Lock, more: &[Content]) -> Vec<Content> {
    let file = |path: BundlePath, descriptor: &Descriptor| Content {
        path,
        descriptor: descriptor.clone(),
    };
    let files = |kind: FileKind| {
        let files = lock.files.iter().filter(move |file| file.kind == kind);
        files.map(|own| file(own.path.clone(), &own.content))
    };
    let mut contents: Vec<Content> = files(FileKind::Key).collect();
    contents.extend(of_release(more, None));
    contents.extend(lock.rpms.iter().map(|rpm| {
        let (media_type, digest, size) = (RPM_TYPE.into(), rpm.digest, rpm.size);
        file(rpm.path(), &Descriptor { media_type, digest, size })
    }));
    for manifest in &lock.manifests {
        contents.push(file(manifest.path(), &manifest.applied));
        if manifest.upstream != manifest.applied {
            contents.push(file(manifest.upstream_path(), &manifest.upstream));
        }
        contents.extend(manifest.passes().map(|(path, pass)| file(path, &pass.content)));
    }
    contents.extend(files(FileKind::Chart));
    contents.extend(files(FileKind::Installer));
    contents.extend(lock.hops.iter().flat_map(|hop| of_hop(lock, hop, more)));
    contents
}

/// The files of a hop: `more` has its repodata among others'.
fn of_hop(lock: &Lock, hop: &LockedHop, more: &[Content]) -> Vec<Content> {
    let own = of_release(more, Some(hop));
    let contents = contents(&lock.of_hop(hop), &own).into_iter();
    contents.map(|file| Content { path: file.path.of_hop(&hop.kubernetes), ..file }).collect()
}

/// The files of one hop, with the paths that they would have in a bundle of only that
/// release. Without a hop: the files that belong to no hop.
pub(crate) fn of_release(contents: &[Content], hop: Option<&LockedHop>) -> Vec<Content> {
    let own = contents.iter().filter_map(|file| {
        let path = match (&file.path, hop) {
            (BundlePath::Hop { release, path }, Some(hop))
                if *release == hop.kubernetes.as_str() =>
            {
                (**path).clone()
            }
            (BundlePath::Hop { .. }, _) | (_, Some(_)) => return None,
            (path, None) => path.clone(),
        };
        Some(Content { path, descriptor: file.descriptor.clone() })
    });
    own.collect()
}

/// Whether a file was made for the bundle from what the lock lists: the metadata of the
/// packages of one of its targets, or the software bill of materials.
pub(crate) fn is_made(lock: &Lock, path: &BundlePath) -> bool {
    let is_of = |targets: &[LockedTarget], path: &BundlePath| matches!(path, BundlePath::Repodata { target, .. } if targets.iter().any(|own| own.id == *target));
    match path {
        BundlePath::Hop { release, path } => lock
            .hops
            .iter()
            .any(|hop| hop.kubernetes.as_str() == release && is_of(&hop.targets, path)),
        BundlePath::Sbom => true,
        path => is_of(&lock.targets, path),
    }
}

/// The names that an image gets on a node: one with its tag and one with its digest,
/// because the image of a pod that names a digest is found only by that name.
pub fn names(image: &LockedImage) -> Vec<ImageReference> {
    let mut names = Vec::new();
    if image.name.tag().is_some() {
        names.push(image.name.tagged());
    }
    names.push(image.name.at(image.root.digest));
    names
}

/// An image's path when it is extracted. It is made from the first name, without
/// colons, because skopeo and podman read a colon as the end of a path.
pub fn image_title(image: &LockedImage) -> String {
    let name = &image.name;
    let end = match (name.tag(), name.digest()) {
        (Some(tag), _) => tag.to_owned(),
        (None, _) => image.root.digest.to_string().replace(':', "-"),
    };
    format!("images/{}/{}/{end}.tar", name.registry().replace(':', "_"), name.repository())
}

/// The name of an installer beside a bundle. If there are several, each has its
/// architecture in its name.
pub fn name_of_installer(architecture: impl std::fmt::Display, is_only: bool) -> String {
    match is_only {
        true => "installer".to_owned(),
        false => format!("installer-{architecture}"),
    }
}

/// The images in the order in which a cluster starts them, and then those of the hops.
fn boot_order(lock: &Lock) -> Vec<&LockedImage> {
    const ORDER: [&str; 7] = [
        "pause",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "coredns",
    ];
    let rank = |image: &&LockedImage| {
        image
            .why
            .iter()
            .filter_map(|why| match why {
                Why::Kubeadm { component } => ORDER.iter().position(|name| name == component),
                _ => None,
            })
            .min()
            .unwrap_or(ORDER.len())
    };
    let mut images: Vec<&LockedImage> = lock.images.iter().collect();
    images.sort_by_cached_key(rank);
    for hop in &lock.hops {
        let mut own: Vec<&LockedImage> = hop.images.iter().collect();
        own.sort_by_cached_key(rank);
        images.extend(own);
    }
    images
}
