//! Finding the bundle.

use std::error::Error;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::archive::error::BundleError;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::storage::whole_name;
use bundle_format::signature::TrustedKeys;
use distribution::fetch::FetchError;
use distribution::fetch::notice::Notices;
use distribution::site::{Address, Site, open};

use super::options::Source;
use super::place::Place;
use crate::failure::Failure;

const NAME_IT: &str = "name the bundle with --bundle FILE";
const REACH_IT: &str = "start the registry, or check its name, its port and --registry-ca; \
                        then type the same line again";

/// Opens the first of the bundles that were named, with what it lacks from the others.
pub(super) fn open(source: &Source<'_>, keys: &TrustedKeys) -> anyhow::Result<Bundle> {
    let others = source.bundle.iter().skip(1).map(|place| find(Some(place)));
    let others = others.collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let bundle = match source.bundle.first() {
        Some(Place::Registry(address)) => of_registry(address, source, keys)?,
        first => {
            let path = find(first)?;
            let bundle = Bundle::open_trusted(&path, keys);
            bundle.map_err(|error| match error {
                // It names the file itself.
                BundleError::Storage(_) => error.into(),
                _ => anyhow::Error::from(error).context(format!("opening {}", path.display())),
            })?
        }
    };
    bundle.with_others(&others).context("looking for what the bundle lacks")
}

fn of_registry(
    address: &Address,
    source: &Source<'_>,
    keys: &TrustedKeys,
) -> anyhow::Result<Bundle> {
    let opened = || {
        let site = Site::new(&[address.host()], &source.reach, &Notices::new(false))?;
        open::open(site, address, keys)
    };
    opened().map_err(|error| {
        let opening = format!("opening {address}");
        match error.chain().any(is_unreachable) {
            true => Failure::new(opening, REACH_IT).because(error).into(),
            false => error.context(opening),
        }
    })
}

fn is_unreachable(cause: &(dyn Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(FetchError::Unreachable { .. }))
}

/// The file of the bundle that was named, or the only one in this program's folder.
pub(super) fn find(named: Option<&Place>) -> anyhow::Result<PathBuf> {
    match named {
        Some(Place::Registry(address)) => Err(Failure::new(
            format!("{address} is in a registry, and a file is needed here"),
            "`bundler pull` gets a bundle from a registry",
        )
        .into()),
        Some(Place::Path(path)) if path.is_dir() => only_one_in(path),
        Some(Place::Path(path)) => Ok(path.clone()),
        None => {
            let program = std::env::current_exe().context("finding this program's folder")?;
            only_one_in(program.parent().unwrap_or(Path::new(".")))
        }
    }
}

fn only_one_in(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    let mut bundles: Vec<PathBuf> = paths
        .with_context(|| format!("reading {}", folder.display()))?
        .into_iter()
        .filter(|path| whole_name(path).to_string_lossy().ends_with(".tar"))
        .collect();
    bundles.sort();
    // Parts are one bundle, also if the first one is missing.
    let whole = |path: &PathBuf| Some(whole_name(path)).filter(|whole| whole != path);
    bundles.dedup_by(|one, before| whole(one).is_some() && whole(one) == whole(before));
    match bundles.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::new(format!("no bundle lies in {}", folder.display()), NAME_IT).into()),
        several => {
            let names: Vec<String> =
                several.iter().map(|path| path.display().to_string()).collect();
            let several =
                format!("there are several bundles in {}: {}", folder.display(), names.join(", "));
            Err(Failure::new(several, NAME_IT).into())
        }
    }
}
