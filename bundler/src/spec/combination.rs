//! Which OS families, Kubernetes releases, containerd releases and add-ons work
//! together. A combination that is known to fail is refused here, on the connected
//! side. A combination that its makers only do not support is a warning. The facts
//! come from kubeadm's system verification (`k8s.io/system-validators`), the
//! kubelet's `failCgroupV1`, and the support tables of Calico and ingress-nginx.

use bundle_format::ImageReference;
use bundle_format::cluster::{Cluster, ProxyMode};
use bundle_format::yaml::{Node, Place};

use super::patch::Change;
use super::profile;
use super::root::Spec;
use super::target::Target;

/// What is wrong with a combination, and what to write instead.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Reasons why the bundle is not made.
    pub refused: Vec<String>,
    /// What a release engineer should know.
    pub warnings: Vec<String>,
}

/// A combination that is known to fail.
pub(super) struct Refusal {
    /// The value in the spec that does not fit.
    pub(super) about: About,
    /// Why, and what to write instead.
    pub(super) reason: String,
}

/// A value that other values must fit.
pub(super) enum About {
    /// The version of containerd.
    Containerd,
    /// The family of the target with this number.
    Target(usize),
    /// The cluster's `proxyMode`.
    ProxyMode,
}

impl About {
    /// The place of the value in the spec.
    pub(super) fn place(&self, root: &Node) -> Place {
        let (node, key) = match self {
            Self::Containerd => (root.value("containerd"), "version"),
            Self::Target(index) => (root.items("targets").get(*index), "family"),
            Self::ProxyMode => (root.value("cluster"), "proxyMode"),
        };
        node.map_or(root.place, |node| node.place_of(key))
    }
}

/// Checks `spec` as a whole.
pub fn check(spec: &Spec) -> Findings {
    let mut warnings = Vec::new();
    for target in &spec.targets {
        warnings.extend(unknown_family(target));
        warnings.extend(no_version(target));
        if let Some(Judgement::Warned(warning)) = kernel_and_cgroups(target, spec) {
            warnings.push(warning);
        }
    }
    warnings.extend(pools_alone(spec));
    warnings.extend(ipvs(spec));
    Findings {
        refused: refusals(spec).into_iter().map(|refusal| refusal.reason).collect(),
        warnings,
    }
}

/// Every combination in `spec` that is known to fail.
pub(super) fn refusals(spec: &Spec) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (index, target) in spec.targets.iter().enumerate() {
        if let Some(Judgement::Refused(reason)) = kernel_and_cgroups(target, spec) {
            refusals.push(Refusal { about: About::Target(index), reason });
        }
    }
    let minor = spec.kubernetes.version.value.minor();
    if let Some(containerd) = &spec.containerd
        && containerd.version.value.major() < 2
        && minor >= 36
    {
        let reason = format!(
            "Kubernetes 1.{minor} needs containerd 2.0 or later, but the spec says {}: 1.35 is the \
             last minor for containerd 1.x",
            containerd.version.value
        );
        refusals.push(Refusal { about: About::Containerd, reason });
    }
    let reasons = nftables(spec).into_iter();
    refusals.extend(reasons.map(|reason| Refusal { about: About::ProxyMode, reason }));
    refusals
}

/// kube-proxy has this mode without a feature gate from 1.31 on. It needs kernel 5.13
/// (kubernetes#124152), and nodes of EL7 and EL8 have older kernels.
fn nftables(spec: &Spec) -> Option<String> {
    if spec.cluster.cluster().proxy_mode != ProxyMode::Nftables {
        return None;
    }
    let minor = spec.kubernetes.version.value.minor();
    if minor < 31 {
        return Some(format!(
            "kube-proxy 1.{minor} does not have proxyMode nftables, or only with a feature gate: \
             write `iptables` or `ipvs`, or use Kubernetes 1.31 or later"
        ));
    }
    let families = spec.targets.iter().map(|target| target.family.value.as_str());
    families.into_iter().find(|family| matches!(*family, "el7" | "el8")).map(|family| {
        format!(
            "proxyMode nftables needs kernel 5.13, and {family} has an older one: write \
             `iptables` or `ipvs`"
        )
    })
}

