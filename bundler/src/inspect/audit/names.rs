//! How an audit names the things in a bundle.

use bundle_format::lock::{
    FileKind, LockedFile, LockedHop, LockedImage, LockedManifest, LockedRpm,
};

/// What stands before the name of a thing that only this hop has: `hop 1.36.3: `.
pub fn before_hop(hop: &LockedHop) -> String {
    format!("hop {}: ", hop.kubernetes)
}

/// `rpm el9-x86_64 socat-1.7.4.1-5.el9.x86_64`
pub fn rpm(rpm: &LockedRpm) -> String {
    format!("rpm {} {}", rpm.target, rpm.package)
}

/// `image registry.k8s.io/pause:3.10`
pub fn image(image: &LockedImage) -> String {
    format!("image {}", image.name)
}

/// `manifest calico`
pub fn manifest(manifest: &LockedManifest) -> String {
    format!("manifest {}", manifest.name)
}

/// `key keys/el9-x86_64/os-1.asc`
pub fn file(file: &LockedFile) -> String {
    match file.kind {
        FileKind::Key => format!("key {}", file.path),
        FileKind::Installer => format!("installer {}", file.path),
        FileKind::Chart => format!("chart {}", file.path),
    }
}
