//! A certificate in its file: its purpose, who renews it, and whether it is valid.

use std::time::SystemTime;

use crate::node::certificates::certificate::Certificate;

/// Who keeps a certificate, and so who renews it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// An authority's own certificate. Nobody renews it.
    Authority,
    /// The control plane's: `kubeadm certs renew`.
    ControlPlane,
    /// kubelet's own, which it renews.
    Kubelet,
    /// kubelet's serving certificate. kubelet does not renew it, and nobody
    /// checks it.
    Unchecked,
    /// root's, for kubectl: a copy of the administrator's, or a person's.
    Root,
    /// Somebody put it beside the cluster's certificates.
    Other,
}

/// A certificate, and the file that holds it.
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

/// Whether a certificate is valid now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It is valid.
    Good,
    /// It is valid, and expires within 30 days.
    EndsSoon,
    /// It has expired.
    Expired,
    /// It is not valid yet: the clock is behind.
    Early,
}

impl Kept {
    /// Whether it is valid now.
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