/// A warning about a mode that still works, but is deprecated.
fn ipvs(spec: &Spec) -> Option<String> {
    let minor = spec.kubernetes.version.value.minor();
    let is_old = spec.cluster.cluster().proxy_mode == ProxyMode::Ipvs && minor >= 35;
    is_old.then(|| {
        format!(
            "proxyMode ipvs is deprecated since Kubernetes 1.35, and the spec says 1.{minor}: use \
             `nftables` instead"
        )
    })
}

enum Judgement {
    Refused(String),
    Warned(String),
}

/// EL7 has kernel 3.10 and EL8 has 4.18, both with cgroup v1.
fn kernel_and_cgroups(target: &Target, spec: &Spec) -> Option<Judgement> {
    let family = target.family.value.as_str();
    if !matches!(family, "el7" | "el8") {
        return None;
    }
    let minor = spec.kubernetes.version.value.minor();
    match minor {
        32..=33 => Some(Judgement::Refused(format!(
            "kubeadm 1.{minor} refuses kernels before 4.19, so it cannot run on {family}: use \
             Kubernetes 1.31 or earlier, or el9 nodes"
        ))),
        34 => Some(Judgement::Warned(format!(
            "kubeadm 1.{minor} warns about kernels before 4.19, and {family} has one"
        ))),
        35.. => Some(Judgement::Refused(format!(
            "the kubelet of Kubernetes 1.{minor} refuses cgroup v1, which {family} has: use \
             Kubernetes 1.34 or earlier, or el9 nodes"
        ))),
        _ => None,
    }
}

