//! The way back: a list of steps of its own, which needs no bundle, and no API server
//! before its end. All steps share one name in the receipt, and finish together.

use std::fmt;
use std::path::Path;

use super::etcd::{AGREED, READY, Way, storage, way};
use super::files::{self, Which};
use super::packages::Packages as Older;
use super::returning::Return;
use super::{etcd, objects, snapshot};
use crate::engine::change;
use crate::engine::step::{self, Step};
use crate::exec::Command;
use crate::host::Host;
use crate::node::control_plane;
use crate::node::etcd::RunningEtcd;
use crate::node::kubectl::kubectl;
use crate::node::registered;
use crate::node::systemd::{unit_is, unit_told};
use crate::receipt::{Deed, Intention, Line, Stage, StepName, since_upgrade};
use crate::role::Role;
use crate::steps::containerd::cri_answers;
use crate::steps::upgrade::drain::is_cordoned;
use crate::steps::upgrade::restart::registration;
use crate::steps::upgrade::uncordon::is_ours;

/// A change of a way back.
pub type Change = change::Change<OfReturn>;
type Node<'a> = step::Node<'a, Return>;

/// The steps, in order.
pub const STEPS: [&'static dyn Step<Return>; 10] =
    [&Wake, &Data, &Stop, &Packages, &Files, &Runtime, &Restore, &Start, &Objects, &Ready];

/// How long etcd may take to bring its data to an older form, in seconds.
const PATIENCE: u32 = 120;

/// The changes that only a way back can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfReturn {
    /// Wait for etcd.
    AwaitEtcd,
    /// Wait until etcd's data have the form of this release.
    AwaitStorage(u32, u32),
    /// The control plane's containers are ended.
    End,
}

impl fmt::Display for OfReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwaitEtcd => f.write_str("wait for etcd"),
            Self::AwaitStorage(major, minor) => {
                write!(f, "wait until etcd's data are those of etcd {major}.{minor}")
            }
            Self::End => f.write_str("end the control plane"),
        }
    }
}

impl step::Purpose for Return {
    type Own = OfReturn;

    fn begun(&self) -> Option<Line> {
        Some(Line::Upgrade(self.upgrade.at(Stage::Returning)))
    }

    fn make(&self, host: &mut Host, step: StepName, change: &OfReturn) -> anyhow::Result<()> {
        match change {
            OfReturn::AwaitEtcd => etcd::await_start(host),
            OfReturn::AwaitStorage(major, minor) => {
                let wanted = (*major, *minor);
                host.await_that("etcd to bring its data to their older form", PATIENCE, |host| {
                    Ok(storage(host).is_some_and(|now| now <= wanted))
                })
            }
            OfReturn::End => control_plane::end_all(host, step),
        }
    }
}

/// Starts kubelet, if an upgrade was cut short while it did not run: only etcd can say what
/// form its data have.
struct Wake;

impl Step<Return> for Wake {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let own = node.intent;
        if own.role == Role::Worker || own.from_snapshot || !etcd::is_asleep(node.host)? {
            return Ok(Vec::new());
        }
        Ok(vec![Change::run("systemctl start kubelet"), Change::Own(OfReturn::AwaitEtcd)])
    }
}

/// Has etcd bring its data to their older form, while it still can.
struct Data;

impl Step<Return> for Data {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        if node.intent.role == Role::Worker {
            return Ok(Vec::new());
        }
        let is_noted = host.exists(READY);
        let mut changes = Vec::new();
        match way(host)? {
            Way::Stay if is_noted => return Ok(changes),
            Way::Stay => {}
            Way::Downgrade(major, minor) => {
                let wanted = (major, minor);
                let is_told = etcd::is_told(host, wanted);
                if is_noted && is_told && storage(host).is_some_and(|now| now <= wanted) {
                    return Ok(changes);
                }
                // Also if the data have that form still: an etcd that has just started would
                // raise it.
                if !is_told {
                    let etcd = RunningEtcd::here(host)?;
                    let enable = etcd.etcdctl(&format!("downgrade enable {major}.{minor}"));
                    changes.push(Change::run_command(enable));
                }
                changes.push(Change::Own(OfReturn::AwaitStorage(major, minor)));
            }
            Way::Snapshot => return Ok(changes),
            Way::Unknown if node.intent.from_snapshot => {
                let text = "what the cluster was told since is lost\n";
                return Ok(vec![Change::write_secret(AGREED, text)]);
            }
            // In a plan, kubelet is still to be started.
            Way::Unknown if etcd::is_asleep(host)? => return Ok(changes),
            Way::Unknown => return Err(etcd::refusal(host).into()),
        }
        changes.push(Change::write_secret(READY, "the older etcd reads the data\n"));
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some("nothing was stopped yet; if etcd has just started, run this again in a minute")
    }
}

/// Ends kubelet and the control plane, as long as anything of them goes back.
struct Stop;

