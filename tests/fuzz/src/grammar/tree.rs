//! What a document says: workloads that a patch can change, and trees of anything.

use fastrand::Rng;

use super::{one_of, rarely};

/// A value that is not written yet.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Map(Vec<(String, Tree)>),
    List(Vec<Tree>),
    Text(String),
}

const WORDS: [&str; 48] = [
    "a",
    "b",
    "agent",
    "",
    "~",
    "null",
    "y",
    "yes",
    "on",
    "No",
    "true",
    "FALSE",
    "0",
    "-0",
    "010",
    "08",
    "0o7",
    "0x1F",
    "0b11",
    "1_000",
    "1e3",
    "+1.5",
    ".5",
    "1.",
    ".inf",
    "-.INF",
    ".nan",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "190:20:30",
    "=",
    "<<",
    "fd00::1",
    "fd00::",
    "a:",
    ":",
    "it's",
    "a: b",
    "a #b",
    "- a",
    "{{ .Values.x }}",
    "%x",
    "é\u{2028}ü",
    "two\nlines\n",
    " spaces ",
];
const IMAGES: [&str; 6] = [
    "docker.io/site/agent:v1",
    "registry.k8s.io/pause:3.9",
    "quay.io/coreos/etcd:v3.5.9@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "nginx",
    "localhost:5000/a:b",
    "Bad Image",
];
const KEYS: [&str; 16] = [
    "a",
    "b",
    "name",
    "image",
    "value",
    "y",
    "1",
    "1.5",
    "0x1F",
    "null",
    "a b",
    "<<",
    "imagePullPolicy",
    "example.com/key",
    "é",
    "-x",
];

/// A manifest's document, or one of no kind.
pub(super) fn document(rng: &mut Rng) -> Tree {
    match rng.u32(..5) {
        0 => any(rng, 3),
        1 => settings(rng),
        2 => map([
            ("apiVersion", text("v1")),
            ("kind", text("List")),
            ("items", Tree::List(vec![workload(rng), settings(rng)])),
        ]),
        _ => workload(rng),
    }
}

fn text(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

fn map<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
    Tree::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// The workload that the patches of the target look for, more or less.
fn workload(rng: &mut Rng) -> Tree {
    let containers = (0..rng.usize(1..3)).map(|_| container(rng)).collect();
    let mut pod = vec![("containers".to_owned(), Tree::List(containers))];
    if rng.bool() {
        pod.insert(0, ("hostNetwork".to_owned(), text(one_of(&["false", "no", "true"], rng))));
    }
    spice(&mut pod, rng);
    let mut metadata = vec![("name".to_owned(), text(one_of(&["agent", "calico-node"], rng)))];
    if rng.bool() {
        let annotations = map([("a", text("b")), ("example.com/key", any(rng, 0))]);
        metadata.push(("annotations".to_owned(), annotations));
    }
    let mut document = vec![
        ("apiVersion".to_owned(), text("apps/v1")),
        ("kind".to_owned(), text(one_of(&["DaemonSet", "DaemonSet", "Deployment"], rng))),
        ("metadata".to_owned(), Tree::Map(metadata)),
        ("spec".to_owned(), map([("template", map([("spec", Tree::Map(pod))]))])),
    ];
    spice(&mut document, rng);
    Tree::Map(document)
}

fn container(rng: &mut Rng) -> Tree {
    let mut entries =
        vec![("name".to_owned(), text("agent")), ("image".to_owned(), text(one_of(&IMAGES, rng)))];
    if rng.bool() {
        let policy = one_of(&["Always", "IfNotPresent"], rng);
        entries.push(("imagePullPolicy".to_owned(), text(policy)));
    }
    if rng.bool() {
        let image = format!("--image={}", one_of(&IMAGES, rng));
        entries.push(("args".to_owned(), Tree::List(vec![any(rng, 0), any(rng, 0), text(&image)])));
    }
    if rng.bool() {
        let variable = |name, value| map([("name", text(name)), ("value", value)]);
        let pool = variable("CALICO_IPV4POOL_CIDR", text("192.168.0.0/16"));
        let image = variable("HELPER_IMAGE", text(one_of(&IMAGES, rng)));
        entries.push(("env".to_owned(), Tree::List(vec![pool, image])));
    }
    spice(&mut entries, rng);
    Tree::Map(entries)
}

fn settings(rng: &mut Rng) -> Tree {
    let network = "{\n  \"Network\": \"10.244.0.0/16\",\n  \"Backend\": {\"Type\": \"vxlan\"}\n}\n";
    let inner = format!("image: {}\nargs: [a, b]\n", one_of(&IMAGES, rng));
    let mut data =
        vec![("net-conf.json".to_owned(), text(network)), ("config.yaml".to_owned(), text(&inner))];
    spice(&mut data, rng);
    map([
        ("apiVersion", text("v1")),
        ("kind", text("ConfigMap")),
        ("metadata", map([("name", text("kube-flannel-cfg"))])),
        ("data", Tree::Map(data)),
    ])
}

/// Adds what nobody expects: a key, or one of the keys again.
fn spice(entries: &mut Vec<(String, Tree)>, rng: &mut Rng) {
    if rarely(3, rng) {
        let at = rng.usize(..=entries.len());
        entries.insert(at, (one_of(&KEYS, rng).to_owned(), any(rng, 1)));
    }
    if rarely(8, rng) {
        let key = entries[rng.usize(..entries.len())].0.clone();
        entries.push((key, any(rng, 1)));
    }
}

/// A tree of this depth at most.
pub(super) fn any(rng: &mut Rng, depth: u32) -> Tree {
    let count = rng.usize(..4);
    match rng.u32(..4) {
        0 if depth > 0 => {
            let entry = |_| (one_of(&KEYS, rng).to_owned(), any(rng, depth - 1));
            Tree::Map((0..count).map(entry).collect())
        }
        1 if depth > 0 => Tree::List((0..count).map(|_| any(rng, depth - 1)).collect()),
        2 => text(one_of(&IMAGES, rng)),
        _ => text(one_of(&WORDS, rng)),
    }
}
