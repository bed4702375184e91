//! Why a node is broken: the causes that are known, one file each or a few that
//! belong together. Each only looks, and names what mends it.

mod api;
mod certificates;
mod cgroup;
mod clock;
mod containerd;
mod disk;
mod firewall;
mod forwarding;
mod kubeconfigs;
mod kubelet;
mod network;
mod own;
mod sandbox;
mod setup;
mod static_pods;
mod swap;
mod unit;

use serde::Serialize;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::AUTHORITY_KEY;
use crate::receipt::StepName;
use crate::role::Role;

/// Something that is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What.
    pub cause: String,
    /// The command that mends it; in words where no command can know enough.
    pub cure: String,
}

impl Finding {
    fn new(cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { cause: cause.into(), cure: cure.into() }
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// What is wrong: what the others may come of is first.
    pub findings: Vec<Finding>,
    /// Where it could not be looked, and why not.
    pub unknown: Vec<String>,
}

/// Looks for one cause. An error means that it could not be looked for.
type Check = fn(&Host) -> anyhow::Result<Option<Finding>>;

/// Whether it is a node of a cluster at all: only then the others mean something.
const MEMBERSHIP: &[Check] = &[static_pods::leftover, setup::outside];

/// All other causes, in the order in which one brings about another: the machine,
/// its time, containerd, the cluster's credentials, kubelet, the pods' network, the
/// API server.
const CHECKS: &[Check] = &[
    setup::interrupted,
    disk::full,
    swap::on,
    swap::comes_back,
    forwarding::off,
    forwarding::undone,
    own::lost_file,
    own::route,
    firewall::closed,
    firewall::elsewhere,
    clock::stopped,
    clock::beside,
    clock::without_source,
    clock::off,
    certificates::early,
    containerd::configuration,
    containerd::stopped,
    containerd::mute,
    sandbox::missing,
    own::nfs,
    cgroup::differs,
    static_pods::missing,
    certificates::interrupted,
    certificates::authority,
    kubeconfigs::admin,
    kubeconfigs::kubelet,
    certificates::control_plane,
    certificates::kubelet,
    kubeconfigs::own,
    certificates::own,
    kubelet::stopped,
    network::missing,
    api::unreachable,
    api::unknown,
    api::not_ready,
    certificates::ending,
];

/// Looks for all known causes, and changes nothing.
pub fn diagnose(host: &Host) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    diagnosis.look(host, MEMBERSHIP);
    if setup::is_inside(host) {
        diagnosis.look(host, CHECKS);
    }
    diagnosis
}

/// Whether containerd reads its configuration, and has CRI on.
pub fn containerd_reads(host: &Host) -> anyhow::Result<Option<Finding>> {
    containerd::configuration(host)
}

/// Whether containerd's CRI answers.
pub fn containerd_answers(host: &Host) -> anyhow::Result<Option<Finding>> {
    containerd::mute(host)
}

/// Does so on a node whose receipt cannot be read, for that reason: it is told last,
/// since no other trouble comes of it.
pub fn diagnose_past_receipt(host: &Host, reason: &anyhow::Error) -> Diagnosis {
    let mut diagnosis = diagnose(host);
    let reason = Failure::of(reason);
    diagnosis.findings.push(Finding::new(reason.to_string(), reason.cure()));
    diagnosis
}

impl Diagnosis {
    fn look(&mut self, host: &Host, checks: &[Check]) {
        for check in checks {
            match check(host) {
                Ok(found) => self.findings.extend(found),
                Err(error) => self.unknown.push(format!("{error:#}")),
            }
        }
        // Several checks read the same file.
        self.unknown.dedup();
    }
}

/// What the node is: by its receipt, or by the cluster's key, which only masters
/// have.
fn role(host: &Host) -> Role {
    let has_key = host.exists(AUTHORITY_KEY);
    let seen = if has_key { Role::Master } else { Role::Worker };
    Role::of_receipt(host.lines()).unwrap_or(seen)
}

/// The installer's line that does steps anew. A node that another made is not
/// its business, and is mended by hand.
fn again(host: &Host, steps: &[StepName], by_hand: impl Into<String>) -> String {
    if Role::of_receipt(host.lines()).is_none() {
        return by_hand.into();
    }
    let only: String = steps.iter().map(|step| format!(" --only {step}")).collect();
    format!("{}{only}", whole_line(role(host)))
}

/// The installer's line that made the node.
fn whole_line(role: Role) -> String {
    let join = if role == Role::Worker { " --join join.yaml" } else { "" };
    format!("./installer --role {role}{join}")
}
