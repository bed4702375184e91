//! Kustomizations, made into manifests by the real kustomize.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::built;

use crate::documents::blocks;
use crate::support::demo::{BUNDLER, Demo};

fn kustomize() -> Option<PathBuf> {
    let found = built::programs("kustomize").pop();
    if found.is_none() {
        println!("skipped: no kustomize: `scripts/tools --judges` builds it");
    }
    Some(found?.1)
}

/// Runs `bundler` where this kustomize is the only one; gives whether it succeeded, and
/// standard error.
fn run(demo: &Demo, kustomize: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(BUNDLER);
    command.args(arguments).current_dir(demo.folder.path()).env("HOME", demo.folder.path());
    command.env("XDG_CACHE_HOME", demo.path("cache")).env("PATH", kustomize.parent().unwrap());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

const BASE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: \
                    {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
                    spec: {containers: [{name: web, image: web}]}\n";
const OVERLAY: &str = "namespace: default\nresources: [../../base]\nimages:\n- {name: web, newName: \
                       registry.k8s.io/pause, newTag: '3.9'}\nconfigMapGenerator:\n- {name: site, \
                       literals: [a=b]}\n";

/// A demo with the folder of the page, and the page's manifest in place of its own.
fn demo(page: &str) -> Demo {
    let demo = Demo::start();
    let write = |name: &str, text: &str| {
        let path = demo.path("deploy").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("base/web.yaml", BASE);
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    write("overlays/site/kustomization.yaml", OVERLAY);
    let spec = demo.spec();
    let (before, rest) = spec.split_once("manifests:\n").unwrap();
    let (_, after) = rest.split_once("registries:\n").unwrap();
    let own = blocks(page, "yaml").concat();
    demo.write_spec(&format!("{before}{own}registries:\n{after}"));
    demo
}

#[test]
fn the_page_is_run_and_what_is_elsewhere_is_refused() {
    let Some(kustomize) = kustomize() else { return };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/kustomize.md");
    let page = fs::read_to_string(page).unwrap();
    let demo = demo(&page);
    for line in blocks(&page, "").iter().flat_map(|block| block.lines()) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let (done, error) = run(&demo, &kustomize, &words);
        assert!(done, "{line}: {error}");
    }
    let made = fs::read_to_string(demo.path("bundle.yaml.rendered/web.yaml")).unwrap();
    for words in ["# by: kustomize v5.", "image: registry.k8s.io/pause:3.9", "name: site-"] {
        assert!(made.contains(words), "{words}:\n{made}");
    }
    let lock: serde_json::Value =
        serde_json::from_slice(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
    let manifest = &lock["manifests"][0];
    assert_eq!(manifest["images"], serde_json::json!(["registry.k8s.io/pause:3.9"]));
    assert!(manifest["rendered"]["by"].as_str().unwrap().starts_with("kustomize v5."));
    assert_eq!(
        lock["files"].as_array().unwrap().iter().filter(|f| f["kind"] == "chart").count(),
        0
    );

    // Nothing has changed, so nothing is built again.
    let (done, error) = run(&demo, &demo.path("none/kustomize"), &["lock", "--check"]);
    assert!(done, "{error}");
    fs::write(demo.path("secret.yaml"), BASE).unwrap();
    for (resource, words) in [
        ("../../../secret.yaml", "may name files of its folder only"),
        ("https://registry.k8s.io/app.yaml", "may name files of its folder only"),
        ("github.com/example/app//deploy?ref=v1", "git"),
    ] {
        let text = format!("resources: ['{resource}']\n");
        fs::write(demo.path("deploy/overlays/site/kustomization.yaml"), text).unwrap();
        let (done, error) = run(&demo, &kustomize, &["build", "--quiet"]);
        assert!(!done && error.contains("the folder deploy has changed"), "{error}");
        let (done, error) = run(&demo, &kustomize, &["lock"]);
        assert!(!done && error.contains(words), "{words}: {error}");
    }
    let (done, error) = run(&demo, &demo.path("none/kustomize"), &["lock"]);
    assert!(!done && error.contains("this host has no `kustomize`"), "{error}");

    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let text = format!("resources: ['http://{}/a.yaml']\n", server.local_addr().unwrap());
    fs::write(demo.path("deploy/overlays/site/kustomization.yaml"), text).unwrap();
    let (done, error) = run(&demo, &kustomize, &["lock"]);
    assert!(!done, "{error}");
    let asked = server.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(asked, Err(ErrorKind::WouldBlock));

    let older = demo.path("older/kustomize");
    fs::create_dir(demo.path("older")).unwrap();
    fs::write(&older, "#!/bin/sh\necho '{Version:kustomize/v4.5.7}'\n").unwrap();
    fs::set_permissions(&older, fs::Permissions::from_mode(0o755)).unwrap();
    let (done, error) = run(&demo, &older, &["lock"]);
    assert!(!done && error.contains("v4.5.7}: install kustomize 5"), "{error}");
}
