//! The join file: what a node must know of the cluster that it joins. It holds a token
//! with which anybody can join until it expires, so only its owner may read it.

mod command;
mod expiry;
mod for_master;
mod kept;
mod machine;
mod master;
mod written;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, bail};
use bundle_format::cluster::{Cluster, KINDS, Member, NodeName};
use bundle_format::yaml::Format;
use bundle_format::{Digest, KubernetesVersion, input};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

pub use self::command::path;
pub(crate) use self::command::{HOURS, token_command};
pub use self::expiry::Expiry;
pub use self::for_master::ForMaster;
pub(crate) use self::for_master::HOURS as HOURS_OF_KEYS;
pub use self::machine::Machine;
pub use self::master::Master;

/// The token of a sample. No cluster has it.
const SAMPLE: &str = "sample.0000000000000000";
/// An address that no machine has (RFC 5737).
const DOCUMENTATION: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// How long a sample is valid.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What may stand in one.
static FORMAT: LazyLock<Format> = LazyLock::new(|| Format::of::<JoinFile>("join file", &KINDS));

/// A join file.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinFile {
    /// The API server, `HOST:PORT`.
    #[schemars(extend("format" = "endpoint"))]
    pub endpoint: String,
    /// The bootstrap token: a secret.
    pub token: String,
    /// When the token expires, by the master's clock.
    #[schemars(with = "String")]
    pub expires: Expiry,
    /// The digest of the cluster's authority. The node trusts no other.
    #[schemars(with = "String")]
    pub ca_cert_hash: Digest,
    /// The name of the master that made this file.
    pub master: NodeName,
    /// That master's address. It serves time.
    pub master_address: IpAddr,
    /// The other masters. They serve time too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masters: Vec<Master>,
    /// The cluster.
    pub cluster: Cluster,
    /// The machines of the cluster, so that a copied machine is noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
    /// What a further master is told; none in a file for workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ForMaster>,
}

impl JoinFile {
    /// Reads the join file that an operator named.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = input::named_text(path, input::WRITTEN_BY_HAND)
            .with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text, path)
    }

    /// Parses a join file's text. `path` is for errors.
    pub fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        written::read(text, path, &FORMAT)
    }

    /// The join file as text.
    pub fn text(&self) -> anyhow::Result<String> {
        let text = serde_saphyr::to_string(self).context("writing a join file")?;
        let about = match (self.is_sample(), &self.control_plane) {
            (true, _) => {
                "A sample, made by `installer token --sample`. Nobody can join with it; it is \
                 only for plans."
            }
            (false, None) => "Made by `installer token`; holds a secret. For `installer --join`.",
            (false, Some(_)) => {
                "Made by `installer token --for master`. Who has it has the cluster. For \
                 `installer --role master --join`."
            }
        };
        Ok(format!("# {about}\n{text}"))
    }

    /// A sample, with which nobody can join: to rehearse a worker with a cluster
    /// file.
    pub fn sample(cluster: Cluster) -> anyhow::Result<Self> {
        let first = cluster.masters().next();
        let is_first = |node: &&Member| first.is_none_or(|address| node.address == address);
        let first = cluster.nodes.iter().find(is_first);
        let master = first.map_or_else(
            || NodeName::try_from("k8s-master".to_owned()).map_err(anyhow::Error::msg),
            |node| Ok(node.name.clone()),
        )?;
        let master_address = first.map_or(DOCUMENTATION, |node| node.address);
        let endpoint = cluster.told_endpoint().unwrap_or(format!("{master_address}:6443"));
        Ok(Self {
            endpoint,
            token: SAMPLE.to_owned(),
            expires: Expiry::after(A_YEAR)?,
            ca_cert_hash: Digest::of(SAMPLE.as_bytes()),
            master,
            master_address,
            masters: Vec::new(),
            machines: Vec::new(),
            control_plane: None,
            cluster,
        })
    }

    /// The same for a further master of this version.
    pub fn sample_for_master(
        cluster: Cluster,
        kubernetes: KubernetesVersion,
    ) -> anyhow::Result<Self> {
        Ok(Self::sample(cluster)?.for_master(ForMaster::sample(kubernetes)))
    }

    /// What it says of its cluster, as a sample: nodes that are in the cluster are compared
    /// with it.
    pub(crate) fn into_sample(self) -> anyhow::Result<Self> {
        Ok(Self { token: SAMPLE.to_owned(), expires: Expiry::after(A_YEAR)?, ..self })
    }

    /// Whether it is a sample.
    pub fn is_sample(&self) -> bool {
        self.token == SAMPLE
    }

    /// Why its token cannot be used any more; none if it can.
    pub fn problem(&self) -> Option<Failure> {
        self.expires.is_past().then(|| {
            Failure::new(
                format!("the join file's token has expired, at {}", self.expires),
                format!(
                    "make a new one with `installer token{}` on a master; or set this node's \
                     clock, if that is ahead",
                    if self.control_plane.is_some() { " --for master" } else { "" }
                ),
            )
        })
    }

    /// Makes a join file from what `kubeadm token create --print-join-command`
    /// prints: `kubeadm join HOST:PORT --token T --discovery-token-ca-cert-hash
    /// H`. The token is valid for `hours`.
    pub fn of_command(
        said: &str,
        hours: u32,
        endpoint: String,
        master: NodeName,
        master_address: IpAddr,
        cluster: Cluster,
    ) -> anyhow::Result<Self> {
        let words: Vec<&str> = said.split_ascii_whitespace().collect();
        let after = |option: &str| {
            let place = words.iter().position(|word| *word == option)?;
            words.get(place + 1).map(|word| (*word).to_owned())
        };
        let found = (after("--token"), after("--discovery-token-ca-cert-hash"));
        let (Some(token), Some(ca_cert_hash)) = found else {
            bail!("kubeadm's join command is not understood");
        };
        let ca_cert_hash = ca_cert_hash.parse().context("reading kubeadm's join command")?;
        let expires = Expiry::after(Duration::from_secs(u64::from(hours) * 3600))?;
        Ok(Self {
            endpoint,
            token,
            expires,
            ca_cert_hash,
            master,
            master_address,
            masters: Vec::new(),
            cluster,
            machines: Vec::new(),
            control_plane: None,
        })
    }
}

