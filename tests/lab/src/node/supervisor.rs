//! The process that stands for a node's hardware: it starts the node's process
//! 1, and starts it anew after a reboot.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal};

use super::Node;
use crate::cgroup::Cgroup;
use crate::command::{noted_process, program};
use crate::network::{self, DefaultRoute};

/// Where the number of a node's process 1 is noted, as this machine counts.
pub(super) fn init_file(folder: &Path) -> PathBuf {
    folder.join("init.pid")
}

fn own_file(folder: &Path) -> PathBuf {
    folder.join("supervisor.pid")
}

/// The supervisor of the node in `folder`, if there is one.
pub(super) fn process(folder: &Path) -> Option<Pid> {
    noted_process(&own_file(folder), "supervise")
}

/// Runs the node until it is switched off.
pub fn supervise(node: &Node, route: DefaultRoute) -> anyhow::Result<()> {
    fs::write(own_file(&node.folder), std::process::id().to_string())
        .context("noting the supervisor")?;
    let groups = Cgroup::of(&node.name)?;
    for entrance in groups.entrances() {
        fs::write(&entrance, std::process::id().to_string())
            .with_context(|| format!("entering {}", entrance.display()))?;
    }
    let init_file = init_file(&node.folder);
    loop {
        network::attach(&node.name, node.address, route)?;
        let mut child = start(node)?;
        let init = init_of(&mut child)?;
        let partial = init_file.with_extension("partial");
        fs::write(&partial, init).context("noting process 1")?;
        fs::rename(&partial, &init_file).context("noting process 1")?;
        let status = child.wait().context("waiting for the node")?;
        fs::remove_file(&init_file).context("removing the note of process 1")?;
        // The kernel ends process 1 of a namespace in this way when it calls
        // reboot(2), and `unshare` ends itself in the same way.
        let rebooted = [status.signal(), status.code().map(|code| code - 128)]
            .contains(&Some(Signal::HUP.as_raw()));
        if !rebooted {
            return Ok(());
        }
        // A new kernel has no groups below. kubelet takes a pod's old group for a container, and
        // searches for it for seconds.
        groups.empty()?;
    }
}

fn start(node: &Node) -> anyhow::Result<Child> {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{}", network::namespace(&node.name)));
    command.args(["unshare", "--mount", "--propagation", "private"]);
    command.args(["--pid", "--uts", "--ipc", "--cgroup", "--fork"]);
    command.arg(program("lab")?).args(["init", &node.name]);
    command.spawn().context("starting the node")
}

/// The process that `unshare` has forked.
fn init_of(unshare: &mut Child) -> anyhow::Result<String> {
    let children = format!("/proc/{0}/task/{0}/children", unshare.id());
    loop {
        let text = fs::read_to_string(&children).unwrap_or_default();
        if let Some(pid) = text.split_ascii_whitespace().next() {
            return Ok(pid.to_owned());
        }
        if let Some(status) = unshare.try_wait().context("waiting for process 1")? {
            bail!("process 1 did not start: {status}");
        }
        sleep(Duration::from_millis(5));
    }
}
