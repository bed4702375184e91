//! Programs of other projects that `scripts/tools` has built.

use std::fs;
use std::path::PathBuf;

/// All that are here of a program, with the version that their folder names.
pub fn programs(name: &str) -> Vec<(String, PathBuf)> {
    let cache = std::env::var("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|_| {
        PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cache")
    });
    let folders = fs::read_dir(cache.join("kubeferry-tools")).into_iter().flatten().flatten();
    let program = |folder: fs::DirEntry| {
        let folder_name = folder.file_name().into_string().ok()?;
        let version = folder_name.strip_prefix(name)?.strip_prefix('-')?;
        Some((version.to_owned(), folder.path().join(name)))
    };
    let mut all: Vec<_> = folders.filter_map(program).collect();
    all.retain(|(_, program)| program.is_file());
    all.sort();
    all
}
