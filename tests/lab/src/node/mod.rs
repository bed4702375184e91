//! A node: systemd as process 1 in namespaces and control groups of its own, on
//! an overlay over the base that all nodes share, with no way out and no power
//! over the machine's clock.

pub mod init;
pub mod supervisor;

use std::ffi::OsStr;
use std::fs::{self, File};
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

/// Folders of a node that are not in its overlay, since container file systems
/// and etcd do not work on one.
const OWN_FOLDERS: [&str; 3] = ["var/lib/containerd", "var/lib/kubelet", "var/lib/etcd"];

/// Where a node has the operator's USB stick.
pub const STICK: &str = "/media/usb";
const STICK_FOLDER: &str = "stick";

/// What a node must not be able to do: set the machine's clock, or reach its
/// hardware. An option of setpriv(1).
const BOUNDING_SET: &str = "--bounding-set=-sys_time,-sys_rawio,-sys_module";

/// How long a node may take to boot, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node of the lab.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Node {
    /// Its host name.
    pub name: String,
    /// Its address in the nodes' network.
    pub address: Ipv4Addr,
    /// Where its disk and its console are.
    folder: PathBuf,
    /// The root file system that it shares with others.
    base: PathBuf,
    /// The `/lib/modules` that it shares with others.
    modules: PathBuf,
}

impl Node {
    pub(crate) fn new(name: String, address: Ipv4Addr, run: &Path, base: &Path) -> Self {
        Self {
            folder: run.join("nodes").join(&name),
            base: base.to_owned(),
            modules: run.join("modules"),
            name,
            address,
        }
    }

