//! Kubernetes' own releases: which ones still get patches, and which ones these tables
//! know.

/// The newest minor release that all tables of this folder know.
pub(super) const NEWEST: u32 = 37;

/// The month of the last patch of each minor release
/// (kubernetes.io/releases/patch-releases, of November 2026).
const ENDED: [(u32, &str); 7] = [
    (28, "October 2024"),
    (29, "February 2025"),
    (30, "June 2025"),
    (31, "November 2025"),
    (32, "February 2026"),
    (33, "June 2026"),
    (34, "October 2026"),
];

/// Warns about a minor release without patches, and about one that is newer than the
/// tables.
pub(super) fn warning(minor: u32) -> Option<String> {
    if minor > NEWEST {
        return Some(format!(
            "this bundler does not know Kubernetes 1.{minor}, only releases up to 1.{NEWEST}: \
             check in its release notes which containerd, kernel and control groups it needs, \
             and whether the network plugin and the ingress are tested with it"
        ));
    }
    let (last, _) = ENDED.last()?;
    if minor > *last {
        return None;
    }
    let since = ENDED.iter().find(|(row, _)| *row == minor);
    let since = since.map(|(_, month)| format!(" since {month}")).unwrap_or_default();
    Some(format!(
        "Kubernetes 1.{minor} gets no more patches{since}: for a new cluster, use 1.{} to \
         1.{NEWEST}",
        last + 1
    ))
}
