//! All nodes to a bundle's release, behind an `ssh` that is none.

use std::collections::BTreeMap;

use installer::site::foreseen::Foreseen;
use installer::site::met::{Met, Site};
use installer::site::one::Planned;
use installer::site::outcome::Outcome;
use installer::site::problem::Problem;
use installer::site::supply::supply;
use installer::site::upgrade::{Manner, foresee, release_of, upgrade};

use super::far_nodes::{FarNode, FarNodes, Fault};
use super::{FIRST, FOURTH, SECOND, THIRD, Tried, ends, on_site, with};

const ALL: [&str; 4] = [FIRST, SECOND, THIRD, FOURTH];

/// Nodes of these minor releases, in the order of their addresses.
fn of(minors: [u32; 4], faults: &[(&'static str, Fault)]) -> FarNodes {
    let node = |minor| FarNode::of_minor(minor);
    let nodes = ALL.iter().zip(minors).map(|(address, minor)| ((*address).to_owned(), node(minor)));
    let nodes: BTreeMap<String, FarNode> = nodes.collect();
    FarNodes { nodes: nodes.into(), ..with(faults) }
}

/// What `installer up --upgrade` does, without a question.
fn upgrade_all(nodes: &FarNodes, only: &[&str]) -> Tried {
    on_site(nodes, only, |site: &Site<'_>| -> (Vec<Problem>, Vec<Outcome>) {
        let (met, mut problems) = site.meet();
        problems.extend(supply(site, &met));
        let meant: Vec<&Met<'_>> = met.iter().filter(|node| node.machine.is_meant).collect();
        let manner = Manner { workers: 1, drains: true };
        let Foreseen { plans, problems: more, .. } = foresee(site, &meant, manner);
        problems.extend(more);
        if !problems.is_empty() {
            return (problems, Vec::new());
        }
        let planned: Vec<Planned<'_, '_>> =
            meant.iter().copied().zip(plans.iter().flatten()).collect();
        assert_eq!(release_of(&planned).is_none(), minors_of(site).iter().all(|one| *one == 37));
        (problems, upgrade(site, &planned, manner))
    })
}

/// What each node has, as its own plan says.
fn minors_of(site: &Site<'_>) -> Vec<u32> {
    let (met, _) = site.meet();
    let meant = met.iter().filter(|node| node.machine.is_meant);
    meant.map(|node| u32::from(is_newest(node)) * 37).collect()
}

fn is_newest(node: &Met<'_>) -> bool {
    let said = node.far().upgrade(&["--dry-run", "--json"], &|_| ()).unwrap();
    said.stdout.contains("\"changes\":[]")
}

fn minors(nodes: &FarNodes) -> Vec<u32> {
    let nodes = nodes.nodes.lock().unwrap();
    ALL.iter().map(|address| nodes[*address].minor.unwrap()).collect()
}

/// The runs that changed something: the address, and whether only images came.
fn runs(nodes: &FarNodes) -> Vec<String> {
    let said = nodes.said.lock().unwrap();
    let run = said.iter().filter_map(|(address, words, _)| {
        let line = words.last()?;
        let is = |word: &str| line.contains(" upgrade ") && line.contains(word);
        match (is("--images"), is("--yes")) {
            (true, _) => Some(format!("images {address}")),
            (_, true) => Some(address.clone()),
            _ => None,
        }
    });
    run.collect()
}

#[test]
fn images_come_first_then_masters_one_by_one_and_then_workers() {
    let nodes = of([36; 4], &[]);
    let tried = upgrade_all(&nodes, &[]);
    assert_eq!(tried.problems, []);
    let has = |name: &str| format!("{name} has Kubernetes 1.37.0; 5 changes in 1 s");
    assert_eq!(ends(&tried), ["m1", "m2", "w1", "w2"].map(has));
    let mut runs = runs(&nodes);
    runs[..3].sort();
    let images = [SECOND, THIRD, FOURTH].map(|address| format!("images {address}"));
    assert_eq!(runs[..3], images);
    assert_eq!(runs[3..], [FIRST, SECOND, THIRD, FOURTH]);
    assert!(tried.told.contains(&"w2 [ 1/1] packages: 5 changes".to_owned()), "{:?}", tried.told);

    let again = upgrade_all(&nodes, &[]);
    assert!(ends(&again).iter().all(|end| end.ends_with("already")), "{:?}", ends(&again));
}

#[test]
fn a_master_that_fails_stops_all_after_it_and_a_worker_stops_nobody() {
    let mut nodes =
        of([36; 4], &[(SECOND, Fault::Fails("error: no\n")), (THIRD, Fault::Fails("error: w\n"))]);
    let tried = upgrade_all(&nodes, &[]);
    let left = "the master m2 failed";
    assert_eq!(
        ends(&tried),
        [
            "m1 has Kubernetes 1.37.0; 5 changes in 1 s".to_owned(),
            "m2 error: no".to_owned(),
            format!("w1 {left}"),
            format!("w2 {left}")
        ]
    );
    assert_eq!(minors(&nodes), [37, 36, 36, 36]);
    // The same line goes on.
    nodes.faults.remove(SECOND);
    let tried = upgrade_all(&nodes, &[]);
    assert_eq!(ends(&tried)[0], "m1 already");
    assert_eq!(ends(&tried)[2], "w1 error: w");
    assert_eq!(minors(&nodes), [37, 37, 36, 37]);
}

#[test]
fn without_the_new_images_nobody_is_upgraded() {
    let nodes = of([36; 4], &[(FOURTH, Fault::NoImages("error: disk\n"))]);
    let tried = upgrade_all(&nodes, &[]);
    let why = "the new images did not come to w2";
    assert_eq!(
        ends(&tried),
        [&format!("m1 {why}"), &format!("m2 {why}"), &format!("w1 {why}"), "w2 error: disk"]
    );
    assert_eq!(minors(&nodes), [36; 4]);
}

#[test]
fn what_is_in_the_way_on_one_node_stops_all_before_any_change() {
    let nodes = of([36; 4], &[(FOURTH, Fault::Problem("an alarm"))]);
    let tried = upgrade_all(&nodes, &[]);
    let told: Vec<&str> = tried.problems.iter().map(|one| one.what.as_str()).collect();
    assert_eq!((told, runs(&nodes).len()), (vec!["an alarm"], 0));
    // A node that is left out gets no images, so that is a problem for the masters; and workers
    // alone do not go before them.
    let nodes = of([36; 4], &[]);
    let tried = upgrade_all(&nodes, &["m1", "m2", "w1"]);
    let told: Vec<&str> = tried.problems.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(told, ["w2 has not got the new images"; 2]);
    let tried = upgrade_all(&nodes, &["w1"]);
    assert!(tried.problems.iter().all(|one| one.what == "a kubelet must not be newer"));
    assert!(!tried.problems.is_empty() && runs(&nodes).is_empty());
}

#[test]
fn nobody_begins_the_next_minor_release_before_all_have_this_one() {
    // w1 is still behind, so masters that are further have nothing to do in this run.
    let nodes = of([36, 36, 35, 36], &[]);
    let tried = upgrade_all(&nodes, &[]);
    assert_eq!(tried.problems, []);
    assert_eq!(minors(&nodes), [36; 4]);
    assert_eq!(ends(&tried).iter().filter(|end| end.ends_with("already")).count(), 3);
    upgrade_all(&nodes, &[]);
    assert_eq!(minors(&nodes), [37; 4]);
}
