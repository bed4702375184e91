//! A node of namespaces: systemd as process 1 in control groups of its own, with
//! no power over the machine's clock.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::Pid;

use super::{Node, STICK_FOLDER, supervisor};
use crate::cgroup::Cgroup;
use crate::command;

/// Folders of a node that are not in its overlay, since container file systems
/// and etcd do not work on one.
pub(super) const OWN_FOLDERS: [&str; 3] = ["var/lib/containerd", "var/lib/kubelet", "var/lib/etcd"];

/// What a node must not be able to do: set the machine's clock, or reach its
/// hardware. An option of setpriv(1).
pub(super) const BOUNDING_SET: &str = "--bounding-set=-sys_time,-sys_rawio,-sys_module";

/// Where a node looks for programs: as on EL, with the lab's own in front.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) fn create(node: &Node, key: &str) -> anyhow::Result<()> {
    for folder in ["upper", "work", "root", STICK_FOLDER].iter().chain(&OWN_FOLDERS) {
        let folder = node.folder.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let upper = node.folder.join("upper");
    for (path, text, mode) in node.own_files(key)? {
        let path = upper.join(path);
        write(&path, &text, mode).with_context(|| format!("writing {}", path.display()))?;
    }
    for folder in ["root", "root/.ssh"] {
        fs::set_permissions(upper.join(folder), fs::Permissions::from_mode(0o700))
            .with_context(|| format!("closing {folder}"))?;
    }
    Ok(())
}

/// Makes its disk anew.
pub(super) fn replace(node: &Node) -> anyhow::Result<()> {
    let key = node.folder.join("upper/root/.ssh/authorized_keys");
    let key = fs::read_to_string(&key).with_context(|| format!("reading {}", key.display()))?;
    for folder in ["upper", "work"].iter().chain(&OWN_FOLDERS) {
        let folder = node.folder.join(folder);
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    create(node, &key)
}

fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

pub(super) fn switch_on(node: &Node) -> anyhow::Result<()> {
    let cgroup = Cgroup::of(&node.name)?;
    cgroup.remove()?;
    cgroup.create()?;
    let console = node.console()?;
    let mut command = Command::new("setsid");
    command.arg("--fork").arg(command::program("lab")?).args(["supervise", &node.name]);
    let status = command
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console)
        .status()
        .context("starting the node's supervisor")?;
    if !status.success() {
        bail!("the supervisor of {} did not start: {status}", node.name);
    }
    node.wait(|| node.init().is_some(), "come up")
}

pub(super) fn init(node: &Node) -> Option<Pid> {
    let text = fs::read_to_string(supervisor::init_file(&node.folder)).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    let path = format!("/proc/{}/ns/pid", pid.as_raw_nonzero());
    let own = fs::read_link("/proc/self/ns/pid").ok()?;
    // A number that was left behind may be another process's by now.
    (fs::read_link(path).ok()? != own).then_some(pid)
}

pub(super) fn command(node: &Node, init: Pid, words: &[OsString]) -> anyhow::Result<Command> {
    // A process of the node is in its control groups as well: a shell enters
    // them, and becomes nsenter.
    let mut command = Command::new("sh");
    let enter = "while [ \"$1\" != -- ]; do echo $$ >\"$1\"; shift; done; shift; exec \"$@\"";
    command.args(["-c", enter, "sh"]).args(Cgroup::of(&node.name)?.entrances()).arg("--");
    command.args(["nsenter", "--target", &init.as_raw_nonzero().to_string()]);
    command.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]);
    // nsenter keeps this machine's capabilities, which are not the node's.
    command.args(["setpriv", BOUNDING_SET]);
    command.args(["env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]);
    command.arg(format!("PATH={PATH}")).args(words);
    Ok(command)
}
