//! All nodes by one line, from a machine that is none of them, over a real sshd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use lab::cluster::insert_stick;
use lab::network::LAN;
use lab::{Lab, Node, Places, Settings, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::application::{Witness, assert_serves, kubectl, spread, wait};
use crate::masters::{holders, names, voters};
use crate::served::assert_nodes_take_from;
use crate::support::{connected_host, lab, words};
use crate::virtual_address::{IN_SPEC, config};

/// A machine of the nodes' network, with the operator's key, and ssh's own configuration.
pub(crate) struct Operator {
    folder: tempfile::TempDir,
}

impl Operator {
    /// Writes a cluster file in which the first so many nodes are masters.
    pub(crate) fn new(lab: &Lab, masters: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::copy(Places::find().unwrap().run().join("operator-key"), at("key")).unwrap();
        fs::set_permissions(at("key"), fs::Permissions::from_mode(0o600)).unwrap();
        let known = at("known_hosts").display().to_string();
        let config = format!(
            "Host *\nUser root\nIdentityFile {}\nUserKnownHostsFile {known}\n",
            at("key").display()
        );
        fs::write(at("config"), config).unwrap();
        // ssh reads the file of the machine's user, who is not the operator here.
        fs::create_dir(at("bin")).unwrap();
        let ssh = format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", at("config").display());
        fs::write(at("bin/ssh"), ssh).unwrap();
        fs::set_permissions(at("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(at("cluster.yaml"), cluster_file(lab, masters)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Knows the host keys of these nodes, and of no others.
    pub(crate) fn know(&self, nodes: &[Node]) {
        fs::write(self.path().join("known_hosts"), known_hosts(nodes)).unwrap();
    }

    /// Runs `installer up`.
    pub(crate) fn up(&self, more: &[&str]) -> Output {
        self.command(more).output().unwrap()
    }

    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let path = format!("{}:{}", self.path().join("bin").display(), env!("PATH"));
        let mut command = Command::new("ip");
        command.args(["netns", "exec", LAN, "timeout", "480"]).arg(program("installer").unwrap());
        command.args(["up", "--config", "cluster.yaml"]).args(more);
        command.current_dir(self.path()).env("PATH", path);
        command
    }
}

fn cluster_file(lab: &Lab, masters: usize) -> String {
    let text = config(lab, masters);
    match masters {
        // It needs no address for several.
        1 => text.lines().skip(1).map(|line| format!("{line}\n")).collect(),
        _ => text,
    }
}

fn known_hosts(nodes: &[Node]) -> String {
    let line = |node: &Node| {
        let key = node.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).unwrap();
        format!("{} {key}", node.address)
    };
    nodes.iter().map(line).collect()
}

/// What an installer has noted on a node so far.
pub(crate) fn receipt(node: &Node) -> String {
    words(&node.exec(["cat", "/var/lib/kubeferry/receipt.jsonl"]).unwrap())
}

/// All that is not to change when nothing is to be done.
pub(crate) fn receipts(lab: &Lab) -> Vec<String> {
    let sum = |node: &Node| node.run(["sha256sum", "/var/lib/kubeferry/receipt.jsonl"]).unwrap();
    lab.nodes().iter().map(sum).collect()
}

#[test]
fn one_line_makes_a_cluster_and_again_has_nothing_to_do() {
    let Some(host) = connected_host() else { return };
    let (lock, file) = host.bundle();
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, ..] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let operator = Operator::new(&lab, 1);
    let all = ["--bundle", file.to_str().unwrap(), "--yes"];

    // A host key that nobody has accepted is a problem, and stops all before any change.
    operator.know(&lab.nodes()[..2]);
    let said = operator.up(&all);
    assert_eq!(said.status.code(), Some(1));
    let text = words(&said);
    assert!(text.contains("problem: node3: its host key is not known here"), "{text}");
    assert!(text.contains("Host key verification failed") && text.contains("hint: "), "{text}");
    for node in lab.nodes() {
        assert!(node.run(["ls", "/var/lib"]).unwrap().lines().all(|name| name != "kubeferry"));
    }

    operator.know(lab.nodes());
    // The operator's machine is cut off; what it has begun goes on, and is waited for.
    let child = operator.command(&all).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    wait("the first changes", || receipt(master).contains("\"step\":\"firewall\""));
    // `ip` and `timeout` before it become it, or pass the signal on.
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    child.wait().unwrap();

    let begun = Instant::now();
    let said = operator.up(&all);
    let took = begun.elapsed();
    println!("{}", words(&said));
    assert!(words(&said).contains("node1  an installer is at work there; waiting"));
    println!("one master and two workers: {:.1} s", took.as_secs_f64());
    assert!(said.status.success());
    assert_secrets_stay(&lab, &words(&said));
    spread(master);
    assert_serves(&lab);

    let before = receipts(&lab);
    let begun = Instant::now();
    let said = operator.up(&all);
    let took = begun.elapsed();
    println!("{}", words(&said));
    println!("again: {:.1} s", took.as_secs_f64());
    let text = words(&said);
    assert!(said.status.success(), "{text}");
    for role in ["master", "worker"] {
        assert!(text.contains(&format!("is a {role} already; nothing to do")), "{text}");
    }
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert_eq!(receipts(&lab), before);
    assert_nodes_take_from(&lab, &lock, &file);

    let said = operator.up(&["--status", "--json"]);
    assert!(said.status.success(), "{}", words(&said));
    let status: Value = serde_json::from_slice(&said.stdout).unwrap();
    let nodes = status["nodes"].as_array().unwrap();
    assert!(nodes.len() == 3 && nodes.iter().all(|node| node["ready"] == true), "{status}");

    let said = operator.up(&["--doctor"]);
    println!("{}", words(&said));
    assert!(said.status.success());
    assert_is_taken_back(&lab, &operator);
}

#[test]
#[ignore = "takes three minutes: scripts/nightly"]
fn masters_are_made_one_after_the_other_by_the_same_line() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle_with(IN_SPEC);
    let Some(lab) = lab(&Settings::default()) else { return };
    let [first, second, _] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(first);
    let operator = Operator::new(&lab, 2);
    operator.know(lab.nodes());
    let all = ["--bundle", bundle.to_str().unwrap(), "--yes"];

    // The first alone; then what is missing joins it, while it holds the address.
    let said = operator.up(&[&all[..], &["--only", "node1"]].concat());
    println!("{}", words(&said));
    assert!(said.status.success());
    let said = operator.up(&[&all[..], &["--json"]].concat());
    println!("{}", words(&said));
    assert!(said.status.success());
    let ends: Value = serde_json::from_slice(&said.stdout).unwrap();
    let of = |number: usize| ends["nodes"][number]["end"].as_str().unwrap().to_owned();
    assert_eq!([of(0), of(1), of(2)], ["already", "done", "done"]);
    assert_eq!(voters(first), names(&[first, second]));
    assert_eq!(holders(&[first, second]).len(), 1);

    let said = operator.up(&all);
    let text = words(&said);
    assert!(said.status.success(), "{text}");
    assert_eq!(text.matches(" already; nothing to do").count(), 3, "{text}");
}

