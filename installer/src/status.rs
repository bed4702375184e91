//! What a node is, in short, for whoever stands before it.

use serde::Serialize;

use crate::host::Host;
use crate::node::paths::KUBELET_CONF;
use crate::node::registered;
use crate::node::registered::Registered;
use crate::node::systemd::unit_is_absent;
use crate::receipt::{self, Line, StepName};
use crate::role::Role;
use crate::steps::order;

/// A node at a glance.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name in the cluster.
    pub name: String,
    /// What it was made by the installer; none where that has not been at work.
    pub role: Option<String>,
    /// The steps of the role, in order.
    pub steps: Vec<StepStatus>,
    /// What systemd says of the services that a node lives by.
    pub services: Vec<Service>,
    /// kubelet's version as its program says it: `v1.28.2`.
    pub kubelet: Option<String>,
    /// The node as the API server has it.
    pub node: Registration,
}

/// A step, as the receipt has it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Its name.
    pub name: StepName,
    /// How far it came.
    pub progress: Progress,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// All of its changes were made.
    Finished,
    /// Changes were begun and not finished.
    Interrupted,
    /// It made no change: none was needed, or no run has come to it.
    Untouched,
}

/// A service.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its unit.
    pub name: &'static str,
    /// `active`, `inactive`, `failed`, … as `systemctl is-active` has it; `not installed`
    /// where systemd knows no such unit.
    pub state: String,
}

/// The node as the API server has it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Registration {
    /// It answered.
    Known {
        /// The condition `Ready`: `True`, `False` or `Unknown`.
        ready: String,
        /// Why, in kubelet's words.
        message: String,
        /// kubelet's version when it last registered.
        kubelet: String,
    },
    /// It did not, or not with a node.
    Unknown {
        /// Why not.
        error: String,
    },
}

/// The services that a node lives by.
const SERVICES: [&str; 3] = ["containerd", "kubelet", "chronyd"];

impl Status {
    /// Looks at the node.
    pub fn gather(host: &Host) -> Self {
        let lines = host.lines();
        let role = Role::of_receipt(lines);
        let steps = role.map(order::steps).unwrap_or_default().into_iter();
        let steps = steps
            .map(|step| StepStatus { name: step.name(), progress: progress(lines, step.name()) });
        let state = |name| {
            let said = host.query(&format!("systemctl is-active {name}")).stdout;
            let word = match said.trim() {
                "active" => "active",
                _ if unit_is_absent(host, name).unwrap_or(false) => "not installed",
                "" => "unknown",
                word => word,
            };
            Service { name, state: word.to_owned() }
        };
        // `Kubernetes v1.28.2`.
        let said = host.query("kubelet --version").stdout;
        Self {
            name: registered::name(host),
            role: role.map(|role| role.to_string()),
            steps: steps.collect(),
            services: SERVICES.into_iter().map(state).collect(),
            kubelet: said.split_ascii_whitespace().nth(1).map(str::to_owned),
            node: match registration(host) {
                Ok(one) => Registration::Known {
                    ready: one.ready,
                    message: one.message,
                    kubelet: one.kubelet,
                },
                Err(error) => Registration::Unknown { error },
            },
        }
    }
}

/// kubeadm's kubeconfig for kubelet is on each node of a cluster.
fn registration(host: &Host) -> Result<Registered, String> {
    if !host.exists(KUBELET_CONF) {
        return Err(format!("this node is in no cluster: it has no {KUBELET_CONF}"));
    }
    match registered::ask(host) {
        Ok(Some(one)) => Ok(one),
        Ok(None) => Err("the API server knows no such node".to_owned()),
        Err(error) => Err(format!("the API server does not say: {error}")),
    }
}

fn progress(lines: &[Line], step: StepName) -> Progress {
    match (receipt::interrupted(lines, step), receipt::finished(lines, step)) {
        (true, _) => Progress::Interrupted,
        (false, true) => Progress::Finished,
        (false, false) => Progress::Untouched,
    }
}
