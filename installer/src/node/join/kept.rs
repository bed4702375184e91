//! The join file that a master's run wrote. It says what the cluster is.

use super::{JoinFile, path};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::KUBEADM_JOINED;

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

    /// Whether this master's cluster may have others: this one joined it, or the address
    /// of the API server is not this machine's own.
    pub(crate) fn may_have_other_masters(host: &Host) -> bool {
        let outlives = |file: Self| !file.maker().owns(&file.endpoint);
        host.exists(KUBEADM_JOINED) || Self::kept(host).is_ok_and(outlives)
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
