//! A spec with the path of its file. The files that it names are beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::Digest;
use url::Url;

use super::root::Spec;

/// A spec with the path of its file.
#[derive(Clone, Debug)]
pub struct SpecFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The digest of the file's bytes.
    pub digest: Digest,
    /// The content of the file.
    pub spec: Spec,
    /// For each minor release on the way to the spec's own, the oldest first: what the
    /// spec means for that release. Its patch release is not known yet.
    pub hops: Vec<SpecFile>,
    /// Whether this is one of these.
    pub is_hop: bool,
    /// The line of `cluster.controlPlane.vip`, from 1, if the spec has it.
    pub vip_line: Option<u64>,
    /// Where each entry of `signatures` is: `spec.yaml:3:5`.
    pub signature_places: BTreeMap<String, String>,
}

impl SpecFile {
    /// A file that the spec names, beside the spec itself.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// What `lock` keeps beside the spec of a manifest that it makes itself: `app.yaml`,
    /// and the chart `app.tgz`.
    pub(crate) fn rendered(&self, name: &str) -> PathBuf {
        let mut folder = self.path.as_os_str().to_owned();
        folder.push(".rendered");
        Path::new(&folder).join(name)
    }

    /// The URL of something that the spec names: a URL stays as it is, and a file
    /// is beside the spec.
    pub fn location(&self, text: &str) -> anyhow::Result<Url> {
        if text.contains("://") {
            return Url::parse(text).with_context(|| format!("reading the URL {text}"));
        }
        let path =
            std::path::absolute(self.beside(text)).with_context(|| format!("finding {text}"))?;
        match Url::from_file_path(&path) {
            Ok(url) => Ok(url),
            Err(()) => bail!("{} cannot be written as a URL", path.display()),
        }
    }
}
