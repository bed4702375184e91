//! Taking files out of a bundle.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::layout::Content;

/// Writes the files that `wanted` says into `folder`, under their titles. Each
/// is there whole and checked, or not at all; a file that is there already is
/// never written over. Gives the number of files.
pub fn extract(
    bundle: &Bundle,
    folder: &Path,
    wanted: impl Fn(&Content) -> bool,
) -> anyhow::Result<usize> {
    let contents: Vec<&Content> =
        bundle.contents().iter().filter(|content| wanted(content)).collect();
    let present: Vec<String> = contents
        .iter()
        .map(|content| folder.join(&content.title))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !present.is_empty() {
        bail!("these are there already and are not written over: {}", present.join(", "));
    }
    for content in &contents {
        let path = folder.join(&content.title);
        write(bundle, content, &path)
            .with_context(|| format!("extracting {} to {}", content.title, path.display()))?;
    }
    Ok(contents.len())
}

fn write(bundle: &Bundle, content: &Content, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut bundle.open_blob(&content.descriptor)?, &mut file)?;
    use std::os::unix::fs::PermissionsExt;
    let mode = if content.title.starts_with("installers/") { 0o755 } else { 0o644 };
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    file.persist_noclobber(path)?;
    Ok(())
}
