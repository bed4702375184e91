//! Ten nodes that get a bundle over slow links: one from the operator, the others from each
//! other.

use std::fs;
use std::process::Command;
use std::time::Instant;

use lab::network::{LAN, link, namespace};
use lab::{Lab, Node, Settings};

use crate::support::{connected_host, lab, succeed, words};
use crate::up::Operator;

/// The speed of each link, in Mbit/s for each direction.
const SPEED: u64 = 100;
/// The rounds that ten nodes need (docs/up.md).
const ROUNDS: f64 = 4.0;

/// Makes what leaves an interface slow. It ends with the lab.
fn slow(namespace: &str, interface: &str) {
    let rate = format!("{SPEED}mbit");
    let line = ["tc", "qdisc", "replace", "dev", interface, "root", "tbf", "rate", &rate];
    let more = ["burst", "1mb", "latency", "50ms"];
    succeed(Command::new("ip").args(["netns", "exec", namespace]).args(line).args(more));
}

fn make_slow(lab: &Lab) {
    slow(LAN, "br0");
    for Node { name, .. } in lab.nodes() {
        slow(LAN, &link(name));
        slow(&namespace(name), "eth0");
    }
}

#[test]
#[ignore = "takes five minutes: scripts/nightly"]
fn ten_nodes_have_the_bundle_after_four_rounds() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings { nodes: 10, ..Settings::default() }) else { return };
    let operator = Operator::new(&lab, 1);
    operator.know(lab.nodes());
    make_slow(&lab);
    let line = ["--bundle", bundle.to_str().unwrap(), "--dry-run"];

    let timed = || {
        let begun = Instant::now();
        let said = operator.up(&line);
        let text = words(&said);
        assert!(said.status.success(), "{text}");
        (begun.elapsed().as_secs_f64(), text)
    };
    let (first, text) = timed();
    let (again, _) = timed();
    // The second run plans, and has nothing to copy.
    let copies = first - again;
    let bytes = fs::metadata(&bundle).unwrap().len();
    let one = bytes as f64 * 8.0 / (SPEED * 1_000_000) as f64;
    println!("{bytes} bytes on ten nodes: {copies:.0} s; once over one link: {one:.0} s");
    println!("{:.2} of {ROUNDS} rounds", copies / one);
    let from_nodes = text.lines().filter(|line| line.contains("from node")).count();
    assert!(from_nodes >= 9, "{text}");
    // The nodes share this machine's processors, and one sender would need ten times.
    assert!((ROUNDS * 0.9..8.0).contains(&(copies / one)), "{text}");
}
