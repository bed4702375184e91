//! What the API server says of pods, from one look to the next: which there were, how
//! far each is, and which images they wait for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use anyhow::Context;
use serde::Deserialize;

use crate::Node;

/// Reasons why a container waits for its image (kubelet's `images` and
/// `kuberuntime` packages).
const PULLS: [&str; 4] =
    ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable"];

/// How often a container ends before it counts as one that does not run.
const CRASHES: u32 = 3;

/// A pod that there was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// `namespace/name`.
    pub(super) name: String,
    /// Whether it is one of the cluster's DNS servers.
    pub(super) is_dns: bool,
}

/// How far a pod is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It is Ready, or its work is done.
    Fine,
    /// It waits for an image.
    LacksImage,
    /// It will not become Ready by itself.
    Stuck(String),
    /// It may still become Ready.
    Underway(String),
}

/// All that was seen of the cluster's pods.
#[derive(Debug, Default)]
pub(super) struct Pods {
    /// The pods of the last look, by their names.
    pub(super) now: BTreeMap<String, State>,
    /// Images that pods waited for, and which pods these were.
    pub(super) pulls: BTreeMap<String, BTreeSet<String>>,
    by_uid: BTreeMap<String, Known>,
    by_address: BTreeMap<Ipv4Addr, String>,
}

impl Pods {
    /// Looks at all pods.
    pub(super) fn look(&mut self, master: &Node) -> anyhow::Result<()> {
        let list: List<Pod> = ask(master, "pods")?;
        self.now.clear();
        for pod in &list.items {
            self.note(pod);
        }
        Ok(())
    }

    /// Reads the cluster's events, which also tell of pods that have gone since.
    pub(super) fn read_events(&mut self, master: &Node) -> anyhow::Result<()> {
        let list: List<Event> = ask(master, "events")?;
        for event in list.items {
            if let Some(image) = event.pulled_image() {
                let Object { namespace, name } = &event.involved_object;
                let pods = self.pulls.entry(image.to_owned()).or_default();
                pods.insert(format!("{namespace}/{name}"));
            }
        }
        Ok(())
    }

    /// The pod with a uid.
    pub(super) fn by_uid(&self, uid: &str) -> Option<&Known> {
        self.by_uid.get(uid)
    }

    /// The pod that had an address last.
    pub(super) fn by_address(&self, address: Ipv4Addr) -> Option<&Known> {
        self.by_uid.get(self.by_address.get(&address)?)
    }

    fn note(&mut self, pod: &Pod) {
        let meta = &pod.metadata;
        let name = format!("{}/{}", meta.namespace, meta.name);
        let is_dns = meta.labels.get("k8s-app").is_some_and(|app| app == "kube-dns");
        let known = Known { name: name.clone(), is_dns };
        // By this the kubelet knows a pod that it has from a file.
        let own = meta.annotations.get("kubernetes.io/config.hash");
        for uid in [Some(&meta.uid), own].into_iter().flatten() {
            self.by_uid.insert(uid.clone(), known.clone());
        }
        if let (Some(address), false) = (pod.status.pod_ip, pod.spec.host_network) {
            self.by_address.insert(address, meta.uid.clone());
        }
        for image in pod.lacking() {
            self.pulls.entry(image.to_owned()).or_default().insert(name.clone());
        }
        self.now.insert(name, pod.state());
    }
}

