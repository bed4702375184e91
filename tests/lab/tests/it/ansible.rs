//! All nodes by the Ansible collection, from a machine that is none of them, over a real sshd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use lab::built;
use lab::network::LAN;
use lab::{Lab, Node, Settings};

use crate::application::{Witness, assert_serves, spread};
use crate::masters::{names, voters};
use crate::support::{connected_host, lab, succeed, words};
use crate::up::{Operator, receipts, tokens};
use crate::virtual_address::IN_SPEC;

/// An operator who has Ansible with the collection, as a release has it.
struct Controller {
    operator: Operator,
    ansible: PathBuf,
}

impl Controller {
    /// One whose cluster file has so many masters. None if there is no Ansible.
    fn new(lab: &Lab, masters: usize) -> Option<Self> {
        let Some((_, ansible)) = built::programs("ansible").pop() else {
            println!("skipped: there is no ansible-core; see `scripts/tools --judges`");
            return None;
        };
        let operator = Operator::new(lab, masters);
        operator.know(lab.nodes());
        let path = operator.path();
        let scripts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts"));
        succeed(Command::new(scripts.join("collection")).arg(path));
        fs::write(path.join("kubeferry.yml"), "plugin: kubeferry.cluster.cluster_file\n").unwrap();
        let ansible = ansible.parent().unwrap().join("bin");
        let controller = Self { operator, ansible };
        let archive = concat!("kubeferry-cluster-", env!("CARGO_PKG_VERSION"), ".tar.gz");
        let install = ["collection", "install", "--offline", archive];
        succeed(controller.command("ansible-galaxy").args(install));
        Some(controller)
    }

    fn command(&self, program: &str) -> Command {
        let folder = self.operator.path();
        let ssh = format!(
            "-F {} -o ControlMaster=auto -o ControlPersist=15s",
            folder.join("config").display()
        );
        let mut command = Command::new("ip");
        command.args(["netns", "exec", LAN, "timeout", "480"]).arg(self.ansible.join(program));
        command
            .current_dir(folder)
            .env("HOME", folder)
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_SSH_ARGS", ssh)
            .env("ANSIBLE_SSH_CONTROL_PATH_DIR", folder.join("cp"));
        command
    }

    /// Runs a playbook of the collection.
    fn play(&self, playbook: &str, more: &[&str]) -> Output {
        let begun = Instant::now();
        let mut command = self.command("ansible-playbook");
        command.args(["-i", "kubeferry.yml", "-u", "root"]).args(more);
        let said = command.arg(format!("kubeferry.cluster.{playbook}")).output().unwrap();
        println!("{}", words(&said));
        println!("{playbook} {more:?}: {:.1} s", begun.elapsed().as_secs_f64());
        said
    }
}

/// How many nodes have nothing changed, by the last lines of a run.
fn unchanged(said: &Output) -> usize {
    assert!(said.status.success());
    let said = words(said);
    said.lines()
        .filter(|line| !line.starts_with("localhost") && line.contains(" changed=0 "))
        .count()
}

#[test]
#[ignore = "takes four minutes: scripts/nightly"]
fn a_playbook_makes_a_cluster_and_again_changes_nothing() {
    let Some(host) = connected_host() else { return };
    let (_, file) = host.bundle();
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, ..] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let Some(controller) = Controller::new(&lab, 1) else { return };
    let bundle = format!("kubeferry_bundle={}", file.display());
    let up = |more: &[&str]| controller.play("up", &[&["-e", bundle.as_str()], more].concat());

    let said = up(&["--check", "--diff"]);
    assert_eq!(words(&said).matches("hosts: write /etc/hosts").count(), 3);
    assert_eq!(unchanged(&said), 0);
    for node in lab.nodes() {
        assert!(node.run(["ls", "/var/lib"]).unwrap().lines().all(|name| name != "kubeferry"));
    }

    let said = up(&["-vvv"]);
    assert!(said.status.success());
    assert_secrets_stay(&lab, &words(&said));
    spread(master);
    assert_serves(&lab);

    let before = receipts(&lab);
    assert_eq!(unchanged(&up(&[])), 3);
    assert_eq!(unchanged(&up(&["--check"])), 3);
    assert_eq!(receipts(&lab), before);

    assert!(!controller.play("reset", &[]).status.success(), "nobody has said yes");
    assert_eq!(receipts(&lab), before);
    assert!(controller.play("reset", &["-e", "take_back=yes"]).status.success());
    for node in lab.nodes() {
        for gone in ["/var/lib/kubeferry", "/var/lib/kubeferry-ansible", "/etc/kubernetes"] {
            assert!(!is_there(node, gone), "{gone}");
        }
    }
    assert_eq!(unchanged(&controller.play("reset", &["-e", "take_back=yes"])), 3);
}

#[test]
#[ignore = "takes six minutes: scripts/nightly"]
fn a_further_master_joins_the_first_by_the_same_line() {
    let Some(host) = connected_host() else { return };
    let (_, file) = host.bundle_with(IN_SPEC);
    let Some(lab) = lab(&Settings::default()) else { return };
    let [first, second, _] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(first);
    let Some(controller) = Controller::new(&lab, 2) else { return };
    let bundle = format!("kubeferry_bundle={}", file.display());
    let up = |more: &[&str]| controller.play("up", &[&["-e", bundle.as_str()], more].concat());

    // Without the second master nobody knows whether there is a cluster.
    let said = up(&["--limit", "node1,node3"]);
    assert!(words(&said).contains("name all masters in --limit"));
    assert!(!is_there(first, "/var/lib/kubeferry"));

    assert!(up(&[]).status.success());
    assert_eq!(voters(first), names(&[first, second]));
    let before = receipts(&lab);
    assert_eq!(unchanged(&up(&[])), 3);
    assert_eq!(receipts(&lab), before);
}

fn is_there(node: &Node, path: &str) -> bool {
    node.exec(["ls", path]).unwrap().status.success()
}

/// No token is in what was said, nor in a file that Ansible has left on a node.
fn assert_secrets_stay(lab: &Lab, said: &str) {
    let [master, workers @ ..] = lab.nodes() else { panic!("nodes") };
    for token in &tokens(master) {
        assert!(!said.contains(token));
        for worker in workers {
            let folders = [
                "/root",
                "/var/lib/kubeferry-ansible",
                "/var/lib/kubeferry",
                "/var/log",
                "/run/log",
            ];
            let found =
                worker.exec([&["grep", "-rslF", token.as_str()][..], &folders].concat()).unwrap();
            assert_eq!(words(&found), "", "{}", worker.name);
        }
    }
    for node in lab.nodes() {
        let mode = node.run(["stat", "-c", "%a %U", "/var/lib/kubeferry-ansible"]).unwrap();
        assert_eq!(mode.trim(), "700 root");
    }
}
