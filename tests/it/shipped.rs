//! The specs in `manifests/`: that they read, and that what they combine goes
//! together and is maintained, except for what their comments admit. Their upstreams
//! cannot be reached from a test.

use std::fs;
use std::path::{Path, PathBuf};

use bundle_format::ImageReference;
use bundler::image::kubeadm::Tags;
use bundler::libyaml::document;
use bundler::manifest::check::{self, Provided, Subject};
use bundler::manifest::discovery::discover;
use bundler::spec::{Manifest, SpecFile, combination};

use crate::support::demo::Demo;

/// The commit of ingress-nginx' release 1.9.3.
const INGRESS_1_9_3: &str = "bfecfebb5356d28d07a1a922a9538fc5ab3560ee";

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests"))
}

/// All specs, except the lab's.
fn specs() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let others = ["lab.yaml", "traefik.yaml"];
    let mut specs: Vec<PathBuf> = entries
        .filter(|path| is_yaml(path) && !others.iter().any(|other| path.ends_with(other)))
        .collect();
    specs.sort();
    specs
}

/// The images of an add-on that tell its release, by the manifest's own URL or file.
fn images(manifest: &Manifest) -> Vec<ImageReference> {
    let Some(url) = &manifest.url else {
        let text = fs::read_to_string(folder().join(manifest.file.as_ref().unwrap())).unwrap();
        return discover(&manifest.name, &text).unwrap().images().into_keys().collect();
    };
    let part = |before: &str| {
        let (_, rest) = url.split_once(before)?;
        Some(rest.split('/').next()?.to_owned())
    };
    let image = if let Some(version) = part("projectcalico/calico/") {
        format!("quay.io/calico/node:{version}")
    } else if let Some(version) = part("ingress-nginx/controller-") {
        format!("registry.k8s.io/ingress-nginx/controller:{version}")
    } else if url.contains(INGRESS_1_9_3) {
        "registry.k8s.io/ingress-nginx/controller:v1.9.3".to_owned()
    } else {
        // Definitions of kinds only.
        assert!(url.ends_with("gateway-api/releases/download/v1.6.1/standard-install.yaml"));
        return Vec::new();
    };
    vec![image.parse().unwrap()]
}

/// The warnings that a spec's first comment admits: its list.
fn admitted(text: &str) -> Vec<&str> {
    let comment = text.lines().take_while(|line| line.starts_with('#'));
    comment.filter_map(|line| line.strip_prefix("# - ")).collect()
}

#[test]
fn every_shipped_spec_is_of_releases_that_fit_and_are_maintained() {
    let specs = specs();
    for path in &specs {
        let shown = path.display();
        let file = SpecFile::read(path).unwrap_or_else(|error| panic!("{error}"));
        let mut findings = combination::check(&file.spec);
        for image in file.spec.manifests.iter().flat_map(|manifest| images(&manifest.value)) {
            findings.warnings.extend(combination::check_image(&file.spec, &image).warnings);
        }
        assert_eq!(findings.refused, [] as [&str; 0], "{shown}");
        let text = fs::read_to_string(path).unwrap();
        let admitted = admitted(&text);
        assert_eq!(findings.warnings.len(), admitted.len(), "{shown}: {:#?}", findings.warnings);
        for (warning, words) in findings.warnings.iter().zip(admitted) {
            assert!(warning.contains(words), "{shown} does not admit: {warning}");
        }
        assert!(Tags::known(&file.spec.kubernetes.version.value).is_some(), "{shown}");
        for repository in file.spec.targets.iter().flat_map(|target| &target.repositories) {
            let url = repository.base_url.as_deref().unwrap();
            assert!(url.starts_with("https://") && url.ends_with('/'), "{url}");
        }
        let version = &file.spec.kubernetes.version.value;
        let minor = format!("/v1.{}/", version.minor());
        let of_it = text.matches(&minor).count() + text.matches("/v$minor/").count();
        assert!(text.matches("core:/stable:").count() == of_it, "{shown}");
    }
    assert_eq!(specs.len(), 6);
}

#[test]
fn the_labs_spec_reads_beside_the_authority_of_its_registry() {
    let copies = tempfile::tempdir().unwrap();
    let path = copies.path().join("lab.yaml");
    fs::copy(folder().join("lab.yaml"), &path).unwrap();
    let error = SpecFile::read(&path).unwrap_err().to_string();
    assert!(error.contains("no such file") && error.contains("ca.pem"), "{error}");
    fs::write(copies.path().join("ca.pem"), "").unwrap();
    let file = SpecFile::read(&path).unwrap();
    assert_eq!(combination::check(&file.spec).refused, [] as [&str; 0]);
    assert!(Tags::known(&file.spec.kubernetes.version.value).is_some());
}

/// Gateway API's kinds are in a manifest of their own.
#[test]
fn the_ingress_of_new_clusters_is_accepted_by_its_kubernetes() {
    let text = fs::read_to_string(folder().join("traefik.yaml")).unwrap();
    let file = document::read("traefik.yaml", &text).unwrap();
    let kinds = ["GatewayClass", "Gateway"].map(|kind| format!("{kind}.gateway.networking.k8s.io"));
    let provided = Provided { kinds: kinds.into(), ..Provided::default() };
    let subject = || [Subject { name: "traefik", file: &file }];
    assert_eq!(check::problems(&subject(), 37, &provided), [""; 0]);
    let without = check::problems(&subject(), 37, &Provided::default()).join("\n");
    assert!(without.contains("GatewayClass"), "{without}");
    let found = discover("traefik", &text).unwrap();
    let images: Vec<String> = found.images().keys().map(ToString::to_string).collect();
    assert!(matches!(&images[..], [one] if one.starts_with("docker.io/library/traefik:v3.")));
}

#[test]
fn init_writes_the_ingress_beside_the_spec_and_keeps_one_that_is_there() {
    let demo = Demo::start();
    fs::create_dir(demo.path("new")).unwrap();
    demo.ok(&["init", "new/bundle.yaml"]);
    let shipped = fs::read_to_string(folder().join("traefik.yaml")).unwrap();
    assert_eq!(fs::read_to_string(demo.path("new/traefik.yaml")).unwrap(), shipped);
    SpecFile::read(&demo.path("new/bundle.yaml")).unwrap();
    fs::write(demo.path("new/traefik.yaml"), "own").unwrap();
    demo.ok(&["init", "new/another.yaml"]);
    assert_eq!(fs::read_to_string(demo.path("new/traefik.yaml")).unwrap(), "own");
    assert!(demo.fails(&["init", "new/bundle.yaml"]).contains("stays as it is"));
    let said = demo.fails(&["init", "other/traefik.yaml"]);
    assert!(said.contains("a spec cannot be called traefik.yaml"), "{said}");
}

#[test]
fn the_chart_in_a_comment_of_inits_spec_is_valid() {
    let text = fs::read_to_string(folder().join("init.yaml")).unwrap();
    let begins = text.lines().skip_while(|line| *line != "  # - name: metrics-server");
    let lines: Vec<&str> = begins.take_while(|line| line.starts_with("  # ")).collect();
    let comment = lines.join("\n");
    let spec = text.replace(&comment, &comment.replace("  # ", "  "));
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bundle.yaml");
    fs::write(&path, spec).unwrap();
    for name in ["traefik.yaml", "metrics-server.yaml"] {
        fs::write(home.path().join(name), "").unwrap();
    }
    let manifests = SpecFile::read(&path).unwrap().spec.manifests;
    let chart = manifests.iter().find_map(|manifest| manifest.value.chart.as_ref()).unwrap();
    assert_eq!(chart.values, ["metrics-server.yaml"]);
}
