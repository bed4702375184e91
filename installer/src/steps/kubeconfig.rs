//! root's kubeconfig, where kubectl looks for it: the administrator's on a master; on
//! a worker one that was brought along, or none.

use std::time::SystemTime;

use crate::engine::step::Step;
use crate::failure::Failure;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::certificates::kubeconfig::Brought;
use crate::node::paths::{ADMIN_CONF, ROOT_KUBECONFIG};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::file::secret_file;

/// Writes root's kubeconfig.
pub struct Kubeconfig;

impl Step<Intent> for Kubeconfig {
    fn name(&self) -> StepName {
        StepName::Kubeconfig
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let wanted = match (node.intent.role, &node.intent.kubeconfig) {
            // A plan is made before kubeadm has written it.
            (Role::Master, _) => node.host.read(ADMIN_CONF)?,
            (Role::Worker, Some(brought)) => Some(brought.text.clone()),
            (Role::Worker, None) => return Ok(Vec::new()),
        };
        match wanted {
            Some(text) => secret_file(node.host, ROOT_KUBECONFIG, &text),
            None => Ok(vec![Change::write_secret(ROOT_KUBECONFIG, "")]),
        }
    }
}

/// What is wrong with a kubeconfig that was brought along.
pub(crate) fn problems(intent: &Intent) -> Vec<Failure> {
    let (Some(Brought { path, config, .. }), Some(join)) = (&intent.kubeconfig, &intent.join)
    else {
        return Vec::new();
    };
    let path = path.display();
    let make = "make one on the master with `installer kubeconfig --user NAME`";
    let mut found = Vec::new();
    if !config.authorities.iter().any(|one| one.key_digest == join.ca_cert_hash) {
        found.push(Failure::new(
            format!("{path} is of another cluster: its authority is not that of the join file"),
            make,
        ));
    }
    let now = SystemTime::now();
    match config.client.first() {
        None => found.push(Failure::new(format!("{path} has no client's certificate in it"), make)),
        Some(one) if one.has_expired(now) || one.is_early(now) => found.push(Failure::new(
            format!("the certificate in {path} is valid from {} to {}", one.from, one.until),
            format!("set the clock if it is wrong, or {make}"),
        )),
        Some(_) => {}
    }
    found
}
