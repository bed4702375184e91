//! Why a node is broken. Each file has one known cause, or a few that belong
//! together. A check only looks, and names the command that mends the node.

mod api;
mod backup;
mod certificates;
mod cgroup;
mod clock;
mod containerd;
mod disk;
mod etcd;
mod finding;
mod firewall;
mod forwarding;
mod images;
mod kubeconfigs;
mod kubelet;
mod network;
mod own;
mod sandbox;
mod setup;
mod skew;
mod static_pods;
mod swap;
mod unit;
mod upgrade;
mod virtual_address;

use serde::Serialize;

pub use self::finding::Finding;

use crate::failure::Failure;
use crate::host::Host;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// What is wrong, in the order in which it should be mended.
    pub findings: Vec<Finding>,
    /// What may be meant so, or is not wrong yet.
    pub warnings: Vec<Finding>,
    /// Checks that could not look, and why.
    pub unknown: Vec<String>,
}

/// Looks for one cause. An error means that it could not look.
type Check = fn(&Host) -> anyhow::Result<Option<Finding>>;

/// Whether the node is in a cluster at all. If not, the other checks mean nothing.
const MEMBERSHIP: &[Check] = &[static_pods::leftover, setup::outside];

/// All other causes. A cause stands before those that it brings about: machine, time,
/// containerd, the cluster's credentials, kubelet, the pods' network, API server.
const CHECKS: &[Check] = &[
    setup::interrupted,
    upgrade::in_the_middle,
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
    etcd::alarm,
    etcd::stopped,
    etcd::members,
    virtual_address::stopped,
    virtual_address::holders,
    virtual_address::peers,
    virtual_address::not_ready,
    api::unreachable,
    api::unknown,
    api::not_ready,
    skew::api_servers,
    skew::kubelets,
    upgrade::cordoned,
    images::missing,
    certificates::ending,
    backup::old,
];

/// What may be meant so, or is not wrong yet.
const WARNINGS: &[Check] =
    &[etcd::learner, etcd::filling, upgrade::cordoned_by_others, upgrade::unfinished];

/// Looks for all known causes, and changes nothing.
pub fn diagnose(host: &Host) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    diagnosis.look(host, MEMBERSHIP);
    if setup::is_inside(host) {
        diagnosis.look(host, CHECKS);
        diagnosis.warnings = diagnosis.found(host, WARNINGS);
    }
    diagnosis
}

/// Whether containerd reads its configuration, with CRI on.
pub fn containerd_reads(host: &Host) -> anyhow::Result<Option<Finding>> {
    containerd::configuration(host)
}

/// Whether containerd's CRI answers.
pub fn containerd_answers(host: &Host) -> anyhow::Result<Option<Finding>> {
    containerd::mute(host)
}

/// The same on a node whose receipt cannot be read. That comes last, because it
/// breaks nothing else.
pub fn diagnose_past_receipt(host: &Host, reason: &anyhow::Error) -> Diagnosis {
    let mut diagnosis = diagnose(host);
    let reason = Failure::of(reason);
    diagnosis.findings.push(Finding::new(reason.to_string(), reason.cure()));
    diagnosis
}

impl Diagnosis {
    fn look(&mut self, host: &Host, checks: &[Check]) {
        let found = self.found(host, checks);
        self.findings.extend(found);
    }

    /// What these checks find. It notes those that could not look.
    fn found(&mut self, host: &Host, checks: &[Check]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for check in checks {
            match check(host) {
                Ok(found) => findings.extend(found),
                Err(error) => self.unknown.push(format!("{error:#}")),
            }
        }
        // Several checks read the same file.
        self.unknown.dedup();
        findings
    }
}
