//! The receipt's lines, and what they say of a step or a file.

use std::path::{Path, PathBuf};

use bundle_format::{Digest, Nevra};
use serde::{Deserialize, Serialize};

use crate::exec::Command;
use crate::files::attributes::Attributes;
use crate::receipt::intention::Intention;
use crate::receipt::older;
use crate::receipt::step::StepName;

/// A line of the receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "line")]
pub enum Line {
    /// The first.
    Receipt {
        /// The version of its shape.
        version: u32,
    },
    /// A run begins.
    Begun {
        /// What the node is to be.
        role: String,
        /// The bundle's index.
        bundle: Digest,
    },
    /// A change is about to be made.
    Deed {
        /// The step.
        step: StepName,
        /// What.
        deed: Deed,
    },
    /// A deed was taken back.
    Undone {
        /// The step whose it was; older receipts do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepName>,
        /// What.
        deed: Deed,
    },
    /// All changes of a step were made.
    Finished {
        /// The step.
        step: StepName,
    },
}

/// A change, with what is needed to take it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "did")]
pub enum Deed {
    /// A file was written or removed.
    Wrote {
        /// The file.
        path: PathBuf,
        /// What it was.
        before: Before,
        /// Its text's digest from then on; none where it was removed, or where a
        /// command has written it.
        after: Option<Digest>,
    },
    /// A folder was made that was not there.
    Made {
        /// The folder.
        path: PathBuf,
    },
    /// What is below a folder is ours.
    Claimed {
        /// The folder.
        path: PathBuf,
        /// Its permission bits, where it was there with no file in it.
        before: Option<u32>,
    },
    /// Packages were put in.
    Installed {
        /// By which command.
        command: Command,
        /// Those that were not there before in any version.
        came: Vec<Nevra>,
        /// Those that took the place of another version.
        replaced: Vec<Replaced>,
    },
    /// A command was run.
    Ran {
        /// The command.
        command: Command,
        /// What takes it back.
        undo: Vec<Command>,
        /// What for, where somebody asks; in older receipts the command alone says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intention: Option<Intention>,
    },
}

impl Deed {
    /// What a command was run for; none where nobody asks.
    pub(crate) fn intention(&self) -> Option<Intention> {
        match self {
            Self::Ran { intention: Some(intention), .. } => Some(intention.clone()),
            Self::Ran { command, intention: None, .. } => older::intention(command),
            _ => None,
        }
    }

    /// What an older version's command put in, and which names of it were not there before.
    pub(crate) fn older_packages(&self) -> Option<(Vec<Nevra>, &[String])> {
        let Self::Ran { command, undo, .. } = self else { return None };
        older::packages(command, undo)
    }
}

/// A package that took the place of another version of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// What was there.
    pub was: Nevra,
    /// What is there in its place.
    pub is: Nevra,
}

/// What a file was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "was")]
pub enum Before {
    /// It was not there.
    Absent,
    /// It was a file, whose text is kept in the folder `before`.
    File {
        /// Its name there.
        kept: String,
        /// What else it had.
        #[serde(flatten)]
        attributes: Attributes,
    },
}

/// What a file was before the first of the changes to it.
pub fn first<'a>(lines: &'a [Line], file: &Path) -> Option<&'a Before> {
    remaining(lines).into_iter().find_map(|deed| match deed {
        Deed::Wrote { path, before, .. } if path == file => Some(before),
        _ => None,
    })
}

/// The deeds that were not taken back, the oldest first.
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
                // Steps may have run the same command.
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

/// What commands were run for, the oldest first.
pub fn intentions(lines: &[Line]) -> impl Iterator<Item = Intention> {
    lines.iter().filter_map(|line| match line {
        Line::Deed { deed, .. } => deed.intention(),
        _ => None,
    })
}

/// Whether changes of the step were begun and not finished.
pub fn interrupted(lines: &[Line], step: StepName) -> bool {
    let last = lines.iter().rev().find(|line| match line {
        Line::Deed { step: of, .. } | Line::Finished { step: of } => *of == step,
        _ => false,
    });
    matches!(last, Some(Line::Deed { .. }))
}

/// Whether all changes of the step were made at least once.
pub fn finished(lines: &[Line], step: StepName) -> bool {
    lines.iter().any(|line| matches!(line, Line::Finished { step: of } if *of == step))
}
