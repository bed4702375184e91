//! What a command was run for, where a later run asks the receipt for it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::receipt::firewalld::{Place, Rule};

/// What a command was run for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "to")]
pub enum Intention {
    /// firewalld lets something through from then on.
    Open {
        /// Where it is changed.
        place: Place,
        /// What.
        rules: Vec<Rule>,
    },
    /// firewalld lets it through no more.
    Close {
        /// Where it is changed.
        place: Place,
        /// What.
        rules: Vec<Rule>,
    },
    /// Calico has its interface from us, or no more.
    SetCniInterface,
    /// Keys of vendors come into rpm's database.
    ImportKeys {
        /// From these files.
        files: Vec<PathBuf>,
    },
}
