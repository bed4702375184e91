//! Target profiles: what every node of an OS family needs besides Kubernetes and
//! containerd. They are data files in `manifests/targets/`.

use serde::Deserialize;

/// The base package list of an OS family.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// `el9`.
    pub family: String,
    /// The packages, as requests for the solver.
    pub packages: Vec<String>,
    /// Packages that must be of the same version as the kernel that a node runs.
    #[serde(default)]
    pub of_kernel: Vec<String>,
}

const PROFILES: [(&str, &str); 4] = [
    ("el7", include_str!("../../../manifests/targets/el7.yaml")),
    ("el8", include_str!("../../../manifests/targets/el8.yaml")),
    ("el9", include_str!("../../../manifests/targets/el9.yaml")),
    ("el10", include_str!("../../../manifests/targets/el10.yaml")),
];

/// The families that have a profile.
pub fn families() -> Vec<&'static str> {
    PROFILES.iter().map(|(family, _)| *family).collect()
}

/// The profile of `family`, or `None` for an unknown family: then the spec must list
/// all packages.
pub fn of_family(family: &str) -> Option<Profile> {
    let (_, text) = PROFILES.iter().find(|(name, _)| *name == family)?;
    serde_saphyr::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_reads() {
        for (family, _) in PROFILES {
            let profile = of_family(family).unwrap();
            assert_eq!(profile.family, family);
            for package in ["chrony", "conntrack-tools", "socat", "ethtool", "iproute"] {
                assert!(profile.packages.iter().any(|name| name == package), "{family} {package}");
            }
        }
        assert!(of_family("openEuler").is_none());
    }
}
