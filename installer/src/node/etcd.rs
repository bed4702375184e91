//! etcd's members, as the etcd that runs on this master has them. Its own program,
//! which lies in its image beside it, is asked.

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containers;

/// Where etcd answers on its own node.
const HERE: &str = "https://127.0.0.1:2379";

/// A member of etcd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Member {
    #[serde(rename = "ID")]
    id: u64,
    /// Its name: that of its node; empty until it has started once.
    #[serde(default)]
    pub(crate) name: String,
    /// Where the other members find it.
    #[serde(rename = "peerURLs", default)]
    peers: Vec<String>,
    /// Whether it has no vote yet, because it still copies the data.
    #[serde(rename = "isLearner", default)]
    pub(crate) is_learner: bool,
}

impl Member {
    /// Whether it is the one on the node with this name and address.
    pub(crate) fn is_on(&self, name: &str, address: &str) -> bool {
        // A member that never started has no name.
        self.name == name || self.peers.iter().any(|peer| host_of(peer) == Some(address))
    }

    /// What to call it, for a person.
    pub(crate) fn called(&self) -> String {
        let place = || self.peers.first().map_or_else(|| self.hex(), Clone::clone);
        if self.name.is_empty() { place() } else { self.name.clone() }
    }

    /// Its ID as etcdctl takes it.
    fn hex(&self) -> String {
        format!("{:x}", self.id)
    }
}

/// What an etcd says of its own member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    id: u64,
    /// Whether it has no vote yet. Such a member answers hardly any other question.
    pub(crate) is_learner: bool,
}

impl Own {
    /// Whether it is this one of the members.
    pub(crate) fn is(self, member: &Member) -> bool {
        self.id == member.id
    }

    /// Reads what `endpoint status` prints of one endpoint.
    fn parse(text: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Endpoint {
            #[serde(rename = "Status")]
            status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            header: Header,
            #[serde(rename = "isLearner", default)]
            is_learner: bool,
        }
        #[derive(Deserialize)]
        struct Header {
            member_id: u64,
        }
        let all: Vec<Endpoint> = serde_json::from_str(text.trim())?;
        let Endpoint { status } = all.into_iter().next().context("it says nothing")?;
        Ok(Self { id: status.header.member_id, is_learner: status.is_learner })
    }
}

/// The host in `https://HOST:PORT`.
fn host_of(url: &str) -> Option<&str> {
    url.split_once("://")?.1.rsplit_once(':').map(|(host, _)| host)
}

/// The etcd that runs on this node.
#[derive(Clone, Debug)]
pub(crate) struct RunningEtcd {
    container: String,
}

impl RunningEtcd {
    /// The one on this node; none if none runs. An error if containerd does not say.
    pub(crate) fn running(host: &Host) -> anyhow::Result<Option<Self>> {
        let running = containers::running(host, &["etcd"])?;
        Ok(running.into_iter().next().map(|(_, container)| Self { container }))
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

    /// The same, as a client of the etcd at `endpoint`.
    fn client(&self, endpoint: &str, arguments: &str) -> Command {
        let pki = "/etc/kubernetes/pki/etcd";
        self.within(&format!(
            "etcdctl --endpoints {endpoint} --cacert {pki}/ca.crt --cert {pki}/server.crt --key \
             {pki}/server.key {arguments}"
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

    /// This etcd's own member; none if it does not answer yet. It needs no quorum.
    pub(crate) fn own(&self, host: &Host) -> anyhow::Result<Option<Own>> {
        let said = host.answer(&self.etcdctl("--write-out json endpoint status"))?;
        if !said.succeeded() {
            return Ok(None);
        }
        Own::parse(&said.stdout).context("reading the status of etcd").map(Some)
    }

    /// All members. An error if etcd has no quorum, and so does not say.
    pub(crate) fn members(&self, host: &Host) -> anyhow::Result<Vec<Member>> {
        #[derive(Deserialize)]
        struct List {
            members: Vec<Member>,
        }
        let said = host.answer(&self.etcdctl("--write-out json member list"))?;
        if !said.succeeded() {
            bail!("etcd does not list its members: {}", said.end());
        }
        let list: List =
            serde_json::from_str(said.stdout.trim()).context("reading the members of etcd")?;
        Ok(list.members)
    }

    /// Whether each of these members answers, by asking it.
    pub(crate) fn answering(&self, host: &Host, members: &[Member]) -> Vec<bool> {
        let answers = |member: &Member| {
            let client = member.peers.first().and_then(|peer| host_of(peer));
            client.is_some_and(|at| {
                let endpoint = format!("https://{at}:2379");
                let question = "--command-timeout 5s endpoint health";
                host.ask(&self.client(&endpoint, question)).succeeded()
            })
        };
        members.iter().map(answers).collect()
    }

    /// The command that takes this member out. etcd refuses if the rest would have no
    /// quorum.
    pub(crate) fn removal(&self, member: &Member) -> Command {
        self.etcdctl(&format!("member remove {}", member.hex()))
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
        assert_eq!(started.hex(), "8211f1d0f64f3269");
        assert!(started.is_on("m1", "-") && started.is_on("-", "10.0.0.2"));
        assert!(!started.is_on("m", "10.0.0.20") && !started.is_learner);
        let new = read(r#"{"ID":1,"peerURLs":["https://10.0.0.3:2380"],"isLearner":true}"#);
        assert!(new.is_on("m2", "10.0.0.3") && !new.is_on("m2", "10.0.0.2") && new.is_learner);
        let own = r#"[{"Endpoint":"https://127.0.0.1:2379","Status":{"header":{"cluster_id":2,
            "member_id":1,"revision":7},"version":"3.6.8","isLearner":true}}]"#;
        let own = Own::parse(own).unwrap();
        assert!(own.is(&new) && own.is_learner && !own.is(&started));
        assert_eq!((started.called(), new.called()), ("m1".into(), "https://10.0.0.3:2380".into()));
    }
}
