//! What a registry returns for a name: an index or an image manifest, in the OCI's or
//! docker's form. It comes from others, so it is read strictly.

use bundle_format::digest::Digest;
use bundle_format::lock::Descriptor;
use bundle_format::oci::{self, Entry};
pub use bundle_format::oci::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, is_index};
use serde::Deserialize;

pub use distribution::registries::registry::ACCEPTED;

/// An index or an image manifest.
#[derive(Debug)]
pub enum Document {
    /// The manifests of several platforms.
    Index(Vec<Entry>),
    /// The manifest of one image.
    Manifest(Manifest),
}

/// The blobs of an image manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// Why a document is not an image that a bundle can hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DocumentError {
    /// An HTML page instead of a document.
    #[error(
        "the answer is an HTML page, not an image manifest: a captive portal or a proxy answered instead of the registry"
    )]
    Html,
    /// Not JSON, or JSON of another shape.
    #[error("the answer is not an image manifest: {0}")]
    Malformed(String),
    /// One of its entries has no media type.
    #[error(
        "one of its entries has no `mediaType`, so it may be an image, an index or a layer; build and push the image again with a current tool"
    )]
    NoMediaType,
    /// Docker's old schema 1.
    #[error(
        "the image is in docker's schema 1, which current containerd cannot run; push it again with a docker newer than 1.10"
    )]
    Schema1,
    /// The header and the document name different types. A document that can be
    /// read in two ways (CVE-2021-41190) is refused.
    #[error("the registry says the type is {header}, but the document says {document}")]
    MediaType {
        /// The `Content-Type`, or the type in the index.
        header: String,
        /// The document's own `mediaType`, or the type that its shape shows.
        document: String,
    },
    /// Neither an index nor an image.
    #[error("it is not a container image, but {0}")]
    NotAnImage(String),
    /// A digest of an algorithm that is not supported.
    #[error("the blob {0} is not named by a sha256 digest, the only kind that a bundle carries")]
    Algorithm(String),
    /// A layer that is not in the registry itself.
    #[error(
        "the layer {0} is a foreign layer that its registry does not hold; only Windows images have such"
    )]
    Foreign(String),
    /// The configuration does not belong to the manifest.
    #[error(
        "its configuration names {named} layers, but its manifest names {layers}, so containerd cannot unpack it; build the image again"
    )]
    Layers {
        /// The number of `diff_ids` in the configuration.
        named: usize,
        /// The number of layers in the manifest.
        layers: usize,
    },
}

/// Adds what to do to the parser's message, which only names the field that a tool
/// left out.
fn malformed(error: &serde_json::Error) -> DocumentError {
    let text = error.to_string();
    match text.contains("missing field `mediaType`") {
        true => DocumentError::NoMediaType,
        false => DocumentError::Malformed(text),
    }
}

/// Reads a document. `announced` is the `Content-Type`, or the media type in the
/// index. Returns the document with its media type.
pub fn parse(bytes: &[u8], announced: Option<&str>) -> Result<(Document, String), DocumentError> {
    let announced = announced.map(|text| text.split(';').next().unwrap_or(text).trim());
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"<") || announced == Some("text/html") {
        return Err(DocumentError::Html);
    }
    let raw: oci::Document = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if raw.schema_version == Some(1) {
        return Err(DocumentError::Schema1);
    }
    let media_type = media_type(&raw, announced)?;
    let document = match (raw.manifests, raw.config, raw.layers) {
        (Some(entries), None, None) if is_index(&media_type) => Document::Index(entries),
        // Go writes an empty list as `null`.
        (None, Some(config), layers) if !is_index(&media_type) => {
            Document::Manifest(manifest(&config, &layers.unwrap_or_default())?)
        }
        _ => {
            return Err(DocumentError::Malformed(format!(
                "its type is {media_type}, but it does not have the fields of that type"
            )));
        }
    };
    Ok((document, media_type))
}

/// The media type of a document. If one is announced and one is written, both must be
/// equal. If neither is there, the document's shape decides.
fn media_type(raw: &oci::Document, announced: Option<&str>) -> Result<String, DocumentError> {
    let announced = announced.filter(|text| text.starts_with("application/vnd."));
    let by_shape = if raw.manifests.is_some() { OCI_INDEX } else { OCI_MANIFEST };
    let media_type = match (announced, raw.media_type.as_deref()) {
        (Some(header), Some(document)) if header != document => {
            return Err(DocumentError::MediaType {
                header: header.to_owned(),
                document: document.to_owned(),
            });
        }
        (Some(given), _) | (None, Some(given)) => given,
        (None, None) => by_shape,
    };
    if !ACCEPTED.contains(&media_type) {
        return Err(DocumentError::NotAnImage(media_type.to_owned()));
    }
    Ok(media_type.to_owned())
}

fn manifest(config: &Entry, layers: &[Entry]) -> Result<Manifest, DocumentError> {
    let image_configs = [
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    ];
    if !image_configs.contains(&config.media_type.as_str()) {
        return Err(DocumentError::NotAnImage(format!(
            "an artifact whose configuration is {}",
            config.media_type
        )));
    }
    for layer in layers {
        let foreign = layer.media_type.contains("nondistributable")
            || layer.media_type.contains(".foreign.")
            || layer.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        if foreign {
            return Err(DocumentError::Foreign(layer.digest.clone()));
        }
    }
    Ok(Manifest {
        config: descriptor(config)?,
        layers: layers.iter().map(descriptor).collect::<Result<_, _>>()?,
    })
}