/// The master itself may be the machine that it runs on; and one node is brought back alone.
#[test]
#[ignore = "takes four minutes: scripts/nightly"]
fn a_node_is_brought_back_by_the_master() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let operator = Operator::new(&lab, 1);
    operator.know(lab.nodes());
    let said = operator.up(&["--bundle", bundle.to_str().unwrap(), "--yes"]);
    assert!(said.status.success(), "{}", words(&said));

    insert_stick(&lab, &bundle).unwrap();
    third.run(["/media/usb/installer", "reset", "--yes"]).unwrap();
    // Its interfaces of the pods' network have the addresses of before.
    third.reboot().unwrap();
    kubectl(master, &["delete", "node", &third.name]);
    // It has a new network card, which other nodes find out after some seconds.
    let shakes = format!("exec 3<>/dev/tcp/{}/22", third.address);
    wait("the master to reach node3", || {
        master.exec(["timeout", "5", "bash", "-c", &shakes]).unwrap().status.success()
    });
    let key = Places::find().unwrap().run().join("operator-key");
    master.write("/root/.ssh/id_ed25519", &fs::read_to_string(key).unwrap()).unwrap();
    master.write("/root/.ssh/known_hosts", &known_hosts(lab.nodes())).unwrap();
    master.write("/root/cluster.yaml", &cluster_file(&lab, 1)).unwrap();
    let line = ["timeout", "480", "/media/usb/installer", "up", "--config", "/root/cluster.yaml"];
    let said = master.exec([&line[..], &["--only", "node3", "--yes"]].concat()).unwrap();
    println!("{}", words(&said));
    assert!(said.status.success());
    spread(master);
    assert_serves(&lab);
}

/// All nodes are bare again, by one line.
fn assert_is_taken_back(lab: &Lab, operator: &Operator) {
    let begun = Instant::now();
    let said = operator.up(&["--reset", "--yes"]);
    println!("{}", words(&said));
    println!("reset: {:.1} s", begun.elapsed().as_secs_f64());
    assert!(said.status.success());
    for node in lab.nodes() {
        for gone in ["/var/lib/kubeferry", "/var/lib/kubeferry-up", "/etc/kubernetes"] {
            assert_ne!(node.exec(["ls", gone]).unwrap().status.code(), Some(0), "{gone}");
        }
    }
    let said = operator.up(&["--status"]);
    assert_eq!(said.status.code(), Some(1));
    let text = words(&said);
    assert_eq!(text.matches("the installer has not been at work there").count(), 3, "{text}");
}

/// The tokens with which a node can join.
pub(crate) fn tokens(master: &Node) -> Vec<String> {
    // kubeadm prints each object without an end of line.
    let each = "jsonpath={.token}{\"\\n\"}";
    let list = master.run(["kubeadm", "token", "list", "-o", each]).unwrap();
    let tokens = list.split_whitespace().filter(|word| word.len() == 23);
    let tokens: Vec<String> = tokens.map(str::to_owned).collect();
    assert!(!tokens.is_empty(), "{list}");
    tokens
}

/// No token is in what was said, nor in a file that came by ssh.
fn assert_secrets_stay(lab: &Lab, said: &str) {
    let [master, workers @ ..] = lab.nodes() else { panic!("nodes") };
    for token in &tokens(master) {
        assert!(!said.contains(token));
        for worker in workers {
            let folders = ["/var/lib/kubeferry-up", "/var/lib/kubeferry", "/var/log/kubeferry"];
            let found =
                worker.exec([&["grep", "-rlF", token.as_str()][..], &folders].concat()).unwrap();
            assert_eq!(words(&found), "", "{}", worker.name);
        }
    }
    for worker in workers {
        let mode = worker.run(["stat", "-c", "%a %U", "/var/lib/kubeferry-up"]).unwrap();
        assert_eq!(mode.trim(), "700 root");
    }
}
