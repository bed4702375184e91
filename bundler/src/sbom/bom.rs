//! The parts of CycloneDX 1.6 that we write (ECMA-424). The crate `cyclonedx-bom` is not
//! used: `docs/design.md` says why.

use bundle_format::Digest;
use serde::Serialize;

/// A whole document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom {
    pub(super) bom_format: &'static str,
    pub(super) spec_version: &'static str,
    pub(super) serial_number: String,
    pub(super) version: u32,
    pub(super) metadata: Metadata,
    pub(super) components: Vec<Component>,
}

/// What the document is about.
#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    pub(super) tools: Tools,
    pub(super) component: Component,
}

/// The programs that made the document.
#[derive(Debug, Serialize)]
pub(super) struct Tools {
    pub(super) components: Vec<Component>,
}

/// A thing, with the things in it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Component {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    pub(super) reference: String,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<String>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<LicenceChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<String>,
    #[serde(rename = "externalReferences", skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) components: Vec<Component>,
}

/// What a component is.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Application,
    Container,
    File,
    #[default]
    Library,
}

/// A digest of a component's bytes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Hash {
    alg: &'static str,
    content: String,
}

/// A licence.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LicenceChoice {
    license: Licence,
}

/// A licence by the text that its package has. It is never an `id` or an `expression`:
/// those must be SPDX's, and most packages of EL have Fedora's older words.
#[derive(Clone, Debug, Serialize)]
struct Licence {
    name: String,
}

/// Where a component comes from.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExternalReference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

/// A fact for which CycloneDX has no field.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
}

impl Component {
    /// The SHA-256 of its bytes.
    pub(super) fn with_digest(mut self, digest: Digest) -> Self {
        self.hashes.push(Hash { alg: "SHA-256", content: digest.hex() });
        self
    }

    /// Its licence, in the words of its maker.
    pub(super) fn with_licence(mut self, text: Option<String>) -> Self {
        self.licenses.extend(text.map(|name| LicenceChoice { license: Licence { name } }));
        self
    }

    /// The URL that it came from.
    pub(super) fn at_url(mut self, url: &str) -> Self {
        self.references.push(ExternalReference { kind: "distribution", url: url.to_owned() });
        self
    }

    /// A fact with one of our names.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let name = format!("kubeferry:{name}");
        self.properties.push(Property { name, value: value.into() });
        self
    }

    /// The same, if there is a value.
    pub(super) fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}
