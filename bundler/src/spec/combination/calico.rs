//! Calico: which Kubernetes and which kernels it is made for.

use super::tested::{Row, untested};
use crate::spec::root::Spec;

/// Calico's "System requirements" of each release; that of 3.33 as two projects that
/// install it read them in October 2026.
const TESTED: [Row; 9] = [
    (25, 23, 28),
    (26, 24, 28),
    (27, 27, 29),
    (28, 27, 30),
    (29, 29, 32),
    (30, 31, 35),
    (31, 32, 35),
    (32, 34, 36),
    (33, 35, 37),
];

/// The last release for kernel 3.10. Since 3.30, Calico asks for 5.10 or a system such
/// as RHEL 8.
const LAST_FOR_EL7: u32 = 28;
/// The first release whose images are on quay.io. Before, they are on docker.io.
const FIRST_ON_QUAY: u32 = 31;

/// What a release engineer should know about `calico/node` 3.`own`.`patch` from
/// `registry`.
pub(super) fn warnings(spec: &Spec, [own, patch]: [u32; 2], registry: &str) -> Vec<String> {
    let minor = spec.kubernetes.version.value.minor();
    let mut warnings = Vec::new();
    warnings.extend(untested(("Calico 3", [own, patch]), &TESTED, minor));
    if own > LAST_FOR_EL7 && spec.targets.iter().any(|target| target.family.value == "el7") {
        warnings.push(format!(
            "Calico 3.{own}.{patch} is not made for el7's kernel 3.10: the last one for it is \
             3.{LAST_FOR_EL7}"
        ));
    }
    if own >= FIRST_ON_QUAY && registry == "docker.io" {
        warnings.push(format!(
            "Calico's images are on quay.io since 3.{FIRST_ON_QUAY}, and 3.{own}.{patch} may not \
             be on docker.io: write `{{imageRewrite: {{from: docker.io/calico, to: \
             quay.io/calico}}}}`, or take its own manifest"
        ));
    }
    warnings
}
