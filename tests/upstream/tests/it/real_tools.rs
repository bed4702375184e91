//! The embedded upstream as the real tools see it: what they accept is a true
//! stand-in for what is out there.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::tempdir;
use upstream::Upstream;

/// Runs a program; `None`, with a word on stdout, if there is none here.
fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: no {} here", command.get_program().display());
            None
        }
        output => Some(output.unwrap()),
    }
}

/// The standard output of a program that must succeed.
fn succeed(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// dnf with our repositories, signatures checked, and an empty root.
fn dnf(upstream: &Upstream, root: &Path, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new("dnf");
    command.args(["--quiet", "--assumeyes", "--forcearch=x86_64", "--releasever=9"]);
    command.arg(format!("--installroot={}", root.display()));
    command.arg(format!("--setopt=cachedir={}/cache", root.display()));
    command.arg("--setopt=reposdir=/nonexistent");
    for id in ["os", "kubernetes", "docker-ce"] {
        command.arg(format!("--repofrompath={id},{}", upstream.repository_url(id)));
        command.arg(format!("--setopt={id}.gpgkey=file://{}", upstream.key_path(id).display()));
        command.arg(format!("--setopt={id}.gpgcheck=1"));
        command.arg(format!("--setopt={id}.repo_gpgcheck=1"));
        command.arg(format!("--repo={id}"));
    }
    run(command.args(arguments))
}

#[test]
fn dnf_reads_the_signed_repositories() {
    let (upstream, root) = (Upstream::start().unwrap(), tempdir().unwrap());
    let Some(output) = dnf(
        &upstream,
        root.path(),
        &["repoquery", "--repo=kubernetes", "--qf=%{name}-%{evr}.%{arch}", "*"],
    ) else {
        return;
    };
    let found = succeed(&output);
    for package in ["kubelet-1.28.2-150500.1.1.x86_64", "kubernetes-cni-1.2.0-150500.2.1.x86_64"] {
        assert!(found.lines().any(|line| line == package), "{package} in {found}");
    }
    assert!(upstream.requests().repodata > 0);
}

#[test]
fn dnf_downloads_a_closure_and_accepts_every_signature() {
    let (upstream, root) = (Upstream::start().unwrap(), tempdir().unwrap());
    let Some(output) = dnf(
        &upstream,
        root.path(),
        &[
            "install",
            "--downloadonly",
            "--setopt=excludepkgs=kubectl-501*",
            "@core",
            "kubeadm-1.28.2",
            "containerd.io-1.6.25",
            "chrony",
            "nfs-utils",
            "ipvsadm",
            "ipset",
            "iproute-tc",
            "tar",
        ],
    ) else {
        return;
    };
    succeed(&output);
    assert!(upstream.requests().packages > 40, "{:?}", upstream.requests());
}

#[test]
fn rpm_accepts_a_package_with_the_key_and_not_without() {
    let (upstream, root) = (Upstream::start().unwrap(), tempdir().unwrap());
    let packages = upstream.key_path("os").parent().unwrap().with_file_name("Packages");
    let package = packages.join("bash-5.1.8-6.el9.x86_64.rpm");
    let rpmkeys = |argument: &str, path: &Path| {
        let mut command = Command::new("rpmkeys");
        command.arg(format!("--dbpath={}", root.path().display())).arg(argument).arg(path);
        run(&mut command)
    };
    let Some(without) = rpmkeys("--checksig", &package) else { return };
    assert!(!without.status.success(), "{without:?}");
    succeed(&rpmkeys("--import", &upstream.key_path("os")).unwrap());
    let with = succeed(&rpmkeys("--checksig", &package).unwrap());
    assert!(with.contains("digests signatures OK"), "{with}");
}

#[test]
fn gpg_accepts_the_signature_of_the_metadata() {
    let (upstream, home) = (Upstream::start().unwrap(), tempdir().unwrap());
    let key = upstream.key_path("kubernetes");
    let keyring = home.path().join("keyring.gpg");
    let gpg = || {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(home.path()).args(["--batch", "--no-autostart"]);
        command
    };
    let Some(output) = run(gpg().arg("--dearmor").arg("--output").arg(&keyring).arg(&key)) else {
        return;
    };
    succeed(&output);
    let repomd = key.with_file_name("repomd.xml");
    let verify = |signature: &str| {
        let mut command = gpg();
        command.args(["--no-default-keyring", "--trust-model=always", "--keyring"]).arg(&keyring);
        run(command.arg("--verify").arg(key.with_file_name(signature)).arg(&repomd)).unwrap()
    };
    succeed(&verify("repomd.xml.asc"));
    std::fs::write(&repomd, "another").unwrap();
    assert!(!verify("repomd.xml.asc").status.success());
}

#[test]
fn skopeo_pulls_every_form_of_image_through_a_token() {
    let (upstream, directory) = (Upstream::start().unwrap(), tempdir().unwrap());
    for (number, (image, everything)) in [
        ("pause:3.9", true),
        ("pause:3.9", false),
        ("etcd:3.5.9-0", false),
        ("calico/kube-controllers:v3.26.4", false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--src-tls-verify=false"]);
        command.args(["--override-os=linux", "--override-arch=amd64"]);
        if everything {
            command.arg("--all");
        }
        command.arg(format!("docker://{}/{image}", upstream.host()));
        command.arg(format!("dir:{}/{number}", directory.path().display()));
        let Some(output) = run(&mut command) else { return };
        succeed(&output);
    }
    let requests = upstream.requests();
    assert!(requests.tokens > 0 && requests.blobs > 0, "{requests:?}");
}
