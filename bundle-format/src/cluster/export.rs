//! A folder that a machine exports by NFS.

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a machine exports by NFS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nfs {
    /// The folder.
    pub export: ExportPath,
}

/// An absolute path without the characters that exports(5) would have to quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "export-path"))]
pub struct ExportPath(String);

impl TryFrom<String> for ExportPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_plain_path(&text) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no folder to serve; write it like /srv/share"))
    }
}

/// Whether a text is an absolute path of plain characters, that leads where it says.
pub(super) fn is_plain_path(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let is_plain = text.bytes().all(inner) && !text.contains("//") && !text.ends_with('/');
    text.starts_with('/') && is_plain && !text.split('/').any(|name| name == "..")
}

impl From<ExportPath> for String {
    fn from(path: ExportPath) -> Self {
        path.0
    }
}

impl fmt::Display for ExportPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for ExportPath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}
