use bundle_format::ImageReference;

use super::{READ, outcome, text};

/// An image's name. In full it is the same name.
pub(super) fn image_reference(bytes: &[u8]) -> String {
    let image: ImageReference = match text(bytes).parse() {
        Ok(image) => image,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    let full = image.to_string();
    assert_eq!(full.parse().as_ref(), Ok(&image), "{full}");
    assert!(!image.registry().is_empty() && !image.repository().is_empty());
    assert!(image.tag().is_some() || image.digest().is_some());
    READ.to_owned()
}
