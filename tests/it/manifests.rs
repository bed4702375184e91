//! Manifests that no cluster would take are refused at `lock`, all at once.

use std::fs;
use std::path::Path;

use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::Cluster;

use crate::support::demo::Demo;

/// A demo whose manifests are these: names and texts.
fn with(manifests: &[(&str, &str)]) -> Demo {
    let demo = Demo::start();
    let spec = demo.spec();
    let (before, rest) = spec.split_once("manifests:\n").unwrap();
    let (_, after) = rest.split_once("registries:\n").unwrap();
    let mut list = "manifests:\n".to_owned();
    for (name, text) in manifests {
        fs::write(demo.path(&format!("{name}.yaml")), text).unwrap();
        list += &format!("- {{name: {name}, file: {name}.yaml}}\n");
    }
    demo.write_spec(&format!("{before}{list}registries:\n{after}"));
    demo
}

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: \
                   {name: as.x.io}\nspec: {group: x.io, scope: Cluster, names: {kind: A, plural: as}, \
                   versions: [{name: v1, served: true, storage: true, schema: \
                   {openAPIV3Schema: {type: object}}}]}\n";
const OWN: &str = "apiVersion: x.io/v1\nkind: A\nmetadata: {name: a}\n";

#[test]
fn all_that_a_cluster_refuses_is_said_at_once() {
    let demo = with(&[
        ("own", OWN),
        ("crd", CRD),
        ("old", "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i}\n"),
        ("page", "<!DOCTYPE html><html><head><title>Sign in</title></head></html>\n"),
        ("chart", "apiVersion: v1\nkind: Secret\nmetadata:\n  {{- if .Values.a }}\n  name: a\n"),
    ]);
    let error = demo.fails(&["lock"]);
    for words in [
        "manifest own:1: A a: its kind is defined by the manifest crd",
        "manifest old:1: Ingress i: Kubernetes 1.28 no longer serves",
        "manifest page: page.yaml gave a page of HTML (\"Sign in\")",
        "manifest chart: it is not YAML, and contains `{{`",
        "helm template",
    ] {
        assert!(error.contains(words), "{words}:\n{error}");
    }
    assert!(!demo.path("bundle.yaml.lock.json").exists());
}

#[test]
fn definitions_get_a_pass_of_their_own_in_the_bundle() {
    let demo = with(&[("own", &format!("{OWN}---\n{CRD}"))]);
    demo.ok(&["lock"]);
    let lock = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let passes = lock["manifests"][0]["passes"].as_array().unwrap();
    assert_eq!((passes.len(), passes[0]["definesKinds"].as_bool()), (2, Some(true)));
    demo.ok(&["build", "--quiet"]);
    demo.ok(&["verify", "--quiet", "demo.tar"]);
    demo.ok(&["extract", "demo.tar", "--folder", "out"]);
    let pass = |name: &str| {
        fs::read_to_string(demo.path(&format!("out/manifests/passes/{name}"))).unwrap()
    };
    assert_eq!(pass("own.1.yaml"), format!("---\n{CRD}"));
    assert_eq!(pass("own.2.yaml"), format!("---\n{OWN}"));
    assert!(Path::new(&demo.path("out/manifests/own.yaml")).exists());
}

