//! Real containerds, each on a machine of its own: a folder that has its `/etc`, `/run`
//! and `/var/lib`.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, io};

use installer::exec::{Command, Exec, Input, Output};
use installer::host::Host;
use lab::built;

/// What stands in for a whole machine: only for the command that is run in it other
/// folders are in the place of this system's. The first two words are the folders.
const ENTER: &str = "set -e; root=$1 base=$2; shift 2; mount --make-rprivate /; \
                     mount --rbind / $base; \
                     for folder in etc run var/lib; do mount --bind $root/$folder $base/$folder; \
                     done; exec chroot $base \"$@\"";

/// A containerd that is here.
#[derive(Clone)]
pub(crate) struct Release {
    pub(crate) version: String,
    program: PathBuf,
}

impl Release {
    pub(crate) fn major(&self) -> u32 {
        self.version.split('.').next().unwrap().parse().unwrap()
    }

    /// Whether it brings each file to format 4 by itself: since 2.3.
    pub(crate) fn migrates(&self) -> bool {
        let minor: u32 = self.version.split('.').nth(1).unwrap().parse().unwrap();
        (self.major(), minor) >= (2, 3)
    }

    /// Debian's, and those that `scripts/tools` has built. None where nothing can be
    /// tried; what is missing is told.
    pub(crate) fn all() -> Vec<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: a containerd of its own needs root");
            return Vec::new();
        }
        let built = built::programs("containerd").into_iter().map(|(_, program)| program);
        let programs = [PathBuf::from("/usr/bin/containerd")].into_iter().chain(built);
        let mut all: Vec<Self> = programs.filter_map(Self::of).collect();
        all.sort_by(|a, b| a.version.cmp(&b.version));
        for (major, what) in [("1.6", "Debian's"), ("1.7", "a built"), ("2.", "a built")] {
            if !all.iter().any(|one| one.version.starts_with(major)) {
                println!("skipped: there is no {what} containerd {major}; see `scripts/tools`");
            }
        }
        all
    }

    fn of(program: PathBuf) -> Option<Self> {
        let said = std::process::Command::new(&program).arg("--version").output().ok()?;
        let said = String::from_utf8(said.stdout).unwrap();
        let version = said.split_whitespace().nth(2)?.trim_start_matches('v');
        let version = version.split('~').next()?.to_owned();
        Some(Self { version, program })
    }
}

/// A machine whose containerd is not there any more.
pub(crate) struct Without(pub(crate) Machine);

impl Exec for Without {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        match command.words().first().is_some_and(|word| word == "containerd") {
            true => Ok(Output { status: Some(127), stdout: String::new(), stderr: String::new() }),
            false => self.0.run(command, None),
        }
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

/// A machine with a containerd.
#[derive(Clone)]
pub(crate) struct Machine {
    root: Arc<tempfile::TempDir>,
    release: Release,
    /// The commands that changed something.
    pub(crate) made: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    /// One with these files, which are for their owner's and group's eyes.
    pub(crate) fn new(release: &Release, files: &[(&str, &str)]) -> Self {
        // Each line of a receipt is synced, which takes no time in memory.
        let root = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        for folder in ["etc/containerd", "run", "var/lib", "var/log", "base"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            chown(&path, None, Some(1)).unwrap();
        }
        Self { root: Arc::new(root), release: release.clone(), made: Arc::default() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn host(&self) -> Host {
        Host::look(self.root.path(), Box::new(self.clone())).unwrap()
    }

    /// The same machine, if its containerd were not installed.
    pub(crate) fn host_without(&self) -> Host {
        Host::look(self.root.path(), Box::new(Without(self.clone()))).unwrap()
    }

    /// A command of this machine.
    fn command(&self, program: &Path, words: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new("unshare");
        command.args(["--mount", "sh", "-c", ENTER, "sh"]);
        command.arg(self.root.path()).arg(self.path("base")).arg(program).args(words);
        command
    }

    /// Starts containerd, and gives what its plugins are, once it has loaded them; what
    /// it said where it ended before.
    pub(crate) fn plugins(&self, config: &str) -> Result<Vec<(String, String)>, String> {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = self.command(&self.release.program, &["--config", config]);
        command.stdout(Stdio::null()).stderr(log);
        let mut running = Running(command.spawn().unwrap());
        let begun = Instant::now();
        loop {
            let said = self.ctr(&["plugins", "ls"]);
            if said.status.success() {
                let text = String::from_utf8(said.stdout).unwrap();
                let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let plugins = lines.filter(|words| words.len() == 4);
                let plugins = plugins
                    .map(|words| (format!("{}.{}", words[0], words[1]), words[3].to_owned()));
                return Ok(plugins.collect());
            }
            let log = || fs::read_to_string(self.path("log")).unwrap();
            if running.0.try_wait().unwrap().is_some() {
                return Err(log());
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks something while containerd runs with a configuration.
    pub(crate) fn while_it_runs<T>(&self, config: &str, ask: impl FnOnce() -> T) -> T {
        let mut command = self.command(&self.release.program, &["--config", config]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let _running = Running(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.ctr(&["version"]).status.success() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        ask()
    }

    fn ctr(&self, words: &[&str]) -> std::process::Output {
        let socket = self.path("run/containerd/containerd.sock");
        let mut command = std::process::Command::new("ctr");
        command.arg("--address").arg(socket).args(words).output().unwrap()
    }

    /// Runs this machine's containerd to its end.
    pub(crate) fn say(&self, words: &[&str]) -> Output {
        said(&self.command(&self.release.program, words).output().unwrap())
    }

    fn answer(&self, words: &[&str]) -> Output {
        let good =
            |text: &str| Output { status: Some(0), stdout: text.to_owned(), stderr: String::new() };
        match words {
            ["containerd", words @ ..] => self.say(words),
            ["ctr", words @ ..] => said(&self.ctr(words)),
            ["systemctl", "is-active", _] => good("active\n"),
            ["systemctl", "is-enabled", _] => good("enabled\n"),
            ["systemctl", "show", "--property=LoadState", _] => good("LoadState=loaded\n"),
            ["systemctl", "show", ..] => {
                good(&fs::read_to_string(self.path("run/unit")).unwrap_or_default())
            }
            ["systemctl", "restart", "containerd"] => {
                self.made.lock().unwrap().push(words.join(" "));
                good("")
            }
            ["crictl", .., "info"] => good(""),
            ["crictl", .., "version"] => Output { status: Some(1), ..good("") },
            words => panic!("a machine with a containerd has no `{}`", words.join(" ")),
        }
    }
}

fn said(output: &std::process::Output) -> Output {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Output { status: output.status.code(), stdout, stderr }
}

impl Exec for Machine {
    fn run(&self, command: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
        let words: Vec<&str> = command.words().iter().map(String::as_str).collect();
        Ok(self.answer(&words))
    }

    fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
        self.run(command, None)
    }
}

/// Ended when dropped: the process that unshares becomes containerd itself.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        drop(self.0.wait());
    }
}
