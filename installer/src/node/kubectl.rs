//! How the installer calls kubectl.

use crate::exec::Command;

/// The question whether the API server is ready, with this kubeconfig.
pub(crate) fn readyz(config: &str) -> Command {
    Command::of(&format!("{} --request-timeout 10s get --raw /readyz", kubectl(config)))
}

/// The beginning of a command: kubectl with this kubeconfig. Its cache lies where a
/// reset removes it.
pub(crate) fn kubectl(config: &str) -> String {
    format!("kubectl --cache-dir /var/lib/kubeferry/kubectl --kubeconfig {config}")
}
