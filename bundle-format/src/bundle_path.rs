//! The paths of the files in a bundle. Only this file knows a bundle's folders and
//! the names in them. A path is the file's title in the bundle manifest
//! (`org.opencontainers.image.title`), and the path to which it is extracted.

use std::fmt;
use std::str::FromStr;

use crate::architecture::Architecture;
use crate::portable_path::{PathError, PortablePath};
use crate::text::serde_as_text;
use crate::version::KubernetesVersion;

/// The path of a file in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BundlePath {
    /// A public key of a repository: `keys/el9-x86_64/kubernetes-1.asc`.
    Key {
        /// The target's id.
        target: String,
        /// The repository's id.
        repository: String,
        /// The number of the key in its repository, from 1.
        number: usize,
    },
    /// Metadata for the node's own yum or dnf:
    /// `rpms/el9-x86_64/repodata/repomd.xml`.
    Repodata {
        /// The target's id.
        target: String,
        /// The file's name.
        file: String,
    },
    /// A package: `rpms/el9-x86_64/kubelet-1.28.2-150500.1.1.x86_64.rpm`.
    Rpm {
        /// The target's id.
        target: String,
        /// The file's name.
        file: String,
    },
    /// Kubernetes YAML, patched: `manifests/calico.yaml`.
    Manifest {
        /// The manifest's name.
        manifest: String,
    },
    /// The same file as it was published, if it was patched:
    /// `manifests/upstream/calico.yaml`.
    Upstream {
        /// The manifest's name.
        manifest: String,
    },
    /// A part of a manifest that is applied in one go:
    /// `manifests/passes/calico.1.yaml`.
    Pass {
        /// The manifest's name.
        manifest: String,
        /// The number of the pass in its manifest, from 1.
        number: usize,
    },
    /// The chart that a manifest was made from: `charts/metrics-server.tgz`.
    Chart {
        /// The manifest's name.
        manifest: String,
    },
    /// The installer: `installers/x86_64/installer`.
    Installer {
        /// The nodes' architecture.
        architecture: Architecture,
    },
    /// The software bill of materials of the whole bundle: `sbom.cdx.json`.
    Sbom,
    /// A file of one of the releases on the way to the bundle's own:
    /// `hops/1.35.4/rpms/el9-x86_64/kubelet-1.35.4-150500.1.1.x86_64.rpm`.
    Hop {
        /// The release.
        release: String,
        /// The file's path, as in a bundle of that release.
        path: Box<BundlePath>,
    },
}

impl BundlePath {
    /// The file with which yum and dnf begin to read a target's packages.
    pub fn repomd(target: &str) -> Self {
        Self::Repodata { target: target.to_owned(), file: "repomd.xml".to_owned() }
    }

    /// Whether it is the path of a key of this repository of this target.
    pub fn is_key_of(&self, of_target: &str, of_repository: &str) -> bool {
        matches!(self, Self::Key { target, repository, .. }
            if target == of_target && repository == of_repository)
    }

    /// The file's own name: `calico.1.yaml`.
    pub fn file_name(&self) -> String {
        let path = self.to_string();
        path.rsplit('/').next().unwrap_or(&path).to_owned()
    }

    /// The path within the folder of its kind: `passes/calico.1.yaml`.
    pub fn below_folder(&self) -> String {
        let path = self.to_string();
        path.split_once('/').map_or(path.as_str(), |(_, below)| below).to_owned()
    }

    /// The path in a form that every file system accepts. It fails if a part
    /// cannot be in such a path, because the parts were not checked before.
    pub fn portable(&self) -> Result<PortablePath, PathError> {
        self.to_string().parse()
    }