impl JoinFile {
    /// Adds the machines of the cluster.
    #[must_use]
    pub fn knowing(self, machines: Vec<Machine>) -> Self {
        Self { machines, ..self }
    }

    /// Adds the masters of the cluster.
    #[must_use]
    pub(crate) fn with_masters(self, mut masters: Vec<Master>) -> Self {
        masters.retain(|one| one.address != self.master_address);
        Self { masters, ..self }
    }

    /// Makes it one for a further master.
    #[must_use]
    pub(crate) fn for_master(self, control_plane: ForMaster) -> Self {
        Self { control_plane: Some(control_plane), ..self }
    }

    /// The master that made it.
    pub(crate) fn maker(&self) -> Master {
        Master { name: self.master.clone(), address: self.master_address }
    }

    /// All masters that it knows. The one that made it comes first.
    pub fn all_masters(&self) -> Vec<Master> {
        [vec![self.maker()], self.masters.clone()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn of(hash: &str) -> anyhow::Result<JoinFile> {
        let said = format!("kubeadm join m:6443 --token a.b --discovery-token-ca-cert-hash {hash}");
        let name = NodeName::try_from("m".to_owned()).map_err(anyhow::Error::msg)?;
        let address = [10, 0, 0, 1].into();
        JoinFile::of_command(&said, 24, "m:6443".to_owned(), name, address, Cluster::default())
    }

    #[test]
    fn an_authority_is_named_by_a_whole_digest() {
        let whole = of(HASH).unwrap().text().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("join.yaml");
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(JoinFile::load(&path).unwrap().ca_cert_hash.to_string(), HASH);
        assert!(JoinFile::load(&path).unwrap().problem().is_none());
        for bad in [&HASH[..70], &HASH[7..], &HASH.replace("256", "512"), "sha256:", "-"] {
            assert!(of(bad).is_err(), "{bad}");
            std::fs::write(&path, whole.replace(HASH, bad)).unwrap();
            let error = JoinFile::load(&path).map(drop).unwrap_err().to_string();
            let place = format!("{}:5:", path.display());
            assert!(error.starts_with(&place) && !error.contains("a.b"), "{bad}: {error}");
        }
        std::fs::write(&path, whole.replace("10.0.0.1", "fd00::1")).unwrap();
        let error = JoinFile::load(&path).map(drop).unwrap_err().to_string();
        assert!(error.contains("masterAddress: `fd00::1` is an IPv6 address, and "), "{error}");
    }
}
