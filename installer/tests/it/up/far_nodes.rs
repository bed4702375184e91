//! Nodes behind an `ssh` that is none: they answer our scripts, and keep what was done.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use bundle_format::cluster::Cluster;
use installer::exec::{Command, Exec, Input, Output};
use installer::node::join::JoinFile;

/// The token in the join files of these nodes.
pub(super) const TOKEN: &str = "abcdef.0123456789abcdef";

/// The line before each answer.
const MARK: &str = "kubeferry answers";

/// What stands for the address of a node that no `ssh` reaches, as it is this machine.
const HERE: &str = "here";

/// What is wrong with a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `ssh` does not reach it.
    Away(&'static str),
    /// Its installer sees a problem.
    Problem(&'static str),
    /// Its installer fails.
    Fails(&'static str),
    /// It receives damaged files for so many times.
    Damages,
    /// Its login shell only greets.
    NoShell,
    /// It lets `ssh` in, and answers nothing then.
    Hangs,
    /// Another run copies to it.
    Copies,
    /// It ends with this status after it has printed its join file.
    Breaks(i32),
    /// Its user may not become root.
    NoRoot,
    /// It reaches no other node by `ssh`.
    Walled,
    /// It lets no other node in.
    Locked,
}

/// All nodes, by address.
#[derive(Default)]
pub(super) struct FarNodes {
    pub(super) faults: BTreeMap<&'static str, Fault>,
    pub(super) nodes: Mutex<BTreeMap<String, FarNode>>,
    /// Each command's words, and what it was given.
    pub(super) said: Mutex<Vec<(String, Vec<String>, String)>>,
}

#[derive(Clone, Default)]
pub(super) struct FarNode {
    files: BTreeMap<String, usize>,
    parts: BTreeMap<String, usize>,
    role: Option<String>,
    is_busy: bool,
    /// The lines of ours in its `authorized_keys`.
    lets_in: String,
}

impl Exec for FarNodes {
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output> {
        let mut given = Vec::new();
        if let Some(input) = input {
            input(&mut given)?;
        }
        let words = command.words().to_vec();
        let is_open = words[0] == "sh";
        let Some(at) = words.iter().position(|word| word == "--") else {
            let mut node = FarNode::default();
            let script = unmarked(&words[4]);
            return Ok(marked(self.answer(HERE, &mut node, script, &words[6..], &given)));
        };
        let address = words[at + 1].clone();
        if is_open || words[1] == "-O" {
            self.said.lock().unwrap().push((address.clone(), words, String::new()));
            return Ok(match self.fault(&address) {
                Some(Fault::Away(why)) if is_open => ended(255, "", why),
                _ => ended(0, "", ""),
            });
        }
        let line = shlex::split(&words[at + 2]).unwrap();
        assert_eq!(line[..2], ["sh", "-c"]);
        let (script, arguments) = (unmarked(&line[4]), line[6..].to_vec());
        let text = String::from_utf8(given.clone()).unwrap_or_default();
        self.said.lock().unwrap().push((address.clone(), words, text.clone()));
        if self.fault(&address) == Some(Fault::NoRoot) {
            return Ok(ended(1, "", "sudo: a password is required\n"));
        }
        let mut nodes = self.nodes.lock().unwrap();
        let node = nodes.entry(address.clone()).or_default();
        if self.fault(&address) == Some(Fault::NoShell) {
            return Ok(ended(0, "Welcome!\n", ""));
        }
        Ok(marked(self.answer(&address, node, script, &arguments, &given)))
    }

    fn ask(&self, command: &Command, limit: Duration) -> io::Result<Output> {
        let (words, hangs) =
            (command.words(), |word: &String| self.fault(word) == Some(Fault::Hangs));
        if words[0] == "ssh" && words.iter().any(hangs) {
            let what = format!("did not answer within {} s", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        self.run(command, None)
    }
}

/// A script without its first line.
fn unmarked(script: &str) -> &str {
    script.strip_prefix(&format!("echo {MARK}\n")).unwrap()
}

/// An answer behind what the user's `.bashrc` prints.
fn marked(output: Output) -> Output {
    Output { stdout: format!("whole\nWelcome!\n{MARK}\n{}", output.stdout), ..output }
}

pub(super) fn ended(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status: Some(status), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}

/// The join file of these nodes.
fn join_file() -> String {
    let mut join = JoinFile::sample(Cluster::default()).unwrap();
    join.token = TOKEN.to_owned();
    join.text().unwrap()
}

impl FarNodes {
    /// An installer is at work there.
    pub(super) fn keep_busy(&self, address: &str) {
        self.nodes.lock().unwrap().entry(address.to_owned()).or_default().is_busy = true;
    }

    /// Those that still let a key of ours in.
    pub(super) fn open(&self) -> Vec<String> {
        let nodes = self.nodes.lock().unwrap();
        let is_open = |(_, node): &(&String, &FarNode)| !node.lets_in.is_empty();
        nodes.iter().filter(is_open).map(|(address, _)| address.clone()).collect()
    }

    fn fault(&self, address: &str) -> Option<Fault> {
        self.faults.get(address).copied()
    }

    /// What was run as an installer that changes something, in order: its address and words.
    pub(super) fn made(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        let runs = said
            .iter()
            .filter(|(_, words, _)| words.last().is_some_and(|line| line.contains("--yes")));
        runs.map(|(address, ..)| address.clone()).collect()
    }

    fn answer(
        &self,
        address: &str,
        node: &mut FarNode,
        script: &str,
        arguments: &[String],
        given: &[u8],
    ) -> Output {
        if let Some(said) = self.pass(address, node, script, arguments, given) {
            return said;
        }
        let path = arguments.first().cloned().unwrap_or_default();
        if script.contains("uname -m") {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
            let room = "/dev/sda 9000000 1000000 8000000 12% /var";
            let arch = std::env::consts::ARCH;
            return ended(0, &format!("arch {arch}\ndate {now}\nroom {room}\n"), "");
        }
        if script.contains("echo whole") {
            return match (node.files.get(&path), node.parts.get(&path)) {
                (Some(_), _) => ended(0, "whole\n", ""),
                (None, part) => ended(0, &format!("{}\n", part.unwrap_or(&0)), ""),
            };
        }
        if script.contains(">>\"$1.part\"") {
            if self.fault(address) == Some(Fault::Copies) {
                return ended(1, "", "another run copies to this node\n");
            }
            *node.parts.entry(path).or_default() += given.len();
            return ended(0, "", "");
        }
        if script.contains("mv -f \"$1.part\"") {
            let size = node.parts.remove(&path).unwrap_or(0);
            if self.fault(address) == Some(Fault::Damages) {
                return ended(0, "damaged\n", "");
            }
            node.files.insert(path, size);
            return ended(0, "taken\n", "");
        }
        if script.contains("flock -n \"$1\"") {
            return ended(0, if node.is_busy { "busy\n" } else { "" }, "");
        }
        if script.contains("flock -w") {
            node.is_busy = false;
            return ended(0, "", "");
        }
        if script.contains("continue 2") || script.contains("\"$1.new\"") {
            return ended(0, "", "");
        }
        if script.starts_with("rm -rf") {
            node.files.clear();
            return ended(0, "", "");
        }
        if script == "cat \"$1\"" {
            return self.join(address);
        }
        assert_eq!(script, "cat | \"$@\"");
        let is_whole = address == HERE || node.files.contains_key(&path);
        assert!(is_whole, "{path} is run before it is whole");
        self.installer(address, node, &arguments[1..])
    }

    /// Its part in passing a file on.
    fn pass(
        &self,
        address: &str,
        node: &mut FarNode,
        script: &str,
        arguments: &[String],
        given: &[u8],
    ) -> Option<Output> {
        let is = |word: &str| script.contains(word);
        Some(match arguments {
            [path] if path == "/run/kubeferry-up" && is("ssh-keygen") => {
                ended(0, "ssh-ed25519 AAAA \n", "")
            }
            [path] if path == "/run/kubeferry-up" => ended(0, "", ""),
            _ if is("authorized_keys") => {
                if self.fault(address) == Some(Fault::Locked) && !given.is_empty() {
                    return Some(ended(1, "", "cp: no space left\n"));
                }
                node.lets_in = String::from_utf8(given.to_vec()).unwrap();
                ended(0, "user op\nport 22\nkey ssh-ed25519 AAAA root@m\n", "")
            }
            _ if is("StrictHostKeyChecking=yes") => {
                if self.fault(address) == Some(Fault::Walled) {
                    return Some(ended(1, "", "at 0\nssh: connect to host: Connection refused\n"));
                }
                node.parts.insert(arguments[0].clone(), arguments[1].parse().unwrap());
                ended(0, "", "at 7\n")
            }
            _ => return None,
        })
    }

    fn join(&self, address: &str) -> Output {
        let status = match self.fault(address) {
            Some(Fault::Breaks(status)) => status,
            _ => 0,
        };
        ended(status, &join_file(), "")
    }

    /// The installer there.
    fn installer(&self, address: &str, node: &mut FarNode, words: &[String]) -> Output {
        let role = words.windows(2).find(|pair| pair[0] == "--role").map(|pair| pair[1].clone());
        match words[0].as_str() {
            "status" => match &node.role {
                None => ended(0, r#"{"role": null, "node": {"error": "in no cluster"}}"#, ""),
                Some(role) => {
                    let step = if role == "master" { "control-plane" } else { "join" };
                    let text = format!(
                        r#"{{"role": "{role}", "node": {{"ready": "True"}},
                        "steps": [{{"name": "{step}", "progress": "finished"}}]}}"#
                    );
                    ended(0, &text, "")
                }
            },
            "token" => self.join(address),
            "plan" => match self.fault(address) {
                Some(Fault::Problem(what)) => {
                    let told = serde_json::json!([{"problem": what, "cure": "mend it"}]);
                    ended(1, &format!(r#"{{"steps": [], "problems": {told}}}"#), "")
                }
                _ if node.role.is_some() => ended(0, r#"{"steps": []}"#, ""),
                _ => ended(0, r#"{"steps": [{"step": "hosts", "changes": ["a", "b"]}]}"#, ""),
            },
            "reset" => match self.fault(address) {
                Some(Fault::Fails(why)) => ended(1, "", why),
                _ => {
                    node.role = None;
                    ended(0, "this node is as it was\n", "")
                }
            },
            "--yes" => match self.fault(address) {
                Some(Fault::Fails(why)) => ended(1, "", why),
                _ => {
                    node.role = role;
                    let said = "warning: x\n[ 1/1] hosts: 2 changes\n";
                    ended(0, "w2 is a worker; 2 changes in 1 s\n", said)
                }
            },
            other => panic!("{other}"),
        }
    }
}
