//! The join file that a master's run wrote, and what a worker keeps of its own. It says
//! what the cluster is.

use std::path::Path;

use anyhow::Context;
use bundle_format::cluster::Cluster;

use super::{Expiry, JoinFile, SAMPLE, path};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::JOINED;

impl JoinFile {
    /// Reads it. If it is gone or damaged, the hint is not the usual one: `installer token`
    /// itself needs this file.
    pub(crate) fn kept(host: &Host) -> anyhow::Result<Self> {
        let path = path();
        let lacks = |what: &str| {
            Failure::new(
                format!("{} {what}, and it says what this cluster is", path.display()),
                "`installer --role master --only join-file` writes it again; give --config as \
                 before",
            )
        };
        let text = host.read(&path)?.ok_or_else(|| lacks("is gone"))?;
        Self::parse(&text, &path).map_err(|_| lacks("is damaged").into())
    }

    /// The text that a worker of this cluster keeps, without the token: an upgrade needs
    /// all else.
    pub(crate) fn kept_text(&self, cluster: &Cluster) -> anyhow::Result<String> {
        let expires = Expiry::try_from("1970-01-01T00:00:00Z".to_owned());
        let kept = Self {
            token: SAMPLE.to_owned(),
            expires: expires.map_err(anyhow::Error::msg)?,
            cluster: cluster.clone(),
            machines: Vec::new(),
            ..self.clone()
        };
        let text = serde_saphyr::to_string(&kept).context("writing a join file")?;
        Ok(format!("# What this worker keeps of its join file: nobody can join with it.\n{text}"))
    }

    /// Reads what a worker has kept.
    pub(crate) fn of_worker(host: &Host) -> anyhow::Result<Self> {
        let lacks = |what: &str| {
            Failure::new(
                format!("{JOINED} {what}, and it says what this node's cluster is"),
                "on the master, make a join file with `installer token`; copy it here, and give \
                 it with --join",
            )
        };
        let text = host.read(JOINED)?.ok_or_else(|| lacks("is gone"))?;
        Self::parse(&text, Path::new(JOINED)).map_err(|_| lacks("is damaged").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::system::SystemExec;

    #[test]
    fn without_a_whole_join_file_it_says_what_writes_one() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::look(folder.path(), Box::new(SystemExec { root: None })).unwrap();
        let path = host.path(path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for (text, what) in
            [(None, "is gone"), (Some(""), "is damaged"), (Some("endpoint: m\n\0"), "is damaged")]
        {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            let error = JoinFile::kept(&host).map(drop).unwrap_err();
            let failure = Failure::of(&error);
            assert_eq!(
                failure.to_string(),
                format!("/opt/kubernetes/join.yaml {what}, and it says what this cluster is")
            );
            assert!(failure.cure().starts_with("`installer --role master --only join-file`"));
        }
    }
}
