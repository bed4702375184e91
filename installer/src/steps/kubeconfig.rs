//! The administrator's kubeconfig for root, as kubectl looks for it.

use crate::change::Change;
use crate::step::{Node, Step};

/// Where kubeadm writes it.
pub(crate) const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// kubectl with a kubeconfig; what it remembers of the API goes where a reset
/// finds it.
pub(crate) fn kubectl(config: &str) -> String {
    format!("kubectl --cache-dir /var/lib/kubeferry/kubectl --kubeconfig {config}")
}

/// Where kubectl looks for it.
pub(crate) const OWN: &str = "/root/.kube/config";

/// See the module.
pub struct Kubeconfig;

impl Step for Kubeconfig {
    fn name(&self) -> &'static str {
        "kubeconfig"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        // In a plan kubeadm has not written it yet.
        let admin = node.host.read(ADMIN)?;
        let same = admin.is_some() && node.host.read(OWN)? == admin;
        let is_closed = node.host.mode(OWN) == Some(0o600);
        if same && is_closed {
            return Ok(Vec::new());
        }
        Ok(vec![Change::write_secret(OWN, admin.unwrap_or_default())])
    }
}
