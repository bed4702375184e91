//! What kubeadm would say, for releases that are out already: for a bundler that cannot
//! ask, and to compare with what kubeadm does say. `scripts/kubeadm-images` adds to it.

use bundle_format::KubernetesVersion;

/// The versions of etcd, CoreDNS and pause by release.
pub(super) const TABLE: &str = include_str!("../../../data/kubeadm-images.tsv");

/// The tags of etcd, CoreDNS and pause of `version`.
pub(super) fn tags(version: &KubernetesVersion) -> Option<[&'static str; 3]> {
    let text = version.to_string();
    let [_, etcd, coredns, pause] = rows().find(|[release, ..]| *release == text)?;
    Some([etcd, coredns, pause])
}

/// The newest release in the table.
pub(super) fn newest() -> Option<&'static str> {
    rows().next_back().map(|[release, ..]| release)
}

/// The release in the table that is most similar to `version`.
pub(super) fn nearest(version: &KubernetesVersion) -> Option<String> {
    let known = rows().filter_map(|[release, ..]| release.parse().ok());
    let away = |known: &KubernetesVersion| {
        let minors = known.minor().abs_diff(version.minor());
        // For another minor, its last patch is the best.
        let patches = match minors {
            0 => known.patch().abs_diff(version.patch()),
            _ => u32::MAX - known.patch(),
        };
        (minors, patches)
    };
    known.min_by_key(away).map(|known| known.to_string())
}

fn rows() -> impl DoubleEndedIterator<Item = [&'static str; 4]> {
    TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        [(); 4].map(|()| columns.next().unwrap_or_default())
    })
}
