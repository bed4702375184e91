//! Differences between the releases of kubeadm.

use std::fmt;

use crate::version::KubernetesVersion;

/// The version of kubeadm's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigVersion {
    /// `v1beta2`.
    V1beta2,
    /// `v1beta3`, from 1.22 on.
    V1beta3,
    /// `v1beta4`, from 1.31 on, with arguments as lists of pairs.
    V1beta4,
}

impl ConfigVersion {
    /// The newest version that a release reads (kubernetes.io,
    /// `kubeadm-config.v1beta4`).
    pub fn of(kubernetes: &KubernetesVersion) -> Self {
        match kubernetes.minor() {
            ..22 => Self::V1beta2,
            22..31 => Self::V1beta3,
            31.. => Self::V1beta4,
        }
    }
}

/// Whether kubelet and kubeadm refuse control groups of version 1, unless they are told to
/// accept them (KEP-5573).
pub fn refuses_cgroup_v1(kubernetes: &KubernetesVersion) -> bool {
    kubernetes.minor() >= 35
}

/// As it is written in `apiVersion`.
impl fmt::Display for ConfigVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1beta2 => "kubeadm.k8s.io/v1beta2",
            Self::V1beta3 => "kubeadm.k8s.io/v1beta3",
            Self::V1beta4 => "kubeadm.k8s.io/v1beta4",
        })
    }
}

/// The default repository of kubeadm's images (`DefaultImageRepository` in its
/// `constants.go` or its API's `defaults.go`). It changed in 1.25, and in patch
/// releases of the three minors before (kubernetes.io, "registry.k8s.io: faster,
/// cheaper and Generally Available").
pub fn default_repository(kubernetes: &KubernetesVersion) -> &'static str {
    let patch = kubernetes.patch();
    let moved = match kubernetes.minor() {
        22 => patch >= 17,
        23 => patch >= 15,
        24 => patch >= 9,
        minor => minor >= 25,
    };
    if moved { "registry.k8s.io" } else { "k8s.gcr.io" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(minor: u32, patch: u32) -> KubernetesVersion {
        format!("1.{minor}.{patch}").parse().unwrap()
    }

    #[test]
    fn it_moved_within_three_minors() {
        let default_repository = |minor, patch| default_repository(&version(minor, patch));
        for (minor, last) in [(22, 16), (23, 14), (24, 8)] {
            assert_eq!(default_repository(minor, last), "k8s.gcr.io", "1.{minor}.{last}");
            assert_eq!(default_repository(minor, last + 1), "registry.k8s.io", "1.{minor}");
        }
        assert_eq!(default_repository(21, 99), "k8s.gcr.io");
        assert_eq!(default_repository(25, 0), "registry.k8s.io");
    }

    #[test]
    fn each_release_has_its_configuration() {
        for (minor, api) in
            [(20, "v1beta2"), (21, "v1beta2"), (22, "v1beta3"), (30, "v1beta3"), (31, "v1beta4")]
        {
            let found = ConfigVersion::of(&version(minor, 0)).to_string();
            assert_eq!(found, format!("kubeadm.k8s.io/{api}"));
        }
    }
}
