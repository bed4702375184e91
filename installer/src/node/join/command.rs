//! The command by which a master makes a token, and where it keeps the join file.

use std::path::PathBuf;

use crate::exec::Command;
use crate::node::paths::{self, ADMIN_CONF};

/// For how many hours a token holds, where nobody says.
pub(crate) const HOURS: u32 = 24;

/// Where it is.
pub fn path() -> PathBuf {
    PathBuf::from(paths::SERVICE_FOLDER).join("join.yaml")
}

/// What makes a new token, and says how to join by it.
pub(crate) fn token_command(hours: u32) -> Command {
    Command::of(&format!(
        "kubeadm token create --ttl {hours}h --print-join-command --kubeconfig {ADMIN_CONF}"
    ))
}
