//! The containers of the control plane's pods. kubelet starts them from files, and
//! starts them again when they end.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containers;
use crate::node::paths::STATIC_PODS;
use crate::receipt::StepName;

/// The containers, in the order in which they are ended: each one before those that
/// it needs.
const NAMES: [&str; 4] = ["kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"];
/// How long kubelet gives a pod to end, in seconds.
const GRACE: u32 = 30;
/// How long new containers may take, in seconds: kubelet itself has just started.
const START: u32 = 180;

/// A running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    name: &'static str,
    id: String,
}

impl Container {
    /// The command that ends it, as kubelet would.
    pub(crate) fn end(&self) -> Command {
        signal("SIGTERM", &self.id)
    }
}

fn signal(name: &str, id: &str) -> Command {
    Command::of(&format!("ctr -n k8s.io tasks kill --signal {name} {id}"))
}

/// The running containers of the control plane. An error if containerd does not say.
pub(crate) fn running(host: &Host) -> anyhow::Result<Vec<Container>> {
    let found = containers::running(host, &NAMES)?;
    Ok(found.into_iter().map(|(name, id)| Container { name, id }).collect())
}

/// Ends those that run, and waits until none is left. kubelet must not run, because it
/// would start them again.
pub(crate) fn end_all(host: &mut Host, step: StepName) -> anyhow::Result<()> {
    for container in running(host)? {
        let ended = host.run(step, &container.end(), &[], &[], None);
        if ended.is_err() && running(host)?.contains(&container) {
            return ended;
        }
    }
    let none = |host: &Host| Ok(running(host)?.is_empty());
    if host.await_that("the control plane to end", GRACE, none).is_ok() {
        return Ok(());
    }
    for container in running(host)? {
        host.run(step, &signal("SIGKILL", &container.id), &[], &[], None)?;
    }
    host.await_that("the control plane to end", GRACE, none)
}

/// Waits until none of `old` runs, and others run in their place. A container that
/// does not end in time is killed, as kubelet would do.
pub(crate) fn await_new(host: &mut Host, step: StepName, old: &[Container]) -> anyhow::Result<()> {
    let left = |host: &Host| -> anyhow::Result<Vec<Container>> {
        Ok(running(host)?.into_iter().filter(|one| old.contains(one)).collect())
    };
    let ended =
        host.await_that("the control plane to end", GRACE, |host| Ok(left(host)?.is_empty()));
    if ended.is_err() {
        for container in left(host)? {
            host.run(step, &signal("SIGKILL", &container.id), &[], &[], None)?;
        }
    }
    let is_meant = |name: &&&str| host.exists(format!("{STATIC_PODS}/{name}.yaml"));
    let meant: Vec<&str> = NAMES.iter().filter(is_meant).copied().collect();
    host.await_that("the control plane to restart", START, |host| {
        let new = running(host)?;
        let new: Vec<&Container> = new.iter().filter(|one| !old.contains(one)).collect();
        Ok(meant.iter().all(|name| new.iter().any(|one| one.name == *name)))
    })
    .map_err(|error| {
        let what = "kubelet has not started it";
        Failure::new(what, "`installer doctor` says why").because(error).into()
    })
}
