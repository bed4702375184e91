//! The form in which a difference is printed.

use bundle_format::lines;
use clap::Args;

use super::print;
use crate::inspect::difference::Difference;

/// The options for it.
#[derive(Args)]
pub(super) struct Form {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show all changed lines of manifests, however many
    #[arg(long)]
    full: bool,
}

impl Form {
    /// The number of lines of one text that are printed.
    pub(super) fn limit(&self) -> usize {
        if self.full { usize::MAX } else { lines::BRIEF }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the difference to standard output.
    pub(super) fn show(&self, difference: &Difference) -> anyhow::Result<()> {
        if self.json {
            return print::json(&format!("{}\n", serde_json::to_string_pretty(difference)?));
        }
        print::data(&format!("{difference}\n"))
    }
}
