//! How a node is reached: by the system's own `ssh`, one connection a node for all commands,
//! or not at all if it is this machine. User, keys, bastions and known hosts are a matter of
//! ssh's own configuration.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::password::{self, Password};
use super::script;
use crate::exec::{Command, Exec, Input, Output};
use crate::failure::Failure;

/// What each `ssh` is told besides. Nobody answers questions, a node that is gone is noticed,
/// and nothing of this machine is offered to the other.
const OPTIONS: [&str; 15] = [
    "-T",
    "-x",
    "-a",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=15",
    "-o",
    "ConnectionAttempts=2",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=4",
    "-o",
    "ClearAllForwardings=yes",
];

/// Opens a connection that goes on in the background. That process keeps the outputs that it
/// has, so they must not be ours: we would wait for their end. `$0` takes what `ssh` says.
const OPEN: &str =
    r#"ssh "$@" </dev/null >/dev/null 2>"$0"; status=$?; cat "$0" >&2; exit "$status""#;

/// How the folder of the sockets is called; a process's number follows.
const NAME: &str = "kubeferry-up-";

/// The status with which `ssh` ends if it could not do its own part (ssh(1), "EXIT STATUS").
const OF_SSH: i32 = 255;

/// How long a connection, or what only looks at a node, may take. A node that hangs must not
/// hold the others.
const LIMIT: Duration = Duration::from_secs(120);

/// The folder of the connections' sockets, for this user only. It goes with the value.
pub struct Sockets {
    folder: PathBuf,
    /// None if nodes let a key in.
    password: Option<Password>,
}

impl Sockets {
    /// Makes it below `parent`, where it removes what runs have left that were killed.
    pub fn create(parent: &Path) -> anyhow::Result<Self> {
        sweep(parent);
        let id = std::process::id();
        let paths = (0..100_u8).map(|number| parent.join(format!("{NAME}{id}-{number}")));
        for path in paths {
            match DirBuilder::new().mode(0o700).create(&path) {
                // What another process of this number has left.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made.with_context(|| format!("creating {}", path.display()))?;
                    return Ok(Self { folder: path, password: None });
                }
            }
        }
        Err(anyhow!("{} is full of folders of earlier runs", parent.display()))
    }

    /// The connections are opened with a password.
    #[must_use]
    pub fn with_password(mut self, password: Option<Password>) -> Self {
        self.password = password;
        self
    }

    fn of(&self, address: IpAddr) -> PathBuf {
        self.folder.join(address.to_string())
    }
}

/// Removes the folders of processes that have ended. Their connections end by themselves.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix(NAME).and_then(|rest| rest.split_once('-'));
        let id = number.and_then(|(id, _)| id.parse::<u32>().ok());
        if id.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A node's connection.
pub struct Connection<'a> {
    exec: &'a (dyn Exec + Sync),
    /// None if the node is this machine.
    ssh: Option<Ssh>,
}

struct Ssh {
    address: IpAddr,
    socket: PathBuf,
}

impl<'a> Connection<'a> {
    /// To the machine that runs this.
    pub fn here(exec: &'a (dyn Exec + Sync)) -> Self {
        Self { exec, ssh: None }
    }

    /// Connects to an address.
    pub fn open(
        exec: &'a (dyn Exec + Sync),
        sockets: &Sockets,
        address: IpAddr,
    ) -> anyhow::Result<Self> {
        let socket = sockets.of(address);
        let log = format!("{}.log", socket.display());
        let ssh = Ssh { address, socket };
        let asked = sockets.password.as_ref();
        let (program, limit) = (asked.map(Password::program), LIMIT.as_secs().to_string());
        let mut words = match &program {
            None => vec!["sh", "-c", OPEN, &log],
            Some(program) => vec!["sh", "-c", password::OPEN, &log, program, &limit],
        };
        words.extend(asked.iter().flat_map(|_| password::OPTIONS));
        // An interrupted run leaves no connection behind for long.
        words.extend(["-M", "-N", "-f", "-o", "ControlPersist=60"]);
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        words.extend(ssh.words());
        let command = Command::new(words);
        let output = started(match asked {
            None => exec.ask(&command, LIMIT),
            Some(password) => exec.run(&command, Some(&mut |pipe| password.write(pipe))),
        })?;
        if !output.succeeded() {
            return Err(match output.stderr.contains("Permission denied") {
                true if asked.is_some() => not_let_in(address, &output).into(),
                _ => refused(address, &output).into(),
            });
        }
        Ok(Self { exec, ssh: Some(ssh) })
    }

