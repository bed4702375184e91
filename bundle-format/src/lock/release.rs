//! The releases of Kubernetes that a lock has: its hops, each as a lock of its own.

use std::collections::HashSet;

use super::check::{CheckName, DisabledCheck};
use super::document::{LOCK_VERSION, Lock};
use super::hop::LockedHop;

impl Lock {
    /// The lock of one of its hops, as if a bundle held nothing else: without manifests,
    /// which come with the last release.
    #[must_use]
    pub fn of_hop(&self, hop: &LockedHop) -> Self {
        let is_of_manifest = |off: &DisabledCheck| {
            off.check == CheckName::PlainHttp && off.subject.starts_with("manifests/")
        };
        Self {
            lock_version: LOCK_VERSION,
            name: self.name.clone(),
            spec: self.spec,
            kubernetes: hop.kubernetes.clone(),
            containerd: self.containerd.clone(),
            sandbox_image: hop.sandbox_image.clone(),
            targets: hop.targets.clone(),
            rpms: hop.rpms.clone(),
            images: hop.images.clone(),
            manifests: Vec::new(),
            files: hop.files.clone(),
            inputs: self.inputs.clone(),
            cluster: self.cluster.clone(),
            disabled_checks: {
                let all = self.disabled_checks.iter();
                all.filter(|off| !is_of_manifest(off)).cloned().collect()
            },
            hops: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The lock of one of its hops, with only those packages, images and keys that the
    /// last release does not have.
    #[must_use]
    pub fn own_of_hop(&self, hop: &LockedHop) -> Self {
        let mut own = self.of_hop(hop);
        let rpms: HashSet<_> = self.rpms.iter().map(|rpm| (&rpm.target, rpm.digest)).collect();
        own.rpms.retain(|rpm| !rpms.contains(&(&rpm.target, rpm.digest)));
        let images: HashSet<_> = self.images.iter().map(|image| &image.name).collect();
        own.images.retain(|image| !images.contains(&image.name));
        let files: HashSet<_> =
            self.files.iter().map(|file| (file.path.to_string(), file.content.digest)).collect();
        own.files.retain(|file| !files.contains(&(file.path.to_string(), file.content.digest)));
        own
    }

    /// The hop of this minor release.
    pub fn hop(&self, minor: u32) -> Option<&LockedHop> {
        self.hops.iter().find(|hop| hop.kubernetes.minor() == minor)
    }
}
