//! Which containerd a Kubernetes release runs with, and which containerd still gets
//! patches. The facts are in containerd's `RELEASES.md` of August 2026.

use bundle_format::version::ContainerdVersion;

use super::finding::{About, Refusal};
use crate::spec::root::Spec;

/// The last minor release of Kubernetes for containerd 1.x (KEP-4033: kubelet asks the
/// runtime for its cgroup driver, and 1.x does not answer).
const LAST_FOR_1: u32 = 35;

/// Series of containerd that get no more patches, and since when. Two maintainers patch
/// 2.0 until March 2027.
const ENDED: [([u32; 2], &str); 5] = [
    ([1, 6], "August 2025"),
    ([1, 7], "September 2026"),
    ([2, 0], "November 2025, except for what Kubernetes 1.33 on GKE needs"),
    ([2, 1], "July 2026"),
    ([2, 2], "November 2026"),
];

/// The series to choose for a new cluster. It gets patches until April 2028.
const MAINTAINED: &str = "2.3";

/// For each minor release of Kubernetes, the first release of each series that
/// containerd recommends for it. A series that is newer than all in the row is fine
/// too. A newer Kubernetes has the last row's.
const RECOMMENDED: [(u32, &[[u32; 3]]); 9] = [
    (28, &[[1, 6, 15], [1, 7, 0]]),
    (29, &[[1, 6, 27], [1, 7, 11]]),
    (30, &[[1, 6, 28], [1, 7, 13], [2, 0, 0], [2, 1, 0]]),
    (31, &[[1, 6, 34], [1, 7, 20], [2, 0, 0], [2, 1, 0]]),
    (32, &[[1, 6, 36], [1, 7, 24], [2, 0, 1], [2, 1, 0]]),
    (33, &[[1, 6, 36], [1, 7, 24], [2, 0, 4], [2, 1, 0]]),
    (34, &[[1, 6, 39], [1, 7, 28], [2, 0, 6], [2, 1, 3]]),
    (35, &[[1, 7, 28], [2, 1, 5], [2, 2, 0]]),
    (36, &[[2, 2, 0], [2, 3, 0]]),
];

/// A refusal of a containerd with which kubelet does not start.
pub(super) fn refusal(spec: &Spec) -> Option<Refusal> {
    let (version, minor) = of(spec)?;
    let own = version.numbers();
    let [major, ..] = own;
    (major < 2 && minor > LAST_FOR_1).then(|| Refusal {
        about: About::Containerd,
        reason: format!(
            "Kubernetes 1.{minor} needs containerd 2.x, but the spec says {}: use {MAINTAINED}",
            shown(own),
        ),
    })
}

/// Warnings about a containerd that gets no more patches, or that is older than its
/// makers recommend for the spec's Kubernetes.
pub(super) fn warnings(spec: &Spec) -> Vec<String> {
    let Some((version, minor)) = of(spec) else { return Vec::new() };
    let [major, series, _] = version.numbers();
    let mut warnings = Vec::new();
    let ended = ENDED.iter().find(|(row, _)| *row == [major, series]);
    if let Some((_, since)) = ended {
        warnings.push(format!(
            "containerd {major}.{series} gets no more patches since {since}: for a new cluster, \
             use {MAINTAINED}, which has patches until April 2028"
        ));
    } else if [major, series] < [1, 6] {
        warnings.push(format!(
            "containerd {major}.{series} gets no more patches: for a new cluster, use {MAINTAINED}, \
             which has patches until April 2028"
        ));
    }
    if refusal(spec).is_none() && !is_recommended(version.numbers(), minor) {
        let rows: Vec<String> = row(minor).iter().map(|first| shown(*first)).collect();
        warnings.push(format!(
            "containerd recommends, for Kubernetes 1.{minor}, release {} or a later one of the \
             same series, but the spec says {}",
            rows.join(", "),
            shown(version.numbers())
        ));
    }
    warnings
}

fn of(spec: &Spec) -> Option<(&ContainerdVersion, u32)> {
    let containerd = spec.containerd.as_ref()?;
    Some((&containerd.version.value, spec.kubernetes.version.value.minor()))
}

/// The row of a minor release; empty for one that is older than the table.
fn row(minor: u32) -> &'static [[u32; 3]] {
    let known = RECOMMENDED.iter().rev().find(|(row, _)| *row <= minor);
    known.map(|(_, firsts)| *firsts).unwrap_or_default()
}

fn is_recommended(version: [u32; 3], minor: u32) -> bool {
    let firsts = row(minor);
    let series = |version: &[u32; 3]| [version[0], version[1]];
    let own = firsts.iter().find(|first| series(first) == series(&version));
    match own {
        Some(first) => version >= *first,
        None => firsts.iter().all(|first| *first < version),
    }
}

fn shown([major, series, patch]: [u32; 3]) -> String {
    format!("{major}.{series}.{patch}")
}
