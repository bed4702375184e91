//! A bundle on a stick, in a node: with stock tools alone its packages are
//! installed and its images are run by containerd's CRI, also after the power
//! was lost in the middle.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lab::{Node, Settings, cluster};
use serde_json::Value;

use crate::application::wait;
use crate::support::{connected_host, lab, words};

/// Takes the bundle apart and gives dnf no repository but its packages.
const EXTRACT: &str = "set -e
/media/usb/bundler extract --folder /root/out /media/usb/lab.tar
cat >/etc/yum.repos.d/bundle.repo <<REPO
[bundle]
name=bundle
baseurl=file:///root/out/rpms/el9-x86_64
gpgcheck=1
gpgkey=$(printf 'file://%s ' /root/out/keys/el9-x86_64/*.asc)
REPO
";

/// Installs all packages of the bundle.
const INSTALL: &str = "set -e
cd /root/out/rpms/el9-x86_64
dnf --assumeyes --quiet install $(ls *.rpm | sed 's/\\.rpm$//')
";

/// Imports all images, by a containerd with CRI whose sandbox is `PAUSE`.
const IMPORT: &str = "set -e
cat >/etc/containerd/config.toml <<CONFIG
version = 2
[plugins.\"io.containerd.grpc.v1.cri\"]
  sandbox_image = \"PAUSE\"
CONFIG
systemctl restart containerd
ctr -n k8s.io images import --platform linux/amd64 - </media/usb/lab.tar
";

#[test]
fn a_bundle_installs_from_a_stick_whenever_the_power_fails() {
    let Some(host) = connected_host() else { return };
    let (lock, bundle) = host.bundle();
    // The nodes do not see the upstream, and it is not needed any more.
    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let node = &lab.nodes()[0];
    node.insert(&lab::program("bundler").unwrap()).unwrap();
    node.insert(&bundle).unwrap();
    assert!(!node.exec(["touch", "/media/usb/note"]).unwrap().status.success());
    shell(node, EXTRACT);

    let installed = || words(&node.exec(["rpm", "-qa"]).unwrap());
    kill_when(node, INSTALL, || installed().contains("conntrack-tools"));
    node.start().unwrap();
    shell(node, INSTALL);
    let found: BTreeSet<String> = installed().lines().map(without_epoch).collect();
    for rpm in lock["rpms"].as_array().unwrap() {
        let package = without_epoch(rpm["package"].as_str().unwrap());
        assert!(found.contains(&package), "{package} of {found:?}");
    }
    assert!(!installed().contains("gpg-pubkey-0"));

    let names = image_names(&lock);
    let pause = names.iter().find(|name| name.contains("/pause:")).unwrap();
    let import = IMPORT.replace("PAUSE", pause);
    // containerd 2.3 names the images only when it has all of their contents.
    let contents = || {
        let blobs = "find /var/lib/containerd/io.containerd.content.v1.content/blobs -type f";
        words(&node.exec(blobs.split(' ')).unwrap()).lines().count()
    };
    kill_when(node, &import, || contents() > 8);
    node.start().unwrap();
    shell(node, &import);
    // CRI learns of what `ctr` imports by containerd's events, a moment later.
    for name in names {
        wait(&format!("CRI to know {name}"), || {
            node.exec(["crictl", "inspecti", &name]).unwrap().status.success()
        });
    }
    // A sandbox of the pause image starts, so what was imported is whole.
    shell(node, "ctr -n k8s.io run --rm registry.lab.example/web:1.0 test cat /etc/passwd");
}

/// Forty sectors of the bundle on the stick have other bytes than they should.
#[test]
#[ignore = "takes a minute: scripts/nightly"]
fn a_stick_with_forty_bad_sectors_installs() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let folder = tempfile::tempdir().unwrap();
    let (bad, parity) = (folder.path().join("lab.tar"), folder.path().join("lab.tar.parity"));
    fs::copy(&bundle, &bad).unwrap();
    let bundler = lab::program("bundler").unwrap();
    let made = Command::new(bundler).args(["parity", "-q"]).arg(&bad).status().unwrap();
    assert!(made.success());
    let file = File::options().write(true).open(&bad).unwrap();
    let mut random = fastrand::Rng::with_seed(40);
    let sectors = file.metadata().unwrap().len() / 512;
    let chosen: BTreeSet<u64> = (0..40).map(|_| random.u64(..sectors)).collect();
    for sector in chosen {
        file.write_all_at(&[0x5a; 512], sector * 512).unwrap();
    }

    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let node = &lab.nodes()[0];
    cluster::insert_stick(&lab, &bad).unwrap();
    node.insert(&parity).unwrap();
    cluster::master(node, "").unwrap();
    let verified = node.exec([cluster::INSTALLER, "verify"]).unwrap();
    assert!(verified.status.success());
    let said = String::from_utf8(verified.stderr).unwrap();
    assert!(said.contains("chunks of 4 KiB were damaged, and /media/usb/lab.tar.parity"), "{said}");
}

fn shell(node: &Node, script: &str) -> String {
    node.run(["sh", "-c", script]).unwrap()
}

/// Pulls the node's plug while `script` runs in it, once `reached` is true.
fn kill_when(node: &Node, script: &str, reached: impl Fn() -> bool) {
    thread::scope(|scope| {
        let running = scope.spawn(|| node.exec(["sh", "-c", script]));
        let end = Instant::now() + Duration::from_secs(60);
        while !reached() {
            assert!(!running.is_finished(), "it ended before: {}", {
                words(&running.join().unwrap().unwrap())
            });
            assert!(Instant::now() < end, "it was not reached");
        }
        assert!(!running.is_finished(), "it ended before the power did");
        node.kill().unwrap();
        let output = running.join().unwrap().unwrap();
        assert!(!output.status.success(), "{}", words(&output));
    });
}

/// Each image under its names: by tag, and by digest.
fn image_names(lock: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for image in lock["images"].as_array().unwrap() {
        let name = image["name"].as_str().unwrap();
        let digest = image["root"]["digest"].as_str().unwrap();
        let tagged = name.split('@').next().unwrap();
        let repository = tagged.rsplit_once(':').unwrap().0;
        names.extend([name.to_owned(), format!("{repository}@{digest}")]);
    }
    names
}

/// `rpm -qa` shows no epoch.
fn without_epoch(package: &str) -> String {
    match package.split_once(':') {
        Some((name, rest)) => format!("{}-{rest}", name.rsplit_once('-').unwrap().0),
        None => package.to_owned(),
    }
}
