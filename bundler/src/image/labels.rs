//! What an image says of itself, in the labels of its configuration.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The label with the licence, as an SPDX expression (OCI image spec, `annotations.md`).
const LICENCES: &str = "org.opencontainers.image.licenses";

#[derive(Deserialize)]
struct Configuration {
    config: Option<Settings>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "Labels")]
    labels: Option<Map<String, Value>>,
}

/// The licence that an image's configuration names. Few images have one.
pub fn licence(configuration: &[u8]) -> Option<String> {
    let read: Configuration = serde_json::from_slice(configuration).ok()?;
    let licence = read.config?.labels?.remove(LICENCES)?.as_str()?.trim().to_owned();
    (!licence.is_empty()).then_some(licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_the_licence() {
        let with = |labels: &str| format!(r#"{{"config": {{"Labels": {labels}}}}}"#);
        let own = with(r#"{"org.opencontainers.image.licenses": " Apache-2.0 "}"#);
        assert_eq!(licence(own.as_bytes()).as_deref(), Some("Apache-2.0"));
        for none in [with("null"), with("{}"), with("[]"), "{}".to_owned(), "no".to_owned()] {
            assert_eq!(licence(none.as_bytes()), None, "{none}");
        }
    }
}
