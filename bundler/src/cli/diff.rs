//! `bundler diff`: what changed from one bundle or lock to another.

use std::path::PathBuf;

use clap::Args;

use super::form::Form;
use super::held::Held;
use crate::fetch::cache::Cache;
use crate::inspect::difference;
use crate::inspect::texts::Texts;

/// Shows what changed from one bundle or lock to another
///
/// If you name a spec, the lock beside it is compared. The texts of changed manifests
/// are read from the bundles, the cache, or the files beside the spec.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, lock or spec before
    a: PathBuf,
    /// The bundle, lock or spec after
    b: PathBuf,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let both = [Held::open(&arguments.a)?, Held::open(&arguments.b)?];
    let texts = Texts {
        bundles: both.iter().filter_map(Held::bundle).collect(),
        // Without a cache folder there are just no texts from the cache.
        cache: Cache::of_user().ok(),
        folders: both.iter().filter_map(Held::folder).map(Into::into).collect(),
    };
    let [a, b] = &both;
    let form = &arguments.form;
    form.show(&difference::compare(a.side(), b.side(), &texts, form.limit()))
}
