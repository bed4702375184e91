//! `/etc/crictl.yaml`: crictl asks containerd, without a warning.

use super::file;
use crate::change::Change;
use crate::step::{Node, Step};

/// containerd's socket.
pub(crate) const SOCKET: &str = "unix:///run/containerd/containerd.sock";

/// See the module.
pub struct Crictl;

impl Step for Crictl {
    fn name(&self) -> &'static str {
        "crictl"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let text = format!("runtime-endpoint: {SOCKET}\nimage-endpoint: {SOCKET}\ntimeout: 10\n");
        file(node.host, "/etc/crictl.yaml", &text)
    }
}
