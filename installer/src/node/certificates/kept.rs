//! A certificate in its file: what it is for, who keeps it, and how it stands.

use std::time::SystemTime;

use crate::node::certificates::certificate::Certificate;

/// Who keeps a certificate, and so who renews it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// It is an authority's own, which nobody renews.
    Authority,
    /// The control plane: `kubeadm certs renew`.
    ControlPlane,
    /// kubelet, for itself.
    Kubelet,
    /// kubelet, which does not renew this one; nobody checks it.
    Unchecked,
    /// root, for kubectl: a copy of the administrator's, or a person's.
    Root,
    /// Somebody else, who put it beside the cluster's.
    Other,
}

/// A certificate, and the file that has it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The file.
    pub path: String,
    /// What it is for.
    pub purpose: &'static str,
    /// Who keeps it.
    pub keeper: Keeper,
    /// The certificate.
    pub certificate: Certificate,
}

/// How a certificate stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It holds.
    Good,
    /// It holds for less than 30 days more.
    EndsSoon,
    /// It holds no more.
    Expired,
    /// It does not hold yet: the clock is behind.
    Early,
}

impl Kept {
    /// How it stands.
    pub fn standing(&self, now: SystemTime) -> Standing {
        if self.certificate.has_expired(now) {
            Standing::Expired
        } else if self.certificate.is_early(now) {
            Standing::Early
        } else if self.certificate.ends_soon(now) {
            Standing::EndsSoon
        } else {
            Standing::Good
        }
    }
}
