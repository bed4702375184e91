//! `installer token`.

use std::path::Path;

use anyhow::bail;

use super::node;
use super::output::secret;
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::join::{self, JoinFile, Machine};
use crate::node::paths::ADMIN_CONF;
use crate::role::no_master;

/// Makes a sample join file, to rehearse a worker anywhere.
pub(crate) fn sample(config: Option<&Path>, output: Option<&Path>) -> anyhow::Result<()> {
    let file = config.map(ClusterFile::load).transpose()?;
    let cluster = cluster_file::effective(&OfBundle::default(), file.as_ref())?;
    secret(output, &JoinFile::sample(cluster)?.text()?, "join file")
}

/// Makes a join file like the one that the run wrote, with a new token.
pub(crate) fn token(hours: u32, output: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let old = old(&host)?;
    let said = host.ask(&join::token_command(hours));
    if !said.succeeded() {
        bail!("`kubeadm token create` failed: {}", said.stderr.trim());
    }
    let machines = Machine::registered(&host);
    let text = JoinFile::of_command(
        &said.stdout,
        hours,
        old.endpoint,
        old.master,
        old.master_address,
        old.cluster,
    )?
    .knowing(if machines.is_empty() { old.machines } else { machines })
    .text()?;
    secret(output, &text, "join file")
}

/// The join file that the run wrote. The usual hint, to run this command, would not
/// help here.
fn old(host: &Host) -> anyhow::Result<JoinFile> {
    let path = join::path();
    let lacks = |what: &str| {
        Failure::new(
            format!("{} {what}, by which this makes others", path.display()),
            "`installer --role master --only join-file` writes it again; give --config as before",
        )
    };
    let text = host.read(&path)?.ok_or_else(|| lacks("is gone"))?;
    JoinFile::parse(&text, &path).map_err(|_| lacks("is damaged").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_whole_join_file_it_says_what_writes_one() {
        let folder = tempfile::tempdir().unwrap();
        let host = node::host(Some(folder.path())).unwrap();
        let path = host.path(join::path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for (text, what) in
            [(None, "is gone"), (Some(""), "is damaged"), (Some("endpoint: m\n\0"), "is damaged")]
        {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            let error = old(&host).map(drop).unwrap_err();
            let failure = Failure::of(&error);
            assert_eq!(
                failure.to_string(),
                format!("/opt/kubernetes/join.yaml {what}, by which this makes others")
            );
            assert!(failure.cure().starts_with("`installer --role master --only join-file`"));
        }
    }
}
