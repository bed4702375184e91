//! The ingress on some of the cluster's machines.

use std::fs;

use bundle_format::cluster::Cluster;
use installer::engine::run;
use installer::install::Steps;
use installer::intent::Intent;
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::bundle_with;
use crate::node::text::read;
use crate::node::{Node, kinds};
use crate::shared_data;

const MANIFEST: &str = "kind: Namespace\nmetadata: {name: ingress-nginx}\n---\n\
    kind: Deployment\nmetadata: {name: ingress-nginx-controller, namespace: ingress-nginx}\n\
    spec: {template: {spec: {nodeSelector: {kubernetes.io/os: linux}}}}\n---\n\
    kind: Job\nmetadata: {name: ingress-nginx-admission-create}\n";

const SELECTOR: &str = "run/selectors/deployment-ingress-nginx-controller";

/// An intention with `nodes` of which the first is this one, and lines of the
/// cluster file.
fn intent(node: &Node, lines: &str) -> Intent {
    let text = format!(
        "nodes:\n- {{name: node-1, address: 10.0.0.2}}\n- {{name: node-2, address: 10.0.0.3}}\n\
         - {{name: node-3, address: 10.0.0.4}}\n{lines}\n"
    );
    let mut intent = node.intent();
    intent.cluster = serde_saphyr::from_str::<Cluster>(&text).unwrap();
    assert_eq!(intent.cluster.conflicts(), []);
    intent.bundle = bundle_with(&[("ingress-nginx", MANIFEST)]);
    intent
}

/// The commands that the step makes, which then has nothing more to do.
fn made(node: &Node, intent: &Intent) -> Vec<String> {
    let mut steps: Steps = order::steps(node.role);
    steps.retain(|step| step.name() == StepName::IngressNodes);
    let (host, commands) = node.look(None);
    run::apply(&mut host.open().unwrap(), intent, &steps, &mut |_, _, _| ()).unwrap();
    let (host, _) = node.look(None);
    assert!(run::plan(&host, intent, &steps).unwrap()[0].changes.is_empty());
    let without_options = |line: String| {
        let words = line.split(' ').skip_while(|word| !["label", "patch"].contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    commands.made().into_iter().map(without_options).collect()
}

#[test]
fn the_master_labels_those_that_are_there_before_the_ingress_selects() {
    let node = kinds::bare(Role::Master);
    fs::write(node.root().join("run/nodes"), "node-1\nnode-2\n").unwrap();
    assert_eq!(made(&node, &intent(&node, "")), [""; 0]);
    let patch = |value: &str| {
        format!(
            "patch deployment ingress-nginx-controller --type merge --patch \
             {{\"spec\":{{\"template\":{{\"spec\":{{\"nodeSelector\":{{\"kubeferry/ingress\":{value}}}}}}}}}}}"
        )
    };
    let label = |name: &str, change: &str| {
        format!("label --overwrite node {name} kubeferry/ingress{change}")
    };
    // The third has not joined yet.
    let some = intent(&node, "ingressNodes: [node-2, node-3]");
    assert_eq!(made(&node, &some), [label("node-2", "=true"), patch("\"true\"")]);
    assert_eq!(read(&node, SELECTOR), "true");

    fs::write(node.root().join("run/nodes"), "node-1\nnode-2\nnode-3\n").unwrap();
    let others = intent(&node, "ingressNodes: [node-1, node-3]");
    let expected = [label("node-1", "=true"), label("node-2", "-"), label("node-3", "=true")];
    assert_eq!(made(&node, &others), expected);

    let none = intent(&node, "ingress: false\ningressNodes: [node-2]");
    assert_eq!(made(&node, &none), [""; 0], "manifests that have been applied stay");
    let all = intent(&node, "");
    assert_eq!(made(&node, &all), [patch("null"), label("node-1", "-"), label("node-3", "-")]);
}

#[test]
fn a_plan_for_a_node_without_a_cluster_shows_what_comes() {
    let node = kinds::bare(Role::Master);
    let expected = ["label --overwrite node node-1", "patch deployment ingress-nginx-controller"];
    let made = made(&node, &intent(&node, "ingressNodes: [node-1, node-2]"));
    assert_eq!(made.len(), 2);
    assert!(made.iter().zip(expected).all(|(made, start)| made.starts_with(start)), "{made:?}");
}

#[test]
fn a_worker_labels_itself() {
    let node = kinds::bare(Role::Worker);
    for (names, expected) in [
        ("ingressNodes: [node-2]", ""),
        ("ingressNodes: [node-1]", "label --overwrite node node-1 kubeferry/ingress=true"),
        ("", ""),
        ("ingressNodes: [node-3]", "label --overwrite node node-1 kubeferry/ingress-"),
    ] {
        let made = made(&node, &intent(&node, names));
        assert_eq!(made.join("\n"), expected, "{names}");
    }
}

#[test]
fn the_firewall_is_open_for_the_ingress_only_where_it_runs() {
    for role in [Role::Master, Role::Worker] {
        for (lines, open) in [
            ("", true),
            ("ingressNodes: [node-1, node-2]", true),
            ("ingressNodes: [node-2]", false),
            ("ingress: false\ningressNodes: [node-1]", false),
        ] {
            let node = kinds::firewalled(role);
            let intent = intent(&node, lines);
            let plan = run::plan(&node.look(None).0, &intent, &node.steps()).unwrap();
            let firewall =
                plan.iter().find(|planned| planned.step.name() == StepName::Firewall).unwrap();
            let text: Vec<String> = firewall.changes.iter().map(ToString::to_string).collect();
            let text = text.join("\n");
            for port in ["80/tcp", "443/tcp"] {
                assert_eq!(text.contains(&format!("--add-port={port}")), open, "{lines} {text}");
            }
            assert!(text.contains("--add-port=10256/tcp"));
        }
    }
}

#[test]
fn ports_that_were_opened_for_the_ingress_are_closed_when_it_goes() {
    let mut node = kinds::firewalled(Role::Worker);
    let zone = node.root().join("etc/firewalld/zones/public.xml");
    // Somebody else's, which stays.
    for path in [&zone, &node.root().join("run/firewalld/zones/public.xml")] {
        fs::write(path, "service ssh\nport 22/tcp\nport 443/tcp\n").unwrap();
    }
    let before = node.tree();
    let open = |node: &Node| {
        node.apply(None).end.unwrap();
        assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));
        let text = fs::read_to_string(&zone).unwrap();
        ["port 80/tcp\n", "port 443/tcp\n", " port port=\"8443\" ", "port 10256/tcp\n"]
            .map(|rule| text.contains(rule))
    };
    assert_eq!(open(&node), [true; 4]);
    node.change = |intent| intent.cluster.ingress = false;
    assert_eq!(open(&node), [false, true, false, true]);
    node.change = |_| ();
    assert_eq!(open(&node), [true; 4]);
    node.change = |intent| intent.cluster.ingress_nodes = Some(Vec::new());
    assert_eq!(open(&node), [false, true, false, true]);
    node.assert_goes_back(&before, "ports that were closed again");
}

