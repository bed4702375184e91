//! Why an artifact is there.

use bundle_format::ImageReference;
use bundle_format::lock::{Lock, Why};
use bundle_format::text::printable;

/// The reasons for each artifact called `name`: a package (by name or in
/// full), an image, a manifest or a file. Empty where nothing is called so.
pub fn reasons(lock: &Lock, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for rpm in &lock.rpms {
        if rpm.package.name == name || rpm.package.to_string() == name {
            lines.push(printable(&format!(
                "{} for {}, from {}",
                rpm.package, rpm.target, rpm.source
            )));
            lines.extend(rpm.why.iter().map(words));
        }
    }
    for image in &lock.images {
        let own = image.name.to_string();
        if is_called(&image.name, name) {
            lines.push(format!("{own}, {}", image.root.digest));
            lines.extend(image.why.iter().map(words));
        }
    }
    for manifest in &lock.manifests {
        if manifest.name == name {
            let line = format!("manifest {}, from {}", manifest.name, manifest.source);
            lines.push(printable(&line));
            lines.push("  the spec lists it".to_owned());
        }
    }
    for file in &lock.files {
        if file.title == name {
            lines.push(printable(&format!("{}, from {}", file.title, file.source)));
            lines.push("  the spec lists it".to_owned());
        }
    }
    lines
}

/// Whether an image is meant by `name`: in full, without its tag, by its repository or
/// the last part of that.
pub(crate) fn is_called(image: &ImageReference, name: &str) -> bool {
    let repository = image.repository();
    image.to_string() == name
        || image.name() == name
        || repository == name
        || repository.rsplit('/').next() == Some(name)
}

fn words(why: &Why) -> String {
    printable(&format!("  {why}"))
}