    /// Makes its disk and its network.
    pub(crate) fn create(&self, route: DefaultRoute, key: &str) -> anyhow::Result<()> {
        for folder in ["upper", "work", "root", STICK_FOLDER].iter().chain(&OWN_FOLDERS) {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("creating {}", folder.display()))?;
        }
        let id = fs::read_to_string("/proc/sys/kernel/random/uuid").context("making an id")?;
        self.write("etc/machine-id", &id.replace('-', ""), 0o444)?;
        self.write("etc/hostname", &format!("{}\n", self.name), 0o644)?;
        self.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", 0o644)?;
        self.write("root/.ssh/authorized_keys", key, 0o600)?;
        let root = self.folder.join("upper/root");
        for folder in [&root, &root.join(".ssh")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
                .with_context(|| format!("closing {}", folder.display()))?;
        }
        network::attach(&self.name, self.address, route)
    }

    /// Writes a file of its disk, before it is switched on.
    fn write(&self, path: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        let path = self.folder.join("upper").join(path);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
        };
        write().with_context(|| format!("writing {}", path.display()))
    }

    /// Switches it on and waits until its services have started.
    pub fn start(&self) -> anyhow::Result<()> {
        self.switch_on()?;
        self.wait_until_up()
    }

    /// Switches it on.
    pub(crate) fn switch_on(&self) -> anyhow::Result<()> {
        if self.init().is_some() {
            return Ok(());
        }
        let cgroup = Cgroup::of(&self.name)?;
        cgroup.remove()?;
        cgroup.create()?;
        let console = self.console()?;
        let mut command = Command::new("setsid");
        command.arg("--fork").arg(command::program("lab")?).args(["supervise", &self.name]);
        let status = command
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .status()
            .context("starting the node's supervisor")?;
        if !status.success() {
            bail!("the supervisor of {} did not start: {status}", self.name);
        }
        self.wait(|| self.init().is_some(), "come up")
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
        let end = Instant::now() + PATIENCE;
        while !done() {
            if Instant::now() > end {
                let log = fs::read_to_string(self.console_path()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
                bail!(
                    "{} did not {what} in {} s; the end of its console:\n{}",
                    self.name,
                    PATIENCE.as_secs(),
                    last.join("\n")
                );
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The process of this machine that is process 1 of the node; none when it
    /// is off.
    pub fn init(&self) -> Option<Pid> {
        let text = fs::read_to_string(supervisor::init_file(&self.folder)).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?)?;
        let path = format!("/proc/{}/ns/pid", pid.as_raw_nonzero());
        let own = fs::read_link("/proc/self/ns/pid").ok()?;
        // A number that was left behind may be another process's by now.
        (fs::read_link(path).ok()? != own).then_some(pid)
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.init().is_some()
    }

    /// A command in the node, to be given arguments, input and output.
    pub fn command(&self, program: impl AsRef<OsStr>) -> anyhow::Result<Command> {
        let Some(init) = self.init() else { bail!("{} is off", self.name) };
        // A process of the node is in its control groups as well: a shell
        // enters them, and becomes nsenter.
        let mut command = Command::new("sh");
        let enter = "while [ \"$1\" != -- ]; do echo $$ >\"$1\"; shift; done; shift; exec \"$@\"";
        command.args(["-c", enter, "sh"]).args(Cgroup::of(&self.name)?.entrances()).arg("--");
        let target = init.as_raw_nonzero().to_string();
        command.args(["nsenter", "--target", &target]);
        command.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]);
        // nsenter keeps this machine's capabilities, which are not the node's.
        command.args(["setpriv", BOUNDING_SET]);
        command.args(["env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]);
        command.arg(format!("PATH={PATH}")).arg(program);
        Ok(command)
    }

    /// Runs a command in the node, whatever comes of it.
    pub fn exec<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Output> {
        command::output(self.of_words(words)?.stdin(Stdio::null()))
    }

    /// Runs a command in the node that must succeed, and gives what it wrote to
    /// standard output.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<String> {
        command::run(self.of_words(words)?.stdin(Stdio::null()))
            .with_context(|| format!("on {}", self.name))
    }

    fn of_words<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Command> {
        let mut words = words.into_iter();
        let program = words.next().context("a command has at least one word")?;
        let mut command = self.command(program)?;
        command.args(words);
        Ok(command)
    }

    /// Copies a file of this machine into the node, with its mode.
    pub fn copy(&self, file: &Path, to: &str) -> anyhow::Result<()> {
        let source = File::open(file).with_context(|| format!("opening {}", file.display()))?;
        let mode = source.metadata()?.permissions().mode() & 0o7777;
        let script = "set -e; cat >\"$1\"; chmod \"$2\" \"$1\"";
        let mut command = self.command("sh")?;
        command.args(["-c", script, "sh", to, &format!("{mode:o}")]).stdin(source);
        command::run(&mut command)
            .map(drop)
            .with_context(|| format!("copying {} to {}:{to}", file.display(), self.name))
    }

    /// Puts a file on the stick that is in the node, where it is below
    /// [`STICK`] and can be read only.
    pub fn insert(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.file_name().with_context(|| format!("{} is no file", file.display()))?;
        let to = self.folder.join(STICK_FOLDER).join(name);
        let link = || fs::remove_file(&to).or(Ok(())).and_then(|()| fs::hard_link(file, &to));
        let linked: std::io::Result<()> = link();
        linked
            .or_else(|_| fs::copy(file, &to).map(drop))
            .with_context(|| format!("putting {} on the stick of {}", file.display(), self.name))
    }

    /// Reboots it as its operator would, and waits until it is up again.
    pub fn reboot(&self) -> anyhow::Result<()> {
        let before = self.init().with_context(|| format!("{} is off", self.name))?;
        // The command may end with the node.
        self.exec(["systemctl", "reboot"])?;
        self.wait(|| self.init().is_some_and(|now| now != before), "reboot")?;
        self.wait_until_up()
    }

    /// Pulls its plug: nothing in it ends in an orderly way.
    pub fn kill(&self) -> anyhow::Result<()> {
        for pid in [supervisor::process(&self.folder), self.init()].into_iter().flatten() {
            // It may have ended meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
        self.wait(|| self.init().is_none(), "end")?;
        Cgroup::of(&self.name)?.remove()
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

/// Where a node looks for programs: as on EL, with the lab's own in front.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
