//! A worker takes over what the upgraded cluster says of kubelet, by kubeadm.

use anyhow::Context;
use bundle_format::KubernetesVersion;

use crate::engine::step::Step;
use crate::failure::{Awaited, Failure};
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubeadm::{self, Kept, ignored_checks};
use crate::node::paths::{JOINED, KUBEADM_JOINED};
use crate::node::registered;
use crate::receipt::StepName;
use crate::steps::file::secret_file;
use crate::steps::time;

/// Runs `kubeadm upgrade node`.
pub struct OfNode;

impl Step<Intent> for OfNode {
    fn name(&self) -> StepName {
        StepName::UpgradeNode
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, intent) = (node.host, node.intent);
        let join = intent.join.as_ref().context("a worker needs a join file")?;
        let settings = intent.settings();
        let joined = kubeadm::joined_configuration(&settings, join)?;
        let mut noted = secret_file(host, JOINED, &join.kept_text(&intent.cluster)?)?;
        noted.extend(secret_file(host, KUBEADM_JOINED, &joined)?);
        let is_new = Kept::read(host, KUBEADM_JOINED)
            .is_ok_and(|kept| kept.kubernetes == *settings.kubernetes);
        if is_new && !host.was_interrupted(self.name()) {
            return Ok(noted);
        }
        let mut upgrade = "kubeadm upgrade node".to_owned();
        let ignored = ignored_checks(&settings);
        if !ignored.is_empty() {
            upgrade += &format!(" --ignore-preflight-errors={}", ignored.join(","));
        }
        // Written last: it says that kubeadm has ended.
        let mut changes = vec![Change::run(&upgrade)];
        changes.extend(noted);
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        let wrong = match time::wrong_clock(node.host)? {
            Some(wrong) => Some(wrong),
            None => too_new(node.host, &node.intent.lock().kubernetes)?,
        };
        wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }
}

/// The failure if an API server is older than a kubelet of this version.
pub(crate) fn too_new(host: &Host, to: &KubernetesVersion) -> anyhow::Result<Option<Failure>> {
    let has = registered::oldest_api_version(host).map_err(|reason| {
        Failure::new(
            format!("the API server does not say its version: {reason}"),
            "`installer doctor` on the master says why",
        )
    })?;
    let is_older = has.numbers() < to.numbers();
    Ok(is_older.then(|| {
        Failure::new(
            format!("an API server has Kubernetes {has}, and a kubelet must not be newer: {to}"),
            "upgrade all masters first, with this bundle",
        )
        .awaiting(Awaited::Masters)
    }))
}
