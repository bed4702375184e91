//! The receipt's lines, and what they tell of a step or a file.

use std::path::{Path, PathBuf};

use bundle_format::{Digest, Nevra};
use serde::{Deserialize, Serialize};

use crate::exec::Command;
use crate::files::attributes::Attributes;
use crate::receipt::intention::Intention;
use crate::receipt::older;
use crate::receipt::step::StepName;
use crate::receipt::upgrade::Upgrade;

/// A line of the receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "line")]
pub enum Line {
    /// The first line.
    Receipt {
        /// The version of the format.
        version: u32,
    },
    /// A run begins.
    Begun {
        /// The node's role.
        role: String,
        /// The digest of the bundle's index.
        bundle: Digest,
        /// Where it was, if that was a registry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// When it was signed; none if no signature was needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Signing>,
    },
    /// A change is about to be made.
    Deed {
        /// The step.
        step: StepName,
        /// The change.
        deed: Deed,
    },
    /// A deed was taken back.
    Undone {
        /// The step; missing in older receipts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepName>,
        /// The deed.
        deed: Deed,
    },
    /// All changes of a step were made.
    Finished {
        /// The step.
        step: StepName,
    },
    /// An upgrade, or the way back from one, begins or ends.
    Upgrade(Upgrade),
}

/// The signature of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// The bundle's name.
    pub name: String,
    /// When it was signed, in seconds from 1970.
    pub at: u64,
}

/// A change, with what is needed to take it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "did")]
pub enum Deed {
    /// A file was written or removed.
    Wrote {
        /// The file.
        path: PathBuf,
        /// What it was before.
        before: Before,
        /// The digest of the new text; none if the file was removed, or a
        /// command wrote it.
        after: Option<Digest>,
    },
    /// A folder was made.
    Made {
        /// The folder.
        path: PathBuf,
    },
    /// Everything below a folder is ours.
    Claimed {
        /// The folder.
        path: PathBuf,
        /// The permission bits, if the folder existed, without files.
        before: Option<u32>,
    },
    /// Packages were installed.
    Installed {
        /// The command.
        command: Command,
        /// Packages of which no version was installed before.
        came: Vec<Nevra>,
        /// Packages that replaced another version.
        replaced: Vec<Replaced>,
    },
    /// A command was run.
    Ran {
        /// The command.
        command: Command,
        /// The commands that take it back.
        undo: Vec<Command>,
        /// What it was for, if a later run needs to know. Older receipts lack
        /// it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intention: Option<Intention>,
    },
}

impl Deed {
    /// What a command was for, if a later run needs to know.
    pub(crate) fn intention(&self) -> Option<Intention> {
        match self {
            Self::Ran { intention: Some(intention), .. } => Some(intention.clone()),
            Self::Ran { command, intention: None, .. } => older::intention(command),
            _ => None,
        }
    }

    /// The packages that a command of an older version installed, and the names
    /// that were new.
    pub(crate) fn older_packages(&self) -> Option<(Vec<Nevra>, &[String])> {
        let Self::Ran { command, undo, .. } = self else { return None };
        older::packages(command, undo)
    }
}

/// A package that replaced another version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// The package before.
    pub was: Nevra,
    /// The package now.
    pub is: Nevra,
}

/// What a file was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "was")]
pub enum Before {
    /// It was not there.
    Absent,
    /// A file. Its text is kept in the folder `before`.
    File {
        /// The name of the kept text.
        kept: String,
        /// Its attributes.
        #[serde(flatten)]
        attributes: Attributes,
    },
}

/// What a file was before our first change to it.
pub fn first<'a>(lines: &'a [Line], file: &Path) -> Option<&'a Before> {
    remaining(lines).into_iter().find_map(|deed| match deed {
        Deed::Wrote { path, before, .. } if path == file => Some(before),
        _ => None,
    })
}

/// The deeds that are not taken back, the oldest first.
pub fn remaining(lines: &[Line]) -> Vec<&Deed> {
    remaining_of_steps(lines).into_iter().map(|(_, deed)| deed).collect()
}

/// The same, each with its step.
pub fn remaining_of_steps(lines: &[Line]) -> Vec<(StepName, &Deed)> {
    let mut deeds: Vec<(StepName, &Deed)> = Vec::new();
    for line in lines {
        match line {
            Line::Deed { step, deed } => deeds.push((*step, deed)),
            Line::Undone { step: of, deed } => {
                // Two steps may have run the same command.
                let is_it = |(step, one): &(StepName, &Deed)| {
                    *one == deed && of.is_none_or(|of| of == *step)
                };
                if let Some(at) = deeds.iter().rposition(is_it) {
                    deeds.remove(at);
                }
            }
            _ => {}
        }
    }
    deeds
}

/// The commands that were run, the oldest first.
pub fn commands(lines: &[Line]) -> impl DoubleEndedIterator<Item = &Command> {
    lines.iter().filter_map(|line| match line {
        Line::Deed {
            deed: Deed::Ran { command, .. } | Deed::Installed { command, .. }, ..
        } => Some(command),
        _ => None,
    })
}

/// What commands were for, the oldest first.
pub fn intentions(lines: &[Line]) -> impl Iterator<Item = Intention> {
    lines.iter().filter_map(|line| match line {
        Line::Deed { deed, .. } => deed.intention(),
        _ => None,
    })
}

/// Whether a step began to make changes and did not finish.
pub fn interrupted(lines: &[Line], step: StepName) -> bool {
    let last = lines.iter().rev().find(|line| match line {
        Line::Deed { step: of, .. } | Line::Finished { step: of } => *of == step,
        _ => false,
    });
    matches!(last, Some(Line::Deed { .. }))
}

/// Whether a step finished at least once.
pub fn finished(lines: &[Line], step: StepName) -> bool {
    lines.iter().any(|line| matches!(line, Line::Finished { step: of } if *of == step))
}
