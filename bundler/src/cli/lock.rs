//! `bundler lock`: records what a spec means today, and shows what changed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::Lock;
use clap::Args;

use super::form::Form;
use super::{lock_file, print};
use crate::fetch::cache::Cache;
use crate::fetch::memory::Network;
use crate::fetch::notice::Notices;
use crate::inspect::difference::{self, Difference, Side};
use crate::inspect::texts::Texts;
use crate::lock::{self, Kept, Task};
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// The exit status of `--check` if the lock would be different today.
const DIFFERS: u8 = 3;

/// Records what a spec means today, in <SPEC>.lock.json
///
/// The lock has each artifact with its source, its size, its digest, and the reason
/// for it. If there was a lock before, the changes are printed.
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
    /// Write nothing. Exit with 3 if the spec, the files beside it or upstream
    /// have changed since the lock was made, and with 1 if this cannot be found
    /// out
    #[arg(long, conflicts_with = "upgrade")]
    check: bool,
    /// Upgrade only this, and keep everything else as it is locked: a package, an
    /// image, a manifest, `kubernetes` or `containerd`; repeat the option for
    /// more
    #[arg(long, value_name = "NAME")]
    upgrade: Vec<String>,
    /// Use no network, only the cache and local files
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let file = SpecFile::read(&arguments.spec)?;
    let network = if arguments.offline { Network::Off } else { Network::On };
    let upstreams =
        Upstreams::new(network, &file, Cache::of_user()?, &Notices::new(arguments.form.is_json()))?;
    let path = lock_file::path_of(&file.path);
    let is_there = path.symlink_metadata().is_ok();
    if arguments.check {
        return check(&file, &upstreams, &path, is_there, &arguments.form);
    }
    let before = match is_there.then(|| lock_file::read(&path)) {
        Some(Err(error)) if arguments.upgrade.is_empty() => {
            print::notice(&format!(
                "warning: the changes are not shown, and signatures are not compared with those \
                 before, because the old lock cannot be read: {error:#}"
            ));
            None
        }
        before => before.transpose()?,
    };
    let kept = match (&before, arguments.upgrade.as_slice()) {
        (_, []) => None,
        (Some(before), names) => Some(Kept::all_but(names, before, &file.spec)?),
        (None, _) => bail!("--upgrade: there is no {}: run `bundler lock`", path.display()),
    };
    let lock = resolve(before.as_ref(), kept.as_ref(), &file, &upstreams)?;
    // Compare before writing, while the old texts are still there.
    let difference = compare(before.as_ref(), &lock, &file, &upstreams, &arguments.form);
    lock_file::write(&file, &lock, &upstreams.cache)?;
    if before.is_some() || arguments.form.is_json() {
        arguments.form.show(&difference)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares the lock with the one that would be made today.
fn check(
    file: &SpecFile,
    upstreams: &Upstreams,
    path: &Path,
    is_there: bool,
    form: &Form,
) -> anyhow::Result<ExitCode> {
    let before = if is_there { Some(lock_file::read(path)?) } else { None };
    let today = resolve(before.as_ref(), None, file, upstreams)?;
    let is_same = before.as_ref() == Some(&today);
    let difference = compare(before.as_ref(), &today, file, upstreams, form);
    if form.is_json() || !is_same && is_there {
        form.show(&difference)?;
    }
    let shown = path.display();
    if is_same {
        print::notice(&format!("{shown} is what the spec means today"));
        return Ok(ExitCode::SUCCESS);
    }
    print::notice(&match is_there {
        true => format!("{shown} is not what the spec means today: run `bundler lock`"),
        false => format!("there is no {shown}: run `bundler lock`"),
    });
    Ok(ExitCode::from(DIFFERS))
}

fn compare(
    before: Option<&Lock>,
    after: &Lock,
    file: &SpecFile,
    upstreams: &Upstreams,
    form: &Form,
) -> Difference {
    let texts = Texts {
        bundles: Vec::new(),
        cache: Some(upstreams.cache.clone()),
        folders: vec![file.beside("")],
    };
    let before = before.map_or(Side::Nothing, Side::Lock);
    difference::compare(before, Side::Lock(after), &texts, form.limit())
}

/// What the spec means today. Refuses what is signed worse than in the lock `before`.
fn resolve(
    before: Option<&Lock>,
    kept: Option<&Kept<'_>>,
    file: &SpecFile,
    upstreams: &Upstreams,
) -> anyhow::Result<Lock> {
    let words = || format!("locking {}", file.path.display());
    let task = Task { file, kept, upstreams, now: SystemTime::now() };
    let today = lock::resolve(&task).with_context(words)?;
    if let Some(before) = before {
        lock::refuse_step_back(before, &today).with_context(words)?;
    }
    Ok(today)
}

/// Makes the lock, and writes it beside the spec.
pub(super) fn make(file: &SpecFile, upstreams: &Upstreams) -> anyhow::Result<Lock> {
    let lock = resolve(None, None, file, upstreams)?;
    lock_file::write(file, &lock, &upstreams.cache)?;
    Ok(lock)
}
