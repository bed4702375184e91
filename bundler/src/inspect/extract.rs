//! Takes files and images out of a bundle.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::writer;
use bundle_format::layout::{Content, Layout, image_title, name_of_installer};
use bundle_format::lock::LockedImage;
use bundle_format::portable_path::PortablePath;
use bundle_format::{Architecture, BundlePath};

use super::folder::Folder;

/// What can be taken out of a bundle.
pub enum What<'a> {
    /// A file as it is.
    File(&'a Content),
    /// An image, as an OCI archive of its own.
    Image(&'a LockedImage),
}

/// One thing that can be taken out.
pub struct Item<'a> {
    /// The path under which it is extracted.
    pub title: PortablePath,
    /// The thing.
    pub what: What<'a>,
}

/// Everything that a bundle has, files first. An image that is listed several times
/// under one name comes once.
pub fn items(bundle: &Bundle) -> anyhow::Result<Vec<Item<'_>>> {
    let files = bundle.contents().iter();
    let files = files
        .map(|content| Ok(Item { title: content.path.portable()?, what: What::File(content) }));
    let mut seen = HashSet::new();
    let lock = bundle.lock();
    let images = lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images));
    let images = images.map(|image| (image_title(image), image));
    let images = images
        .filter(|(title, _)| seen.insert(title.clone()))
        .map(|(title, image)| Ok(Item { title: title.parse()?, what: What::Image(image) }));
    files.chain(images).collect()
}

/// Writes `items` into `folder`, under their titles; installers go to the top. Each
/// file is written whole and checked, or not at all. Existing files are not
/// overwritten, and no symbolic link below `folder` is followed.
pub fn extract(bundle: &Bundle, folder: &Path, items: &[Item<'_>]) -> anyhow::Result<()> {
    let folder = Folder::open(folder)?;
    let places: Vec<PortablePath> =
        items.iter().map(|item| place(item, items)).collect::<Result<_, _>>()?;
    let mut present = Vec::new();
    for place in &places {
        if folder.has(place)? {
            present.push(folder.shown(place));
        }
    }
    if !present.is_empty() {
        bail!("these exist already and are not overwritten: {}", present.join(", "));
    }
    for (item, place) in items.iter().zip(&places) {
        let mode = if installer(item).is_some() { 0o755 } else { 0o644 };
        folder
            .write(place, mode, |file| write(bundle, &item.what, file))
            .with_context(|| format!("extracting {}", folder.shown(place)))?;
    }
    Ok(())
}

/// The architecture of an installer; `None` for everything else.
fn installer(item: &Item<'_>) -> Option<Architecture> {
    match item.what {
        What::File(Content { path: BundlePath::Installer { architecture }, .. }) => {
            Some(*architecture)
        }
        _ => None,
    }
}

/// The path of an item. An installer goes to the top, as on the medium that is
/// carried to a site.
fn place(item: &Item<'_>, items: &[Item<'_>]) -> anyhow::Result<PortablePath> {
    let Some(architecture) = installer(item) else { return Ok(item.title.clone()) };
    let is_only = items.iter().filter_map(installer).count() == 1;
    Ok(name_of_installer(architecture, is_only).parse()?)
}

fn write(bundle: &Bundle, what: &What<'_>, out: &mut File) -> anyhow::Result<()> {
    match what {
        What::File(content) => {
            io::copy(&mut bundle.open_blob(&content.descriptor)?, out)?;
            Ok(())
        }
        What::Image(image) => {
            let layout = Layout::of_image(image)?;
            let open = |blob: &_| bundle.open_blob(blob).map_err(io::Error::other);
            Ok(writer::write(out, &layout, open, |_| ())?)
        }
    }
}
