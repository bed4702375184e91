//! Nodes behind an `ssh` that is none: they answer our scripts, and keep what was done.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

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
    /// The new images do not come to it.
    NoImages(&'static str),
    /// It lets no other node in.
    Locked,
    /// It loses its power while its installer is at work.
    Dies,
    /// Its installer waits until this number of other nodes is prepared.
    Slow(usize),
}

/// The masters among the nodes.
const MASTERS: [&str; 2] = ["10.0.0.1", "10.0.0.2"];

/// Whether this command makes a whole node.
fn is_made(line: &[String]) -> bool {
    line.iter().any(|word| word == "--yes") && line.iter().all(|word| word != "--only")
}

fn name(address: &str) -> &'static str {
    match address {
        "10.0.0.1" => "m1",
        "10.0.0.2" => "m2",
        "10.0.0.3" => "w1",
        _ => "w2",
    }
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
    /// The minor release that it is to be upgraded from; none if that is not tried.
    pub(super) minor: Option<u32>,
    /// Whether it has the new images.
    has_images: bool,
    is_busy: bool,
    /// The lines of ours in its `authorized_keys`.
    lets_in: String,
}

impl FarNode {
    /// One that is to be upgraded from this minor release.
    pub(super) fn of_minor(minor: u32) -> Self {
        Self { minor: Some(minor), ..Self::default() }
    }
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
        if let (Some(Fault::Slow(count)), true) = (self.fault(&address), is_made(&line)) {
            let end = Instant::now() + Duration::from_secs(60);
            while self.prepared().len() < count {
                assert!(Instant::now() < end, "nodes did not prepare");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let mut nodes = self.nodes.lock().unwrap();
        if let Some(at) = arguments.iter().position(|word| word == "upgrade") {
            return Ok(marked(self.upgrade(&address, &mut nodes, &arguments[at + 1..])));
        }
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

    /// The nodes whose installer was to change something, in order.
    pub(super) fn made(&self) -> Vec<String> {
        self.changed(|line| !line.contains("--only"))
    }

    /// The same for those that took only the steps for which they need no other node.
    pub(super) fn prepared(&self) -> Vec<String> {
        self.changed(|line| line.contains("--yes --only packages --role"))
    }

    fn changed(&self, is_meant: fn(&str) -> bool) -> Vec<String> {
        let said = self.said.lock().unwrap();
        let runs = said.iter().filter(|(_, words, _)| {
            words.last().is_some_and(|line| line.contains("--yes") && is_meant(line))
        });
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

    /// `installer upgrade` there, of a bundle that has all minor releases up to 37.
    fn upgrade(
        &self,
        address: &str,
        nodes: &mut BTreeMap<String, FarNode>,
        words: &[String],
    ) -> Output {
        let fault = self.fault(address);
        let is_master = |address: &str| MASTERS.contains(&address);
        if words[0] == "--images" {
            if let Some(Fault::NoImages(why)) = fault {
                return ended(1, "", why);
            }
            nodes.get_mut(address).unwrap().has_images = true;
            return ended(0, "the images of the bundle b are here\n", "");
        }
        let minor = |node: &FarNode| node.minor.unwrap();
        let to = (minor(&nodes[address]) + 1).min(37);
        let mut problems = Vec::new();
        for (other, node) in nodes.iter().filter(|(other, _)| *other != address) {
            let name = name(other);
            if is_master(address) && !node.has_images && minor(node) < 37 {
                problems.push(serde_json::json!({
                    "problem": format!("{name} has not got the new images"), "cure": "bring them",
                    "awaits": {"images": name}
                }));
            }
            if !is_master(address) && is_master(other) && minor(node) < to {
                problems.push(serde_json::json!({
                    "problem": "a kubelet must not be newer", "cure": "upgrade the masters",
                    "awaits": "masters"
                }));
            }
        }
        if let Some(Fault::Problem(what)) = fault {
            problems.push(serde_json::json!({"problem": what, "cure": "mend it"}));
        }
        let is_new = minor(&nodes[address]) == 37;
        if words[0] == "--yes" {
            return match fault {
                Some(Fault::Fails(why)) => ended(1, "", why),
                _ if !problems.is_empty() => ended(1, "", &format!("problem: {problems:?}\n")),
                _ => {
                    nodes.get_mut(address).unwrap().minor = Some(to);
                    let said =
                        format!("{} has Kubernetes 1.{to}.0; 5 changes in 1 s\n", name(address));
                    ended(0, &said, "[ 1/1] packages: 5 changes\n")
                }
            };
        }
        assert_eq!(words[..2], ["--dry-run", "--json"]);
        let changes: &[&str] = if is_new { &[] } else { &["a"] };
        let said = serde_json::json!({
            "kubernetes": format!("1.{to}.0"), "problems": problems,
            "steps": [{"step": "packages", "changes": changes}]
        });
        ended(i32::from(!problems.is_empty()), &said.to_string(), "")
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
                _ => {
                    let steps = r#"[{"step": "hosts", "changes": ["a", "b"]},
                        {"step": "swap", "changes": []},
                        {"step": "packages", "changes": ["c"]}]"#;
                    ended(0, &format!(r#"{{"steps": {steps}}}"#), "")
                }
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
                Some(Fault::Dies) => {
                    let said = "[ 1/1] hosts: 2 changes\nConnection to it closed by remote host.\n";
                    ended(255, "", said)
                }
                _ if words[1] == "--only" => {
                    ended(0, "these steps are done; 1 change in 1 s\n", "")
                }
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
