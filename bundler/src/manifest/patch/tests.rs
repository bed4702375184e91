//! Each patch on small samples and on the manifests that projects publish.

use super::*;
use crate::manifest::discovery::discover;

fn patch(yaml: &str) -> Patch {
    serde_saphyr::from_str(yaml).unwrap()
}

fn published(name: &str) -> Option<String> {
    let path = format!("{}/../../shared/data/manifests/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no real data at {path}");
    }
    text
}

/// The lines that are not in the other text.
fn new_lines(before: &str, after: &str) -> Vec<String> {
    let old: std::collections::HashSet<&str> = before.lines().collect();
    after.lines().filter(|line| !old.contains(line)).map(|line| line.trim().to_owned()).collect()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment # a comment\nmetadata: {name: web, namespace: a}\nspec:\n  template:\n    spec:\n      containers:\n      - name: 'web' # stays\n        image: nginx:1.25\n        imagePullPolicy: \"Always\"\n        args: [\"--a=1\", --b]\n";

#[test]
fn set_replaces_and_inserts_and_keeps_the_rest() {
    let cases = [
        ("spec.template.spec.containers[0].name", "api", "      - name: \"api\" # stays\n"),
        ("spec.template.spec.containers[0].args[1]", "--c", "args: [\"--a=1\", \"--c\"]\n"),
        ("spec.replicas", "3", "spec:\n  replicas: 3\n  template:\n"),
        ("metadata.name", "other", "metadata: {name: \"other\", namespace: a}\n"),
        (
            "spec.template.spec.containers[0].tty",
            "true",
            "      - tty: true\n        name: 'web' # stays\n",
        ),
    ];
    for (path, value, expected) in cases {
        let patch =
            patch(&format!("set: {{kind: Deployment, name: web, path: '{path}', value: {value}}}"));
        let (text, edits) = apply(&[patch], "x", DEPLOYMENT).unwrap();
        assert!(text.contains(expected), "{path}:\n{text}");
        assert_eq!(edits.len(), 1);
        let crlf =
            apply(&[patch_again(path, value)], "x", &DEPLOYMENT.replace('\n', "\r\n")).unwrap().0;
        assert_eq!(crlf, text.replace('\n', "\r\n"));
    }
}

fn patch_again(path: &str, value: &str) -> Patch {
    patch(&format!("set: {{kind: Deployment, name: web, path: '{path}', value: {value}}}"))
}

#[test]
fn what_cannot_be_done_says_what_there_is() {
    let anchored = "a: &x {kind: Job}\nkind: Job\nmetadata: {name: j}\nspec: {b: &y one, c: *y}\napiVersion: v1\n";
    let cases = [
        (DEPLOYMENT, "set: {kind: Deployment, name: api, path: a, value: 1}", "it has web"),
        (
            DEPLOYMENT,
            "hostNetwork: {kind: Deployment, namespace: b, name: web}",
            "no Deployment `b/web`; it has a/web",
        ),
        (DEPLOYMENT, "set: {kind: DaemonSet, name: api, path: a, value: 1}", "no DaemonSet"),
        (
            DEPLOYMENT,
            "set: {kind: Deployment, name: web, path: 'spec.nothing.x', value: 1}",
            "there are template",
        ),
        (
            DEPLOYMENT,
            "set: {kind: Deployment, name: web, path: 'spec.template', value: 1}",
            "not a plain value",
        ),
        (
            DEPLOYMENT,
            "set: {kind: Deployment, name: web, path: 'metadata.labels', value: 1}",
            "written in {",
        ),
        (DEPLOYMENT, "poolCidr: 10.0.0.0/8", "neither Calico's"),
        (DEPLOYMENT, "imageRewrite: {from: quay.io, to: x.io}", "docker.io/library/nginx:1.25"),
        (anchored, "set: {kind: Job, name: j, path: spec.b, value: 1}", "not a plain value"),
        ("kind: A\n", "pullPolicy: Never", "no `imagePullPolicy: Always`"),
    ];
    for (text, yaml, words) in cases {
        let error = apply(&[patch(yaml)], "x", text).unwrap_err().to_string();
        assert!(error.contains(words), "{yaml}: {error}");
    }
    let malformed = "set: {kind: Deployment, name: web, path: 'spec..x[', value: 1}";
    let error = serde_saphyr::from_str::<Patch>(malformed).unwrap_err().to_string();
    assert!(error.contains("not a path"), "{error}");
    assert!(serde_saphyr::from_str::<Patch>("poolCidr: 10.0.0.0/33").is_err());
}

#[test]
fn what_cannot_be_done_says_where_the_spec_asks_for_it() {
    let patch = Patch { place: Some("s.yaml:3:9".to_owned()), ..patch("pullPolicy: Never") };
    let error = apply(&[patch], "x", "kind: A\n").unwrap_err().to_string();
    assert!(error.starts_with("s.yaml:3:9: patch pullPolicy Never: "), "{error}");
}

#[test]
fn calico_gets_its_pool() {
    let Some(before) = published("calico-v3.26.4.yaml") else { return };
    let (after, edits) = apply(&[patch("poolCidr: 10.244.0.0/16")], "calico", &before).unwrap();
    assert_eq!(
        new_lines(&before, &after),
        ["- name: CALICO_IPV4POOL_CIDR", "value: \"10.244.0.0/16\""]
    );
    assert_eq!(edits.len(), 3);
    assert_eq!(before.lines().count(), after.lines().count());
    let (again, _) = apply(&[patch("poolCidr: 10.9.0.0/16")], "calico", &after).unwrap();
    assert_eq!(new_lines(&after, &again), ["value: \"10.9.0.0/16\""]);
}

#[test]
fn flannel_gets_its_network() {
    let Some(before) = published("kube-flannel-v0.25.7.yml") else { return };
    let (after, _) = apply(&[patch("poolCidr: 10.9.0.0/16")], "flannel", &before).unwrap();
    assert_eq!(new_lines(&before, &after), ["\"Network\": \"10.9.0.0/16\","]);
}

#[test]
fn ingress_nginx_gets_the_hosts_network() {
    let Some(before) = published("ingress-nginx-baremetal-v1.12.8.yaml") else { return };
    let yaml =
        "hostNetwork: {kind: Deployment, namespace: ingress-nginx, name: ingress-nginx-controller}";
    let (after, edits) = apply(&[patch(yaml)], "ingress", &before).unwrap();
    assert_eq!(
        new_lines(&before, &after),
        ["hostNetwork: true", "dnsPolicy: ClusterFirstWithHostNet"]
    );
    assert_eq!(edits.len(), 2);
}

#[test]
fn every_published_image_can_be_renamed() {
    for (name, from) in [
        ("calico-v3.26.4.yaml", "docker.io/calico"),
        ("cert-manager-v1.13.0.yaml", "quay.io/jetstack"),
        ("local-path-storage-v0.0.26.yaml", "docker.io"),
        ("longhorn-v1.5.3.yaml", "docker.io/longhornio"),
    ] {
        let Some(before) = published(name) else { return };
        let yaml = format!("imageRewrite: {{from: {from}, to: r.example.com/x}}");
        let (after, _) = apply(&[patch(&yaml)], name, &before).unwrap();
        let (found, old) = (discover(name, &after).unwrap(), discover(name, &before).unwrap());
        let images = found.images();
        assert_eq!(images.len(), old.images().len(), "{name}");
        assert!(
            images.keys().all(|image| image.to_string().starts_with("r.example.com/x/")),
            "{name}"
        );
    }
}

#[test]
fn pull_policies_are_all_replaced() {
    let (after, edits) = apply(&[patch("pullPolicy: IfNotPresent")], "x", DEPLOYMENT).unwrap();
    assert_eq!(new_lines(DEPLOYMENT, &after), ["imagePullPolicy: \"IfNotPresent\""]);
    assert_eq!((edits[0].line, edits[0].from.as_str()), (10, "\"Always\""));
}

#[test]
fn a_value_with_an_alias_is_replaced_once() {
    let text = "a:\n- &c {imagePullPolicy: Always}\n- *c\n";
    let (patched, edits) = apply(&[patch("pullPolicy: Never")], "x", text).unwrap();
    assert_eq!(patched, text.replace("Always", "Never"));
    assert_eq!(edits.len(), 1);
}

#[test]
fn a_document_of_json_stays_one() {
    let text = "{\"kind\": \"Pod\", \"spec\": {\"imagePullPolicy\": \"Always\"}}\n";
    let (patched, _) = apply(&[patch("pullPolicy: Never")], "x", text).unwrap();
    assert_eq!(patched, text.replace("Always", "Never"));
}

#[test]
fn a_value_that_a_merge_sets_again_is_refused() {
    let text =
        "kind: Pod\nmetadata: {name: p}\na: &a {hostNetwork: false}\nspec:\n  b: c\n  <<: *a\n";
    let set = "set: {kind: Pod, name: p, path: spec.hostNetwork, value: true}";
    let error = format!("{:#}", anyhow::Error::from(apply(&[patch(set)], "x", text).unwrap_err()));
    assert!(error.contains("no effect at [0].spec.hostNetwork"), "{error}");
}
