//! What things in a bundle are called, by whoever asks; and what lies beside one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use bundle_format::archive::reader::Bundle;

use crate::support::demo::Demo;

const PROGRAM: &str = "#!/bin/sh\necho installed\n";

/// The demo's spec with a package that nodes have, and with a small installer.
fn start() -> Demo {
    let demo = Demo::start();
    fs::write(demo.path("program"), PROGRAM).unwrap();
    let spec = demo.spec();
    let spec = spec
        .replace(
            "    architecture: x86_64\n",
            "    architecture: x86_64\n    packages: [bash, tar]\n",
        )
        .replace("installers: []", "installers: [{architecture: x86_64, file: program}]");
    demo.write_spec(&spec);
    demo
}

fn mode(demo: &Demo, name: &str) -> u32 {
    fs::metadata(demo.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn every_name_of_a_thing_is_known_to_why_and_extract() {
    let demo = start();
    let locked = demo.run(&["lock"]);
    let told = String::from_utf8_lossy(&locked.stderr).into_owned();
    assert!(locked.status.success(), "{told}");
    demo.ok(&["build", "-q"]);
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let lock = bundle.lock();
    let rpm = lock.rpms.iter().find(|rpm| rpm.package.name == "kubelet").unwrap();
    let image = lock.images.iter().find(|image| image.name.repository() == "pause").unwrap();
    let fingerprint = &lock.targets[0].repositories[0].keys[0];
    let evr = &rpm.package.evr;
    let image_digest = image.root.digest.to_string();
    let by_digest = format!("registry.k8s.io/pause@{image_digest}");
    let rpm_title = format!("rpms/el9-x86_64/{}", rpm.package.file_name());
    let names: Vec<(String, String)> = [
        "kubelet".to_owned(),
        "kubelet.x86_64".to_owned(),
        "kubelet-1.28.2".to_owned(),
        format!("kubelet-{}-{}", evr.version, evr.release),
        format!("kubelet-0:{}-{}", evr.version, evr.release),
        format!("kubelet-{}-{}.x86_64", evr.version, evr.release),
        rpm.package.to_string(),
        rpm.package.file_name(),
        rpm_title.clone(),
        rpm.digest.to_string(),
        rpm.digest.hex(),
    ]
    .map(|name| (name, rpm_title.clone()))
    .into_iter()
    .chain(
        [
            "pause",
            "pause:3.9",
            "registry.k8s.io/pause",
            "registry.k8s.io/pause:3.9",
            &image_digest,
            &by_digest,
            "images/registry.k8s.io/pause/3.9.tar",
        ]
        .map(|name| (name.to_owned(), "images/registry.k8s.io/pause/3.9.tar".to_owned())),
    )
    .chain(
        ["calico", "calico.yaml", "manifests/calico.yaml"]
            .map(|name| (name.to_owned(), "manifests/calico.yaml".to_owned())),
    )
    .chain(
        [
            fingerprint.as_str(),
            &fingerprint.to_uppercase(),
            &format!("0x{}", &fingerprint[fingerprint.len() - 16..]),
            &fingerprint[fingerprint.len() - 8..],
            "keys/el9-x86_64/os-1.asc",
            "os-1.asc",
        ]
        .map(|name| (name.to_owned(), "keys/el9-x86_64/os-1.asc".to_owned())),
    )
    .chain(
        ["installer", "installers/x86_64/installer", "program"]
            .map(|name| (name.to_owned(), "installers/x86_64/installer".to_owned())),
    )
    .collect();
    for (name, title) in &names {
        demo.ok(&["why", name]);
        let listed = demo.ok(&["extract", "--list", "demo.tar", name]);
        assert_eq!(listed, format!("{title}\n"), "{name}");
    }
    let named = ["kubelet", "pause:3.9", "calico", fingerprint, "installer"];
    for name in named {
        demo.ok(&["why", name, "demo.tar"]);
    }
    demo.ok(&[&["extract", "-C", "out", "demo.tar"], &named[..]].concat());
    for title in [
        rpm_title.as_str(),
        "images/registry.k8s.io/pause/3.9.tar",
        "manifests/calico.yaml",
        "keys/el9-x86_64/os-1.asc",
        // As it lies on a stick.
        "installer",
    ] {
        assert!(demo.path("out").join(title).is_file(), "{title}");
    }
    // Docker's short names are those of docker.io.
    demo.ok(&["why", "calico/node"]);
    assert!(demo.fails(&["why", "registry.k8s.io/calico/node"]).contains("nothing is called"));

    for (typed, meant) in [
        ("kublet", "did you mean kubelet?"),
        ("Pause", "did you mean pause?"),
        ("calcio", "did you mean calico?"),
        ("kube-api", "did you mean kube-apiserver"),
        ("instaler", "did you mean installer?"),
        ("bsah", "did you mean bash?"),
        // The right thing in another version.
        ("kubelet-1.28.9", "did you mean kubelet-1.28.2-150500.1.1.x86_64?"),
        ("kubelet-1.28.2-1.el9.x86_64", "did you mean kubelet-1.28.2-150500.1.1.x86_64?"),
        ("pause:3.10", "did you mean registry.k8s.io/pause:3.9?"),
        ("registry.k8s.io/pause:3.10", "did you mean registry.k8s.io/pause:3.9?"),
        ("calico/node:v4.0.0", "did you mean docker.io/calico/node:v3.26.4?"),
        ("zsh-completions", "the baseline (comps: core) is already on nodes"),
    ] {
        assert!(
            demo.fails(&["why", typed]).contains(meant),
            "{typed}: {}",
            demo.fails(&["why", typed])
        );
        assert!(demo.fails(&["extract", "demo.tar", typed]).contains(meant), "{typed}");
    }
}

#[test]
fn a_package_that_nodes_have_already_is_said_to_be_there() {
    let demo = start();
    let locked = demo.run(&["lock"]);
    let told = String::from_utf8_lossy(&locked.stderr).into_owned();
    let words = "is already on nodes, by the baseline (comps: core)";
    let line = told.lines().find(|line| line.contains("bash-5.1.8-6.el9.x86_64"));
    assert!(
        line.is_some_and(|line| line.contains(words) && line.contains("packages[0]")),
        "{told}"
    );
    demo.ok(&["build", "-q"]);
    assert!(demo.ok(&["inspect", "demo.tar"]).contains(words));
    for file in ["demo.tar", "bundle.yaml.lock.json"] {
        let why = demo.ok(&["why", "bash", file]);
        assert!(why.contains("already on nodes, by the baseline (comps: core)"), "{why}");
    }
    let error = demo.fails(&["extract", "demo.tar", "bash"]);
    assert!(error.contains("is already on nodes, by the baseline"), "{error}");
    let repository = format!("os={}/os/", demo.upstream.url());
    let output = demo.run(&["resolve", "--repo", &repository, "bash"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.stdout.is_empty() && said.contains("bash-5.1.8-6.el9.x86_64 is already"),
        "{said}"
    );
    // What no node has is carried, and nothing is said of it.
    assert!(!told.contains("kubelet"), "{told}");
}

#[test]
fn the_installer_lies_beside_the_bundle_with_its_checksum() {
    let demo = start();
    let check = |folder: &str, sidecar: &str| {
        let mut command = Command::new("sha256sum");
        let output = command.args(["--check", sidecar]).current_dir(demo.path(folder)).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    fs::create_dir(demo.path("stick")).unwrap();
    let names = demo.ok(&["build", "-q", "-o", "stick/demo.tar"]);
    assert_eq!(names, "stick/demo.tar\n");
    assert_eq!(check("stick", "demo.tar.sha256"), "demo.tar: OK\ninstaller: OK\n");
    assert_eq!(fs::read_to_string(demo.path("stick/installer")).unwrap(), PROGRAM);
    assert_eq!(mode(&demo, "stick/installer"), 0o755);
    let run = Command::new(demo.path("stick/installer")).output().unwrap();
    assert_eq!(run.stdout, b"installed\n");
    // An old one is replaced, and can be run; a link stays; parts have it as well.
    fs::remove_file(demo.path("stick/installer")).unwrap();
    fs::write(demo.path("old"), "old").unwrap();
    symlink("../old", demo.path("stick/installer")).unwrap();
    // What a build did not put there stays.
    let error = demo.fails(&["build", "-q", "-o", "stick/cut.tar", "--split", "64KiB"]);
    let words = "stick/installer exists, and no bundle's checksums name it: move it away";
    assert!(error.contains(words), "{error}");
    assert_eq!(fs::read_to_string(demo.path("old")).unwrap(), "old");
    let sum = bundle_format::Digest::of(b"old").hex();
    fs::write(demo.path("stick/earlier.tar.sha256"), format!("{sum}  installer\n")).unwrap();
    demo.ok(&["build", "-q", "-o", "stick/cut.tar", "--split", "64KiB"]);
    assert!(check("stick", "cut.tar.sha256").ends_with("\ninstaller: OK\n"));
    assert!(demo.path("stick/installer").is_symlink());
    assert_eq!(mode(&demo, "old"), 0o755);
    // The same stays as it is, so that one that runs is not disturbed.
    let before = fs::metadata(demo.path("old")).unwrap().modified().unwrap();
    demo.ok(&["build", "-q", "-o", "stick/demo.tar"]);
    assert_eq!(fs::metadata(demo.path("old")).unwrap().modified().unwrap(), before);
    // What is in the way is told before anything is written.
    fs::create_dir_all(demo.path("full/installer")).unwrap();
    let error = demo.fails(&["build", "-q", "-o", "full/demo.tar"]);
    assert!(error.contains("full/installer") && error.contains("it is a folder"), "{error}");
    assert_eq!(fs::read_dir(demo.path("full")).unwrap().count(), 1);
    let error = demo.fails(&["build", "-q", "-o", "full/../installer"]);
    assert!(error.contains("choose another --output"), "{error}");
    // With several each node finds its own.
    let spec = demo.spec();
    demo.write_spec(
        &spec.replace("file: program}]", "file: program}, {architecture: aarch64, file: old}]"),
    );
    fs::write(demo.path("old"), "other").unwrap();
    demo.ok(&["lock"]);
    fs::create_dir(demo.path("two")).unwrap();
    demo.ok(&["build", "-q", "-o", "two/demo.tar"]);
    // One that the cache knows is ours without checksums, too.
    fs::write(demo.path("two/installer-x86_64"), "other").unwrap();
    fs::remove_file(demo.path("two/demo.tar.sha256")).unwrap();
    demo.ok(&["build", "-q", "-o", "two/demo.tar"]);
    let error = demo.fails(&["extract", "-C", "two/demo.tar", "two/demo.tar"]);
    let words = "two/demo.tar is a file, not a folder: name a folder";
    assert!(error.contains(words), "{error}");
    let told = check("two", "demo.tar.sha256");
    assert_eq!(told, "demo.tar: OK\ninstaller-aarch64: OK\ninstaller-x86_64: OK\n");
    demo.ok(&["extract", "-C", "taken", "two/demo.tar", "--kind", "installers"]);
    assert_eq!(fs::read_to_string(demo.path("taken/installer-x86_64")).unwrap(), PROGRAM);
    assert_eq!(mode(&demo, "taken/installer-aarch64"), 0o755);
}

#[test]
fn a_dash_is_standard_output_or_refused_and_a_bundle_may_be_an_option() {
    let demo = start();
    let printed = demo.ok(&["init", "-"]);
    demo.ok(&["init", "new.yaml"]);
    assert_eq!(printed, fs::read_to_string(demo.path("new.yaml")).unwrap());
    let error = demo.fails(&["build", "-q", "-o", "-"]);
    assert!(error.contains("name a file"), "{error}");
    assert!(!demo.path("-").exists() && !demo.path("bundle.yaml.lock.json").exists());
    demo.ok(&["build", "-q"]);
    let good = demo.ok(&["verify", "-q", "demo.tar"]);
    assert_eq!(demo.ok(&["verify", "-q", "--bundle", "demo.tar"]), good);
    assert_eq!(demo.run(&["verify"]).status.code(), Some(2));
    let key = format!("{}/os/repodata/repomd.xml.key", demo.upstream.url());
    let repository = format!("os={}/os/,gpgkey={key}", demo.upstream.url());
    let found = demo.ok(&["resolve", "--repo", &repository, "--baseline", "none", "tar"]);
    assert!(found.contains("tar-"), "{found}");
    let repository = repository.replace("/os/repodata", "/docker-ce/repodata");
    demo.fails(&["resolve", "--repo", &repository, "--baseline", "none", "tar"]);
}