    /// The path of the same file as one of the hop `release`.
    #[must_use]
    pub fn of_hop(self, release: &KubernetesVersion) -> Self {
        Self::Hop { release: release.to_string(), path: Box::new(self) }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some((release, path)) =
            text.strip_prefix("hops/").and_then(|own| own.split_once('/'))
        {
            let (release, path) = (release.parse::<KubernetesVersion>().ok()?, Self::read(path)?);
            // The whole bundle has one bill.
            let is_whole = matches!(path, Self::Hop { .. } | Self::Sbom);
            return (!is_whole).then(|| path.of_hop(&release));
        }
        let names: Vec<&str> = text.split('/').collect();
        let yaml = |file: &str| file.strip_suffix(".yaml").map(str::to_owned);
        Some(match names.as_slice() {
            ["keys", target, file] => {
                let (repository, number) = file.strip_suffix(".asc")?.rsplit_once('-')?;
                let [target, repository] = [*target, repository].map(str::to_owned);
                Self::Key { target, repository, number: number.parse().ok()? }
            }
            ["rpms", target, "repodata", file] => {
                let [target, file] = [*target, *file].map(str::to_owned);
                Self::Repodata { target, file }
            }
            ["rpms", target, file] if file.ends_with(".rpm") => {
                let [target, file] = [*target, *file].map(str::to_owned);
                Self::Rpm { target, file }
            }
            ["manifests", file] => Self::Manifest { manifest: yaml(file)? },
            ["manifests", "upstream", file] => Self::Upstream { manifest: yaml(file)? },
            ["manifests", "passes", file] => {
                let part = yaml(file)?;
                let (manifest, number) = part.rsplit_once('.')?;
                Self::Pass { manifest: manifest.to_owned(), number: number.parse().ok()? }
            }
            ["charts", file] => Self::Chart { manifest: file.strip_suffix(".tgz")?.to_owned() },
            ["installers", architecture, "installer"] => {
                Self::Installer { architecture: architecture.parse().ok()? }
            }
            ["sbom.cdx.json"] => Self::Sbom,
            _ => return None,
        })
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { target, repository, number } => {
                write!(f, "keys/{target}/{repository}-{number}.asc")
            }
            Self::Repodata { target, file } => write!(f, "rpms/{target}/repodata/{file}"),
            Self::Rpm { target, file } => write!(f, "rpms/{target}/{file}"),
            Self::Manifest { manifest } => write!(f, "manifests/{manifest}.yaml"),
            Self::Upstream { manifest } => write!(f, "manifests/upstream/{manifest}.yaml"),
            Self::Pass { manifest, number } => {
                write!(f, "manifests/passes/{manifest}.{number}.yaml")
            }
            Self::Chart { manifest } => write!(f, "charts/{manifest}.tgz"),
            Self::Installer { architecture } => write!(f, "installers/{architecture}/installer"),
            Self::Sbom => f.write_str("sbom.cdx.json"),
            Self::Hop { release, path } => write!(f, "hops/{release}/{path}"),
        }
    }
}

impl FromStr for BundlePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let _: PortablePath = text.parse()?;
        // A path has one spelling: `keys/a/b-01.asc` is not a second one of
        // `…-1.asc`.
        let path = Self::read(text).filter(|path| path.to_string() == text);
        path.ok_or_else(|| PathError::new(text, "has no place in a bundle"))
    }
}

serde_as_text!(BundlePath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_has_its_place() {
        for (text, name, below) in [
            ("keys/el9-x86_64/own-repo-2.asc", "own-repo-2.asc", "el9-x86_64/own-repo-2.asc"),
            ("rpms/t/repodata/repomd.xml", "repomd.xml", "t/repodata/repomd.xml"),
            ("rpms/t/a-1~rc1^git-1.noarch.rpm", "a-1~rc1^git-1.noarch.rpm", ""),
            ("manifests/calico.yaml", "calico.yaml", "calico.yaml"),
            ("manifests/upstream/calico.yaml", "calico.yaml", "upstream/calico.yaml"),
            ("manifests/passes/a.b.10.yaml", "a.b.10.yaml", "passes/a.b.10.yaml"),
            ("charts/metrics-server.tgz", "metrics-server.tgz", "metrics-server.tgz"),
            ("installers/aarch64/installer", "installer", "aarch64/installer"),
            ("sbom.cdx.json", "sbom.cdx.json", "sbom.cdx.json"),
            ("hops/1.35.4/rpms/t/repodata/repomd.xml", "repomd.xml", "t/repodata/repomd.xml"),
        ] {
            let path: BundlePath = text.parse().unwrap();
            assert_eq!(path.to_string(), text);
            assert_eq!(path.file_name(), name, "{text}");
            assert!(path.below_folder().ends_with(below), "{text}");
            assert_eq!(path.portable().unwrap().as_str(), text);
        }
        let key: BundlePath = "keys/t/own-repo-2.asc".parse().unwrap();
        assert!(key.is_key_of("t", "own-repo") && !key.is_key_of("t", "own"));
        assert_eq!(BundlePath::repomd("t").to_string(), "rpms/t/repodata/repomd.xml");
    }

    #[test]
    fn what_has_no_place_is_refused() {
        for text in [
            "",
            "a",
            "config/a",
            "keys/t/a.asc",
            "keys/t/a-01.asc",
            "keys/t/a-+1.asc",
            "keys/t/deep/a-1.asc",
            "rpms/t/a.txt",
            "rpms/t/repodata/deep/a",
            "manifests/a.yml",
            "manifests/other/a.yaml",
            "manifests/passes/a.yaml",
            "installers/amd64/installer",
            "installers/riscv64/installer",
            "hops/1.35/keys/t/a-1.asc",
            "hops/1.35.4/a",
            "hops/1.35.4/sbom.cdx.json",
            "sbom.json",
            "hops/1.35.4",
            "hops/1.35.4/hops/1.34.4/keys/t/a-1.asc",
            "installer",
        ] {
            assert!(text.parse::<BundlePath>().is_err(), "{text}");
        }
        let error = "../a".parse::<BundlePath>().unwrap_err().to_string();
        assert!(error.contains("leads elsewhere"), "{error}");
        let error = "a/b".parse::<BundlePath>().unwrap_err().to_string();
        assert_eq!(error, "a file is named `a/b`, which has no place in a bundle");
    }
}