#[test]
fn a_machine_whose_taint_keeps_the_ingress_away_is_told() {
    let node = kinds::bare(Role::Master);
    let told = |lines: &str, manifest: &str| {
        let mut intent = intent(&node, lines);
        intent.bundle = bundle_with(&[("ingress-nginx", manifest)]);
        let problems = preflight::problems(&node.look(None).0, &intent);
        let words = problems.iter().map(ToString::to_string);
        words.filter(|words| words.contains("ingressNodes")).collect::<Vec<_>>().join("\n")
    };
    let taint = "node-role.kubernetes.io/control-plane:NoSchedule";
    let away = format!(
        "ingressNodes names node-1, whose taint {taint} keeps ingress-nginx-controller away"
    );
    assert_eq!(told("ingressNodes: [node-1, node-2]", MANIFEST), away);
    assert_eq!(told("ingressNodes: [node-2]", MANIFEST), "");
    assert_eq!(told("ingress: false\ningressNodes: [node-1]", MANIFEST), "");
    let tolerations = "{template: {spec: {tolerations: [{key: node-role.kubernetes.io/control-plane, \
                       operator: Exists}], ";
    let tolerant = MANIFEST.replace("{template: {spec: {", tolerations);
    assert_eq!(told("ingressNodes: [node-1]", &tolerant), "");
    let missing = told("ingressNodes: [node-2]", "kind: Job\nmetadata: {name: a}\n");
    assert!(
        missing.contains("no manifest `ingress-nginx` or `traefik` with a DaemonSet"),
        "{missing}"
    );

    // In its cluster it has the taints that it has.
    fs::create_dir_all(node.root().join("run/taints")).unwrap();
    fs::create_dir_all(node.root().join("etc/kubernetes")).unwrap();
    fs::write(node.root().join("etc/kubernetes/admin.conf"), "").unwrap();
    fs::write(node.root().join("run/taints/node-1"), "").unwrap();
    let text = r#"[{"effect":"NoExecute","key":"gpu","value":"yes"}]"#;
    fs::write(node.root().join("run/taints/node-2"), text).unwrap();
    assert_eq!(told("ingressNodes: [node-1]", MANIFEST), "");
    let live = told("ingressNodes: [node-2]", MANIFEST);
    assert!(live.contains("names node-2, whose taint gpu=yes:NoExecute"), "{live}");
}

#[test]
fn real_manifests_are_read() {
    let Some(data) = shared_data::folder() else { return };
    let mut count = 0;
    for entry in fs::read_dir(data.join("manifests")).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("ingress-nginx") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let node = kinds::bare(Role::Master);
        let mut intent = intent(&node, "ingressNodes: [node-2]");
        intent.bundle = bundle_with(&[("ingress-nginx", &text), ("other", MANIFEST)]);
        let made = made(&node, &intent);
        assert_eq!(made.len(), 1, "{made:?}");
        assert!(made[0].starts_with("patch deployment ingress-nginx-controller "), "{made:?}");
        count += 1;
    }
    assert!(count > 0);
    // Our own, for new clusters.
    let traefik = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/traefik.yaml");
    let node = kinds::bare(Role::Master);
    let mut intent = intent(&node, "ingressNodes: [node-2]");
    intent.bundle = bundle_with(&[("traefik", &fs::read_to_string(traefik).unwrap())]);
    let own = made(&node, &intent);
    assert!(own[0].starts_with("patch daemonset traefik "), "{own:?}");
    let node = kinds::bare(Role::Master);
    intent.cluster.ingress = false;
    assert_eq!(made(&node, &intent), [""; 0]);
}