#[test]
fn what_the_cluster_has_already_is_said_in_the_spec() {
    let demo = with(&[
        ("own", OWN),
        ("secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n"),
    ]);
    let error = demo.fails(&["lock"]);
    assert!(error.contains("`A.x.io` under `provided.kinds`"), "{error}");
    assert!(error.contains("`provided.namespaces`"), "{error}");
    let spec = demo.spec();
    demo.write_spec(&format!("{spec}provided: {{kinds: [A.x.io], namespaces: [ns]}}\n"));
    demo.ok(&["lock"]);
    demo.write_spec(&format!("{spec}provided: {{kinds: [a.x.io], namespaces: [N]}}\n"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("write one such as Issuer.cert-manager.io"), "{error}");
    assert!(error.contains("is not a namespace"), "{error}");
}

#[test]
fn a_page_in_the_place_of_any_file_is_said_to_be_one() {
    let demo = Demo::start();
    let page = "<html><title>Proxy login</title></html>";
    fs::create_dir_all(demo.path("os/repodata")).unwrap();
    for name in ["key.asc", "list", "os/repodata/repomd.xml"] {
        fs::write(demo.path(name), page).unwrap();
    }
    let base = format!("file://{}/os/", demo.folder.path().display());
    let spec = demo.spec();
    for (own, page, name) in [
        ("[URL/os/repodata/repomd.xml.key]", "[key.asc]".to_owned(), "key.asc"),
        ("baseUrl: URL/os/", format!("baseUrl: {base}"), "repomd.xml"),
        (
            "    repositories:",
            "    baseline: {packages: list}\n    repositories:".to_owned(),
            "list",
        ),
        ("mirrors: [URL]", "mirrors: [URL]\n    ca: key.asc".to_owned(), "key.asc"),
    ] {
        assert!(spec.contains(own), "{own}");
        demo.write_spec(&spec.replacen(own, &page, 1));
        let error = demo.fails(&["lock"]);
        assert!(
            error.contains(&format!("{name} gave a page of HTML (\"Proxy login\")")),
            "{error}"
        );
    }
}

#[test]
fn a_manifest_that_may_have_been_cut_off_is_warned_of() {
    let rules = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}";
    let demo = with(&[("web", rules)]);
    let url = format!("file://{}", demo.path("web.yaml").display());
    let spec = demo.spec().replace("file: web.yaml", &format!("url: '{url}'"));
    demo.write_spec(&spec);
    let output = demo.run(&["lock"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    assert!(words.contains("manifest web ends in the middle of a line"), "{words}");
    assert!(words.contains("manifest web names no image"), "{words}");
    let sha256 = bundle_format::Digest::of(rules.as_bytes()).hex();
    demo.write_spec(&spec.replace("name: web,", &format!("name: web, sha256: {sha256},")));
    let output = demo.run(&["lock"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !words.contains("manifest web"), "{words}");
}

#[test]
fn a_network_that_a_site_may_have_otherwise_is_told_and_goes_with_the_bundle() {
    let flannel = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg, namespace: \
                   kube-system}\ndata:\n  net-conf.json: '{\"Network\": \"10.9.0.0/16\"}'\n";
    let demo = with(&[("net", flannel)]);
    let warned = demo.run(&["lock"]);
    assert!(warned.status.success());
    let warned = String::from_utf8(warned.stderr).unwrap();
    let words = "warning: manifest net: ConfigMap kube-system/cfg, data[net-conf.json].Network \
                 has 10.9.0.0/16 as the network of pods, and podCidr is 10.244.0.0/16";
    assert!(warned.contains(words), "{warned}");
    demo.ok(&["build", "--quiet"]);
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let expected = &bundle.lock().manifests[0].expects;
    assert_eq!(expected.len(), 1);
    let conflict = |cluster: &str| {
        let cluster: Cluster = serde_saphyr::from_str(cluster).unwrap();
        expected[0].conflict(&cluster).map(|conflict| conflict.to_string())
    };
    assert_eq!(conflict("podCidr: 10.9.0.0/16"), None);
    assert!(conflict("podCidr: 10.8.0.0/16").unwrap().ends_with("podCidr is 10.8.0.0/16"));

    // A lock that says otherwise than the manifest makes no bundle; one from before does.
    let path = demo.path("bundle.yaml.lock.json");
    let lock = fs::read_to_string(&path).unwrap();
    fs::write(&path, lock.replace("10.9.0.0/16\",\n", "10.244.0.0/16\",\n")).unwrap();
    let error = demo.fails(&["build", "--quiet"]);
    assert!(error.contains("expects another cluster than the lock says"), "{error}");
    let mut old: serde_json::Value = serde_json::from_str(&lock).unwrap();
    old["manifests"][0].as_object_mut().unwrap().remove("expects").unwrap();
    fs::write(&path, serde_json::to_vec_pretty(&old).unwrap()).unwrap();
    demo.ok(&["build", "--quiet"]);

    // Where the spec says it for all sites, nothing is to be told.
    demo.write_spec(&format!("{}cluster: {{podCidr: 10.9.0.0/16}}\n", demo.spec()));
    let quiet = String::from_utf8(demo.run(&["lock"]).stderr).unwrap();
    assert!(!quiet.contains("podCidr"), "{quiet}");
}
