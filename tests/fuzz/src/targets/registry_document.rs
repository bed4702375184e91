use bundler::image::document::{Document, check_layers, parse};

use super::{READ, outcome};

/// An image's index, manifest or configuration, as a registry serves it.
pub(super) fn registry_document(bytes: &[u8]) -> String {
    drop(check_layers(bytes, 1));
    let announced = "application/vnd.oci.image.manifest.v1+json; charset=utf-8";
    let announced = outcome(parse(bytes, Some(announced)));
    match parse(bytes, None) {
        Ok((Document::Index(_), _)) => format!("{READ}: an index"),
        Ok((Document::Manifest(_), _)) => format!("{READ}: a manifest, {announced}"),
        Err(error) => outcome::<(), _>(Err(error)),
    }
}
