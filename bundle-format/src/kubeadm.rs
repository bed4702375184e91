//! What kubeadm takes for granted where its configuration is silent.

/// The repository of kubeadm's images (`DefaultImageRepository` in its
/// `constants.go` or its API's `defaults.go`) in Kubernetes 1.`minor`.`patch`.
/// It moved with 1.25, and within three older minors with their patches
/// (kubernetes.io, "registry.k8s.io: faster, cheaper and Generally Available").
pub fn default_repository(minor: u32, patch: u32) -> &'static str {
    let moved = match minor {
        22 => patch >= 17,
        23 => patch >= 15,
        24 => patch >= 9,
        minor => minor >= 25,
    };
    if moved { "registry.k8s.io" } else { "k8s.gcr.io" }
}

#[cfg(test)]
mod tests {
    use super::default_repository;

    #[test]
    fn it_moved_within_three_minors() {
        for (minor, last) in [(22, 16), (23, 14), (24, 8)] {
            assert_eq!(default_repository(minor, last), "k8s.gcr.io", "1.{minor}.{last}");
            assert_eq!(default_repository(minor, last + 1), "registry.k8s.io", "1.{minor}");
        }
        assert_eq!(default_repository(21, 99), "k8s.gcr.io");
        assert_eq!(default_repository(25, 0), "registry.k8s.io");
    }
}