    /// Whether the node is this machine.
    pub fn is_here(&self) -> bool {
        self.ssh.is_none()
    }

    /// Runs a script as root to its end.
    pub fn run(
        &self,
        script: &str,
        arguments: &[&str],
        input: Option<Input<'_>>,
    ) -> anyhow::Result<Output> {
        let output = started(self.exec.run(&self.command(script, arguments)?, input))?;
        self.held(output)
    }

    /// Runs a script as the user that `ssh` comes as, and says what it prints.
    pub fn as_user(&self, script: &str, arguments: &[&str], text: &str) -> anyhow::Result<String> {
        let mut input = |pipe: &mut dyn Write| pipe.write_all(text.as_bytes());
        let command = self.line(&script::as_user(script, arguments))?;
        said(self.held(started(self.exec.run(&command, Some(&mut input)))?)?)
    }

    /// Runs a script that only looks, and soon ends.
    pub fn ask(&self, script: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = started(self.exec.ask(&self.command(script, arguments)?, LIMIT))?;
        self.held(output)
    }

    /// The same as `run`, and tells of each line.
    pub fn follow(
        &self,
        script: &str,
        arguments: &[&str],
        input: Option<Input<'_>>,
        each: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Output> {
        let command = self.command(script, arguments)?;
        let output = started(self.exec.follow(&command, input, each))?;
        self.held(output)
    }

    /// What a script prints that must succeed.
    pub fn answer(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        said(self.run(script, arguments, None)?)
    }

    /// The same for a secret: what it prints gets into no error.
    pub fn secret(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = started(self.exec.run(&self.command(script, arguments)?, None))?;
        let stdout = if output.succeeded() { output.stdout } else { String::new() };
        said(self.held(Output { stdout, ..output })?)
    }

    fn command(&self, script: &str, arguments: &[&str]) -> anyhow::Result<Command> {
        self.line(&script::as_root(script, arguments))
    }

    fn line(&self, words: &[String]) -> anyhow::Result<Command> {
        let Some(ssh) = &self.ssh else { return Ok(Command::new(words)) };
        // The other side's shell reads one text.
        let line = shlex::try_join(words.iter().map(String::as_str))
            .context("writing a command for the node's shell")?;
        // If the first one has ended, none goes on in the background in its place.
        let mut all = ["ssh", "-o", "ControlMaster=no"].map(str::to_owned).to_vec();
        all.extend(ssh.words());
        all.push(line);
        Ok(Command::new(all))
    }

    /// What a script of ours has said, without what the node's shell said before.
    fn held(&self, output: Output) -> anyhow::Result<Output> {
        match (&self.ssh, output.stdout.split_once(script::MARK)) {
            (Some(ssh), answer) if output.status == Some(OF_SSH) => {
                let why = if answer.is_some() { lost } else { refused };
                Err(why(ssh.address, &output).into())
            }
            (_, Some((_, answer))) => Ok(Output { stdout: answer.to_owned(), ..output }),
            (_, None) if output.succeeded() => Err(Failure::new(
                "its shell does not run what it is given",
                "`ssh ADDRESS id` must print a line of `id`; see which login shell the user has",
            )
            .into()),
            (_, None) => Ok(output),
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let Some(ssh) = &self.ssh else { return };
        let words = ["ssh", "-O", "exit"].map(str::to_owned).into_iter().chain(ssh.words());
        drop(self.exec.run(&Command::new(words), None));
    }
}

impl Ssh {
    fn words(&self) -> Vec<String> {
        let socket = self.socket.display().to_string();
        let options = OPTIONS.map(str::to_owned).into_iter();
        options
            .chain(["-S".to_owned(), socket, "--".to_owned(), self.address.to_string()])
            .collect()
    }
}

/// What a command printed that must have succeeded.
pub(super) fn said(output: Output) -> anyhow::Result<String> {
    if output.succeeded() {
        return Ok(output.stdout);
    }
    let known = another_run(&output).or_else(|| not_root(&output));
    Err(known.map_or_else(|| anyhow!("{}", output.end()), Into::into))
}

fn started(output: io::Result<Output>) -> anyhow::Result<Output> {
    match output {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::new(
            "`ssh` is not installed on this machine",
            "install the package openssh-clients",
        )
        .into()),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Failure::new(
            format!("it hangs: it {error}"),
            "look at its console, or name the other nodes with --only",
        )
        .into()),
        output => output.context("running ssh"),
    }
}

