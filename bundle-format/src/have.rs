//! A have-list: what a node has of earlier bundles, to carry to the connected host. It is a
//! hint and no more: a wrong one makes a bundle that lacks too much, which a node refuses
//! before it changes anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::walk;
use crate::problems::Problems;
use crate::text::brief;

/// The type of the list.
const TYPE: &str = "application/vnd.kubeferry.have.v1+json";

/// What a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// The node's host name, for people.
    pub node: String,
    /// The blobs: what containerd has of images, packages in the node's own repository, and
    /// the installer that made the list.
    pub blobs: BTreeSet<Digest>,
}

/// What the types of all versions of the list begin with.
const FAMILY: &str = "application/vnd.kubeferry.have.";

/// Why a file is no have-list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HaveError {
    /// It is another file: all that is wrong with it, a line each.
    #[error("it is no list of `installer inventory --blobs`:\n{}", .0.join("\n"))]
    Other(Vec<String>),
    /// Another version of these programs wrote it.
    #[error(
        "it is a list of another version, {0}, and this program reads {TYPE}: use the bundler of the same version as the installer that wrote it"
    )]
    Version(String),
}

/// The only thing that is read of a list of another version.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

/// The list as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    node: String,
    blobs: Vec<String>,
}

impl Have {
    /// Reads a list.
    pub fn parse(bytes: &[u8]) -> Result<Self, HaveError> {
        let malformed =
            |error: serde_json::Error| HaveError::Other(vec![brief(&error.to_string())]);
        walk(bytes, |_, _| ()).map_err(malformed)?;
        // Its fields may be others, too, so the version is looked at first.
        if let Ok(Typed { kind }) = serde_json::from_slice(bytes)
            && kind != TYPE
            && kind.starts_with(FAMILY)
        {
            return Err(HaveError::Version(brief(&kind)));
        }
        let written: Written = serde_json::from_slice(bytes).map_err(malformed)?;
        let mut problems = Problems::default();
        if written.kind != TYPE {
            problems.add(|| format!("its type is {}, and not {TYPE}", brief(&written.kind)));
        }
        let mut blobs = BTreeSet::new();
        for (place, text) in written.blobs.iter().enumerate() {
            match text.parse() {
                Ok(digest) => drop(blobs.insert(digest)),
                Err(_) => problems.add(|| format!("blobs[{place}]: {} is no digest", brief(text))),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { node: written.node, blobs }),
            false => Err(HaveError::Other(problems.lines())),
        }
    }

    /// The list as JSON.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let blobs = self.blobs.iter().map(ToString::to_string).collect();
        let written = Written { kind: TYPE.to_owned(), node: self.node.clone(), blobs };
        Ok(format!("{}\n", serde_json::to_string_pretty(&written)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let blobs = BTreeSet::from([Digest::of(b"a"), Digest::of(b"b")]);
        let have = Have { node: "node-1".to_owned(), blobs };
        assert_eq!(Have::parse(have.text().unwrap().as_bytes()), Ok(have));
    }

    #[test]
    fn a_list_of_another_version_is_told_as_such() {
        let text = r#"{"type": "application/vnd.kubeferry.have.v2+json", "nodes": []}"#;
        let told = Have::parse(text.as_bytes()).unwrap_err().to_string();
        for words in ["another version, application/vnd.kubeferry.have.v2+json", "use the bundler"]
        {
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = r#"{"type": "x", "node": "n", "blobs": ["sha256:1", "y"]}"#;
        let told = Have::parse(text.as_bytes()).unwrap_err().to_string();
        for words in ["its type is x, and not ", "\nblobs[0]: sha256:1 is no", "\nblobs[1]: y is"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        for text in ["", "[]", r#"{"type": "x", "blobs": []}"#, r#"{"more": 1}"#] {
            Have::parse(text.as_bytes()).unwrap_err();
        }
    }
}
