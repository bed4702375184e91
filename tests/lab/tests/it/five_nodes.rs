//! One line, one question, a master and four workers.

use std::time::Instant;

use lab::{Lab, Settings};

use crate::application::{Witness, assert_serves, kubectl};
use crate::site_registry::SiteRegistry;
use crate::support::{connected_host, lab, words};
use crate::terminal::{self, Answer};
use crate::up::{Operator, receipt, receipts};

const YES: Answer<'_> =
    Answer { question: "Do this on all of them?", typed: "y", is_hidden: false };

#[test]
#[ignore = "takes eight minutes: scripts/nightly"]
fn one_question_makes_a_master_and_four_workers_through_a_power_loss() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&five()) else { return };
    make_all(&lab, &["--bundle", bundle.to_str().unwrap()]);
}

#[test]
#[ignore = "takes eight minutes: scripts/nightly"]
fn one_question_makes_a_master_and_four_workers_of_a_registry() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&five()) else { return };
    let registry = SiteRegistry::start(&bundle);
    make_all(&lab, &["--bundle", &SiteRegistry::address(), "--registry-ca", &registry.ca()]);
}

fn five() -> Settings {
    Settings { nodes: 5, ..Settings::default() }
}

/// Makes all nodes, of which one loses its power. Prints the time, and that of the slowest alone.
fn make_all(lab: &Lab, line: &[&str]) {
    let [master, .., last] = lab.nodes() else { panic!("five nodes") };
    let _witness = Witness(master);
    let operator = Operator::new(lab, 1);
    operator.know(lab.nodes());

    // The slowest node, alone: all others wait for it.
    let begun = Instant::now();
    let said = operator.up(&[line, &["--only", "node1", "--yes"]].concat());
    let alone = begun.elapsed().as_secs_f64();
    assert!(said.status.success(), "{}", words(&said));
    let said = operator.up(&["--reset", "--only", "node1", "--yes"]);
    assert!(said.status.success(), "{}", words(&said));
    for node in lab.nodes() {
        node.reboot().unwrap();
    }
    operator.know(lab.nodes());

    let begun = Instant::now();
    let mut has_power = true;
    let (has_succeeded, text) = terminal::up(&operator, line, &YES, |_| {
        if has_power && receipt(last).contains("\"step\":\"images\"") {
            last.kill().unwrap();
            has_power = false;
        }
    });
    println!("{text}");
    assert!(!has_succeeded && !has_power);
    assert_eq!(text.matches(YES.question).count(), 1);
    for name in ["node2", "node3", "node4"] {
        assert!(text.contains(&format!("{name}  is a worker; ")), "{name}");
    }
    assert!(text.contains("node5  failed") && text.contains("192.168.77.15 was lost"));

    last.start().unwrap();
    let (has_succeeded, text) = terminal::up(&operator, line, &YES, |_| ());
    let all = begun.elapsed().as_secs_f64();
    println!("{text}");
    println!("the master alone: {alone:.1} s; all five, and a power loss: {all:.1} s");
    assert!(has_succeeded);
    assert_eq!(text.matches(YES.question).count(), 1);
    // One a worker: the scheduler counts the pods that a restart replaces, so it starts from none.
    kubectl(master, &["scale", "deploy/web", "--replicas=0"]);
    kubectl(master, &["wait", "--for=delete", "pod", "-l", "app=web", "--timeout=120s"]);
    kubectl(master, &["scale", "deploy/web", "--replicas=4"]);
    assert_serves(lab);

    let before = receipts(lab);
    let said = operator.up(&[line, &["--yes"]].concat());
    let text = words(&said);
    assert!(said.status.success() && text.matches("nothing to do").count() == 5, "{text}");
    assert_eq!(receipts(lab), before);
}
