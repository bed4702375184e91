//! A short summary of a node.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::Serialize;

use crate::host::Host;
use crate::node::join;
use crate::node::paths::{KUBEADM_JOINED, KUBELET_CONF};
use crate::node::registered::{self, Registered};
use crate::node::systemd::unit_is_absent;
use crate::node::virtual_address::{KEEPALIVED, VirtualAddress};
use crate::receipt::{self, Line, StepName, Upgrade};
use crate::role::Role;
use crate::steps::order;

/// A summary of a node.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name in the cluster.
    pub name: String,
    /// The role that the installer gave it; none if the installer has not run.
    pub role: Option<String>,
    /// Whether it is in its cluster, by its receipt.
    pub in_cluster: bool,
    /// The join file to give the installer again here: a further master keeps its own. None
    /// on other nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_file: Option<PathBuf>,
    /// Its upgrade, as long as that goes on or can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
    /// The steps of the role, in order.
    pub steps: Vec<StepStatus>,
    /// The state of the services that a node needs.
    pub services: Vec<Service>,
    /// The masters' one address; none if this node has no part in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_address: Option<Address>,
    /// kubelet's version, as the program prints it: `v1.28.2`.
    pub kubelet: Option<String>,
    /// What the API server says of the node.
    pub node: Registration,
}

/// A step, and its progress by the receipt.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Its name.
    pub name: StepName,
    /// Its progress.
    pub progress: Progress,
}

/// The progress of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// All its changes were made.
    Finished,
    /// It began to make changes, and did not finish.
    Interrupted,
    /// It made no change: none was needed, or no run has reached it.
    Untouched,
}

/// A service.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its unit.
    pub name: &'static str,
    /// `active`, `inactive`, `failed`, … as `systemctl is-active` prints it; `not
    /// installed` if systemd has no such unit.
    pub state: String,
}

/// The masters' one address, as a master has it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// Whether this master holds it now; none if that cannot be seen.
    pub is_held_here: Option<bool>,
}

/// What the API server says of the node.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Registration {
    /// It knows the node.
    Known {
        /// The condition `Ready`: `True`, `False` or `Unknown`.
        ready: String,
        /// Why, in kubelet's words.
        message: String,
        /// kubelet's version when it last registered.
        kubelet: String,
    },
    /// It did not answer, or does not know the node.
    Unknown {
        /// Why not.
        error: String,
    },
}

/// The services that a node needs.
const SERVICES: [&str; 3] = ["containerd", "kubelet", "chronyd"];

impl Status {
    /// Looks at the node.
    pub fn gather(host: &Host) -> Self {
        let lines = host.lines();
        let role = Role::of_receipt(lines);
        let steps = role.map(order::steps).unwrap_or_default().into_iter();
        let steps = steps
            .map(|step| StepStatus { name: step.name(), progress: progress(lines, step.name()) });
        let in_cluster = role.is_some_and(|role| has_joined(lines, role));
        let is_further = role == Some(Role::Master) && in_cluster && host.exists(KUBEADM_JOINED);
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
        let moving = VirtualAddress::of(host).ok().flatten();
        let services = SERVICES.into_iter().chain(moving.as_ref().map(|_| KEEPALIVED));
        // `Kubernetes v1.28.2`.
        let said = host.query("kubelet --version").stdout;
        Self {
            name: registered::name(host),
            role: role.map(|role| role.to_string()),
            in_cluster,
            join_file: is_further.then(join::path),
            upgrade: receipt::upgrade(lines).cloned(),
            steps: steps.collect(),
            services: services.map(state).collect(),
            virtual_address: moving
                .map(|one| Address { address: one.address, is_held_here: one.is_held(host).ok() }),
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

/// Fails if it is in no cluster: kubeadm writes kubelet's kubeconfig on every node of a cluster.
fn registration(host: &Host) -> Result<Registered, String> {
    if !host.exists(KUBELET_CONF) {
        return Err(format!("this node is in no cluster: it has no {KUBELET_CONF}"));
    }
    match registered::ask(host) {
        Ok(Some(one)) => Ok(one),
        Ok(None) => Err("the API server does not know this node".to_owned()),
        Err(error) => Err(format!("the API server does not say: {error}")),
    }
}

/// Whether the step has finished that puts a node of the role into its cluster.
fn has_joined(lines: &[Line], role: Role) -> bool {
    let step = match role {
        Role::Master => StepName::ControlPlane,
        Role::Worker => StepName::Join,
    };
    progress(lines, step) == Progress::Finished
}

fn progress(lines: &[Line], step: StepName) -> Progress {
    match (receipt::interrupted(lines, step), receipt::finished(lines, step)) {
        (true, _) => Progress::Interrupted,
        (false, true) => Progress::Finished,
        (false, false) => Progress::Untouched,
    }
}
