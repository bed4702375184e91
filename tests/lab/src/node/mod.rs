//! A node: a minimal EL-like system with systemd, a cable and a stick, and no way
//! out. Most are namespaces of this machine; one may be a virtual machine.

pub mod init;
mod namespaces;
pub mod supervisor;
mod virtual_machine;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::cgroup::Cgroup;
use crate::command;
use crate::network::{self, DefaultRoute};

/// Where a node has the operator's USB stick.
pub const STICK: &str = "/media/usb";
const STICK_FOLDER: &str = "stick";

/// What a node is made of.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub enum Body {
    /// Namespaces and control groups of this machine, on an overlay over the
    /// base that all nodes share.
    Namespaces {
        /// The base.
        base: PathBuf,
        /// The `/lib/modules` that it shares with others.
        modules: PathBuf,
    },
    /// A machine of QEMU's, without the processor's help, and so slow.
    VirtualMachine {
        /// Its kernel, and its disk before the first boot.
        product: PathBuf,
        /// The operator's private key.
        key: PathBuf,
    },
}

/// A node of the lab.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Node {
    /// Its host name.
    pub name: String,
    /// Its address in the nodes' network.
    pub address: Ipv4Addr,
    /// Where its disk and its console are.
    folder: PathBuf,
    body: Body,
}

impl Node {
    pub(crate) fn new(name: String, address: Ipv4Addr, run: &Path, body: Body) -> Self {
        Self { folder: run.join("nodes").join(&name), name, address, body }
    }

