//! What a command was for, if a later run needs to know.

use std::path::PathBuf;

use bundle_format::Digest;
use serde::{Deserialize, Serialize};

use crate::receipt::firewalld::{Place, Rule};

/// What a command was for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "to")]
pub enum Intention {
    /// firewalld now lets something through.
    Open {
        /// The place of the change.
        place: Place,
        /// The rules.
        rules: Vec<Rule>,
    },
    /// firewalld no longer lets something through.
    Close {
        /// The place of the change.
        place: Place,
        /// The rules.
        rules: Vec<Rule>,
    },
    /// The installer set the interface of Calico or flannel, or removed that setting.
    SetCniInterface,
    /// etcd's data were made from the backup with this digest.
    Restore {
        /// The digest of the backup's list.
        backup: Digest,
    },
    /// No new pods come to the node any more.
    Cordon,
    /// Pods may come to the node again.
    Uncordon,
    /// Vendors' keys were imported into rpm's database.
    ImportKeys {
        /// The files of the keys.
        files: Vec<PathBuf>,
    },
}
