//! Finding the bundle.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;

use crate::failure::Failure;

const NAME_IT: &str = "name the bundle with --bundle FILE";

/// Opens the first of the bundles that were named, with what it lacks from the others.
pub(super) fn open(named: &[PathBuf], keys: &TrustedKeys) -> anyhow::Result<Bundle> {
    let path = find(named.first().map(PathBuf::as_path))?;
    let others = named.iter().skip(1).map(|path| find(Some(path)));
    let others = others.collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let bundle = Bundle::open_trusted(&path, keys);
    bundle
        .with_context(|| format!("opening {}", path.display()))?
        .with_others(&others)
        .context("looking for what the bundle lacks")
}

/// The bundle that was named, or the only one in this program's folder.
pub(super) fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return if path.is_dir() { only_one_in(path) } else { Ok(path.to_owned()) };
    }
    let program = std::env::current_exe().context("finding this program's folder")?;
    only_one_in(program.parent().unwrap_or(Path::new(".")))
}

fn only_one_in(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    let mut bundles: Vec<PathBuf> = paths
        .with_context(|| format!("reading {}", folder.display()))?
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".tar")
                || name.contains(".tar.part01of")
                || name.contains(".tar.part1of")
        })
        .collect();
    bundles.sort();
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
