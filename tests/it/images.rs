//! Discovery on the manifests that projects really publish.

use std::collections::BTreeSet;
use std::fs;

use bundle_format::ImageReference;
use bundler::manifest::discovery::discover;

use crate::support::shared_data;

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

/// The same for what operators and other programs have of their own.
const PROGRAMS: [(&str, &str, &[&str]); 29] = [
    (
        "repository, image and version",
        "apiVersion: nvidia.com/v1\nkind: ClusterPolicy\nspec: {toolkit: {repository: nvcr.io/nvidia/k8s, image: toolkit, version: v1.14.3-ubuntu20.04}, plugin: {repository: nvcr.io/nvidia, image: plugin, version: 'sha256:4a7b9ddce5e2d1f2d04b4f0dea0da0b1a0dd2dc3a1ec1d2cfbe5ef4c1b6a07a1'}}",
        &[
            "nvcr.io/nvidia/k8s/toolkit:v1.14.3-ubuntu20.04",
            "nvcr.io/nvidia/plugin@sha256:4a7b9ddce5e2d1f2d04b4f0dea0da0b1a0dd2dc3a1ec1d2cfbe5ef4c1b6a07a1",
        ],
    ),
    (
        "a base image, its version around it",
        "apiVersion: pingcap.com/v1alpha1\nkind: TidbCluster\nspec: {version: v7.1.0, pd: {baseImage: pingcap/pd}, tikv: {baseImage: pingcap/tikv, version: v7.1.1}}",
        &["pingcap/pd:v7.1.0", "pingcap/tikv:v7.1.1"],
    ),
    (
        "an image beside its version, as JSON",
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "data": {"predictors": "{\"tensorflow\": {\"image\": \"tensorflow/serving\", \"defaultImageVersion\": \"1.14.0\"}}"}}"#,
        &["tensorflow/serving:1.14.0"],
    ),
    (
        "a version that was left out",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  values: |\n    controllerImage: cr.l5d.io/linkerd/controller\n    controllerImageVersion: ''\n    proxy: {image: {name: cr.l5d.io/linkerd/proxy, version: ''}}\n",
        &[],
    ),
    (
        "steps and sidecars",
        "apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{image: ubuntu, script: echo}, {image: $(params.x)}], sidecars: [{image: nginx}]}",
        &["ubuntu", "nginx"],
    ),
    (
        "containers and scripts of a workflow",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {templates: [{container: {image: busybox}}, {script: {image: python, source: x}}, {container: {image: '{{inputs.parameters.x}}'}}, {containerSet: {containers: [{image: alpine}]}}]}",
        &["busybox", "python", "alpine"],
    ),
    (
        "whatever has a command",
        "apiVersion: x/v1\nkind: X\nspec: {backup: {image: postgres, command: [pg_dump]}, pilot: {image: pilot}}",
        &["postgres"],
    ),
    (
        "variables with lists of images",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, env: [{name: A_IMAGES, value: 'a=quay.io/m/a:1,b=org/b:2'}, {name: IMAGE_LIST, value: 'quay.io/l/a:1 org/l:1'}, {name: IMAGE_SEMI, value: 'quay.io/s/a:1;org/s:1'}, {name: IMAGES_JSON, value: '{\"x\":\"quay.io/j/x:1\",\"y\":\"org/y:2\"}'}, {name: HELPER_POD, value: '{\"spec\":{\"containers\":[{\"image\":\"busybox\"}]}}'}]}]}",
        &[
            "a/b:1",
            "quay.io/m/a:1",
            "org/b:2",
            "quay.io/l/a:1",
            "org/l:1",
            "quay.io/s/a:1",
            "org/s:1",
            "quay.io/j/x:1",
            "org/y:2",
            "busybox",
        ],
    ),
    (
        "variables with lines of versions and images",
        "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: a/b:1\n    env:\n    - name: STRIMZI_KAFKA_IMAGES\n      value: |\n        3.5.0=quay.io/strimzi/kafka:0.38.0-kafka-3.5.0\n        3.6.0=quay.io/strimzi/kafka:0.38.0-kafka-3.6.0\n",
        &[
            "a/b:1",
            "quay.io/strimzi/kafka:0.38.0-kafka-3.5.0",
            "quay.io/strimzi/kafka:0.38.0-kafka-3.6.0",
        ],
    ),
    (
        "variables with other words in their names",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, env: [{name: SERVICE_IMAGE, value: 'a/c:1'}, {name: IMAGE_AND_VERSION, value: 'a/d:1'}, {name: VM_RELOADERIMAGE, value: 'a/e:r-1'}]}]}",
        &["a/b:1", "a/c:1", "a/d:1", "a/e:r-1"],
    ),
    (
        "a variable with the image, one with its version",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, env: [{name: VMALERT_IMAGE, value: vm/vmalert}, {name: VMALERT_VERSION, value: v1.93.0}, {name: OTHER_IMAGE, value: vm/other}]}]}",
        &["a/b:1", "vm/vmalert:v1.93.0"],
    ),
    (
        "images by name",
        "apiVersion: config.k8ssandra.io/v1beta1\nkind: ImageConfig\nimages: {system-logger: 'k8ssandra/system-logger:v1', registry: quay.io/x, mysqld: {mysql80: 'vitess/lite:v18'}}",
        &["k8ssandra/system-logger:v1", "vitess/lite:v18"],
    ),
    (
        "volumes that are images",
        "kind: Pod\napiVersion: v1\nspec: {volumes: [{image: {reference: busybox}}, {image: {reference: 'library/artifact:v2'}}]}",
        &["busybox", "library/artifact:v2"],
    ),
    (
        "merge keys",
        "x-d: &d {image: busybox, name: a}\nkind: Pod\napiVersion: v1\nspec:\n  initContainers:\n  - <<: *d\n    name: b\n  - <<: [*d]\n    image: alpine\n",
        &["busybox", "alpine"],
    ),
    (
        "a kind that is merged",
        "kind: CustomResourceDefinition\napiVersion: v1\n<<: {kind: Pod}\nspec: {containers: [{image: busybox, name: a}]}\n",
        &["busybox"],
    ),
    (
        "flags",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, args: ['--images=a=quay.io/f/a:1', '--sidecarimage=org/sc:1', --svc-image, 'org/svc:2', '--foo-image org/q:1', '--default-base-image=quay.io/p/p', '--reloader=a=quay.io/p/r:1']}]}",
        &["a/b:1", "quay.io/f/a:1", "org/sc:1", "org/svc:2", "org/q:1", "quay.io/p/r:1"],
    ),
    (
        "what Istio replaces, and nothing",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: auto}, {image: ~}, {image: null}, {image: 'null'}]}",
        &["null"],
    ),
    (
        "taints and labels",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1, args: ['--taints=node-role.kubernetes.io/master:NoSchedule', --taint, 'node.cilium.io/agent-not-ready:NoExecute', '--label=gpu.example.com/on:true']}]}",
        &["a/b:1"],
    ),
    (
        "annotations at any depth",
        "apiVersion: x/v1\nkind: X\nspec: {jobTemplate: {metadata: {annotations: {a: 'quay.io/a/b:1'}}}, volumeClaimTemplates: [{metadata: {labels: {a: 'quay.io/a/b:2'}}}], podMetadata: {annotations: {a: 'quay.io/a/b:3'}}, podAnnotations: {image: 'quay.io/a/b:4'}}",
        &[],
    ),
    (
        "descriptions",
        "apiVersion: x/v1\nkind: X\nspec:\n  description: |\n    image: quay.io/a/b:1\n  message: 'use quay.io/a/b:2'\n  summary: quay.io/a/b:3\n",
        &[],
    ),
    (
        "watchers of images and policies about them",
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nspec: {image: ghcr.io/a/b}\n---\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {imageReferences: ['ghcr.io/a/b:1']}\n---\napiVersion: operator.tigera.io/v1\nkind: ImageSet\nspec: {images: [{image: calico/cni, digest: 'sha256:4a7b9ddce5e2d1f2d04b4f0dea0da0b1a0dd2dc3a1ec1d2cfbe5ef4c1b6a07a1'}]}",
        &[],
    ),
    (
        "a template without quotes",
        "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: {{ .Values.image }}\n",
        &[],
    ),
    (
        "a source or chart with a version",
        "apiVersion: x/v1\nkind: X\nspec: {git: {repository: github.com/a/b, tag: v1}, helm: {chart: c, repository: ghcr.io/a/charts, version: 1.2.3}, url: {repository: 'https://x.io/a', version: 1.2.3}}",
        &[],
    ),
    (
        "an untagged image where none but a program can complete it",
        "apiVersion: v1\nkind: ConfigMap\ndata: {proxy: '{\"imageName\":\"gcr.io/linkerd-io/proxy\"}'}",
        &[],
    ),
    (
        "choices",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  ui.yaml: |\n    image:\n      value: kf/scipy:v1\n      options: [kf/scipy:v1, kf/torch:v1]\n",
        &["kf/scipy:v1", "kf/torch:v1"],
    ),
    (
        "settings that are no YAML",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.toml: |\n    [[runners]]\n      image = \"ubuntu:22.04\"\n",
        &[],
    ),
    (
        "settings about images, and what is called like them",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  image-scan.yaml: |\n    imageScanner: {name: trivy, version: 0.45.1}\n    name: scan\n    version: 1.0\n  images.sh: |\n    docker pull a:b\n  imageNote: see host:port and a/b:c for more\n",
        &[],
    ),
    (
        "parameters of a chart",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {helm: {parameters: [{name: image.repository, value: quay.io/a/b}, {name: image.tag, value: '1.0'}]}}}",
        &["quay.io/a/b:1.0"],
    ),
    (
        "parts of all kinds",
        "apiVersion: x/v1\nkind: X\nspec: {a: {image: {repo: org/r, tag: v1}}, b: {image: {registry: quay.io, image: org/i, tag: v1}}, c: {imageRepository: org/ir, imageTag: v2}, d: {image: quay.io/foo/e, imageTag: v2}, e: {repository: quay.io/f/g, tag: 1.10, digest: ''}}",
        &["org/r:v1", "quay.io/org/i:v1", "org/ir:v2", "quay.io/foo/e:v2", "quay.io/f/g:1.10"],
    ),
];

