//! etcd's members. The etcd of this master is asked, or those that it began with. Its own
//! program, which lies in its image beside it, asks.

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::{containers, static_pod};

/// Where etcd answers on its own node.
const HERE: &str = "127.0.0.1";

/// A member of etcd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Member {
    #[serde(rename = "ID")]
    id: u64,
    /// Its name: that of its node; empty until it has started once.
    #[serde(default)]
    name: String,
    /// Where the other members find it.
    #[serde(rename = "peerURLs", default)]
    peers: Vec<String>,
    /// Whether it has no vote yet, because it still copies the data.
    #[serde(rename = "isLearner", default)]
    pub(crate) is_learner: bool,
}

impl Member {
    /// Whether it is the one on the node with this name or this address.
    pub(crate) fn is_on(&self, name: &str, address: &str) -> bool {
        // A member that never started has no name.
        self.name == name || self.address() == Some(address)
    }

    /// What to call it: its node's name, or its address.
    pub(crate) fn called(&self) -> &str {
        if self.name.is_empty() { self.address().unwrap_or("?") } else { &self.name }
    }

    fn address(&self) -> Option<&str> {
        host_of(self.peers.first()?)
    }
}

/// The host in `https://HOST:PORT`.
fn host_of(url: &str) -> Option<&str> {
    url.split_once("://")?.1.rsplit_once(':').map(|(host, _)| host)
}

/// The members of etcd, and which of them said so.
pub(crate) struct Members {
    /// All of them.
    pub(crate) all: Vec<Member>,
    /// The host that said so.
    at: String,
}

/// The etcd that runs on this node.
pub(crate) struct RunningEtcd {
    container: String,
    /// This node's address for the other members; none if its file does not say.
    own: Option<String>,
    /// The addresses of the members that it began with, without its own.
    others: Vec<String>,
}

impl RunningEtcd {
    /// The one on this node; none if none runs. An error if containerd does not say.
    pub(crate) fn running(host: &Host) -> anyhow::Result<Option<Self>> {
        let Some((_, container)) = containers::running(host, &["etcd"])?.pop() else {
            return Ok(None);
        };
        let arguments = static_pod::arguments(host, "etcd").unwrap_or_default();
        let urls = |option: &str| {
            let value = arguments.iter().find_map(|one| one.strip_prefix(option));
            value.map(str::to_owned).unwrap_or_default()
        };
        let own = host_of(&urls("--initial-advertise-peer-urls=")).map(str::to_owned);
        // `m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380`
        let all = urls("--initial-cluster=");
        let others = all.split(',').filter_map(|one| host_of(one.split_once('=')?.1));
        let others = others.map(str::to_owned).filter(|one| Some(one) != own.as_ref()).collect();
        Ok(Some(Self { container, own, others }))
    }

    /// The same, where a node without one is a failure.
    pub(crate) fn here(host: &Host) -> anyhow::Result<Self> {
        Self::running(host)?.ok_or_else(|| {
            Failure::new("etcd does not run on this node", "`installer doctor` says why").into()
        })
    }

    /// The command that has etcdctl do this, as a client of this etcd.
    pub(crate) fn etcdctl(&self, arguments: &str) -> Command {
        self.client(HERE, arguments)
    }

    /// The same, as a client of the etcd on another host.
    fn client(&self, at: &str, arguments: &str) -> Command {
        let pki = "/etc/kubernetes/pki/etcd";
        self.within(&format!(
            "etcdctl --endpoints https://{at}:2379 --cacert {pki}/ca.crt --cert {pki}/server.crt \
             --key {pki}/server.key {arguments}"
        ))
    }

    /// A command beside this etcd, in its container.
    pub(crate) fn within(&self, line: &str) -> Command {
        let own = std::process::id();
        Command::of(&format!(
            "ctr -n k8s.io tasks exec --exec-id kubeferry-{own} {} {line}",
            self.container
        ))
    }

    /// All members. A member without a vote does not say; then the others are asked. An
    /// error if nobody says, as without a quorum.
    pub(crate) fn members(&self, host: &Host) -> anyhow::Result<Members> {
        #[derive(Deserialize)]
        struct List {
            members: Vec<Member>,
        }
        let mut last = String::new();
        for at in [HERE].into_iter().chain(self.others.iter().map(String::as_str)) {
            let said = host.answer(&self.client(at, "--write-out json member list"))?;
            if said.succeeded() {
                let list: List =
                    serde_json::from_str(said.stdout.trim()).context("reading etcd's members")?;
                return Ok(Members { all: list.members, at: at.to_owned() });
            }
            last = said.end();
        }
        bail!("etcd does not list its members: {last}")
    }

    /// This node's own member; none if it is not among them.
    pub(crate) fn own<'a>(&self, members: &'a Members) -> Option<&'a Member> {
        let own = self.own.as_deref()?;
        members.all.iter().find(|member| member.address() == Some(own))
    }

    /// The members on other nodes.
    pub(crate) fn others<'a>(&self, members: &'a Members) -> impl Iterator<Item = &'a Member> {
        let own = self.own(members).map(|own| own.id);
        members.all.iter().filter(move |member| Some(member.id) != own)
    }

    /// Those of these members that do not answer.
    pub(crate) fn silent<'a>(
        &self,
        host: &Host,
        members: impl Iterator<Item = &'a Member>,
    ) -> Vec<&'a Member> {
        members.filter(|member| !self.answers(host, member)).collect()
    }

    /// Whether a member answers.
    pub(crate) fn answers(&self, host: &Host, member: &Member) -> bool {
        let question = "--command-timeout 5s endpoint health";
        let ask = |at| host.ask(&self.client(at, question)).succeeded();
        member.address().is_some_and(ask)
    }

    /// The command that takes a member out. It asks `stays`, if there is one: a leader that
    /// takes itself out mostly stops before it answers (seen with 3.7.0). etcd refuses if
    /// too few of the rest have started.
    pub(crate) fn removal(
        &self,
        members: &Members,
        member: &Member,
        stays: Option<&Member>,
    ) -> Command {
        let at = stays.and_then(Member::address).unwrap_or(&members.at);
        self.client(at, &format!("member remove {:x}", member.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_its_name_or_its_place() {
        let read = |text: &str| serde_json::from_str::<Member>(text).unwrap();
        let started = read(
            r#"{"ID":9372538179322589801,"name":"m1","peerURLs":["https://10.0.0.2:2380"],
                "clientURLs":["https://10.0.0.2:2379"]}"#,
        );
        assert_eq!(format!("{:x}", started.id), "8211f1d0f64f3269");
        assert!(started.is_on("m1", "-") && started.is_on("-", "10.0.0.2"));
        assert!(!started.is_on("m", "10.0.0.20") && !started.is_learner);
        let new = read(r#"{"ID":1,"peerURLs":["https://10.0.0.3:2380"],"isLearner":true}"#);
        assert!(new.is_on("m2", "10.0.0.3") && !new.is_on("m2", "10.0.0.2") && new.is_learner);
        assert_eq!((started.called(), new.called()), ("m1", "10.0.0.3"));
    }
}
