use bundle_format::Digest;
use bundle_format::lock::{Descriptor, LockedImage, LockedPlatform};
use bundle_format::oci::OCI_MANIFEST;
use bundler::sbom;

use super::READ;
use crate::small_bundle;

/// A file in a layer of an image, whose path is the first line: the bill of materials has what
/// it says is installed, or that it cannot be read.
pub(super) fn image_layer(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (path, content) = bytes.split_at(end);
    let Some(layer) = layer(&super::text(path), content.get(1..).unwrap_or_default()) else {
        return "a path that tar does not take".to_owned();
    };
    let mut lock = small_bundle::locked();
    lock.manifests.clear();
    lock.images.push(image(&layer));
    let open = |_: &Descriptor| Ok(Box::new(&layer[..]) as Box<dyn std::io::Read>);
    let bill = sbom::document(&lock, &open, &sbom::Layers::default()).expect("what an image has is no error");
    let bill: serde_json::Value = serde_json::from_slice(&bill).expect("it is JSON");
    let image = &bill["components"][0];
    match image["components"].as_array() {
        Some(packages) => format!("{READ}: {} packages", packages.len()),
        None => image["properties"].to_string(),
    }
}

fn layer(path: &str, content: &[u8]) -> Option<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    let mut layer = tar::Builder::new(Vec::new());
    layer.append_data(&mut header, path, content).ok()?;
    layer.into_inner().ok()
}

fn image(layer: &[u8]) -> LockedImage {
    let described = |bytes: &[u8]| Descriptor {
        media_type: OCI_MANIFEST.into(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    };
    let name = "registry.example/app:1.0".parse().expect("it is a reference");
    LockedImage {
        source: name,
        name: "registry.example/app:1.0".parse().expect("it is a reference"),
        root: described(b"root"),
        platforms: vec![LockedPlatform {
            architecture: bundle_format::Architecture::X86_64,
            manifest: described(b"root"),
            config: described(b"config"),
            layers: vec![described(layer)],
        }],
        unplaced: Vec::new(),
        signature: None,
        why: Vec::new(),
    }
}
