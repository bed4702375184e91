//! Discovery on the manifests that projects really publish.
#![allow(clippy::unwrap_used, reason = "a test ends where it finds something unexpected")]

use std::collections::BTreeSet;
use std::fs;

use bundle_format::ImageReference;
use bundler::manifest::discovery::discover;

#[path = "support/shared_data.rs"]
mod shared_data;

#[test]
fn is_exactly_right_on_published_manifests() {
    let Some(data) = shared_data::folder() else { return };
    let mut count = 0;
    for entry in fs::read_dir(data.join("manifests")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let truth = fs::read_to_string(data.join("images").join(format!("{stem}.txt"))).unwrap();
        let wanted: BTreeSet<ImageReference> =
            truth.lines().map(|line| line.parse().unwrap()).collect();
        let discovery = discover(stem, &fs::read_to_string(&path).unwrap()).unwrap();
        let found: BTreeSet<ImageReference> = discovery.images().into_keys().collect();
        assert_eq!(found, wanted, "{stem}; guesses {:?}", discovery.guesses);
        count += 1;
    }
    assert!(count >= 12);
}

/// Each is a shape that published manifests have, with the images it needs.
const SHAPES: [(&str, &str, &[&str]); 18] = [
    (
        "a bare name in a container",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: busybox}]}",
        &["busybox"],
    ),
    (
        "every kind of container, in a list, as JSON",
        r#"{"kind":"List","apiVersion":"v1","items":[{"kind":"CronJob","apiVersion":"batch/v1","spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"image":"a/b:1"}],"initContainers":[{"image":"a/c:1"}],"ephemeralContainers":[{"image":"a/d"}]}}}}}}]}"#,
        &["a/b:1", "a/c:1", "a/d"],
    ),
    (
        "no image in a CustomResourceDefinition",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {versions: [{schema: {x: {default: 'quay.io/a/b:c', image: quay.io/a/d:e}}}]}",
        &[],
    ),
    (
        "a custom resource",
        "apiVersion: x/v1\nkind: Prometheus\nspec: {image: 'quay.io/prometheus/prometheus:v2.44.0', version: 2.44.0}",
        &["quay.io/prometheus/prometheus:v2.44.0"],
    ),
    (
        "a nested field",
        "apiVersion: x/v1\nkind: CephCluster\nspec: {cephVersion: {image: 'quay.io/ceph/ceph:v17.2.6'}}",
        &["quay.io/ceph/ceph:v17.2.6"],
    ),
    (
        "an argument",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, args: ['--prometheus-config-reloader=quay.io/x/reloader:v1', '--listen=0.0.0.0:8080', '--url=https://quay.io/a/b:c']}]}",
        &["a/b:1", "quay.io/x/reloader:v1"],
    ),
    (
        "a flag and its value",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, args: [-nop-image, 'gcr.io/x/nop@sha256:a7943503b45d552785aa3b5e457f169a5661fb94d82b8a3373bcd9ebaf9aac80', --executor-image, argoproj/argoexec:v3]}]}",
        &[
            "a/b:1",
            "gcr.io/x/nop@sha256:a7943503b45d552785aa3b5e457f169a5661fb94d82b8a3373bcd9ebaf9aac80",
            "argoproj/argoexec:v3",
        ],
    ),
    (
        "a variable",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, env: [{name: RELATED_IMAGE_CSI, value: x/csi:v1}, {name: IMAGE_PULL_SECRET, value: a/b}, {name: ADDRESS, value: 'db.local:5432'}]}]}",
        &["a/b:1", "x/csi:v1"],
    ),
    (
        "variables as a map",
        "apiVersion: x/v1\nkind: Operator\nspec: {env: {PROXY_IMAGE: 'x/proxy:2', LEVEL: info}}",
        &["x/proxy:2"],
    ),
    (
        "a ConfigMap's value",
        "apiVersion: v1\nkind: ConfigMap\ndata: {queue-sidecar-image: 'gcr.io/k/queue:v1', x: 'a:b', _example: 'image: quay.io/a/b:c'}",
        &["gcr.io/k/queue:v1"],
    ),
    (
        "YAML in a ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  pod.yaml: |\n    spec:\n      containers:\n      - image: helper\n",
        &["helper"],
    ),
    (
        "JSON in a ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\ndata: {'x.json': '{\"image\": \"quay.io/a/b:c\"}'}",
        &["quay.io/a/b:c"],
    ),
    (
        "a program in a ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  run.sh: |\n    crictl pull quay.io/a/b:c\n",
        &[],
    ),
    (
        "an image in parts",
        "apiVersion: x/v1\nkind: Release\nspec: {values: {image: {registry: ghcr.io, repository: a/b, tag: '1.0'}, proxy: {image: {name: cr.l5d.io/p, version: v2}}}}",
        &["ghcr.io/a/b:1.0", "cr.l5d.io/p:v2"],
    ),
    (
        "a template is no image",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: '{{ .Values.image }}'}, {image: $(IMAGE)}, {image: ''}]}",
        &[],
    ),
    (
        "an image volume",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1}], volumes: [{image: {reference: 'quay.io/data/x:v1', pullPolicy: IfNotPresent}}]}",
        &["a/b:1", "quay.io/data/x:v1"],
    ),
    (
        "annotations repeat what was",
        "kind: Pod\napiVersion: v1\nmetadata: {annotations: {last-applied: '{\"image\":\"quay.io/old/x:1\"}'}}\nspec: {containers: [{image: a/b:1}]}",
        &["a/b:1"],
    ),
    (
        "windows line ends, a tag and a digest, the scalar =",
        "kind: Pod\r\napiVersion: v1\r\nx: =\r\nspec:\r\n  containers:\r\n  - image: r.io/a/b:t@sha256:a7943503b45d552785aa3b5e457f169a5661fb94d82b8a3373bcd9ebaf9aac80 # pinned\r\n",
        &["r.io/a/b:t@sha256:a7943503b45d552785aa3b5e457f169a5661fb94d82b8a3373bcd9ebaf9aac80"],
    ),
];

#[test]
fn every_shape_is_read_right() {
    for (what, text, images) in SHAPES {
        let wanted: BTreeSet<ImageReference> =
            images.iter().map(|image| image.parse().unwrap()).collect();
        let discovery = discover(what, text).unwrap();
        let found: BTreeSet<ImageReference> = discovery.images().into_keys().collect();
        assert_eq!(found, wanted, "{what}; guesses {:?}", discovery.guesses);
        for guess in &discovery.guesses {
            assert!(!images.contains(&guess.text.as_str()), "{what}: found and guessed {guess:?}");
        }
    }
}

#[test]
fn bombs_and_garbage_end_in_an_error_with_a_place() {
    let bomb = (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let last = level - 1;
        format!("{text}a{level}: &a{level} [*a{last},*a{last},*a{last}]\n")
    });
    for text in [bomb.as_str(), &"[".repeat(100_000), "a: [", "a: b: c", "\u{0}", "- a\nb"] {
        let error = discover("x.yaml", text).unwrap_err().to_string();
        assert!(error.starts_with("x.yaml:"), "{error}");
    }
    assert!(discover("x.yaml", "# nothing but a comment\n---\n").unwrap().found.is_empty());
}
