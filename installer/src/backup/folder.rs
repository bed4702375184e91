//! A folder with backups, of which the newest are kept.

use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::cluster::NodeName;
use x509_cert::der::DateTime;

/// How the name of a backup ends.
const END: &str = ".backup";

/// The file for a backup that is made now: `NAME-2026-11-27T22-38-49Z.backup`. In the order
/// of their names, a node's backups are in the order of time.
pub(crate) fn next(folder: &Path, node: &NodeName) -> anyhow::Result<PathBuf> {
    let now = DateTime::from_system_time(SystemTime::now()).context("reading the clock")?;
    // Other systems' disks have no names with colons.
    let now = now.to_string().replace(':', "-");
    Ok(folder.join(format!("{node}-{now}{END}")))
}

/// A node's backups in the folder, the oldest first.
pub(crate) fn of(folder: &Path, node: &NodeName) -> anyhow::Result<Vec<PathBuf>> {
    let reading = || format!("reading {}", folder.display());
    let begin = format!("{node}-");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let time = name.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(END));
        // Another node's name may begin with this one's.
        if time.is_some_and(is_time) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Removes all but the newest. Returns how many it removed.
pub(crate) fn thin(folder: &Path, node: &NodeName, keep: NonZeroU16) -> anyhow::Result<usize> {
    let found = of(folder, node)?;
    let old = found.len().saturating_sub(keep.get().into());
    for path in found.iter().take(old) {
        fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(old)
}

/// Whether it is like `2026-11-27T22-38-49Z`.
fn is_time(text: &str) -> bool {
    let like = "0000-00-00T00-00-00Z";
    text.len() == like.len()
        && text.bytes().zip(like.bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_nodes_own_and_oldest_backups_go() {
        let folder = tempfile::tempdir().unwrap();
        let node = |text: &str| NodeName::try_from(text.to_owned()).unwrap();
        let names = [
            "m-2026-11-25T00-00-00Z.backup",
            "m-2026-11-26T00-00-00Z.backup",
            "m-2026-11-27T00-00-00Z.backup",
            "m-2-2026-11-20T00-00-00Z.backup",
            "m-by-hand.backup",
            "m-2026-11-24T00-00-00Z.backup.part",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(thin(folder.path(), &node("m"), NonZeroU16::new(2).unwrap()).unwrap(), 1);
        assert_eq!(thin(folder.path(), &node("m"), NonZeroU16::new(2).unwrap()).unwrap(), 0);
        let left: Vec<bool> = names.iter().map(|name| folder.path().join(name).exists()).collect();
        assert_eq!(left, [false, true, true, true, true, true]);
        let new = next(folder.path(), &node("m")).unwrap();
        fs::write(&new, "").unwrap();
        assert_eq!(of(folder.path(), &node("m")).unwrap().last(), Some(&new));
    }
}
