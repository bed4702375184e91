//! What is refused before anything is changed, with its cure.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod node;

use std::fs;

use installer::failure::{Failure, describe};
use installer::preflight;
use installer::role::Role;
use installer::run;
use installer::step::{Intent, Step};
use node::{Node, kinds};

/// Runs just one of the role's steps; gives the error's text.
fn refused(node: &Node, step: &str) -> String {
    let mut steps: Vec<&'static dyn Step> = node.role.steps();
    steps.retain(|one| one.name() == step);
    let before = node.tree();
    let (host, commands) = node.look(None);
    let end = run::apply(&mut host.open().unwrap(), &node.intent(), &steps, &mut |_, _, _| ());
    assert_eq!(commands.made(), [""; 0]);
    assert_eq!(node.tree(), before);
    describe(&end.unwrap_err(), None)
}

/// The node's intention, with a master that refuses at once.
fn intent(node: &Node) -> Intent {
    let mut intent = node.intent();
    if let Some(join) = &mut intent.join {
        join.endpoint = "127.0.0.1:9".to_owned();
    }
    intent
}

/// What preflight says of a kind.
fn problems(node: &Node, intent: &Intent, of: &str) -> Vec<(String, String)> {
    let text = |problem: &Failure| (problem.to_string(), problem.cure().to_owned());
    let problems = preflight::problems(&node.look(None).0, intent);
    problems.iter().map(text).filter(|(what, _)| what.contains(of)).collect()
}

fn write(node: &Node, path: &str, text: &str) {
    let path = node.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const TRACKING: &str =
    "0A000001,10.0.0.1,11,1700000000.1,OFFSET,0.1,0.1,1.0,0.0,0.1,0.1,0.1,64.2,Normal\n";

#[test]
fn no_node_enters_a_cluster_with_another_time() {
    for (role, step) in [(Role::Master, "control-plane"), (Role::Worker, "join")] {
        for (offset, shown) in [("-45.25", "45.2 s"), ("30.1", "30.1 s"), ("86400", "86400.0 s")] {
            let node = kinds::bare(role);
            write(&node, "run/chrony/tracking", &TRACKING.replace("OFFSET", offset));
            let text = refused(&node, step);
            let what = format!(
                "this node's clock is {shown} away from that of its time source 10.0.0.1, and 30 s \
                 are allowed"
            );
            assert!(text.contains(&what) && text.contains("chronyc makestep"), "{text}");
            assert!(problems(&node, &intent(&node), "clock").is_empty(), "chrony will set it");

            node.apply(None).end.unwrap();
            let told = problems(&node, &intent(&node), "clock");
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].0, what);
            write(&node, "etc/kubernetes/kubelet.conf", "");
            assert!(problems(&node, &intent(&node), "clock").is_empty(), "it is in already");
        }
        let node = kinds::bare(role);
        let (host, _) = node.look(None);
        let intent = node.intent();
        for tracking in ["", "Cannot talk to daemon\n", &TRACKING.replace("OFFSET", "-29.9")] {
            write(&node, "run/chrony/tracking", tracking);
            let steps = role.steps();
            let step = steps.iter().find(|one| one.name() == step).unwrap();
            let told = step.before(&installer::step::Node { host: &host, intent: &intent });
            // This master's bundle has none of kubeadm's images, which comes later.
            let told = told.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!told.contains("clock"), "{told}");
        }
    }
}

#[test]
fn a_worker_needs_a_master_that_answers() {
    let node = kinds::bare(Role::Worker);
    let told = |endpoint: String| {
        let mut intent = node.intent();
        intent.join.as_mut().unwrap().endpoint = endpoint;
        problems(&node, &intent, "does not answer")
    };
    let master = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = master.local_addr().unwrap().to_string();
    assert_eq!(told(endpoint.clone()), []);
    drop(master);
    let refused = told(endpoint.clone());
    assert_eq!(refused[0].0, format!("the master's API server at {endpoint} does not answer"));
    assert!(refused[0].1.contains("firewall"));
}
