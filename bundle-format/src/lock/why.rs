//! Why an artifact is in a bundle.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::nevra::Nevra;

/// Why an artifact is in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "because",
    deny_unknown_fields
)]
pub enum Why {
    /// The spec asks for it at this path and line.
    Spec {
        /// `packages[3]`, `images[0]`, ….
        path: String,
        /// The line of the spec, from 1.
        line: u64,
    },
    /// The base list of a target's profile asks for it.
    Base {
        /// The profile.
        profile: String,
    },
    /// A package that is in the bundle requires it.
    Requires {
        /// The package.
        package: Nevra,
        /// The requirement that it fulfils, as the metadata has it.
        requirement: String,
    },
    /// A manifest names it.
    Manifest {
        /// The manifest's name.
        manifest: String,
        /// `DaemonSet kube-system/calico-node`.
        document: String,
        /// The path in the document: `spec.template.spec.containers[0].image`.
        path: String,
    },
    /// kubeadm of this Kubernetes version needs it.
    Kubeadm {
        /// The component: `etcd`, `pause`, …
        component: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { path, line } => write!(f, "the spec asks for it: {path}, line {line}"),
            Self::Base { profile } => write!(f, "every {profile} node needs it"),
            Self::Requires { package, requirement } => {
                write!(f, "{package} requires {requirement}")
            }
            Self::Manifest { manifest, document, path } => {
                write!(f, "manifest {manifest} names it: {document}, {path}")
            }
            Self::Kubeadm { component } => write!(f, "kubeadm needs it: {component}"),
        }
    }
}
