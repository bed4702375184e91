//! The whole way over real upstreams: packages by rpmbuild, signed by rpmsign,
//! in a repository of createrepo_c behind nginx; images in docker-registry with
//! TLS and a password, and with tokens. At the end dnf takes the packages out of
//! the bundle with gpgcheck on, and containerd takes the images.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use bundle_format::architecture::Architecture::{Aarch64, X86_64};

use crate::real_registry::image::Content;
use crate::real_registry::{PASSWORD, RealRegistry, USER};

const BUNDLER: &str = env!("CARGO_BIN_EXE_bundler");

/// Packages with what they require; their files are Debian's own programs.
const PACKAGES: [(&str, &str, &str, &str, &[&str]); 10] = [
    (
        "kubelet",
        "1.28.2",
        "0",
        "",
        &["kubernetes-cni >= 1.2.0", "socat", "conntrack", "/usr/sbin/runc-shim"],
    ),
    ("kubeadm", "1.28.2", "0", "", &["kubelet >= 1.19", "kubectl >= 1.19", "cri-tools >= 1.28.0"]),
    ("kubectl", "1.28.2", "0", "", &[]),
    ("kubectl", "501.0.0", "1", "", &[]),
    ("cri-tools", "1.28.0", "0", "", &[]),
    ("kubernetes-cni", "1.2.0", "0", "", &[]),
    ("containerd.io", "1.6.25", "3.1", "/usr/bin/containerd", &["container-selinux >= 2:2.74"]),
    ("container-selinux", "2.119.2", "1", "", &[]),
    ("socat", "1.7.4", "1", "/usr/bin/tar", &["(conntrack or nothing-of-the-kind)"]),
    ("conntrack-tools", "1.4.4", "7", "/usr/bin/gzip", &[]),
];

fn has_all(tools: &[&str]) -> bool {
    let missing: Vec<&&str> = tools
        .iter()
        .filter(|tool| {
            !Command::new("sh")
                .args(["-c", &format!("command -v {tool}")])
                .output()
                .unwrap()
                .status
                .success()
        })
        .collect();
    if !missing.is_empty() {
        println!("skipped: {missing:?} not installed");
    }
    missing.is_empty()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {error}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    output
}

/// A signed repository in `folder`, and its key in `key.asc`.
fn make_repository(folder: &Path) {
    let home = folder.join("gnupg");
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = || {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", &home).args([
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ]);
        gpg
    };
    run(gpg().args([
        "--quick-generate-key",
        "Vendor <vendor@example.com>",
        "rsa3072",
        "sign",
        "never",
    ]));
    let key = run(gpg().args(["--armor", "--export", "vendor@example.com"])).stdout;
    fs::write(folder.join("key.asc"), key).unwrap();

    let packages = folder.join("repository/Packages");
    for (index, (name, version, release, content, requires)) in PACKAGES.iter().enumerate() {
        let mut spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: x\nLicense: x\nBuildArch: x86_64\n\
             AutoReqProv: no\n"
        );
        if *name == "container-selinux" {
            spec.push_str("Epoch: 2\n");
        }
        if *name == "conntrack-tools" {
            spec.push_str("Provides: conntrack = 1.4.4\n");
        }
        for requirement in *requires {
            spec.push_str(&format!("Requires: {requirement}\n"));
        }
        let file = match *name {
            "kubernetes-cni" => "/usr/sbin/runc-shim".to_owned(),
            _ => format!("/opt/{name}/program"),
        };
        let source = if content.is_empty() { "/usr/bin/env" } else { content };
        spec.push_str(&format!(
            "%description\nx\n%install\nmkdir -p $(dirname %{{buildroot}}{file})\ncp {source} %{{buildroot}}{file}\n%files\n{file}\n"
        ));
        let path = folder.join(format!("{index}.spec"));
        fs::write(&path, spec).unwrap();
        let build = folder.join(format!("build{index}"));
        let root = build.display();
        run(Command::new("rpmbuild").args(["-bb", "--target", "x86_64"]).arg(&path).args([
            "--define",
            &format!("_topdir {root}"),
            "--define",
            &format!("_rpmdir {}", packages.display()),
            "--define",
            "_binary_payload w1.gzdio",
            "--define",
            "debug_package %{nil}",
            "--define",
            "__os_install_post %{nil}",
        ]));
    }
    let mut rpms = Vec::new();
    for entry in fs::read_dir(packages.join("x86_64")).unwrap() {
        rpms.push(entry.unwrap().path());
    }
    assert_eq!(rpms.len(), PACKAGES.len());
    run(Command::new("rpmsign")
        .env("GNUPGHOME", &home)
        .args([
            "--define",
            "_gpg_name vendor@example.com",
            "--define",
            "__gpg /usr/bin/gpg",
            "--addsign",
        ])
        .args(&rpms));
    let repository = folder.join("repository");
    run(Command::new("createrepo_c").arg("--quiet").arg(&repository));
    run(gpg().args(["--armor", "--detach-sign"]).arg(repository.join("repodata/repomd.xml")));
}

/// nginx over a folder, ended when dropped.
struct Nginx {
    process: Child,
    url: String,
}

