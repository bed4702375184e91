//! The pods of a node that move to others while it is upgraded. kubelet's own kubeconfig
//! may list and evict them, and no pods of other nodes (kubernetes.io, "NodeRestriction");
//! `kubectl drain` would ask it for DaemonSets, which it may not read.

use std::fmt;

use anyhow::bail;
use serde::Deserialize;
use serde_json::json;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubectl::kubectl;

/// A pod that can be evicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    namespace: String,
    name: String,
    uid: String,
    /// The ID of the object that makes another in its place; none if nothing does.
    owner: Option<String>,
    /// Whether it has data in a volume `emptyDir`, which go with it.
    loses_data: bool,
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Pod {
    /// Whether it has data that go with it: a volume `emptyDir`.
    pub(crate) fn loses_data(&self) -> bool {
        self.loses_data
    }

    /// Whether both belong to one object.
    pub(crate) fn is_replica_of(&self, other: &Self) -> bool {
        self.owner.is_some() && self.owner == other.owner
    }

    /// The command that evicts it, and what it reads. Budgets for disruptions are kept.
    pub(crate) fn eviction(&self, config: &str) -> (Command, String) {
        let Self { namespace, name, .. } = self;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction");
        let body = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": name},
        });
        let command =
            format!("{} --request-timeout 30s create --raw {path} --filename -", kubectl(config));
        (Command::of(&command), body.to_string())
    }
}

/// The pods on `node` that move: all but those of DaemonSets, those of kubelet's own files,
/// and those that have ended. The kubeconfig is kubelet's or the administrator's.
pub(crate) fn that_move(host: &Host, config: &str, node: &str) -> anyhow::Result<Vec<Pod>> {
    let command = format!(
        "{} --request-timeout 30s get pods --all-namespaces --field-selector spec.nodeName={node} \
         --output json",
        kubectl(config)
    );
    let said = host.answer(&Command::of(&command))?;
    if !said.succeeded() {
        bail!("the API server does not say which pods are on this node: {}", said.end());
    }
    let Ok(list) = serde_json::from_str::<List>(&said.stdout) else {
        bail!("kubectl's list of pods is not understood");
    };
    let moving = list.items.into_iter().filter(Item::moves);
    let pod = |item: Item| Pod {
        owner: item
            .metadata
            .owner_references
            .into_iter()
            .find(|one| one.controller)
            .map(|one| one.uid),
        namespace: item.metadata.namespace,
        name: item.metadata.name,
        loses_data: item.spec.volumes.iter().any(|volume| volume.contains_key("emptyDir")),
        uid: item.metadata.uid,
    };
    Ok(moving.map(pod).collect())
}

/// The failure if nothing would make some of these pods again.
pub(crate) fn lost(pods: &[Pod]) -> Option<Failure> {
    let alone: Vec<String> =
        pods.iter().filter(|pod| pod.owner.is_none()).map(ToString::to_string).collect();
    (!alone.is_empty()).then(|| {
        Failure::new(
            format!("nothing would make {} again on another node", alone.join(", ")),
            "delete them, or give --no-drain: pods then stay here, and keep running",
        )
    })
}

/// Kubernetes' `PodList`.
#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    namespace: String,
    name: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    annotations: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    uid: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Default, Deserialize)]
struct Spec {
    #[serde(default)]
    volumes: Vec<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
}

impl Item {
    fn moves(&self) -> bool {
        let is_static = self.metadata.annotations.contains_key("kubernetes.io/config.mirror");
        let of_daemon = self.metadata.owner_references.iter().any(|one| one.kind == "DaemonSet");
        !is_static && !of_daemon && !["Succeeded", "Failed"].contains(&self.status.phase.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_that_stay_are_left_out() {
        let text = r#"{"items": [
            {"metadata": {"namespace": "a", "name": "web", "ownerReferences":
                [{"kind": "ReplicaSet", "uid": "1", "controller": true}]}, "status": {"phase": "Running"}},
            {"metadata": {"namespace": "a", "name": "bare"}},
            {"metadata": {"namespace": "a", "name": "done"}, "status": {"phase": "Succeeded"}},
            {"metadata": {"namespace": "k", "name": "net", "ownerReferences":
                [{"kind": "DaemonSet", "uid": "2", "controller": true}]}},
            {"metadata": {"namespace": "k", "name": "etcd-m", "annotations":
                {"kubernetes.io/config.mirror": "x"}}}]}"#;
        let list: List = serde_json::from_str(text).unwrap();
        let names = list.items.iter().filter(|one| one.moves()).map(|one| &one.metadata.name);
        assert_eq!(names.collect::<Vec<_>>(), ["web", "bare"]);
    }

    #[test]
    fn a_pod_that_nothing_makes_again_is_told() {
        let pod = |name: &str, owner: Option<&str>| {
            let (namespace, name) = ("a".to_owned(), name.to_owned());
            let (uid, owner) = (String::new(), owner.map(str::to_owned));
            Pod { namespace, name, uid, owner, loses_data: false }
        };
        let (web, bare) = (pod("web", Some("1")), pod("bare", None));
        assert!(lost(std::slice::from_ref(&web)).is_none());
        assert!(web.is_replica_of(&pod("web-2", Some("1"))) && !web.is_replica_of(&bare));
        assert!(!bare.is_replica_of(&pod("bare-2", None)));
        let told = lost(&[web.clone(), bare]).unwrap().to_string();
        assert_eq!(told, "nothing would make a/bare again on another node");
        let (command, body) = web.eviction("/c");
        assert!(command.to_string().ends_with(
            "--kubeconfig /c --request-timeout 30s create --raw \
             /api/v1/namespaces/a/pods/web/eviction --filename -"
        ));
        assert!(body.contains("\"kind\":\"Eviction\""), "{body}");
    }
}
