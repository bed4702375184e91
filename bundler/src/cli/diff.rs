//! `bundler diff`: what changed from one bundle or lock to another.

use std::path::PathBuf;

use bundle_format::lines;
use clap::Args;

use super::held::Held;
use super::report;
use crate::bundle::difference::{self, Difference};
use crate::bundle::texts::Texts;
use crate::fetch::cache::Cache;

/// Shows what changed from one bundle or lock to another
///
/// For a spec, the lock beside it is compared. The texts of changed manifests come from the
/// bundles, the cache, or the files beside the spec.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, lock or spec before
    a: PathBuf,
    /// The bundle, lock or spec after
    b: PathBuf,
    #[command(flatten)]
    form: Form,
}

/// How a difference is shown.
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

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let both = [Held::open(&arguments.a)?, Held::open(&arguments.b)?];
    let texts = Texts {
        bundles: both.iter().filter_map(Held::bundle).collect(),
        // Who has no cache has nothing in it.
        cache: Cache::of_user().ok(),
        folders: both.iter().filter_map(Held::folder).map(Into::into).collect(),
    };
    let [a, b] = &both;
    let form = &arguments.form;
    form.show(&difference::compare(a.side(), b.side(), &texts, form.limit()))
}
