//! How a difference is shown.

use bundle_format::lines;
use clap::Args;

use super::report;
use crate::inspect::difference::Difference;

/// What of it, and for whom.
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
    /// How many lines of one text are shown.
    pub(super) fn limit(&self) -> usize {
        if self.full { usize::MAX } else { lines::BRIEF }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes it to standard output.
    pub(super) fn show(&self, difference: &Difference) -> anyhow::Result<()> {
        if self.json {
            return report::json(&format!("{}\n", serde_json::to_string_pretty(difference)?));
        }
        report::data(&format!("{difference}\n"))
    }
}