    /// Makes its disk, and a virtual machine's network. `key` is the operator's public key.
    pub(crate) fn create(&self, route: DefaultRoute, key: &str) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        match &self.body {
            Body::Namespaces { .. } => namespaces::create(self, key),
            Body::VirtualMachine { product, .. } => {
                virtual_machine::create(self, product, route, key)
            }
        }
    }

    /// Files that no two nodes have alike: path, text, mode.
    fn own_files(&self, key: &str) -> anyhow::Result<[(&'static str, String, u32); 4]> {
        let id = fs::read_to_string("/proc/sys/kernel/random/uuid").context("making an id")?;
        Ok([
            ("etc/machine-id", id.replace('-', ""), 0o444),
            ("etc/hostname", format!("{}\n", self.name), 0o644),
            ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned(), 0o644),
            ("root/.ssh/authorized_keys", key.to_owned(), 0o600),
        ])
    }

    /// Switches it on and waits until its services have started.
    pub fn start(&self) -> anyhow::Result<()> {
        self.switch_on()?;
        self.wait_until_up()
    }

    /// Switches it on.
    pub(crate) fn switch_on(&self) -> anyhow::Result<()> {
        if self.is_on() {
            return Ok(());
        }
        match &self.body {
            Body::Namespaces { .. } => namespaces::switch_on(self),
            Body::VirtualMachine { product, .. } => virtual_machine::switch_on(self, product),
        }
    }

    fn console(&self) -> anyhow::Result<File> {
        let path = self.console_path();
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))
    }

    fn console_path(&self) -> PathBuf {
        self.folder.join("console.log")
    }

    /// Waits until systemd has done what it does at boot; an error if a service
    /// failed.
    pub fn wait_until_up(&self) -> anyhow::Result<()> {
        let mut state = String::new();
        let waited = self.wait(
            || {
                let output = self.exec(["systemctl", "is-system-running"]);
                state = output.map_or(String::new(), |output| {
                    String::from_utf8_lossy(&output.stdout).trim().to_owned()
                });
                state == "running" || state == "degraded"
            },
            "boot",
        );
        if state == "degraded" {
            let failed = self.run(["systemctl", "--failed", "--no-legend", "--plain"])?;
            bail!("{} is up, but these services failed:\n{}", self.name, failed.trim_end());
        }
        waited
    }

    fn wait(&self, mut done: impl FnMut() -> bool, what: &str) -> anyhow::Result<()> {
        let patience = self.patience();
        let end = Instant::now() + patience;
        while !done() {
            if Instant::now() > end {
                let log = fs::read_to_string(self.console_path()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
                bail!(
                    "{} did not {what} in {} s; the end of its console:\n{}",
                    self.name,
                    patience.as_secs(),
                    last.join("\n")
                );
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// How long it may take to boot, or to end.
    fn patience(&self) -> Duration {
        match self.body {
            Body::Namespaces { .. } => Duration::from_secs(60),
            Body::VirtualMachine { .. } => Duration::from_secs(300),
        }
    }

    /// The process of this machine that is process 1 of the node, or its whole
    /// virtual machine; none when it is off.
    pub fn init(&self) -> Option<Pid> {
        match self.body {
            Body::Namespaces { .. } => namespaces::init(self),
            Body::VirtualMachine { .. } => virtual_machine::process(self),
        }
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.init().is_some()
    }

    /// A command in the node, to be given input and output.
    pub fn command<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Command> {
        let words: Vec<OsString> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let Some(init) = self.init() else { bail!("{} is off", self.name) };
        match &self.body {
            Body::Namespaces { .. } => namespaces::command(self, init, &words),
            Body::VirtualMachine { key, .. } => virtual_machine::command(self, key, &words),
        }
    }

    /// Runs a command in the node, whatever comes of it.
    pub fn exec<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Output> {
        command::output(self.command(words)?.stdin(Stdio::null()))
    }

    /// Runs a command in the node that must succeed, and gives what it wrote to
    /// standard output.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<String> {
        command::run(self.command(words)?.stdin(Stdio::null()))
            .with_context(|| format!("on {}", self.name))
    }

    /// Writes a file in the node, for its owner only.
    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let script = format!("umask 077; cat >{path}");
        let mut child = self.command(["sh", "-c", &script])?.stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_bytes()).context("writing to the node")?;
        }
        let status = child.wait().context("waiting for the node")?;
        if !status.success() {
            bail!("writing {path} on {} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Copies a file of this machine into the node, with its mode.
    pub fn copy(&self, file: &Path, to: &str) -> anyhow::Result<()> {
        let source = File::open(file).with_context(|| format!("opening {}", file.display()))?;
        let mode = source.metadata()?.permissions().mode() & 0o7777;
        let script = "set -e; cat >\"$1\"; chmod \"$2\" \"$1\"";
        let mut command = self.command(["sh", "-c", script, "sh", to, &format!("{mode:o}")])?;
        command.stdin(source);
        command::run(&mut command)
            .map(drop)
            .with_context(|| format!("copying {} to {}:{to}", file.display(), self.name))
    }

    /// Puts a file on the stick that is in the node, where it is below
    /// [`STICK`] and can be read only.
    pub fn insert(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.file_name().with_context(|| format!("{} is no file", file.display()))?;
        if let Body::VirtualMachine { .. } = self.body {
            let to = Path::new(STICK).join(name);
            return self.copy(file, &to.to_string_lossy());
        }
        let to = self.folder.join(STICK_FOLDER).join(name);
        let link = || fs::remove_file(&to).or(Ok(())).and_then(|()| fs::hard_link(file, &to));
        let linked: std::io::Result<()> = link();
        linked
            .or_else(|_| fs::copy(file, &to).map(drop))
            .with_context(|| format!("putting {} on the stick of {}", file.display(), self.name))
    }

    /// Reboots it as its operator would, and waits until it is up again.
    pub fn reboot(&self) -> anyhow::Result<()> {
        let boot = || match self.body {
            Body::Namespaces { .. } => Some(format!("{:?}", self.init()?)),
            Body::VirtualMachine { .. } => {
                self.run(["cat", "/proc/sys/kernel/random/boot_id"]).ok()
            }
        };
        let before = boot().with_context(|| format!("{} does not answer", self.name))?;
        // The command may end with the node, and so is not waited for.
        let mut command = self.command(["systemctl", "reboot"])?;
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut asked = command.spawn().context("asking for a reboot")?;
        let is_anew = || {
            self.let_go();
            boot().is_some_and(|now| now != before)
        };
        self.wait(is_anew, "reboot")?;
        asked.wait().context("asking for a reboot")?;
        self.wait_until_up()
    }

    /// Pulls its plug: nothing in it ends in an orderly way.
    pub fn kill(&self) -> anyhow::Result<()> {
        let supervisor = supervisor::process(&self.folder);
        for pid in [supervisor, self.init()].into_iter().flatten() {
            // It may have ended meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
        let has_ended = || {
            self.let_go();
            self.init().is_none()
        };
        self.wait(has_ended, "end")?;
        match self.body {
            Body::Namespaces { .. } => Cgroup::of(&self.name)?.remove(),
            Body::VirtualMachine { .. } => Ok(()),
        }
    }

    /// No machine has a process that outlives its end, however frozen or stopped.
    fn let_go(&self) {
        if let (Body::Namespaces { .. }, Ok(groups)) = (&self.body, Cgroup::of(&self.name)) {
            groups.let_go();
        }
    }

    /// Has a bare machine with its name and its address take its place, and the stick
    /// with it. Only for nodes that are no virtual machines.
    pub fn replace(&self) -> anyhow::Result<()> {
        self.kill()?;
        namespaces::replace(self)?;
        self.start()
    }

    /// Pulls its network cable.
    pub fn cut(&self) -> anyhow::Result<()> {
        network::connect(&self.name, false)
    }

    /// Plugs its network cable in again.
    pub fn heal(&self) -> anyhow::Result<()> {
        network::connect(&self.name, true)
    }

    /// What it wrote to its console, and its journal where it is on.
    pub fn logs(&self) -> anyhow::Result<String> {
        let mut text = fs::read_to_string(self.console_path()).unwrap_or_default();
        if self.is_on() {
            text += &self.run(["journalctl", "--no-pager", "--boot"])?;
        }
        Ok(text)
    }
}
