//! Taking files and images out of a bundle.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::writer;
use bundle_format::layout::{Content, Layout, names};
use bundle_format::lock::LockedImage;
use bundle_format::reference::ImageReference;

/// What can be taken out of a bundle.
pub enum Item<'a> {
    /// A file as it is.
    File(&'a Content),
    /// An image, as an OCI archive of its own.
    Image(&'a LockedImage),
}

impl Item<'_> {
    /// Its path when extracted.
    pub fn title(&self) -> String {
        match self {
            Self::File(content) => content.title.clone(),
            Self::Image(image) => names(image).first().map(image_title).unwrap_or_default(),
        }
    }
}

/// Without a colon, which skopeo and podman take for the end of a path.
fn image_title(name: &ImageReference) -> String {
    let end = match (name.tag(), name.digest()) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(digest)) => digest.to_string().replace(':', "-"),
        (None, None) => "latest".to_owned(),
    };
    format!("images/{}/{}/{end}.tar", name.registry().replace(':', "_"), name.repository())
}

/// Everything that a bundle has, files first.
pub fn items(bundle: &Bundle) -> Vec<Item<'_>> {
    let files = bundle.contents().iter().map(Item::File);
    files.chain(bundle.lock().images.iter().map(Item::Image)).collect()
}

/// Writes `items` into `folder`, under their titles. Each is there whole and
/// checked, or not at all; a file that is there already is never written over.
pub fn extract(bundle: &Bundle, folder: &Path, items: &[Item<'_>]) -> anyhow::Result<()> {
    let present: Vec<String> = items
        .iter()
        .map(|item| folder.join(item.title()))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !present.is_empty() {
        bail!("these are there already and are not written over: {}", present.join(", "));
    }
    for item in items {
        let path = folder.join(item.title());
        write(bundle, item, &path)
            .with_context(|| format!("extracting {} to {}", item.title(), path.display()))?;
    }
    Ok(())
}

fn write(bundle: &Bundle, item: &Item<'_>, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    // Less the process's umask.
    let mode = if item.title().starts_with("installers/") { 0o755 } else { 0o644 };
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    match item {
        Item::File(content) => {
            io::copy(&mut bundle.open_blob(&content.descriptor)?, &mut file)?;
        }
        Item::Image(image) => write_image(bundle, image, file.as_file_mut())?,
    }
    file.persist_noclobber(path)?;
    Ok(())
}

fn write_image(bundle: &Bundle, image: &LockedImage, out: &mut File) -> anyhow::Result<()> {
    let layout = Layout::of_image(image)?;
    let open = |blob: &_| bundle.open_blob(blob).map_err(io::Error::other);
    Ok(writer::write(out, &layout, open, |_| ())?)
}
