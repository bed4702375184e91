//! A node that is a virtual machine: a kernel of its own with loadable modules,
//! control groups of version 2, swap, a clock. QEMU emulates its processor, so
//! that it runs where there is no KVM, and slowly.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::Pid;

use super::Node;
use crate::command::{noted_process, run};
use crate::network::{self, DefaultRoute};

const QEMU: &str = "qemu-system-x86_64";

pub(super) fn create(
    node: &Node,
    product: &Path,
    route: DefaultRoute,
    key: &str,
) -> anyhow::Result<()> {
    run(Command::new("cp").arg("--sparse=always").arg(product.join("disk")).arg(disk(node)))?;
    let mut edits = "mkdir /root/.ssh\nmkdir /media/usb\n".to_owned();
    let network = network::networkd_file(node.address, route);
    let files = node.own_files(key)?.into_iter();
    let files = files.chain([("etc/systemd/network/10-lab.network", network, 0o644)]);
    for (number, (path, text, mode)) in files.enumerate() {
        let source = node.folder.join(format!("file{number}"));
        fs::write(&source, text).with_context(|| format!("writing {}", source.display()))?;
        // It does not overwrite, and says so of what is not there.
        let source = source.display();
        write!(edits, "rm /{path}\nwrite {source} /{path}\nsif /{path} mode 0100{mode:o}\n")?;
    }
    let list = node.folder.join("edits");
    fs::write(&list, edits).with_context(|| format!("writing {}", list.display()))?;
    run(Command::new("debugfs").arg("-w").arg("-f").arg(&list).arg(disk(node)))?;
    network::attach_tap(&node.name)
}

pub(super) fn switch_on(node: &Node, product: &Path) -> anyhow::Result<()> {
    let console = node.console()?;
    let mut command = Command::new("setsid");
    command.args(["ip", "netns", "exec", network::LAN, QEMU]);
    command.args(["-nographic", "-no-reboot", "-m", "2048", "-smp", "2", "-cpu", "max"]);
    command.args(["-accel", "tcg,thread=multi", "-uuid"]);
    command.arg(fs::read_to_string("/proc/sys/kernel/random/uuid").context("making an id")?.trim());
    command.arg("-kernel").arg(product.join("kernel"));
    command.arg("-initrd").arg(product.join("initramfs"));
    let drive = format!("file={},format=raw,if=virtio,cache=unsafe", disk(node).display());
    let tap = format!("tap,id=lan,ifname={},script=no,downscript=no", network::link(&node.name));
    let [.., last] = node.address.octets();
    let card = format!("virtio-net-pci,netdev=lan,mac=52:54:00:77:00:{last:02x}");
    command.args(["-drive", &drive, "-netdev", &tap, "-device", &card]);
    command.args(["-append", "console=ttyS0 root=/dev/vda rw"]);
    // QEMU would end at the guest's reboot; it is the same machine then.
    let command = command.arg("-action").arg("reboot=reset");
    let child = command
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console)
        .spawn()
        .with_context(|| format!("starting {QEMU}; `scripts/tools --vm` installs it"))?;
    fs::write(pid_file(node), child.id().to_string()).context("noting the virtual machine")
}

pub(super) fn process(node: &Node) -> Option<Pid> {
    noted_process(&pid_file(node), "-nographic")
}

pub(super) fn command(node: &Node, key: &Path, words: &[OsString]) -> anyhow::Result<Command> {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", network::LAN, "ssh", "-i"]).arg(key);
    for option in [
        "BatchMode=yes",
        "ConnectTimeout=5",
        "LogLevel=ERROR",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
    ] {
        command.args(["-o", option]);
    }
    command.arg(format!("root@{}", node.address)).arg("--");
    for word in words {
        command.arg(quoted(word)?);
    }
    Ok(command)
}

/// A word as a shell at the other end takes it for one.
fn quoted(word: &OsStr) -> anyhow::Result<OsString> {
    if word.as_bytes().contains(&0) {
        bail!("a word of a command cannot hold a zero byte");
    }
    let text = word.to_str().context("a word of a command is not text")?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")).into())
}

fn disk(node: &Node) -> PathBuf {
    node.folder.join("disk")
}

fn pid_file(node: &Node) -> PathBuf {
    node.folder.join("qemu.pid")
}
