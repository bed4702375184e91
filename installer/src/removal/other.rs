//! Another node is taken out of the cluster, from a master. The other node need not
//! answer any more.

use std::fmt;

use anyhow::{Context, bail};
use bundle_format::cluster::NodeName;
use serde_json::Value;

use super::member::take_out;
use crate::engine::change;
use crate::engine::step::{self, Step};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::{Member, Members, RunningEtcd};
use crate::node::kubeadm::own_kubectl;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::node::registered;
use crate::receipt::{Line, StepName};

/// How long pods may take to go elsewhere.
const DRAIN: &str = "10m";

/// How long etcd may take to choose another leader, in seconds.
const ELECTION: u32 = 60;

/// A change of a removal.
type Change = change::Change<OfRemoval>;

/// A change that only a removal can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfRemoval {
    /// The node's member leaves etcd.
    TakeOutOfEtcd,
}

impl fmt::Display for OfRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakeOutOfEtcd => f.write_str("take its member out of etcd"),
        }
    }
}

/// The steps.
pub const STEPS: [&'static dyn Step<Removal>; 1] = [&TakeOut];

/// The removal of a node.
pub struct Removal {
    node: NodeName,
}

impl step::Purpose for Removal {
    type Own = OfRemoval;

    fn begun(&self) -> Option<Line> {
        None
    }

    fn make(&self, host: &mut Host, step: StepName, change: &OfRemoval) -> anyhow::Result<()> {
        match change {
            OfRemoval::TakeOutOfEtcd => {
                let Found { etcd, members, member, .. } = Found::of(host, &self.node)?;
                let Some(member) = member else { return Ok(()) };
                take_out(host, step, &etcd, &members, &member)
            }
        }
    }
}

impl Removal {
    /// The removal of `node`. A failure if it is this node itself, if the cluster does not
    /// have it, or if etcd would have no quorum without it.
    pub fn of(host: &Host, node: NodeName) -> anyhow::Result<Self> {
        if registered::name(host) == node.to_string() {
            return Err(Failure::new(
                format!("{node} is this node itself"),
                "`installer reset` takes it out of its cluster; or run this on another master",
            )
            .into());
        }
        let found = Found::of(host, &node)?;
        if found.object.is_none() && found.member.is_none() {
            let known = names(host)?.join(", ");
            return Err(Failure::new(
                format!("the cluster has no node {node}"),
                format!("name one of {known}"),
            )
            .into());
        }
        found.refuse_loss_of_quorum(host, &node)?;
        Ok(Self { node })
    }
}

/// What the cluster has of a node.
struct Found {
    /// Its object in the API server.
    object: Option<Value>,
    etcd: RunningEtcd,
    members: Members,
    /// Its member of etcd.
    member: Option<Member>,
}

impl Found {
    fn of(host: &Host, node: &NodeName) -> anyhow::Result<Self> {
        let etcd = RunningEtcd::here(host)?;
        // If the member that has just left led the others, they choose another one first.
        drop(host.await_that("etcd and the API server", ELECTION, |host| {
            Ok(etcd.members(host).is_ok() && object(host, node).is_ok())
        }));
        let object = object(host, node)?;
        let members = etcd.members(host)?;
        let addresses = object.as_ref().and_then(|node| node.pointer("/status/addresses"));
        let mut addresses = addresses.and_then(Value::as_array).into_iter().flatten();
        let own = addresses.find(|address| address["type"] == "InternalIP");
        let own = own.and_then(|address| address["address"].as_str()).unwrap_or_default();
        let name = node.to_string();
        // A member without a node may have no name either. Then it is called by its address.
        let is_meant = |member: &&Member| member.is_on(&name, own) || member.is_on(&name, &name);
        let member = members.all.iter().find(is_meant).cloned();
        Ok(Self { object, etcd, members, member })
    }

    /// Fails if fewer than half of the members that stay answer.
    fn refuse_loss_of_quorum(&self, host: &Host, node: &NodeName) -> anyhow::Result<()> {
        let Some(member) = &self.member else { return Ok(()) };
        let voters = self.members.all.iter().filter(|one| !one.is_learner);
        let stay: Vec<&Member> = voters.filter(|one| *one != member).collect();
        let silent = self.etcd.silent(host, stay.iter().copied());
        if stay.len() - silent.len() > stay.len() / 2 {
            return Ok(());
        }
        let silent: Vec<&str> = silent.iter().map(|member| member.called()).collect();
        let silent = silent.join(", ");
        Err(Failure::new(
            format!(
                "without {node}, etcd would have no quorum, because these members do not answer: \
                 {silent}"
            ),
            "start their masters first, or remove one of those instead",
        )
        .into())
    }

    fn is_ready(&self) -> bool {
        let conditions = self.object.as_ref().and_then(|node| node.pointer("/status/conditions"));
        let mut conditions = conditions.and_then(Value::as_array).into_iter().flatten();
        conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
    }

    /// Whether its kubelet ends pods. One that was lost in the last minute is still called
    /// Ready, and so is one that was lost before a restore.
    fn is_alive(&self, host: &Host, node: &NodeName) -> anyhow::Result<bool> {
        let path = format!("/api/v1/nodes/{node}/proxy/healthz");
        let line = format!("{} --request-timeout 10s get --raw {path}", own_kubectl(host)?);
        Ok(self.is_ready() && host.answer(&Command::of(&line))?.succeeded())
    }
}

/// A node's object; none if the API server has none.
fn object(host: &Host, node: &NodeName) -> anyhow::Result<Option<Value>> {
    let line = format!("{} get node {node} --output=json", own_kubectl(host)?);
    let said = host.answer(&Command::of(&line))?;
    match said.succeeded() {
        true => serde_json::from_str(&said.stdout).context("reading the node").map(Some),
        false if said.stderr.contains("(NotFound)") => Ok(None),
        false => bail!("the API server does not say what {node} is: {}", said.end()),
    }
}

/// The names of all nodes.
fn names(host: &Host) -> anyhow::Result<Vec<String>> {
    let line = format!("{} get nodes --output=name", own_kubectl(host)?);
    let said = host.answer(&Command::of(&line))?;
    Ok(said.stdout.lines().map(|line| line.trim_start_matches("node/").to_owned()).collect())
}

/// Takes the node out.
struct TakeOut;

impl Step<Removal> for TakeOut {
    fn name(&self) -> StepName {
        StepName::Remove
    }

    fn changes(&self, node: &step::Node<'_, Removal>) -> anyhow::Result<Vec<Change>> {
        let (host, name) = (node.host, &node.intent.node);
        let found = Found::of(host, name)?;
        let kubectl = kubectl(ADMIN_CONF);
        let mut changes = Vec::new();
        // Nobody ends the pods of a node that does not answer. They are forgotten with it.
        if found.is_alive(host, name)? {
            let line = format!(
                "{kubectl} drain {name} --ignore-daemonsets --delete-emptydir-data \
                 --timeout={DRAIN}"
            );
            changes.push(Change::run(&line));
        }
        if found.member.is_some() {
            changes.push(Change::Own(OfRemoval::TakeOutOfEtcd));
            let readyz = Command::of(&format!("{} get --raw /readyz", own_kubectl(host)?));
            changes.push(Change::Await { command: readyz, seconds: ELECTION });
        }
        if found.object.is_some() {
            changes.push(Change::run(&format!("{} delete node {name}", own_kubectl(host)?)));
        }
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "if a pod cannot go elsewhere, see to it by what kubectl says of it, and run this \
             again; `kubectl uncordon NODE` lets pods come to the node again",
        )
    }
}
