//! The images that a release of kubeadm needs, as `kubeadm config images list` prints
//! them (kubernetes' `cmd/kubeadm/app/images/images.go`).

pub mod sandbox;
mod table;

use bundle_format::kubeadm::default_repository;
use bundle_format::lock::{Lock, Why};
use bundle_format::text::brief;
use bundle_format::{ImageReference, KubernetesVersion};

/// Why kubeadm's images are not known.
#[derive(Debug, thiserror::Error)]
pub enum KubeadmError {
    /// A release that is not in the table, and whose kubeadm cannot be asked.
    #[error(
        "the images of kubeadm {version} are not known. This bundler could not ask it: {reason}. The bundler's own table does not have it; the nearest release there is {nearest}, and the newest {newest}. {}", cure(.version)
    )]
    Unknown {
        /// The release.
        version: String,
        /// Why kubeadm could not be asked.
        reason: String,
        /// The most similar release that is in the table.
        nearest: String,
        /// The newest release that is in the table.
        newest: String,
    },
    /// kubeadm prints something else than any kubeadm before.
    #[error(
        "kubeadm {version} lists other images than this bundler expects of a kubeadm: {}. {}", .lines.join(", "), cure(.version)
    )]
    Unexpected {
        /// The release.
        version: String,
        /// The lines that it printed.
        lines: Vec<String>,
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

/// What to do if kubeadm's images must come from the spec.
pub(crate) fn cure(version: &str) -> String {
    format!(
        "Run `kubeadm config images list --kubernetes-version v{version}` where this kubeadm \
         runs, list what it prints under `images:`, and set `kubernetes.kubeadmImages: listed`"
    )
}

/// One of kubeadm's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeadmImage {
    /// `kube-apiserver`, `etcd`, `pause`, ….
    pub component: &'static str,
    /// Its name.
    pub image: ImageReference,
}

/// The tags of the images that have versions of their own. All else follows from the
/// release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    etcd: String,
    coredns: String,
    pause: String,
}

impl Tags {
    /// Those of `version`, if bundler's table has it.
    pub fn known(version: &KubernetesVersion) -> Option<Self> {
        let [etcd, coredns, pause] = table::tags(version)?.map(str::to_owned);
        Some(Self { etcd, coredns, pause })
    }

    /// Those that kubeadm `version` printed for its default repository.
    pub fn printed(version: &KubernetesVersion, output: &str) -> Result<Self, KubeadmError> {
        let unexpected = || {
            let lines: Vec<String> = output.lines().take(20).map(brief).collect();
            let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
            KubeadmError::Unexpected { version: version.to_string(), lines }
        };
        let names: Result<Vec<ImageReference>, _> =
            output.lines().map(str::parse::<ImageReference>).collect();
        let mut names = names.map_err(|_| unexpected())?;
        let tags = Self::among(|component| {
            let is_it =
                |name: &&ImageReference| name.repository().rsplit('/').next() == Some(component);
            names.iter().find(is_it)?.tag()
        });
        let expected = tags.as_ref().and_then(|tags| tags.images(version, None).ok());
        let mut expected: Vec<ImageReference> =
            expected.ok_or_else(unexpected)?.into_iter().map(|image| image.image).collect();
        names.sort();
        expected.sort();
        match tags {
            Some(tags) if names == expected => Ok(tags),
            _ => Err(unexpected()),
        }
    }

    /// Those that a lock has, from its table or from kubeadm.
    pub fn locked(lock: &Lock) -> Option<Self> {
        Self::among(|component| {
            let is_it =
                |why: &Why| matches!(why, Why::Kubeadm { component: own } if own == component);
            lock.images.iter().find(|image| image.why.iter().any(is_it))?.name.tag()
        })
    }

    fn among<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let tag = |component| tag(component).map(str::to_owned);
        Some(Self { etcd: tag("etcd")?, coredns: tag("coredns")?, pause: tag("pause")? })
    }

    /// The images of kubeadm `version`, in `repository` or in kubeadm's default one.
    pub fn images(
        &self,
        version: &KubernetesVersion,
        repository: Option<&str>,
    ) -> Result<Vec<KubeadmImage>, KubeadmError> {
        let default = default_repository(version);
        let repository = repository.unwrap_or(default).trim_end_matches('/');
        // CoreDNS is one folder deeper, but only in the default repository.
        let coredns_path = match repository == default && version.minor() >= 21 {
            true => "coredns/coredns",
            false => "coredns",
        };
        let own = format!("v{version}");
        let parts = [
            ("kube-apiserver", "kube-apiserver", own.as_str()),
            ("kube-controller-manager", "kube-controller-manager", &own),
            ("kube-scheduler", "kube-scheduler", &own),
            ("kube-proxy", "kube-proxy", &own),
            ("coredns", coredns_path, &self.coredns),
            ("pause", "pause", &self.pause),
            ("etcd", "etcd", &self.etcd),
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

    /// `etcd 3.5.9-0, CoreDNS v1.10.1, pause 3.9`.
    pub(crate) fn words(&self) -> String {
        format!("etcd {}, CoreDNS {}, pause {}", self.etcd, self.coredns, self.pause)
    }
}

/// That kubeadm `version` is not in the table, and why it was not asked.
pub(crate) fn unknown(version: &KubernetesVersion, reason: String) -> KubeadmError {
    KubeadmError::Unknown {
        version: version.to_string(),
        reason,
        nearest: table::nearest(version).unwrap_or_default(),
        newest: table::newest().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::table::TABLE;
    use super::*;

    fn list(version: &str, repository: Option<&str>) -> Vec<String> {
        let version = version.parse().unwrap();
        let images = Tags::known(&version).unwrap().images(&version, repository).unwrap();
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
    fn every_row_is_what_its_own_list_is_read_as() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let release = line.split('\t').next().unwrap();
            let version = release.parse().unwrap();
            let lines = list(release, None).join("\n");
            assert_eq!(lines.lines().count(), 7, "{line}");
            assert_eq!(Tags::printed(&version, &lines).ok(), Tags::known(&version), "{line}");
        }
    }

    #[test]
    fn other_lists_are_refused() {
        let version = "1.28.2".parse().unwrap();
        let good = list("1.28.2", None);
        let other = |change: fn(&mut Vec<String>)| {
            let mut lines = good.clone();
            change(&mut lines);
            Tags::printed(&version, &lines.join("\n")).unwrap_err().to_string()
        };
        for error in [
            other(Vec::clear),
            other(|lines| drop(lines.pop())),
            other(|lines| lines.push("registry.k8s.io/extra:v1".to_owned())),
            other(|lines| lines.push(lines[0].clone())),
            other(|lines| lines[6] = "evil.example/etcd:3.5.9-0".to_owned()),
            other(|lines| lines[0] = "registry.k8s.io/kube-apiserver:v1.28.3".to_owned()),
            other(|lines| lines[1] = "\u{1b}[2J Is a directory".to_owned()),
        ] {
            assert!(error.contains("other images") && error.contains("`images:`"), "{error}");
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn an_unknown_release_says_what_to_do() {
        for (wanted, nearest) in [("1.28.99", "1.28.15"), ("1.21.99", "1.21.14"), ("1.2.3", "1.")] {
            let version = wanted.parse().unwrap();
            assert_eq!(Tags::known(&version), None);
            let error = unknown(&version, "no reason".to_owned()).to_string();
            assert!(error.contains(&format!("there is {nearest}")), "{wanted}: {error}");
            assert!(error.contains("`images:`") && error.contains("no reason"), "{error}");
        }
    }
}
