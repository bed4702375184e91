//! The images that a release of kubeadm needs, as `kubeadm config images list` prints
//! them (kubernetes' `cmd/kubeadm/app/images/images.go`).

use bundle_format::kubeadm::default_repository;
use bundle_format::{ImageReference, KubernetesVersion};

/// The versions of etcd, CoreDNS and pause by release.
const TABLE: &str = include_str!("../../data/kubeadm-images.tsv");

/// Why kubeadm's images are not known.
#[derive(Debug, thiserror::Error)]
pub enum KubeadmError {
    /// A release that is not in the table.
    #[error(
        "this bundler does not know the images of kubeadm {version}, so it asked for nothing yet; the nearest release that it knows is {nearest}, and the newest {last}. If Kubernetes {version} exists, run its `kubeadm config images list`, list what that prints under `images:`, and set `kubernetes.kubeadmImages: listed`"
    )]
    Unknown {
        /// The release.
        version: String,
        /// The most similar release that is in the table.
        nearest: String,
        /// The newest release that is in the table.
        last: String,
    },
    /// A repository that cannot be in an image name.
    #[error("image repository `{repository}`")]
    Repository {
        /// The repository.
        repository: String,
        /// Why.
        #[source]
        source: bundle_format::reference::ReferenceError,
    },
}

/// One of kubeadm's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeadmImage {
    /// `kube-apiserver`, `etcd`, `pause`, ….
    pub component: &'static str,
    /// Its name.
    pub image: ImageReference,
}

/// The images of kubeadm `version`, in `repository` or in kubeadm's default one.
pub fn images(
    version: &KubernetesVersion,
    repository: Option<&str>,
) -> Result<Vec<KubeadmImage>, KubeadmError> {
    let text = version.to_string();
    let mut rows = TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        [(); 4].map(|()| columns.next().unwrap_or_default())
    });
    let Some([_, etcd, coredns, pause]) = rows.clone().find(|[release, ..]| *release == text)
    else {
        let last = rows.next_back().map(|[release, ..]| release).unwrap_or_default().to_owned();
        let nearest = nearest(version).unwrap_or_default();
        return Err(KubeadmError::Unknown { version: text, nearest, last });
    };
    let default = default_repository(version);
    let repository = repository.unwrap_or(default).trim_end_matches('/');
    // CoreDNS is one folder deeper, but only in the default repository.
    let coredns_path = match repository == default && version.minor() >= 21 {
        true => "coredns/coredns",
        false => "coredns",
    };
    let own = format!("v{text}");
    let parts = [
        ("kube-apiserver", "kube-apiserver", own.as_str()),
        ("kube-controller-manager", "kube-controller-manager", &own),
        ("kube-scheduler", "kube-scheduler", &own),
        ("kube-proxy", "kube-proxy", &own),
        ("coredns", coredns_path, coredns),
        ("pause", "pause", pause),
        ("etcd", "etcd", etcd),
    ];
    parts
        .into_iter()
        .map(|(component, path, tag)| {
            let image = format!("{repository}/{path}:{tag}").parse().map_err(|source| {
                KubeadmError::Repository { repository: repository.to_owned(), source }
            })?;
            Ok(KubeadmImage { component, image })
        })
        .collect()
}

/// The release in the table that is most similar to `version`.
fn nearest(version: &KubernetesVersion) -> Option<String> {
    let releases = TABLE.lines().filter(|line| !line.starts_with('#'));
    let known = releases.filter_map(|line| line.split('\t').next()?.parse().ok());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn list(version: &str, repository: Option<&str>) -> Vec<String> {
        let images = images(&version.parse().unwrap(), repository).unwrap();
        images.iter().map(|image| image.image.to_string()).collect()
    }

    #[test]
    fn is_what_kubeadm_prints() {
        assert_eq!(
            list("1.28.2", None),
            [
                "registry.k8s.io/kube-apiserver:v1.28.2",
                "registry.k8s.io/kube-controller-manager:v1.28.2",
                "registry.k8s.io/kube-scheduler:v1.28.2",
                "registry.k8s.io/kube-proxy:v1.28.2",
                "registry.k8s.io/coredns/coredns:v1.10.1",
                "registry.k8s.io/pause:3.9",
                "registry.k8s.io/etcd:3.5.9-0",
            ]
        );
    }

    #[test]
    fn coredns_is_flat_in_other_repositories_and_before_1_21() {
        let coredns = |version, repository| list(version, repository)[4].clone();
        let aliyun = Some("registry.aliyuncs.com/google_containers");
        assert_eq!(
            coredns("1.28.2", aliyun),
            "registry.aliyuncs.com/google_containers/coredns:v1.10.1"
        );
        assert_eq!(coredns("1.20.2", None), "k8s.gcr.io/coredns:1.7.0");
        assert_eq!(coredns("1.21.0", None), "k8s.gcr.io/coredns/coredns:v1.8.0");
        assert_eq!(coredns("1.24.8", None), "k8s.gcr.io/coredns/coredns:v1.8.6");
        assert_eq!(coredns("1.24.9", None), "registry.k8s.io/coredns/coredns:v1.8.6");
        assert_eq!(coredns("1.24.9", Some("k8s.gcr.io")), "k8s.gcr.io/coredns:v1.8.6");
        assert_eq!(
            coredns("1.28.2", Some("registry.k8s.io")),
            "registry.k8s.io/coredns/coredns:v1.10.1"
        );
    }

    #[test]
    fn every_row_gives_seven_images_and_an_unknown_release_says_what_to_do() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(list(line.split('\t').next().unwrap(), None).len(), 7, "{line}");
        }
        let error = images(&"1.99.0".parse().unwrap(), None).unwrap_err().to_string();
        assert!(error.contains("1.99.0") && error.contains("`images:`"), "{error}");
        for (wanted, nearest) in [("1.28.99", "1.28.15"), ("1.21.99", "1.21.14"), ("1.2.3", "1.")] {
            let error = images(&wanted.parse().unwrap(), None).unwrap_err().to_string();
            assert!(error.contains(&format!("knows is {nearest}")), "{wanted}: {error}");
        }
    }
}
