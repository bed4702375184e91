//! The kubeadm that a bundle will carry is asked for its images: what a lock makes of
//! its answer, and what a hostile one can do.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use bundle_format::{Digest, Lock};
use bundler::fetch::checksum::Checksum;
use bundler::image::kubeadm::sandbox::{self, Unanswered};
use bundler::rpm::key::{ExpiredKeys, Keyring};
use bundler::rpm::node_rpm::NodeRpm;
use bundler::rpm::package_signature::{self, Signature, Verified};
use bundler::rpm::signed_program::{ProgramError, SignedProgram};
use upstream::{Content, KUBERNETES, SignedPackage, Upstream, signed_package};

use crate::support::demo::{BUNDLER, Demo, run_in};

const PATH: &str = "/usr/bin/kubeadm";

/// Whether programs can be confined here: the bundler says if not.
pub(crate) fn can_confine() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new("unshare");
    command.args(["--net", "--pid", "--fork", "--kill-child", "--root=/"]);
    command.args(if is_root { &["--setuid", "65534"][..] } else { &["--user"] });
    let works = command.arg("true").status().is_ok_and(|status| status.success());
    works && cfg!(target_arch = "x86_64")
}

/// A demo whose Kubernetes is the release 1.28.90, which is in no table.
fn later() -> Demo {
    let packages = KUBERNETES.replace("1.28.2-", "1.28.90-");
    let demo = Demo::of(Upstream::start_with_kubernetes(&packages).unwrap());
    demo.write_spec(&demo.spec().replace("version: 1.28.2", "version: 1.28.90"));
    demo
}

