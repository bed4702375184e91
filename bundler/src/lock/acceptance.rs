//! Whether the cluster will accept a spec's manifests, and fits what they expect.

use bundle_format::cluster::Conflict;
use bundle_format::lock::{Aspect, LockedManifest};

use crate::libyaml::document::File;
use crate::manifest::check::{self, Provided, Subject};
use crate::spec::Spec;

/// What the cluster will refuse in the manifests that could be read.
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

/// What the manifests expect of the cluster, if the spec's cluster file says
/// otherwise. A pool that a `poolCidr` patch sets is left out: the check of the spec
/// compares it.
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
