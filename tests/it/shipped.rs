//! The specs in `manifests/`: that they read, and that what they combine goes
//! together. Their upstreams cannot be reached from a test.

use std::fs;
use std::path::Path;

use bundler::image::kubeadm::Tags;
use bundler::spec::{SpecFile, combination};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests"))
}

#[test]
fn every_shipped_spec_reads_and_combines() {
    let mut count = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let is_spec = path.extension().is_some_and(|extension| extension == "yaml");
        if !is_spec || path.ends_with("lab.yaml") {
            continue;
        }
        let file = SpecFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let findings = combination::check(&file.spec);
        assert_eq!(findings.refused, [] as [&str; 0], "{}", path.display());
        assert!(Tags::known(&file.spec.kubernetes.version.value).is_some());
        for repository in file.spec.targets.iter().flat_map(|target| &target.repositories) {
            let url = repository.base_url.as_deref().unwrap();
            assert!(url.starts_with("https://") && url.ends_with('/'), "{url}");
        }
        count += 1;
    }
    assert_eq!(count, 4);
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

#[test]
fn the_guides_cluster_is_warned_of() {
    let file = SpecFile::read(&folder().join("k8s-1.28-el7.yaml")).unwrap();
    let image = "registry.k8s.io/ingress-nginx/controller:v1.9.3".parse().unwrap();
    let warnings = combination::check_image(&file.spec, &image).warnings.join("\n");
    assert!(warnings.contains("CVE-2025-1974"), "{warnings}");
}