/// Why `ssh` did not reach a node.
fn refused(address: IpAddr, output: &Output) -> Failure {
    let words = output.end();
    let cure = if words.contains("Permission denied") {
        format!(
            "give the node your key with `ssh-copy-id {address}`; `User` in ~/.ssh/config says as \
             whom you come"
        )
    } else {
        format!("try `ssh {address}`; it must work without a question")
    };
    host_key(&output.stderr)
        .unwrap_or_else(|| Failure::new(format!("ssh to {address} {words}"), cure))
}

/// That `ssh` lost a node that had begun to answer. What the node said before was told already.
fn lost(address: IpAddr, output: &Output) -> Failure {
    let why = output.reason().map(|why| format!(": {why}")).unwrap_or_default();
    let cure = "see whether it has power and network; then type the same line again";
    Failure::new(format!("the connection to {address} was lost{why}"), cure)
}

/// Why a node does not take the password.
fn not_let_in(address: IpAddr, output: &Output) -> Failure {
    let cure = "type the password of the user as whom you come, `User` in ~/.ssh/config; sshd must \
                let that user in with a password (`PasswordAuthentication`, `PermitRootLogin`)";
    let what = format!("ssh to {address} does not take the password: it {}", output.end());
    Failure::new(what, cure)
}

/// The failure if a host key is not the known one. It has no address, so that it is told once
/// for all such nodes.
fn host_key(said: &str) -> Option<Failure> {
    // So it ends if the key is a bastion's.
    let whose = if said.contains("UNKNOWN port") { "its bastion's" } else { "its" };
    if said.contains("has changed and you have requested") {
        let what = format!("{whose} host key is another one than before");
        let cure = "if the machine was made anew, compare the key on its console, then `ssh-keygen \
                    -R ADDRESS`; else somebody may be in between";
        return Some(Failure::new(what, cure));
    }
    let cure =
        "`ssh ADDRESS` once, compare the key that it shows with the node's own, and accept it";
    let what = format!("{whose} host key is not known here: Host key verification failed");
    said.contains("Host key verification failed").then(|| Failure::new(what, cure))
}

/// The failure if somebody else copies to the node.
fn another_run(output: &Output) -> Option<Failure> {
    let cure = "let that run end, and type the same line again; if it was lost with its machine, \
                `ps -ef | grep kubeferry-up` there shows the process that still waits for it";
    output.stderr.contains(script::ANOTHER).then(|| Failure::new(script::ANOTHER, cure))
}

/// The failure if the user may not become root.
fn not_root(output: &Output) -> Option<Failure> {
    let words = output.reason().filter(|words| words.contains("sudo"))?;
    let cure = "let this user run commands by `sudo` without a password, or come as root: `User \
                root` in ~/.ssh/config";
    Some(Failure::new(format!("not root, and {words}"), cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_has_left_is_removed_and_a_running_one_is_let_be() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        // No process has a number above the kernel's limit, 2 to the 22nd.
        for name in ["kubeferry-up-4194305-0", "kubeferry-up-1-0", "kubeferry-upgrade", "other"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let sockets = Sockets::create(parent.path()).unwrap();
        assert!(!at("kubeferry-up-4194305-0").exists());
        assert!(at("kubeferry-up-1-0").exists() && at("kubeferry-upgrade").exists());
        let own = sockets.folder.clone();
        assert!(own.is_dir());
        drop(sockets);
        assert!(!own.exists() && at("other").exists());
    }
}
