//! Commands on a real system.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bundle_format::search_path;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Command, Exec, Input, Output};

/// Runs commands on this system.
pub struct SystemExec {
    /// The node's root file system, if it is not this system's own.
    pub root: Option<PathBuf>,
}

impl Exec for SystemExec {
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output> {
        self.follow(command, input, &|_| ())
    }

    fn follow(
        &self,
        command: &Command,
        input: Option<Input<'_>>,
        each: &(dyn Fn(&str) + Sync),
    ) -> io::Result<Output> {
        let mut process = self.process(command);
        process.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = process.spawn()?;
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let (fed, out, err) = thread::scope(|scope| {
            let out = scope.spawn(|| read(stdout.as_mut(), &|_| ()));
            let err = scope.spawn(|| read(stderr.as_mut(), each));
            let fed = match (input, child.stdin.take()) {
                (Some(input), Some(mut pipe)) => input(&mut pipe),
                _ => Ok(()),
            };
            (fed, out.join(), err.join())
        });
        let status = child.wait()?;
        let bytes = |bytes: thread::Result<io::Result<Vec<u8>>>| {
            bytes.map_err(|_| io::Error::other("reading its output failed"))?
        };
        match fed {
            // It ended before it read everything. Its status says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !status.success() => {}
            fed => fed?,
        }
        Ok(self.output(status, &bytes(out)?, &bytes(err)?))
    }

    fn ask(&self, command: &Command, limit: Duration) -> io::Result<Output> {
        // A process group of its own, so that its children can be killed with
        // it.
        let child = self.process(command).stdin(Stdio::null()).process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        let (says, said) = mpsc::channel();
        // Nobody joins this thread: a hanging disk keeps even killed processes
        // alive.
        thread::spawn(move || drop(says.send(child.wait_with_output())));
        if let Ok(ended) = said.recv_timeout(limit) {
            let ended = ended?;
            return Ok(self.output(ended.status, &ended.stdout, &ended.stderr));
        }
        kill_process_group(group, Signal::KILL).ok();
        let what = format!("did not answer within {} s", limit.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, what))
    }
}

impl SystemExec {
    fn process(&self, command: &Command) -> std::process::Command {
        let path = folders();
        let mut words = command.words().iter();
        let program = words.next().map_or("", String::as_str);
        let mut process = match &self.root {
            None => started(program, &path),
            Some(root) => {
                let mut chroot = started("chroot", &path);
                chroot.arg(root).arg(program);
                chroot
            }
        };
        // We parse output in this language only.
        process.args(words).env("LC_ALL", "C").env("PATH", path);
        // The nodes' own network needs no proxy, and kubeadm would pass it on
        // to the control plane.
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            process.env_remove(name).env_remove(name.to_uppercase());
        }
        process.stdout(Stdio::piped()).stderr(Stdio::piped());
        process
    }

    fn output(&self, status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Output {
        let status = match (status.code(), &self.root) {
            // These statuses mean that chroot could not run it: it is not
            // there.
            (Some(125 | 126), Some(_)) => Some(127),
            (status, _) => status,
        };
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Output { status, stdout: text(stdout), stderr: text(stderr) }
    }
}

/// Where commands are searched: the PATH of this program, then the usual folders.
/// `su` and some services set only a part of them.
fn folders() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/usr/bin:/sbin:/bin");
    path
}

/// A process of the first program of this name in the folders of `path`. Only a file that is
/// known can be started without a copy of this process, and a copy takes milliseconds.
fn started(program: &str, path: &OsStr) -> std::process::Command {
    let found = search_path::find(program, path);
    let mut process = std::process::Command::new(found.as_deref().unwrap_or(program.as_ref()));
    process.arg0(program);
    process
}

fn read(pipe: Option<&mut impl Read>, each: &(dyn Fn(&str) + Sync)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok(bytes) };
    let mut pipe = BufReader::new(pipe);
    loop {
        let from = bytes.len();
        if pipe.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(bytes);
        }
        let line = String::from_utf8_lossy(bytes.get(from..).unwrap_or_default());
        each(line.trim_end_matches('\n'));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_program_has_its_name_and_a_missing_one_is_not_found() {
        let path = "/usr/bin:/bin".as_ref();
        let name = started("sh", path).args(["-c", "echo $0"]).output().unwrap();
        assert_eq!(name.stdout, b"sh\n");
        assert_eq!(started("no-such-program", path).get_program(), "no-such-program");
        let exec = SystemExec { root: None };
        let error = exec.run(&Command::of("no-such-program"), None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_line_is_told_of_while_the_command_still_runs() {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        // It ends only when its first line was told of.
        let script = format!(
            "echo one >&2; until [ -e {} ]; do sleep 0.01; done; echo two; echo three >&2",
            go.display()
        );
        let told = std::sync::Mutex::new(Vec::new());
        let each = |line: &str| {
            std::fs::write(&go, "").unwrap();
            told.lock().unwrap().push(line.to_owned());
        };
        let command = Command::new(["sh".to_owned(), "-c".to_owned(), script]);
        let output = SystemExec { root: None }.follow(&command, None, &each).unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("two\n", "one\nthree\n"));
        assert_eq!(told.into_inner().unwrap(), ["one", "three"]);
    }

    #[test]
    fn a_question_that_hangs_is_ended_with_what_it_started() {
        let exec = SystemExec { root: None };
        let shell = |script: &str| Command::new(["sh", "-c", script]);
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        // Its child keeps the output open.
        let hung = format!("sleep 1000 & echo $! >{}; wait", note.display());
        let begun = Instant::now();
        let error = exec.ask(&shell(&hung), Duration::from_secs(2)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "did not answer within 2 s");
        assert!(begun.elapsed() < Duration::from_secs(500));
        let child = std::fs::read_to_string(note).unwrap();
        let comm = std::path::PathBuf::from(format!("/proc/{}/stat", child.trim()));
        let ends = || match std::fs::read_to_string(&comm) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        while !ends() {
            assert!(begun.elapsed() < Duration::from_secs(500), "the child goes on");
            thread::yield_now();
        }
        let said = exec.ask(&shell("echo yes; echo no >&2; exit 3"), Duration::from_secs(500));
        let said = said.unwrap();
        assert_eq!((said.status, said.stdout.as_str()), (Some(3), "yes\n"));
        assert_eq!((said.end().as_str(), said.reason()), ("exited with status 3: no", Some("no")));
    }
}
