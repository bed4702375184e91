//! What `installer` prints, page by page, as it was read and found good.

use std::fmt::Write as _;
use std::process::Command;

use insta::{Settings, assert_snapshot};
use installer::role::Role;

use crate::help;
use crate::node::intent::{Rpm, add_packages, target, write_bundle_of};
use crate::node::text::write;
use crate::node::{Node, kinds};

pub(crate) const INSTALLER: &str = env!("CARGO_BIN_EXE_installer");

/// Without what differs from machine to machine.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots"));
    settings.add_filter("x86_64|aarch64", "[arch]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[server]");
    settings
}

/// What `installer plan` prints of a bare node, on both outputs.
pub(crate) fn plan(role: Role, more: &[&str]) -> String {
    let node = kinds::bare(role);
    let os_release = "PRETTY_NAME=\"Rocky Linux 9.3\"\nPLATFORM_ID=\"platform:el9\"\n";
    write(&node, "etc/os-release", os_release);
    write(&node, "proc/meminfo", "MemTotal: 3995432 kB\n");
    write(&node, "proc/cpuinfo", "processor\t: 0\nprocessor\t: 1\n");
    let folder = tempfile::tempdir().unwrap();
    let manifests = [("network", "kind: DaemonSet\n"), ("ingress", "kind: Deployment\n")];
    write_bundle_of(&folder.path().join("small.tar"), &manifests, |lock| {
        lock.targets = vec![target(std::env::consts::ARCH.parse().unwrap())];
        let rpm = |nevra| Rpm { nevra, is_requested: true, needed: &[] };
        add_packages(lock, &["kubelet-1.28.2-0.noarch", "socat-1.7.4-5.noarch"].map(rpm));
    });
    let run = |arguments: &[&str]| {
        let output = Command::new(INSTALLER).args(arguments).current_dir(&folder).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        text(output.stdout) + &text(output.stderr)
    };
    assert_eq!(run(&["token", "--sample", "--output", "join.yaml"]), "");
    let root = node.root().to_str().unwrap();
    let role = role.to_string();
    let begin = ["plan", "--role", &role, "--bundle", "small.tar", "--address", "10.0.0.2"];
    run(&[&begin[..], &["--root", root], more].concat())
}

#[test]
fn help_of_each_subcommand() {
    settings().bind(|| assert_snapshot!("help", help::pages(INSTALLER)));
}

#[test]
fn the_plan_of_a_master() {
    settings().bind(|| assert_snapshot!("plan-master", plan(Role::Master, &[])));
}

#[test]
fn the_plan_of_a_worker() {
    let join = ["--join", "join.yaml"];
    settings().bind(|| assert_snapshot!("plan-worker", plan(Role::Worker, &join)));
}

/// The steps' part of a plan, as it is shown.
fn steps(node: &Node) -> String {
    let mut text = String::new();
    for (step, changes) in node.plan() {
        writeln!(text, "{step}").unwrap();
        for change in changes {
            writeln!(text, "  {change}").unwrap();
        }
    }
    text
}

#[test]
fn the_plan_of_a_worker_that_was_used_before() {
    let node = kinds::lived_in(Role::Worker);
    settings().bind(|| assert_snapshot!("plan-used-before", steps(&node)));
}
