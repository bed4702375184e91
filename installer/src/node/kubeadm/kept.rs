//! kubeadm's documents that the installer keeps on a node: how the node became what it is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bundle_format::KubernetesVersion;
use bundle_format::cluster::NodeName;
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;

/// The documents of a text by their kind.
pub(crate) struct Documents(BTreeMap<String, Value>);

impl Documents {
    /// Reads them; none if the text is not YAML.
    pub(crate) fn of(text: &str) -> Self {
        let all: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_default();
        let kind = |document: Value| Some((document.get("kind")?.as_str()?.to_owned(), document));
        Self(all.into_iter().filter_map(kind).collect())
    }

    /// Whether there is none.
    pub(crate) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one of this kind.
    pub(crate) fn have(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    /// The value at a place, such as `networking.podSubnet`; none if it is missing.
    pub(crate) fn value(&self, kind: &str, place: &str) -> Option<Value> {
        let inner = |value: &Value, name: &str| match value {
            // Arguments are a list of pairs since v1beta4.
            Value::Array(pairs) => {
                pairs.iter().find(|pair| pair["name"] == name)?.get("value").cloned()
            }
            map => map.get(name).cloned(),
        };
        let document = self.0.get(kind)?.clone();
        place.split('.').try_fold(document, |value, name| inner(&value, name))
    }

    fn text(&self, kind: &str, place: &str) -> Option<String> {
        Some(self.value(kind, place)?.as_str()?.to_owned())
    }
}

/// What a node is, by its documents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The version of Kubernetes that it was made or upgraded with.
    pub(crate) kubernetes: KubernetesVersion,
    /// Its name in the cluster.
    pub(crate) name: NodeName,
    /// Its address.
    pub(crate) address: IpAddr,
    /// The repository of kubeadm's images, if it is not kubeadm's own.
    pub(crate) repository: Option<String>,
    /// The API server for all nodes, `HOST:PORT`.
    pub(crate) endpoint: Option<String>,
}

impl Kept {
    /// Reads the file at `path`.
    pub(crate) fn read(host: &Host, path: &str) -> anyhow::Result<Self> {
        let lacks = |what: &str| {
            Failure::new(
                format!("{path} {what}, and it says what this node was made with"),
                "run the line again by which this node was made, with the bundle that it was made \
                 with; a backup of the file is good too",
            )
        };
        let text = host.read(path)?.ok_or_else(|| lacks("is gone"))?;
        Ok(Self::parse(&text).ok_or_else(|| lacks("is damaged"))?)
    }

    /// Reads the file at `path`; none if there is no such file.
    pub(crate) fn find(host: &Host, path: &str) -> anyhow::Result<Option<Self>> {
        host.exists(path).then(|| Self::read(host, path)).transpose()
    }

    fn parse(text: &str) -> Option<Self> {
        let documents = Documents::of(text);
        let kind = ["InitConfiguration", "JoinConfiguration"]
            .into_iter()
            .find(|kind| documents.have(kind))?;
        let version = documents.text("ClusterConfiguration", "kubernetesVersion")?;
        let address = documents
            .text(kind, "nodeRegistration.kubeletExtraArgs.node-ip")
            .or_else(|| documents.text(kind, "localAPIEndpoint.advertiseAddress"))?;
        Some(Self {
            kubernetes: version.trim_start_matches('v').parse().ok()?,
            name: documents.text(kind, "nodeRegistration.name")?.try_into().ok()?,
            address: address.parse().ok()?,
            repository: documents.text("ClusterConfiguration", "imageRepository"),
            endpoint: documents.text("ClusterConfiguration", "controlPlaneEndpoint"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_read_from_documents_of_each_version() {
        let cluster = "kind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n";
        let old = "kind: JoinConfiguration\nnodeRegistration: {name: w, kubeletExtraArgs: \
                   {node-ip: 10.0.0.3}}\n";
        let new = "kind: InitConfiguration\nnodeRegistration: {name: w, kubeletExtraArgs: [{name: \
                   node-ip, value: 10.0.0.3}]}\n";
        for text in [old, new] {
            let kept = Kept::parse(&format!("{cluster}---\n{text}")).unwrap();
            assert_eq!((kept.kubernetes.as_str(), kept.name.to_string()), ("1.36.3", "w".into()));
            assert_eq!((kept.address.to_string(), kept.repository), ("10.0.0.3".into(), None));
        }
        assert_eq!(Kept::parse(cluster), None);
        assert_eq!(Kept::parse("a: ["), None);
    }
}
