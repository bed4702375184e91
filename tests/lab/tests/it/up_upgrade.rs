//! All nodes to a new bundle by one line, from a machine that is none of them; and a password
//! that is typed once.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use lab::{Lab, Settings, cluster};

use crate::application::{Witness, kubectl, wait};
use crate::life;
use crate::site_registry::SiteRegistry;
use crate::support::{lab, words};
use crate::terminal::{self, Answer};
use crate::up::{Operator, receipt, receipts};
use crate::upgrade::{self, assert_all_have, assert_well, spread_application};

#[test]
#[ignore = "takes minutes: scripts/nightly"]
fn one_line_takes_all_nodes_to_a_patch_release_and_goes_on_after_a_power_loss() {
    let Some((_folder, [old, new])) = life::bundles() else { return };
    let Some(lab) = lab(&Settings::default()) else { return };
    // The new bundle is in the site's registry alone.
    let registry = SiteRegistry::start(&new);
    let (address, ca) = (SiteRegistry::address(), registry.ca());
    goes(&lab, &old, &["--bundle", &address, "--registry-ca", &ca], ["v1.37.2", "v1.37.3"]);
}

#[test]
#[ignore = "takes ten minutes, and two lines of Kubernetes: scripts/nightly"]
fn one_line_takes_all_nodes_to_the_next_minor_release() {
    let folder = tempfile::tempdir().unwrap();
    let Some([old, new]) = upgrade::bundles(folder.path(), "") else { return };
    let Some(lab) = lab(&Settings::default()) else { return };
    goes(&lab, &old, &["--bundle", new.to_str().unwrap()], ["v1.36.3", "v1.37.2"]);
}

fn goes(lab: &Lab, old: &Path, new: &[&str], [from, to]: [&str; 2]) {
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    cluster::install(lab, old, "").unwrap();
    kubectl(master, &["create", "configmap", "kept", "--from-literal=a=b"]);
    spread_application(master);
    assert_all_have(lab, from);
    let operator = Operator::new(lab, 1);
    operator.know(lab.nodes());
    let line = [&["--upgrade"], new].concat();
    let all = [&line[..], &["--yes"]].concat();

    let before = receipts(lab);
    let said = operator.up(&[&line[..], &["--dry-run"]].concat());
    let text = words(&said);
    assert!(said.status.success(), "{text}");
    let new_version = to.trim_start_matches('v');
    assert_eq!(text.matches(&format!(", gets {new_version}; ")).count(), 3, "{text}");
    assert_eq!(receipts(lab), before, "a plan changes nothing");

    // The last worker loses its power in its upgrade; the others stay upgraded.
    let begun = Instant::now();
    let child = operator.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    for node in lab.nodes() {
        let what = format!("the own upgrade of {}", node.name);
        wait(&what, || receipt(node).contains("\"line\":\"upgrade\""));
    }
    third.kill().unwrap();
    let said = child.wait_with_output().unwrap();
    let text = words(&said);
    println!("{text}");
    assert_eq!(said.status.code(), Some(1));
    for name in ["node1", "node2"] {
        assert!(text.contains(&format!("{name}  has Kubernetes {new_version}; ")), "{text}");
    }
    assert!(text.contains("node3  failed"), "{text}");
    // Outside of the images, which come first, workers come after the master.
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("] restart: ")).collect();
    assert!(lines[0].starts_with("node1 ") && lines[1].starts_with("node2 "), "{text}");

    third.start().unwrap();
    let said = operator.up(&all);
    println!("{}", words(&said));
    println!("{:.0} s in all", begun.elapsed().as_secs_f64());
    assert!(said.status.success());
    assert_eq!(words(&said).matches("nothing to do now").count(), 2, "{}", words(&said));
    assert_all_have(lab, to);
    assert_well(lab);
    let before = receipts(lab);
    let said = operator.up(&all);
    let text = words(&said);
    assert!(said.status.success() && text.matches("nothing to do now").count() == 3, "{text}");
    assert_eq!(receipts(lab), before);
}

const PASSWORD: &str = "correct horse $(x) 'battery";
/// No other process on this machine has such a word.
const OTHER: &str = "not-this-one-qxzv";

#[test]
#[ignore = "takes half a minute: scripts/nightly"]
fn a_password_is_typed_once_for_all_nodes_and_is_shown_nowhere() {
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let operator = Operator::new(&lab, 1);
    operator.know(lab.nodes());
    fs::remove_file(operator.path().join("key")).unwrap();
    let settings = "PermitRootLogin yes\nPasswordAuthentication yes\n";
    for node in lab.nodes() {
        node.write("/etc/ssh/sshd_config.d/lab.conf", settings).unwrap();
        node.write("/root/password", &format!("root:{PASSWORD}\n")).unwrap();
        node.run(["sh", "-c", "chpasswd </root/password && systemctl restart ssh"]).unwrap();
    }
    let said = words(&operator.up(&["--status"]));
    assert_eq!(said.matches("Permission denied").count(), 2, "{said}");

    let said = typed(&operator, PASSWORD);
    assert_eq!(said.matches("the installer has not been at work there").count(), 2, "{said}");
    assert_eq!(said.matches("Password for ssh to the nodes").count(), 1, "{said}");
    assert!(!said.contains("battery"), "{said}");

    let said = typed(&operator, OTHER);
    assert_eq!(said.matches("does not take the password").count(), 2, "{said}");
    assert!(!said.contains(OTHER), "{said}");
}

/// What `installer up --status --ask-password` shows on a terminal where this is typed. While
/// it runs, no process's arguments have it.
fn typed(operator: &Operator, password: &str) -> String {
    let answer = Answer { question: "to the nodes: ", typed: password, is_hidden: true };
    let check = |_: &str| assert!(!is_in_arguments(password));
    terminal::up(operator, &["--status", "--ask-password"], &answer, check).1
}

fn is_in_arguments(password: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok());
    let is_ours = |line: &Vec<u8>| !line.starts_with(b"sh\0-c\0chpasswd");
    lines.filter(is_ours).any(|line| String::from_utf8_lossy(&line).contains(password))
}