impl Step<Return> for Stop {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, own) = (node.host, node.intent);
        let mut is_pending = !Older::of(host)?.are_back();
        is_pending |= !files::changes::<OfReturn>(host, Which::Others)?.is_empty();
        // This asks etcd.
        is_pending = is_pending || !Restore.changes(node)?.is_empty();
        if !is_pending {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        // A kubelet that fails again and again is `activating`.
        let is_stopped = ["inactive", "failed", "unknown", ""];
        if !is_stopped.contains(&unit_told(host, "is-active", "kubelet")?.as_str()) {
            changes.push(Change::run("systemctl stop kubelet"));
        }
        if own.role == Role::Master && !control_plane::running(host)?.is_empty() {
            changes.push(Change::Own(OfReturn::End));
        }
        Ok(changes)
    }
}

/// Installs the packages of before, from the node's own repository.
struct Packages;

impl Step<Return> for Packages {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let mut changes = files::changes(node.host, Which::Repository)?;
        for (packages, command) in Older::of(node.host)?.installs(node.host) {
            changes.push(Change::Install { packages, commands: vec![command] });
        }
        Ok(changes)
    }
}

/// Puts the files back.
struct Files;

impl Step<Return> for Files {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        files::changes(node.host, Which::Others)
    }
}

/// Starts the older containerd.
struct Runtime;

impl Step<Return> for Runtime {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let is_due = has_old_containerd(host.lines()) || !Older::of(host)?.are_back();
        let restart = || vec![Change::run("systemctl restart containerd"), cri_answers()];
        Ok(is_due.then(restart).unwrap_or_default())
    }
}

/// Makes etcd's data from the snapshot, if that was agreed to. The older etcd's file is there,
/// and nothing of the control plane runs.
struct Restore;

impl Step<Return> for Restore {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, own) = (node.host, node.intent);
        let is_meant = own.role == Role::Master
            && match way(host)? {
                Way::Snapshot => true,
                // In a plan, the agreement is still to be noted.
                Way::Unknown => own.from_snapshot,
                Way::Stay | Way::Downgrade(..) => false,
            };
        if !is_meant {
            return Ok(Vec::new());
        }
        let commands = snapshot::restore(host, own)?;
        let mut changes: Vec<Change> = commands.into_iter().map(Change::run_command).collect();
        changes.push(Change::write_secret(READY, "the older etcd reads the data\n"));
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "run this again; until the snapshot's data are whole, the newer etcd's are in \
             /var/lib/etcd/member",
        )
    }
}

/// Starts the older kubelet, and with it the control plane.
struct Start;

impl Step<Return> for Start {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, own) = (node.host, node.intent);
        let mut changes = Vec::new();
        // In a plan, it still runs.
        let is_stopped = !unit_is(host, "active", "kubelet")? || !Stop.changes(node)?.is_empty();
        if is_stopped {
            changes.push(Change::run("systemctl daemon-reload"));
            changes.push(Change::run("systemctl start kubelet"));
        }
        let version = format!("v{}", own.upgrade.from);
        let is_registered =
            || registered::ask(host).is_ok_and(|one| one.is_some_and(|one| one.kubelet == version));
        if is_stopped || !is_registered() {
            changes.extend(registration(host, own.role, &own.name, &own.upgrade.from)?);
        }
        Ok(changes)
    }
}

/// Whether containerd's package or files were changed on the way back after it was
/// restarted last.
fn has_old_containerd(lines: &[Line]) -> bool {
    let lines = since_upgrade(lines);
    let of_back = |line: &Line, is_meant: &dyn Fn(&Deed) -> bool| matches!(line, Line::Deed { step: StepName::UpgradeBack, deed } if is_meant(deed));
    let changed = lines.iter().rposition(|line| {
        of_back(line, &|deed| match deed {
            Deed::Installed { replaced, .. } => {
                replaced.iter().any(|one| one.is.name.starts_with("containerd"))
            }
            Deed::Wrote { path, .. } => path.starts_with(Path::new("/etc/containerd")),
            _ => false,
        })
    });
    let restart = Command::of("systemctl restart containerd");
    let restarted = lines.iter().rposition(|line| {
        of_back(line, &|deed| matches!(deed, Deed::Ran { command, .. } if *command == restart))
    });
    changed > restarted
}

/// Brings back what the cluster had.
struct Objects;

impl Step<Return> for Objects {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        match node.intent.role {
            Role::Master => objects::changes(node.host),
            Role::Worker => Ok(Vec::new()),
        }
    }
}

/// Waits until the node is Ready, and lets pods come to it again.
struct Ready;

impl Step<Return> for Ready {
    fn name(&self) -> StepName {
        StepName::UpgradeBack
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, own) = (node.host, node.intent);
        let (kubectl, name) = (kubectl(own.role.kubeconfig()), &own.name);
        let mut changes = Vec::new();
        if !registered::ask(host).is_ok_and(|one| one.is_some_and(|one| one.ready == "True")) {
            let wait = format!("{kubectl} wait --for=condition=Ready node/{name} --timeout=10s");
            changes.push(Change::Await { command: Command::of(&wait), seconds: 300 });
        }
        // If nobody says so, it may be.
        let may_be_cordoned = is_cordoned(host, own.role, name) != Some(false);
        if is_ours(host.lines()) && may_be_cordoned {
            let uncordon = format!("{kubectl} uncordon {name}");
            changes.push(Change::run(&uncordon).intended(Intention::Uncordon));
        }
        Ok(changes)
    }
}
