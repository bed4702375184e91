//! Package URLs (ECMA-427): one name for a package, which scanners look up.

use std::collections::BTreeMap;
use std::fmt;

/// A package URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purl {
    kind: &'static str,
    namespace: Vec<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<&'static str, String>,
}

impl Purl {
    /// A package of this type: `rpm`, `deb`, `oci`, ….
    pub(super) fn new(kind: &'static str, name: &str) -> Self {
        let (namespace, qualifiers) = (Vec::new(), BTreeMap::new());
        Self { kind, namespace, name: name.to_owned(), version: None, qualifiers }
    }

    /// Who names it: `centos`, `debian`, `github.com/containerd`.
    pub(super) fn namespace(mut self, namespace: &str) -> Self {
        let parts = namespace.split('/').filter(|part| !part.is_empty());
        self.namespace = parts.map(str::to_owned).collect();
        self
    }

    pub(super) fn version(mut self, version: &str) -> Self {
        self.version = (!version.is_empty()).then(|| version.to_owned());
        self
    }

    /// Something else that tells it apart. An empty value is left out.
    pub(super) fn qualifier(mut self, name: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.qualifiers.insert(name, value.to_owned());
        }
        self
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for part in &self.namespace {
            write!(f, "{}/", encoded(part, ""))?;
        }
        f.write_str(&encoded(&self.name, ""))?;
        if let Some(version) = &self.version {
            write!(f, "@{}", encoded(version, ""))?;
        }
        for (number, (name, value)) in self.qualifiers.iter().enumerate() {
            let mark = if number == 0 { '?' } else { '&' };
            write!(f, "{mark}{name}={}", encoded(value, "/:"))?;
        }
        Ok(())
    }
}

/// The text with everything percent-encoded except what no URL gives a meaning, and `also`.
fn encoded(text: &str, also: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || also.contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Purl;

    #[test]
    fn each_part_is_encoded() {
        for (purl, text) in [
            (
                Purl::new("rpm", "libstdc++")
                    .namespace("centos")
                    .version("1-2~a^b")
                    .qualifier("arch", "x86_64")
                    .qualifier("epoch", ""),
                "pkg:rpm/centos/libstdc%2B%2B@1-2~a%5Eb?arch=x86_64",
            ),
            (
                Purl::new("golang", "yaml.v3")
                    .namespace("gopkg.in/")
                    .version("v3.0.1+incompatible"),
                "pkg:golang/gopkg.in/yaml.v3@v3.0.1%2Bincompatible",
            ),
            (
                Purl::new("oci", "pause")
                    .version("sha256:ab")
                    .qualifier("tag", "3.9")
                    .qualifier("repository_url", "h:5000/pause"),
                "pkg:oci/pause@sha256%3Aab?repository_url=h:5000/pause&tag=3.9",
            ),
            (Purl::new("deb", "ü a").version("1:2&?#"), "pkg:deb/%C3%BC%20a@1%3A2%26%3F%23"),
        ] {
            assert_eq!(purl.to_string(), text);
        }
    }
}