impl Nginx {
    fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = folder.display();
        let config = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;\n\
             uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;\n\
             server {{ listen 127.0.0.1:{port}; root {at}/repository; }} }}\n"
        );
        fs::write(folder.join("nginx.conf"), config).unwrap();
        let process =
            Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).spawn().unwrap();
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, url: format!("http://127.0.0.1:{port}/") }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_bundle_from_real_upstreams_goes_into_dnf() {
    if !has_all(&[
        "rpmbuild",
        "rpmsign",
        "createrepo_c",
        "gpg",
        "nginx",
        "dnf",
        "skopeo",
        "docker-registry",
    ]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    make_repository(at);
    let nginx = Nginx::start(at);
    let (Some(private), Some(tokens)) = (RealRegistry::tls_basic(), RealRegistry::token()) else {
        return;
    };
    for name in ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"] {
        private
            .push_image(&format!("mirror/{name}:v1.28.2"), &Content::Index(vec![X86_64, Aarch64]));
    }
    private.push_image("mirror/pause:3.9", &Content::Index(vec![X86_64, Aarch64]));
    private.push_image("mirror/etcd:3.5.9-0", &Content::Docker(X86_64));
    private.push_image("mirror/coredns:v1.10.1", &Content::Oci(X86_64));
    let digest = tokens.push_image("public/web:v1", &Content::Index(vec![X86_64]));
    fs::copy(private.ca(), at.join("ca.crt")).unwrap();
    fs::write(
        at.join("web.yaml"),
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n  - name: web\n    image: {}/public/web:v1@{digest}\n",
            tokens.host()
        ),
    )
    .unwrap();
    let spec = format!(
        "name: real\n\
         kubernetes: {{version: 1.28.2, repository: os, pullFrom: '{private}/mirror'}}\n\
         containerd: {{version: 1.6.25}}\n\
         targets:\n- family: debianish\n  architecture: x86_64\n  baseline: none\n  repositories:\n\
         \x20 - {{id: os, baseUrl: '{yum}', keys: [key.asc]}}\n\
         manifests: [{{name: web, file: web.yaml}}]\n\
         registries:\n  '{private}': {{ca: ca.crt, credentials: {{userVariable: U, passwordVariable: P}}}}\n\
         \x20 '{tokens}': {{plainHttp: a test}}\n\
         installers: []\n",
        private = private.host(),
        tokens = tokens.host(),
        yum = nginx.url,
    );
    fs::write(at.join("bundle.yaml"), spec).unwrap();
    let bundler = |arguments: &[&str]| {
        let mut command = Command::new(BUNDLER);
        command
            .args(arguments)
            .current_dir(at)
            .env("XDG_CACHE_HOME", at.join("cache"))
            .env("U", USER)
            .env("P", PASSWORD);
        command
    };
    run(&mut bundler(&["lock"]));
    let lock = fs::read_to_string(at.join("bundle.yaml.lock.json")).unwrap();
    assert!(!lock.contains(PASSWORD));
    run(&mut bundler(&["build", "-q"]));
    run(&mut bundler(&["verify", "-q", "real.tar"]));
    run(&mut bundler(&["extract", "-C", "out", "real.tar"]));

    // As a node would: dnf, only this repository, gpgcheck on.
    let rpms = at.join("out/rpms/debianish-x86_64");
    let key = at.join("out/keys/debianish-x86_64/os-1.asc");
    let mut installed = Command::new("dnf");
    installed.args([
        "-y",
        "--disableplugin=*",
        "--forcearch=x86_64",
        "--releasever=9",
        "--downloadonly",
    ]);
    for option in [
        format!("--installroot={}/root", at.display()),
        format!("--setopt=cachedir={}/dnf", at.display()),
        format!("--setopt=reposdir={}/none", at.display()),
        format!("--repofrompath=bundle,file://{}", rpms.display()),
        "--repo=bundle".to_owned(),
        "--setopt=bundle.gpgcheck=1".to_owned(),
        format!("--setopt=bundle.gpgkey=file://{}", key.display()),
    ] {
        installed.arg(option);
    }
    run(installed.args(["install", "kubeadm", "containerd.io"]));
    let carried = fs::read_dir(&rpms)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name() != "repodata")
        .count();
    assert_eq!(carried, PACKAGES.len() - 1, "all but the kubectl of another kind");
    assert!(!lock.contains("501.0.0"));

    // A package that was altered on the mirror is refused by name.
    let victim = at.join("repository/Packages/x86_64/socat-1.7.4-1.x86_64.rpm");
    let mut bytes = fs::read(&victim).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&victim, bytes).unwrap();
    fs::remove_dir_all(at.join("cache")).unwrap();
    let refused = bundler(&["build", "-q", "-o", "bad.tar"]).output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error.contains("socat-1.7.4-1.x86_64") && !error.contains(PASSWORD), "{error}");
    assert!(!at.join("bad.tar").exists());
    // And without the password nothing is pulled, with a word on what to do.
    let refused = bundler(&["lock"]).env("P", "wrong").output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("401") || error.contains("password"), "{error}");
}