#[test]
fn every_shape_is_read_right() {
    for (what, text, images) in SHAPES.into_iter().chain(PROGRAMS) {
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

/// What is no find for sure is a guess: a person is told of it, with its line.
#[test]
fn what_cannot_be_decided_is_a_guess() {
    let pod = |image: &str| {
        format!("kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: {image}\n")
    };
    let map = |data: &str| format!("kind: ConfigMap\napiVersion: v1\ndata:\n  {data}\n");
    let cases = [
        (pod("{{ .Values.image }}"), Some(("{{ … }}", 5))),
        (pod("'{{ .Values.image }}'"), Some(("{{ .Values.image }}", 5))),
        (pod("auto"), Some(("auto", 5))),
        (pod("~"), None),
        (pod("''"), None),
        (map("baseImage: quay.io/a/b"), Some(("quay.io/a/b", 4))),
        (map("x.toml: |\n    [a]\n    image = \"ubuntu:22.04\""), Some(("ubuntu:22.04", 6))),
        (map("x.yaml: |\n    a: b\n    image: word"), Some(("word", 6))),
        (map("x.json: '{\"image\": \"word\"}'"), Some(("word", 4))),
        (map("imagePullPolicy: Always"), None),
        (map("description: |\n    quay.io/a/b:1"), None),
    ];
    for (text, wanted) in cases {
        let discovery = discover("x", &text).unwrap();
        let guesses: Vec<(&str, usize)> =
            discovery.guesses.iter().map(|guess| (guess.text.as_str(), guess.line)).collect();
        assert_eq!(guesses, wanted.into_iter().collect::<Vec<_>>(), "{text}");
        assert!(discovery.found.is_empty(), "{text}");
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
    let error = discover("x.yaml", &"- b: c\n".repeat(1_000_000)).unwrap_err().to_string();
    assert!(error.contains("keys and values"), "{error}");
    assert!(discover("x.yaml", "# nothing but a comment\n---\n").unwrap().found.is_empty());
}

/// A list with a hole in it is no list: nothing is printed, and each file that
/// is to blame is named at once.
#[test]
fn every_bad_file_is_named_and_nothing_printed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let good = write("good.yaml", b"kind: Pod\napiVersion: v1\nspec: {containers: [{image: a}]}");
    let bad = [write("broken.yaml", b"a: ["), write("latin.yaml", b"a: \xe9")];
    let run = |files: &[&std::path::PathBuf]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bundler"));
        let output = command.arg("images").args(files).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, images, errors) = run(&[&good]);
    assert_eq!((status, images.as_str()), (Some(0), "docker.io/library/a:latest\n"), "{errors}");
    let (status, images, errors) = run(&[&bad[0], &good, &bad[1]]);
    assert_eq!((status, images.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains("broken.yaml") && errors.contains("latin.yaml"), "{errors}");
    // Nor is there one of what holds no objects.
    for (name, text, what) in [
        (
            "page.html",
            &b"<!DOCTYPE html><title>Sign in</title>"[..],
            "a page of HTML (\"Sign in\")",
        ),
        ("missing.yaml", b"404: Not Found", "404"),
        ("empty.yaml", b"", "it is empty"),
        ("values.yaml", b"replicas: 2\n", "values.yaml:1: "),
        ("kustomization.yaml", b"kind: Kustomization\nresources: [a.yaml]\n", "kustomize build"),
    ] {
        let (status, images, errors) = run(&[&write(name, text)]);
        assert_eq!((status, images.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(what), "{name}: {errors}");
    }
}