fn descriptor(entry: &Entry) -> Result<Descriptor, DocumentError> {
    entry.descriptor().map_err(|_| DocumentError::Algorithm(entry.digest.clone()))
}

/// Fails unless the configuration has as many layers as its manifest. containerd
/// unpacks no other image (`rootfs`, image-spec's `config.md`).
pub fn check_layers(config: &[u8], layers: usize) -> Result<(), DocumentError> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        rootfs: Option<RootFs>,
    }
    #[derive(Deserialize)]
    struct RootFs {
        #[serde(default)]
        diff_ids: Option<Vec<String>>,
    }
    let config: Config = serde_json::from_slice(config)
        .map_err(|error| DocumentError::Malformed(format!("its configuration: {error}")))?;
    let named = config.rootfs.and_then(|rootfs| rootfs.diff_ids).map_or(0, |ids| ids.len());
    if named == layers { Ok(()) } else { Err(DocumentError::Layers { named, layers }) }
}

/// Reads a SHA-256 digest, the only kind that is supported.
pub fn digest(text: &str) -> Result<Digest, DocumentError> {
    text.parse().map_err(|_| DocumentError::Algorithm(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_a_type_says_what_to_do() {
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"digest":"{digest}","size":2}}]}}"#
        );
        let error = parse(index.as_bytes(), None).unwrap_err();
        assert_eq!(error, DocumentError::NoMediaType);
        assert!(error.to_string().contains("push the image again"), "{error}");
    }

    const CONFIG: &str = r#"{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;

    fn image(extra: &str, layers: &str) -> String {
        format!(r#"{{"schemaVersion":2,{extra}"config":{CONFIG},"layers":[{layers}]}}"#)
    }

    #[test]
    fn takes_the_type_from_header_document_or_shape() {
        let typed = image(&format!(r#""mediaType":"{DOCKER_MANIFEST}","#), "");
        let cases = [
            (image("", ""), None, OCI_MANIFEST),
            (image("", ""), Some("application/json"), OCI_MANIFEST),
            (image("", ""), Some(DOCKER_MANIFEST), DOCKER_MANIFEST),
            (typed, Some("text/plain; charset=utf-8"), DOCKER_MANIFEST),
            (r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(), None, OCI_INDEX),
        ];
        for (text, announced, wanted) in cases {
            assert_eq!(parse(text.as_bytes(), announced).unwrap().1, wanted, "{text}");
        }
    }

    /// skopeo copies this and ctr imports it; both were tried.
    #[test]
    fn does_without_what_other_tools_do_without() {
        let null = image(r#""annotations":null,"subject":null,"#, "").replace("[]", "null");
        let bare = format!(r#"{{"config":{CONFIG}}}"#);
        for text in [null, bare] {
            let (document, media_type) = parse(text.as_bytes(), None).unwrap();
            assert_eq!(media_type, OCI_MANIFEST);
            assert!(matches!(document, Document::Manifest(image) if image.layers.is_empty()));
        }
        let digest = format!("sha256:{}", "0".repeat(64));
        let entry = format!(
            r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1,"platform":null,"annotations":null}}"#
        );
        let text = format!(r#"{{"schemaVersion":2,"config":null,"manifests":[{entry}]}}"#);
        let (document, _) = parse(text.as_bytes(), Some(OCI_INDEX)).unwrap();
        assert!(matches!(document, Document::Index(entries) if entries[0].platform.is_none()));
    }

    #[test]
    fn a_configuration_names_each_layer() {
        for (text, layers, fits) in [
            (r#"{"rootfs":{"type":"layers","diff_ids":["sha256:a"]}}"#, 1, true),
            (r#"{"rootfs":{"type":"layers","diff_ids":null}}"#, 0, true),
            (r#"{"os":"linux"}"#, 0, true),
            (r#"{"os":"linux"}"#, 1, false),
            (r#"{"rootfs":null}"#, 2, false),
            (r#"{"rootfs":{"diff_ids":["sha256:a"]}}"#, 2, false),
        ] {
            let result = check_layers(text.as_bytes(), layers);
            assert_eq!(result.is_ok(), fits, "{text}: {result:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_image_and_says_what_it_is() {
        let layer = |media_type: &str, urls: &str| {
            format!(
                r#"{{"mediaType":"{media_type}","size":1,"digest":"sha256:{}"{urls}}}"#,
                "0".repeat(64)
            )
        };
        let index =
            format!(r#"{{"schemaVersion":2,"manifests":[],"config":{CONFIG},"layers":[]}}"#);
        let cases = [
            (" <!DOCTYPE html>".to_owned(), None, "captive portal"),
            ("{}".to_owned(), Some("text/html"), "captive portal"),
            ("{".to_owned(), None, "not an image manifest"),
            ("[".repeat(200_000), None, "not an image manifest"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(), None, "schema 1"),
            (index, None, "not have the fields"),
            (image("", ""), Some(OCI_INDEX), "not have the fields"),
            (image(&format!(r#""mediaType":"{OCI_INDEX}","#), ""), Some(OCI_MANIFEST), "says"),
            (image("", ""), Some("application/vnd.cncf.x+json"), "not a container image"),
            (image("", "").replace("oci.image.config", "cncf.helm.config"), None, "artifact"),
            (
                image("", &layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "")),
                None,
                "foreign",
            ),
            (image("", &layer("a", r#","urls":["https://a/"]"#)), None, "foreign"),
            (image("", "").replace("sha256:", "sha512:"), None, "sha256"),
            (image("", "").replace("\"size\":2", "\"size\":-2"), None, "not an image manifest"),
        ];
        for (text, announced, words) in cases {
            let error = parse(text.as_bytes(), announced).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
