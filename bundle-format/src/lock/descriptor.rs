//! A blob, as all parts of a bundle name it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;

/// The types of layers and configurations, which nearly all blobs have: the OCI's (image spec,
/// `media-types.md`) and docker's.
const USUAL: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.container.image.v1+json",
];

/// A blob by its digest (OCI image spec, `descriptor.md`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Descriptor {
    /// The media type, as the registry gives it.
    #[serde(deserialize_with = "read")]
    pub media_type: Cow<'static, str>,
    /// The blob's name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A media type. The usual ones take no memory for each blob that has them.
pub(crate) fn media_type(text: &str) -> Cow<'static, str> {
    let usual = USUAL.into_iter().find(|usual| *usual == text);
    usual.map_or_else(|| text.to_owned().into(), Cow::Borrowed)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Text::deserialize(deserializer).map(|Text(text)| media_type(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_types_are_kept_once_and_all_others_as_they_are() {
        for usual in USUAL {
            assert!(matches!(media_type(usual), Cow::Borrowed(own) if own == usual));
        }
        let text = format!(r#"{{"mediaType":"a\u0041","digest":"{}","size":1}}"#, Digest::of(b""));
        let read: Descriptor = serde_json::from_str(&text).unwrap();
        assert_eq!(read.media_type, "aA");
    }
}
