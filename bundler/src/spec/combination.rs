//! Which OS families, Kubernetes releases, containerd releases and add-ons work
//! together. A combination that is known to fail is refused here, on the connected
//! side. A combination that its makers only do not support, and a release that gets no
//! more patches, is a warning. Each axis is a file with its own table and its sources.
//! The tables are of November 2026, and do not ask the clock: one spec always has the
//! same lock.

mod calico;
mod containerd;
mod family;
mod finding;
mod ingress_nginx;
mod kubernetes;
mod pool;
mod proxy_mode;
mod tested;
#[cfg(test)]
mod tests;

use bundle_format::ImageReference;

pub use self::finding::Findings;
use self::finding::Refusal;
use super::root::Spec;

/// Checks `spec` as a whole.
pub fn check(spec: &Spec) -> Findings {
    let mut warnings = Vec::new();
    warnings.extend(kubernetes::warning(spec.kubernetes.version.value.minor()));
    warnings.extend(containerd::warnings(spec));
    for target in &spec.targets {
        warnings.extend(family::warnings(target, spec));
    }
    warnings.extend(pool::warnings(spec));
    warnings.extend(proxy_mode::warning(spec));
    Findings {
        refused: refusals(spec).into_iter().map(|refusal| refusal.reason).collect(),
        warnings,
    }
}

/// Every combination in `spec` that is known to fail.
pub(super) fn refusals(spec: &Spec) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = family::refusals(spec).collect();
    refusals.extend(containerd::refusal(spec));
    refusals.extend(proxy_mode::refusal(spec));
    refusals
}

/// Checks an add-on against the rest of `spec`. Its own image tells which add-on it
/// is.
pub fn check_image(spec: &Spec, image: &ImageReference) -> Findings {
    let warnings = match (image.repository(), image.tag().and_then(version)) {
        ("calico/node", Some([3, own, patch])) => {
            calico::warnings(spec, [own, patch], image.registry())
        }
        ("ingress-nginx/controller", Some([1, own, patch])) => {
            ingress_nginx::warnings(spec, [own, patch])
        }
        _ => Vec::new(),
    };
    Findings { refused: Vec::new(), warnings }
}

/// The numbers of a tag such as `v3.26.4`.
fn version(tag: &str) -> Option<[u32; 3]> {
    let mut parts = tag.strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}
