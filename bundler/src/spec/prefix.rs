//! Prefixes of image names.

use bundle_format::ImageReference;

/// The full name of `image` with `to` in place of `from`; none if the name does not
/// begin with `from`, in whole segments.
pub(crate) fn moved(image: &ImageReference, from: &str, to: &str) -> Option<String> {
    let name = image.to_string();
    let rest = name.strip_prefix(from.trim_end_matches('/'))?;
    let is_whole = rest.is_empty() || rest.starts_with(['/', ':', '@']);
    is_whole.then(|| format!("{}{rest}", to.trim_end_matches('/')))
}