fn lock_of(demo: &Demo) -> Lock {
    let text = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_release_that_no_table_has_is_asked_once_and_built_anywhere() {
    if !can_confine() {
        return;
    }
    let demo = later();
    demo.ok(&["lock"]);
    assert_eq!(demo.upstream.requests().packages, 1);
    let names: Vec<String> =
        lock_of(&demo).images.iter().map(|image| image.name.to_string()).collect();
    for name in ["kube-proxy:v1.28.90", "etcd:3.5.9-0", "coredns/coredns:v1.10.1", "pause:3.9"] {
        assert!(names.contains(&format!("registry.k8s.io/{name}")), "{names:?}");
    }
    assert_eq!(lock_of(&demo).sandbox_image.unwrap().to_string(), "registry.k8s.io/pause:3.9");
    let before = fs::read(demo.path("bundle.yaml.lock.json")).unwrap();
    demo.ok(&["lock", "--check"]);
    demo.ok(&["lock", "--offline"]);
    assert!(before == fs::read(demo.path("bundle.yaml.lock.json")).unwrap());
    demo.ok(&["build", "-q", "--locked"]);
    let packages = lock_of(&demo).rpms.len() as u64;
    assert_eq!(demo.upstream.requests().packages, packages);

    // A build asks no kubeadm: it finds no `unshare`.
    let other = tempfile::tempdir().unwrap();
    for name in ["bundle.yaml", "bundle.yaml.lock.json"] {
        fs::copy(demo.path(name), other.path().join(name)).unwrap();
    }
    let output = run_in(other.path(), &other.path().join("cache"), &["build", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        fs::read(demo.path("demo.tar")).unwrap()
            == fs::read(other.path().join("demo.tar")).unwrap()
    );

    // A lock that does not say what kubeadm said, or something else, does not fit.
    let text = String::from_utf8(before).unwrap();
    for (from, to, words) in [
        ("\"component\": \"etcd\"", "\"component\": \"x\"", "kubeadm's images are not there"),
        ("kube-proxy:v1.28.90", "kube-proxy:v1.28.91", "kube-proxy:v1.28.90 is not there"),
    ] {
        let altered = text.replace(from, to);
        assert!(altered != text, "{from}");
        fs::write(demo.path("bundle.yaml.lock.json"), altered).unwrap();
        let error = demo.fails(&["build", "-q"]);
        assert!(error.contains("run `bundler lock`") && error.contains(words), "{error}");
    }
}

#[test]
fn a_kubeadm_that_contradicts_the_table_is_an_error_that_names_both() {
    if !can_confine() {
        return;
    }
    let packages = KUBERNETES.replace("kubeadm 3.5.9-0", "kubeadm 3.5.8-0");
    let demo = Demo::of(Upstream::start_with_kubernetes(&packages).unwrap());
    let error = demo.fails(&["lock"]);
    for words in [
        "kubeadm-1.28.2-150500.1.1.x86_64 needs etcd 3.5.8-0, CoreDNS v1.10.1, pause 3.9",
        "table has etcd 3.5.9-0",
        "kubernetes.kubeadmImages: listed",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // What the error says to do.
    let images = ["apiserver", "controller-manager", "scheduler", "proxy"]
        .map(|name| format!("  - registry.k8s.io/kube-{name}:v1.28.2\n"))
        .concat();
    let others = "  - registry.k8s.io/coredns/coredns:v1.10.1\n  - registry.k8s.io/pause:3.9\n  - \
                  registry.k8s.io/etcd:3.5.9-0\n";
    let spec = demo.spec().replace("1.28.2\n", "1.28.2\n  kubeadmImages: listed\n");
    demo.write_spec(&format!("{spec}\nimages:\n{images}{others}"));
    demo.ok(&["lock"]);
}

#[test]
fn a_temporary_folder_that_lets_no_program_run_is_told() {
    if !can_confine() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root mounts a folder noexec");
        return;
    }
    let demo = later();
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o noexec tmpfs \"$TMPDIR\" && exec \"$0\" lock";
    let mut lock = Command::new("unshare");
    lock.args(["--mount", "sh", "-c", mount, BUNDLER]);
    lock.current_dir(demo.path("")).env("TMPDIR", folder.path());
    let output = lock.env("XDG_CACHE_HOME", demo.path("cache")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = format!("folder {} is mounted noexec: set TMPDIR", folder.path().display());
    assert!(said.contains(&words), "{said}");
}

#[test]
fn whoever_is_not_to_be_trusted_is_not_asked() {
    let demo = later();
    let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key]\n";
    let spec = demo.spec();
    demo.write_spec(&spec.replace(keys, &format!("{keys}        gpgcheck: {{off: tried}}\n")));
    let error = demo.fails(&["lock"]);
    for words in [
        "the images of kubeadm 1.28.90 are not known",
        "`gpgcheck` is off",
        "nearest release there is 1.28.15",
        "kubeadm config images list --kubernetes-version v1.28.90",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // One that another has signed is refused, known or not.
    demo.write_spec(&spec.replace(keys, "keys: [URL/os/repodata/repomd.xml.key]\n").replace(
        "os/repodata/repomd.xml.key]\n      - id: docker",
        "os/repodata/repomd.xml.key]\n        repoGpgcheck: {off: tried}\n      - id: docker",
    ));
    // The package is whole. So it stays in the cache, and is not fetched again.
    for _ in 0..2 {
        let error = demo.fails(&["lock"]);
        assert!(error.contains("kubeadm-1.28.90") && error.contains("signed with key"), "{error}");
        assert_eq!(demo.upstream.requests().packages, 1);
    }
}

#[test]
fn a_host_without_the_programs_that_confine_says_nothing_of_it() {
    let demo = Demo::start();
    let mut lock = Command::new(BUNDLER);
    lock.arg("lock").current_dir(demo.path("")).env("XDG_CACHE_HOME", demo.path("cache"));
    let output = lock.env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("could not be asked"), "{said}");
}

#[test]
fn one_that_cannot_be_asked_leaves_the_table() {
    // A script runs nowhere without a shell. That is usual enough to say nothing of it.
    for (kubeadm, is_odd) in [("file /usr/bin/kubeadm", false), ("kubeadm broken", true)] {
        let packages = KUBERNETES.replace("kubeadm 3.5.9-0", kubeadm);
        let demo = Demo::of(Upstream::start_with_kubernetes(&packages).unwrap());
        let output = demo.run(&["lock"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let words = "warning: kubeadm-1.28.2-150500.1.1.x86_64 could not be asked";
        assert_eq!(said.contains(words), is_odd && can_confine(), "{said}");
        // What another host would not say is not in the lock.
        assert!(!lock_of(&demo).warnings.iter().any(|warning| warning.contains("asked")));
    }
}

fn verified(package: &SignedPackage, name: &str, is_checked: bool) -> Verified {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rpm"), &package.rpm).unwrap();
    let mut keyring = Keyring::default();
    keyring.add("key", package.key.as_bytes()).unwrap();
    let signature = Signature::By {
        keyring: &keyring,
        expired: ExpiredKeys::Refuse,
        metadata_is_signed: true,
        node_rpm: NodeRpm::Newer,
    };
    let signature = if is_checked { signature } else { Signature::Unchecked };
    let file = File::open(folder.path().join("rpm")).unwrap();
    let checksum = Checksum::from(Digest::of(&package.rpm));
    let name = format!("{name}-1-1.noarch").parse().unwrap();
    package_signature::verify(file, &name, &checksum, signature, SystemTime::now()).unwrap()
}

#[test]
fn only_a_signed_package_gives_a_program_and_only_a_file() {
    let program = signed_package("kubeadm", PATH, Content::Program(b"program")).unwrap();
    let package = verified(&program, "kubeadm", true);
    assert_eq!(SignedProgram::of(&package, PATH).unwrap().bytes(), b"program");
    let error = SignedProgram::of(&package, "/usr/bin/other").unwrap_err();
    assert!(matches!(error, ProgramError::Missing(_)), "{error}");
    let error = SignedProgram::of(&verified(&program, "kubeadm", false), PATH).unwrap_err();
    assert!(matches!(error, ProgramError::Unsigned), "{error}");
    let link = signed_package("kubeadm", PATH, Content::Link("/bin/sh")).unwrap();
    let error = SignedProgram::of(&verified(&link, "kubeadm", true), PATH).unwrap_err();
    assert!(matches!(error, ProgramError::Kind(_)), "{error}");
}

fn program(bytes: &[u8]) -> SignedProgram {
    let package = signed_package("kubeadm", PATH, Content::Program(bytes)).unwrap();
    SignedProgram::of(&verified(&package, "kubeadm", true), PATH).unwrap()
}

fn asked(program: &SignedProgram, version: &str) -> Result<String, Unanswered> {
    sandbox::list(program, &version.parse().unwrap())
}

fn compile(folder: &Path, port: u16) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/kubeadm_asked/hostile.rs");
    let path = folder.join("kubeadm");
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition=2024",
        "-Cpanic=abort",
        "-Ctarget-feature=+crt-static",
        "-Cstrip=symbols",
    ]);
    let status = rustc.arg(source).arg("-o").arg(&path).env("PORT", port.to_string()).status();
    assert!(status.unwrap().success());
    fs::read(path).unwrap()
}

#[test]
fn a_hostile_kubeadm_gets_nothing_and_stops_nobody() {
    if !can_confine() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let bytes = compile(folder.path(), listener.local_addr().unwrap().port());
    let hostile = program(&bytes);
    let fails = |patch: u32| match asked(&hostile, &format!("1.99.{patch}")) {
        Err(Unanswered::Failed(reason)) => reason,
        other => panic!("{patch}: {other:?}"),
    };

    let begun = Instant::now();
    assert_eq!(fails(1), "it did not answer in time");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(fails(2), "it wrote more than 65536 bytes");
    assert!(asked(&hostile, "1.99.3").unwrap().contains("not an image"));
    let error = fails(4);
    assert!(error.contains("exit status: 1: no") && !error.contains('\u{1b}'), "{error}");
    let error = fails(5);
    assert!(error.contains("unreachable"), "{error}");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(asked(&hostile, "1.99.6"), Ok(String::new()));
    let error = fails(7);
    // itself, and the folder with the empty list of routes
    assert!(error.contains("0 variables, 2 names, in /"), "{error}");
    assert!(fails(8).contains("memory allocation"));
    assert!(!hostile_runs(), "a process is left");
    let mut elsewhere = bytes;
    // ELF's `e_machine` of 64-bit ARM.
    elsewhere[18] = 0xb7;
    for bytes in [&elsewhere[..], b"#!/bin/sh\necho\n"] {
        let error = asked(&program(bytes), "1.99.0").unwrap_err();
        assert!(matches!(error, Unanswered::NotHere(_)), "{error}");
    }
}

/// Whether a process of the hostile program still runs.
fn hostile_runs() -> bool {
    let lines = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.starts_with("/kubeadm\0") && line.contains("v1.99."))
}