fn ask<T: for<'a> Deserialize<'a>>(master: &Node, kind: &str) -> anyhow::Result<T> {
    let words = ["timeout", "30", "kubectl", "get", kind, "--all-namespaces", "--output", "json"];
    let text = master.run(words)?;
    serde_json::from_str(&text).with_context(|| format!("reading the list of {kind}"))
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
    namespace: String,
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    host_network: bool,
    containers: Vec<Container>,
    #[serde(default)]
    init_containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    image: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    reason: Option<String>,
    message: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<Ipv4Addr>,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
struct Condition {
    r#type: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    #[serde(default)]
    ready: bool,
    #[serde(default)]
    restart_count: u32,
    #[serde(default)]
    state: ContainerState,
}

#[derive(Default, Deserialize)]
struct ContainerState {
    waiting: Option<Waiting>,
}

#[derive(Deserialize)]
struct Waiting {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    message: Option<String>,
    involved_object: Object,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    namespace: String,
    name: String,
}

impl Pod {
    fn statuses(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.status.init_container_statuses.iter().chain(&self.status.container_statuses)
    }

    /// The images that its containers wait for, as the pod names them.
    fn lacking(&self) -> impl Iterator<Item = &str> {
        let waiting = self.statuses().filter(|one| PULLS.contains(&one.waits_for()));
        waiting.filter_map(|one| {
            let mut containers = self.spec.init_containers.iter().chain(&self.spec.containers);
            containers.find(|own| own.name == one.name).map(|own| own.image.as_str())
        })
    }

    fn state(&self) -> State {
        let status = &self.status;
        let condition = |name: &str| status.conditions.iter().find(|one| one.r#type == name);
        let is_ready = condition("Ready").is_some_and(|one| one.status == "True");
        if status.phase == "Succeeded" || is_ready {
            return State::Fine;
        }
        if self.lacking().next().is_some() {
            return State::LacksImage;
        }
        if status.phase == "Failed" {
            return State::Stuck(words("it failed", &status.reason, &status.message));
        }
        let unplaced = condition("PodScheduled").filter(|one| one.status == "False");
        if let Some(condition) = unplaced {
            return State::Stuck(words("no node", &condition.reason, &condition.message));
        }
        let not_ready = || self.statuses().filter(|one| !one.ready);
        let crashes = |one: &&ContainerStatus| one.restart_count >= CRASHES;
        if let Some(container) = not_ready().find(crashes) {
            return State::Stuck(format!(
                "its container `{}` has ended {} times",
                container.name, container.restart_count
            ));
        }
        let waiting = not_ready().map(ContainerStatus::waits_for).find(|why| !why.is_empty());
        State::Underway(waiting.unwrap_or("not Ready").to_owned())
    }
}

impl ContainerStatus {
    /// Why it waits; empty if it does not.
    fn waits_for(&self) -> &str {
        self.state.waiting.as_ref().map_or("", |waiting| waiting.reason.as_str())
    }
}

impl Event {
    /// The image that could not be pulled: `Failed to pull image "…"`, `Container image
    /// "…" is not present with pull policy of Never`, `failed to get sandbox image "…"`.
    fn pulled_image(&self) -> Option<&str> {
        let message = self.message.as_deref()?;
        let (before, rest) = message.split_once("image \"")?;
        let (image, after) = rest.split_once('"')?;
        let is_missing = before.ends_with("Failed to pull ")
            || before.ends_with("failed to get sandbox ")
            || after.starts_with(" is not present");
        is_missing.then_some(image)
    }
}

fn words(what: &str, reason: &Option<String>, message: &Option<String>) -> String {
    let more = [reason, message].into_iter().flatten().filter(|text| !text.is_empty());
    std::iter::once(what).chain(more.map(String::as_str)).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pods(pods: &[(&str, Value)]) -> Pods {
        let mut all = Pods::default();
        for (name, status) in pods {
            let pod = json!({
                "metadata": {"uid": format!("uid-of-{name}"), "namespace": "default", "name": name},
                "spec": {"containers": [{"name": "main", "image": format!("example.com/{name}:1")}]},
                "status": status,
            });
            all.note(&serde_json::from_value(pod).unwrap());
        }
        all
    }

    fn waiting(reason: &str, restarts: u32) -> Value {
        json!({"phase": "Pending", "podIP": "10.244.0.7", "containerStatuses": [
            {"name": "main", "ready": false, "restartCount": restarts, "state": {"waiting": {"reason": reason}}}]})
    }

    #[test]
    fn a_pod_is_as_far_as_its_containers() {
        let unplaced = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
            "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
        let ready =
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        let all = pods(&[
            ("ready", ready),
            ("done", json!({"phase": "Succeeded"})),
            ("pulls", waiting("ImagePullBackOff", 0)),
            ("begins", waiting("ContainerCreating", 0)),
            ("crashes", waiting("CrashLoopBackOff", 3)),
            ("unplaced", unplaced),
        ]);
        let state = |name: &str| all.now[&format!("default/{name}")].clone();
        assert_eq!([state("ready"), state("done")], [State::Fine, State::Fine]);
        assert_eq!(state("pulls"), State::LacksImage);
        assert_eq!(state("begins"), State::Underway("ContainerCreating".to_owned()));
        assert!(matches!(state("crashes"), State::Stuck(why) if why.contains("ended 3 times")));
        assert!(matches!(state("unplaced"), State::Stuck(why) if why.contains("0/1 nodes")));
        assert_eq!(all.pulls.keys().collect::<Vec<_>>(), ["example.com/pulls:1"]);
        let last = all.by_address("10.244.0.7".parse().unwrap()).unwrap();
        assert_eq!(last.name, "default/crashes");
    }

    #[test]
    fn events_tell_of_images_that_could_not_be_pulled() {
        for (message, expected) in [
            ("Failed to pull image \"a/b:1\": rpc error", Some("a/b:1")),
            ("Container image \"a/b:1\" is not present with pull policy of Never", Some("a/b:1")),
            (
                "Failed to create pod sandbox: rpc error: failed to get sandbox image \"pause:3\": failed to pull image \"pause:3\"",
                Some("pause:3"),
            ),
            ("Container image \"a/b:1\" already present on machine", None),
            ("Pulling image \"a/b:1\"", None),
            ("Successfully pulled image \"a/b:1\"", None),
        ] {
            let event = json!({"message": message, "involvedObject": {}});
            let event: Event = serde_json::from_value(event).unwrap();
            assert_eq!(event.pulled_image(), expected, "{message}");
        }
    }
}
