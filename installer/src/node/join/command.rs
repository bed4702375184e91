//! How a master makes a token, and where it keeps the join file.

use std::path::PathBuf;

use crate::exec::Command;
use crate::node::paths::{self, ADMIN_CONF};

/// How long a token is valid, in hours, unless told otherwise.
pub(crate) const HOURS: u32 = 24;

/// Where a master keeps the join file.
pub fn path() -> PathBuf {
    PathBuf::from(paths::SERVICE_FOLDER).join("join.yaml")
}

/// The command that makes a token, and prints how to join with it.
pub(crate) fn token_command(hours: u32) -> Command {
    Command::of(&format!(
        "kubeadm token create --ttl {hours}h --print-join-command --kubeconfig {ADMIN_CONF}"
    ))
}