/// For a family without a base list, the spec must name all packages. Most often such
/// a name is another word for a family that has a list, such as `rhel9` for `el9`.
fn unknown_family(target: &Target) -> Option<String> {
    let family = target.family.value.as_str();
    let known = profile::families();
    if known.contains(&family) {
        return None;
    }
    let release = family.trim_start_matches(|c: char| !c.is_ascii_digit());
    let meant = known.iter().find(|known| {
        let rest = release.strip_prefix(known.trim_start_matches("el"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let instead = match meant {
        Some(meant) => format!(
            "write `{meant}` if the distribution is compatible with it, and `match` too if its \
             PLATFORM_ID is another"
        ),
        None => "if the distribution is not compatible with one of these, `packages` must list \
                 everything that nodes need"
            .to_owned(),
    };
    Some(format!(
        "family `{family}` has no list of base packages; {} have one: {instead}",
        known.join(", ")
    ))
}

/// The installer compares a family with the node's `ID` and version, or with its
/// `PLATFORM_ID`, which has a version too.
fn no_version(target: &Target) -> Option<String> {
    let family = target.family.value.as_str();
    let has_digit = family.contains(|c: char| c.is_ascii_digit());
    (target.systems.is_empty() && !has_digit).then(|| {
        format!(
            "family `{family}` has no version, so it fits no node: write the version behind it, \
             such as `openEuler22.03`, or write `match`"
        )
    })
}

/// A warning for each pool that differs from the installer's default `podCidr`, if
/// the spec does not set `podCidr`: then each site would have to.
fn pools_alone(spec: &Spec) -> Vec<String> {
    if spec.cluster.has("podCidr") {
        return Vec::new();
    }
    let default = Cluster::default().pod_cidr.to_string();
    let patches = spec.manifests.iter().flat_map(|manifest| &manifest.value.patches);
    let pools = patches.filter_map(|patch| match &patch.change {
        Change::PoolCidr(pool) => Some(pool.to_string()),
        _ => None,
    });
    let others = pools.filter(|pool| *pool != default);
    others
        .map(|pool| {
            format!(
                "poolCidr is {pool}, but the installer's default podCidr is {default}: add \
                 `cluster: {{podCidr: {pool}}}` to the spec"
            )
        })
        .collect()
}

/// The Kubernetes minors that a Calico minor is tested with.
const CALICO: [(u32, u32, u32); 8] = [
    (25, 23, 28),
    (26, 24, 28),
    (27, 27, 29),
    (28, 27, 30),
    (29, 29, 32),
    (30, 31, 35),
    (31, 32, 35),
    (32, 34, 36),
];

/// The same for ingress-nginx 1.
const INGRESS_NGINX: [(u32, u32, u32); 3] = [(9, 25, 28), (11, 26, 30), (12, 28, 32)];

/// Checks an add-on against the rest of `spec`. Its own image tells which add-on it
/// is.
pub fn check_image(spec: &Spec, image: &ImageReference) -> Findings {
    let mut findings = Findings::default();
    let minor = spec.kubernetes.version.value.minor();
    let version = image.tag().and_then(version);
    match (image.repository(), version) {
        ("calico/node", Some([3, calico, patch])) => {
            let untested = untested(("Calico 3", [calico, patch]), &CALICO, minor);
            findings.warnings.extend(untested);
            if calico >= 29 && spec.targets.iter().any(|target| target.family.value == "el7") {
                findings.warnings.push(format!(
                    "Calico 3.{calico}.{patch} is not made for el7's kernel 3.10: the last one for \
                     it is 3.28"
                ));
            }
        }
        ("ingress-nginx/controller", Some([1, ingress, patch])) => {
            let untested = untested(("ingress-nginx 1", [ingress, patch]), &INGRESS_NGINX, minor);
            findings.warnings.extend(untested);
            let fixed = match ingress {
                0..=10 => false,
                11 => patch >= 5,
                12 => patch >= 1,
                _ => true,
            };
            if !fixed {
                findings.warnings.push(format!(
                    "ingress-nginx 1.{ingress}.{patch} is open to CVE-2025-1974, fixed in 1.11.5 \
                     and 1.12.1; the project retired in March 2026"
                ));
            }
        }
        _ => {}
    }
    findings
}

/// A warning if a product was not tested with Kubernetes 1.`minor`. Each row of the
/// table has a minor of the product, and the first and the last minor of Kubernetes
/// that it was tested with.
fn untested(
    (product, [own, patch]): (&str, [u32; 2]),
    table: &[(u32, u32, u32)],
    minor: u32,
) -> Option<String> {
    let (_, first, last) = table.iter().find(|(row, ..)| *row == own)?;
    (!(*first..=*last).contains(&minor)).then(|| {
        format!(
            "{product}.{own}.{patch} is tested with Kubernetes 1.{first} to 1.{last}, but the spec \
             says 1.{minor}"
        )
    })
}

/// The numbers of a tag such as `v3.26.4`.
fn version(tag: &str) -> Option<[u32; 3]> {
    let mut parts = tag.strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(family: &str, kubernetes: &str, containerd: &str, image: &str) -> Findings {
        let text = format!(
            "name: x\nkubernetes: {{version: {kubernetes}}}\n\
             containerd: {{version: {containerd}}}\n\
             targets:\n- family: {family}\n  architecture: x86_64\n  repositories:\n  \
             - {{id: os, baseUrl: 'https://example.com/', keys: [key.asc]}}\n"
        );
        let spec: Spec = serde_saphyr::from_str(&text).unwrap();
        let mut findings = check(&spec);
        findings.warnings.extend(check_image(&spec, &image.parse().unwrap()).warnings);
        findings
    }

    #[test]
    fn each_known_bad_combination_is_named() {
        let calico = |version: &str| format!("quay.io/calico/node:v{version}");
        let ingress =
            |version: &str| format!("registry.k8s.io/ingress-nginx/controller:v{version}");
        let plain = "docker.io/library/busybox".to_owned();
        let cases = [
            ("el7", "1.28.2", "1.6.25", calico("3.26.4"), None, None),
            ("el7", "1.32.0", "1.7.20", plain.clone(), Some("before 4.19"), None),
            ("el8", "1.33.1", "1.7.20", plain.clone(), Some("before 4.19"), None),
            ("el8", "1.34.1", "1.7.20", plain.clone(), None, Some("warns about kernels")),
            ("el7", "1.35.0", "2.1.0", plain.clone(), Some("cgroup v1"), None),
            ("el9", "1.35.0", "1.7.20", plain.clone(), None, None),
            ("el9", "1.36.0", "1.7.20", plain.clone(), Some("containerd 2.0"), None),
            ("el7", "1.30.0", "1.6.25", calico("3.29.1"), None, Some("kernel 3.10")),
            ("el9", "1.34.0", "2.1.0", calico("3.26.4"), None, Some("1.24 to 1.28")),
            ("el9", "1.28.2", "1.6.25", ingress("1.9.3"), None, Some("CVE-2025-1974")),
            ("el9", "1.30.2", "1.7.20", ingress("1.12.8"), None, None),
            ("rhel9.4", "1.28.2", "1.6.25", plain.clone(), None, Some("write `el9`")),
            ("openEuler", "1.28.2", "1.6.25", plain.clone(), None, Some("el7, el8, el9 have one")),
        ];
        for (family, kubernetes, containerd, image, refused, warned) in cases {
            let found = findings(family, kubernetes, containerd, &image);
            let holds = |texts: &[String], wanted: Option<&str>| match wanted {
                Some(wanted) => texts.iter().any(|text| text.contains(wanted)),
                None => texts.is_empty(),
            };
            assert!(holds(&found.refused, refused), "{family} {kubernetes}: {found:?}");
            assert!(holds(&found.warnings, warned), "{family} {kubernetes}: {found:?}");
        }
    }

    #[test]
    fn a_name_without_a_version_fits_no_node() {
        let warned = |family: &str| {
            let found = findings(family, "1.28.2", "1.6.25", "docker.io/library/busybox");
            found.warnings.iter().any(|warning| warning.contains("so it fits no node"))
        };
        assert!(warned("openEuler"));
        assert!(!warned("openEuler22.03") && !warned("kylinV10") && !warned("el9"));
        assert!(!warned("mine\n  match: [{ID: openEuler}]"));
    }

    #[test]
    fn a_proxy_mode_needs_its_release_and_kernel() {
        for (mode, family, kubernetes, refused, warned) in [
            ("nftables", "el9", "1.28.2", "does not have proxyMode nftables", ""),
            ("nftables", "el9", "1.30.0", "or only with a feature gate", ""),
            ("nftables", "el9", "1.31.0", "", ""),
            ("nftables", "el8", "1.31.0", "needs kernel 5.13, and el8 has", ""),
            ("nftables", "el7", "1.31.0", "needs kernel 5.13, and el7 has", ""),
            ("ipvs", "el8", "1.31.0", "", ""),
            ("ipvs", "el9", "1.34.0", "", ""),
            ("ipvs", "el9", "1.35.0", "", "ipvs is deprecated since Kubernetes 1.35"),
            ("iptables", "el9", "1.35.0", "", ""),
        ] {
            let text = format!(
                "name: x\nkubernetes: {{version: {kubernetes}}}\ncluster: {{proxyMode: {mode}}}\n\
                 targets:\n- family: {family}\n  architecture: x86_64\n  repositories:\n  \
                 - {{id: os, baseUrl: 'https://example.com/', keys: [key.asc]}}\n"
            );
            let found = check(&serde_saphyr::from_str(&text).unwrap());
            for (texts, wanted) in [(&found.refused, refused), (&found.warnings, warned)] {
                let expected = usize::from(!wanted.is_empty());
                assert_eq!(texts.len(), expected, "{mode} {family} {kubernetes}: {found:?}");
                assert!(texts.iter().all(|one| one.contains(wanted)), "{found:?}");
            }
        }
    }
}
