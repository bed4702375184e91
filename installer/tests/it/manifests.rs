//! Manifests that are applied in several passes.

use std::fs;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{Descriptor, LockedPass};
use installer::engine::run;
use installer::install::Steps;
use installer::intent::Intent;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::write_bundle_of;
use crate::node::{Node, kinds};

/// Stands for a definition, its objects and what is too large for kubectl.
const PASSES: [(&str, &str); 3] =
    [("definitions", "kind: CRD\n"), ("objects", "kind: A\n"), ("large", "kind: Large\n")];

fn intent(node: &Node, passes: bool) -> Intent {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    // Each text is in the bundle once, whatever it is called there.
    let all: Vec<(&str, &str)> = [("web", "kind: List\n")].into_iter().chain(PASSES).collect();
    write_bundle_of(&path, &all, |lock| {
        lock.manifests.truncate(1);
        if passes {
            lock.manifests[0].passes = PASSES
                .iter()
                .map(|(name, text)| LockedPass {
                    content: Descriptor {
                        media_type: YAML_TYPE.into(),
                        digest: Digest::of(text.as_bytes()),
                        size: text.len() as u64,
                    },
                    defines_kinds: *name == "definitions",
                    by_server: *name == "large",
                })
                .collect();
        }
    });
    let mut intent = node.intent();
    intent.bundle = Bundle::open(&path).unwrap();
    intent
}

/// The words of kubectl's that change something, which then has nothing more to
/// do.
fn made(node: &Node, intent: &Intent) -> Vec<String> {
    let mut steps: Steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::Manifests);
    let (host, commands) = node.look(None);
    run::apply(&mut host.open().unwrap(), intent, &steps, &mut |_, _, _| ()).unwrap();
    let (host, _) = node.look(None);
    assert!(run::plan(&host, intent, &steps).unwrap()[0].changes.is_empty());
    let short = |line: String| {
        let words = line.split(' ').skip_while(|word| *word != "apply");
        words.collect::<Vec<_>>().join(" ").replace("/opt/kubernetes/manifests/", "")
    };
    commands.made().into_iter().map(short).filter(|line| !line.is_empty()).collect()
}

#[test]
fn definitions_are_served_before_their_objects_come() {
    let node = kinds::bare(Role::Master);
    let expected = [
        "apply --filename passes/web.1.yaml",
        "apply --filename passes/web.2.yaml",
        "apply --server-side --force-conflicts --field-manager=kubeferry --filename passes/web.3.yaml",
    ];
    assert_eq!(made(&node, &intent(&node, true)), expected);
    assert!(node.root().join("run/asked").exists(), "it was waited for");
    assert_eq!(made(&node, &intent(&node, true)), [""; 0], "all is there");

    // What somebody has changed since is as it was afterwards.
    for name in ["web.2.yaml", "web.3.yaml"] {
        fs::write(node.root().join("run/applied").join(name), "by hand").unwrap();
        assert_eq!(made(&node, &intent(&node, true)), expected, "{name}");
    }
}

#[test]
fn a_bundle_without_passes_is_applied_as_ever() {
    let node = kinds::bare(Role::Master);
    assert_eq!(made(&node, &intent(&node, false)), ["apply --filename web.yaml"]);
    assert_eq!(made(&node, &intent(&node, false)), [""; 0]);
    assert_eq!(made(&node, &intent(&node, true)).len(), 3, "a bundle of a later version");
}

/// A bare node, and a bundle with three manifests. Two of them have pods.
fn with_pods() -> (Node, Intent) {
    let node = kinds::bare(Role::Master);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    let all = [("web", "kind: Deployment\n"), ("one", "kind: Pod\n"), ("two", "kind: PodList\n")];
    write_bundle_of(&path, &all, |_| ());
    let intent = Intent { bundle: Bundle::open(&path).unwrap(), ..node.intent() };
    (node, intent)
}

#[test]
fn only_what_has_pods_waits_for_their_service_account() {
    let (node, intent) = with_pods();
    let mut steps: Steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::Manifests);
    let plan = run::plan(&node.look(None).0, &intent, &steps).unwrap();
    let changes = plan[0].changes.iter().map(ToString::to_string);
    let last = |line: String| {
        let (end, _) = line.split_once(", 60 s at most").unwrap_or((&line, ""));
        end.rsplit(['/', ' ']).next().unwrap().to_owned()
    };
    let after_files: Vec<String> = changes.map(last).skip(3).collect();
    assert_eq!(after_files, ["readyz", "web.yaml", "default", "one.yaml", "two.yaml"]);
}

#[test]
fn what_controllers_write_meanwhile_is_not_missing() {
    let (node, intent) = with_pods();
    assert_eq!(made(&node, &intent).len(), 3);
    fs::write(node.root().join("run/written"), "3").unwrap();
    assert_eq!(made(&node, &intent), [""; 0]);
    assert_eq!(fs::read_to_string(node.root().join("run/written")).unwrap(), "0");
}
