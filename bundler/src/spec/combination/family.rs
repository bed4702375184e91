//! What each OS family's kernel and control groups can run. The facts come from
//! kubeadm's system verification (`k8s.io/system-validators`) and kubelet's
//! `failCgroupV1`.

use bundle_format::kubeadm::refuses_cgroup_v1;

use super::finding::{About, Refusal};
use crate::spec::profile;
use crate::spec::root::Spec;
use crate::spec::target::{Baseline, Target};

/// Refusals for targets that cannot run the spec's Kubernetes.
pub(super) fn refusals(spec: &Spec) -> impl Iterator<Item = Refusal> {
    spec.targets.iter().enumerate().filter_map(|(index, target)| {
        match kernel_and_cgroups(target, spec)? {
            Judgement::Refused(reason) => Some(Refusal { about: About::Target(index), reason }),
            Judgement::Warned(_) => None,
        }
    })
}

/// Warnings about a target.
pub(super) fn warnings(target: &Target, spec: &Spec) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(unknown(target));
    warnings.extend(no_version(target));
    // The list of a node may have it: `lock` reads it.
    if !matches!(target.baseline, Baseline::Packages(_)) {
        warnings.extend(target.unknown_kernel());
    }
    if let Some(Judgement::Warned(warning)) = kernel_and_cgroups(target, spec) {
        warnings.push(warning);
    }
    warnings
}

enum Judgement {
    Refused(String),
    Warned(String),
}

/// EL7 has kernel 3.10 and EL8 has 4.18, both with version 1 of control groups. EL9
/// (5.14) and EL10 (6.12) have what every release needs.
fn kernel_and_cgroups(target: &Target, spec: &Spec) -> Option<Judgement> {
    let family = target.family.value.as_str();
    if !matches!(family, "el7" | "el8") {
        return None;
    }
    let kubernetes = &spec.kubernetes.version.value;
    let minor = kubernetes.minor();
    match minor {
        32..=33 => Some(Judgement::Refused(format!(
            "kubeadm 1.{minor} refuses kernels before 4.19, so it cannot run on {family}: use \
             Kubernetes 1.31 or earlier, or el9 or el10 nodes"
        ))),
        34 => Some(Judgement::Warned(format!(
            "kubeadm 1.{minor} warns about kernels before 4.19, and {family} has one"
        ))),
        _ if !refuses_cgroup_v1(kubernetes) => None,
        _ if spec.cluster.cluster().accepts_cgroup_v1() => Some(Judgement::Warned(format!(
            "the kubelet of Kubernetes 1.{minor} runs with version 1 of control groups only \
             because of failCgroupV1, and a later release drops it (KEP-5573): plan for el9 or \
             el10 nodes"
        ))),
        _ => Some(Judgement::Refused(format!(
            "the kubelet of Kubernetes 1.{minor} refuses version 1 of control groups (cgroup v1), \
             which {family} has: use Kubernetes 1.34 or earlier, or el9 or el10 nodes; or write \
             `cluster: {{kubelet: {{failCgroupV1: false}}}}`"
        ))),
    }
}

/// For a family without a base list, the spec must name all packages. Most often such
/// a name is another word for a family that has a list, such as `rhel9` for `el9`.
fn unknown(target: &Target) -> Option<String> {
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
