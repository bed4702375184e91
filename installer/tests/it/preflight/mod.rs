//! What nodes and sites have that a cluster does not accept, each by itself: refused or
//! warned of, with its cure; and what is right is told by nobody.

mod disks;
mod kernel;
mod manifests;
mod networks;
mod virtual_address;

use Told::{Nothing, Problem, Warning};
use disks::mounted;
use installer::intent::Intent;
use installer::node::join::Machine;
use installer::node::os_release::OsRelease;
use installer::preflight;
use installer::role::Role;

use crate::node::text::write;
use crate::node::{Node, kinds};

/// The problems, and then the warnings, each with its cure below it.
fn told(node: &Node, intent: &Intent) -> [Vec<String>; 2] {
    let host = node.look(None).0;
    [preflight::problems(&host, intent), preflight::warnings(&host, intent)]
        .map(|all| all.iter().map(|one| format!("{one}\n{}", one.cure())).collect())
}

/// What is to be told of a node that has these files besides.
enum Told {
    Nothing,
    Problem(&'static str),
    Warning(&'static str),
}

/// Checks that just this is told of a bare node with these files.
fn check(role: Role, files: &[(&str, &str)], change: fn(&mut Intent), wanted: &Told) {
    let node = kinds::bare(role);
    for (path, text) in files {
        write(&node, path, text);
    }
    let mut intent = node.intent();
    change(&mut intent);
    let [problems, warnings] = told(&node, &intent);
    let (problem, warning) = match wanted {
        Nothing => (None, None),
        Problem(words) => (Some(words), None),
        Warning(words) => (None, Some(words)),
    };
    for (all, words) in [(&problems, problem), (&warnings, warning)] {
        assert_eq!(all.len(), usize::from(words.is_some()), "{files:?}: {problems:?} {warnings:?}");
        if let Some(words) = words {
            assert!(all[0].contains(words), "{words}: {all:?}");
        }
    }
}

#[test]
fn a_match_without_a_version_takes_other_releases() {
    for (own, wanted) in [
        ("el9", Nothing),
        (
            "el8",
            Warning(
                "packages for this node are el9's, and it says PLATFORM_ID=platform:el8\nadd VERSION_ID",
            ),
        ),
        ("openeuler22", Nothing),
    ] {
        let node = kinds::bare(Role::Worker);
        let mut intent = node.intent();
        let release = format!("ID=rocky\nVERSION_ID=9.3\nPLATFORM_ID=platform:{own}\n");
        intent.facts.release = OsRelease::parse(&release);
        let [problems, warnings] = told(&node, &intent);
        assert_eq!(problems, [""; 0]);
        match wanted {
            Warning(words) => {
                assert!(warnings.len() == 1 && warnings[0].contains(words), "{warnings:?}");
            }
            _ => assert_eq!(warnings, [""; 0]),
        }
    }
}

fn as_it_is(_: &mut Intent) {}

#[test]
fn a_bare_node_is_well() {
    for role in [Role::Master, Role::Worker] {
        check(role, &[], as_it_is, &Nothing);
    }
}

#[test]
fn names_and_copies() {
    let long: fn(&mut Intent) = |intent| {
        intent.name = format!("{}.site", "n".repeat(59)).try_into().unwrap();
    };
    check(Role::Master, &[], long, &Problem("this node's name has 64 characters, more than 63"));
    let fits: fn(&mut Intent) = |intent| {
        intent.name = format!("{}.site", "n".repeat(58)).try_into().unwrap();
    };
    check(Role::Master, &[], fits, &Nothing);
    const ID: &str = "etc/machine-id";
    for empty in ["", "uninitialized\n"] {
        check(Role::Master, &[(ID, empty)], as_it_is, &Warning("has no machine ID"));
    }
    let knows: fn(&mut Intent) = |intent| {
        let machine = |name: &str, id: &str, uuid: &str| Machine {
            name: name.to_owned().try_into().unwrap(),
            machine_id: id.to_owned(),
            product_uuid: uuid.to_owned(),
        };
        intent.join.as_mut().unwrap().machines =
            vec![machine("master", "3d12", "4C4C-0044"), machine("node-1", "77", "77-78-79")];
    };
    const UUID: &str = "sys/class/dmi/id/product_uuid";
    for (path, text, wanted) in [
        (ID, "3d12\n", Problem("has the machine ID of master")),
        (ID, "3d13\n", Nothing),
        // It was here before, and enters anew.
        (ID, "77\n", Nothing),
        (UUID, "4c4c-0044\n", Warning("has the product UUID of master")),
        (UUID, "4c4c-0045\n", Nothing),
    ] {
        check(Role::Worker, &[(path, text)], knows, &wanted);
    }
}

#[test]
fn what_others_have_left_or_run() {
    for (path, text, wanted) in [
        ("usr/local/bin/kubeadm", "", Problem("in place of ours: /usr/local/bin/kubeadm")),
        (
            "etc/systemd/system/kubelet.service",
            "",
            Problem("mv /etc/systemd/system/kubelet.service"),
        ),
        ("usr/local/bin/kubectl", "", Warning("run in place of ours: /usr/local/bin/kubectl")),
        (
            "var/lib/rancher/k3s/agent",
            "",
            Warning("k3s was on this node: /var/lib/rancher/k3s is left"),
        ),
        (
            "var/lib/rancher/rke2/bin",
            "",
            Warning("if nobody needs it: `rke2-uninstall.sh`, or `rm -r"),
        ),
        ("var/lib/k0s/bin", "", Warning("k0s was on this node")),
        ("var/snap/microk8s/common", "", Warning("MicroK8s was on this node")),
        ("sys/class/net/cni0/mtu", "1450\n", Warning("addresses: cni0\n`ip link delete cni0`")),
        ("run/systemd/enabled/nm-cloud-setup.timer", "", Nothing),
        ("run/systemd/active/fapolicyd", "", Problem("fapolicyd runs")),
    ] {
        check(Role::Worker, &[(path, text)], as_it_is, &wanted);
    }
    // They run, or start at the next boot, or their containers are left.
    for (folder, file, text) in [
        ("var/lib/rancher/k3s/agent", "run/systemd/active/k3s-agent", String::new()),
        ("var/lib/rancher/k3s/agent", "run/systemd/enabled/k3s", String::new()),
        ("var/lib/rancher/rke2/agent", "run/systemd/enabled/rke2-server", String::new()),
        ("var/lib/k0s/bin", "run/systemd/active/k0sworker", String::new()),
        ("var/snap/microk8s/x", "run/systemd/active/snap.microk8s.daemon-kubelite", String::new()),
        (
            "var/lib/rancher/k3s/agent",
            "proc/self/mountinfo",
            mounted(
                "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs",
                "rw",
                "overlay",
            ),
        ),
    ] {
        let files = [(folder, ""), (file, text.as_str())];
        check(Role::Worker, &files, as_it_is, &Problem("runs on this node, or starts at its boot"));
    }
    // Without its settings nm-cloud-setup does nothing.
    let timer = ("run/systemd/enabled/nm-cloud-setup.timer", "");
    let drop_in = "etc/systemd/system/nm-cloud-setup.service.d/10-rh-enable-for-ec2.conf";
    let unit = "usr/lib/systemd/system/nm-cloud-setup.service";
    let file = "etc/sysconfig/nm-cloud-setup";
    let on = Problem("nm-cloud-setup.timer is on");
    for (files, wanted) in [
        (vec![(unit, "[Service]\n#Environment=NM_CLOUD_SETUP_EC2=yes\n")], &Nothing),
        (vec![(drop_in, "[Service]\nEnvironment=NM_CLOUD_SETUP_EC2=yes\n")], &on),
        (vec![(drop_in, "[Service]\nEnvironment=\"NM_CLOUD_SETUP_AZURE=1\"\n")], &on),
        (
            vec![(drop_in, "[Service]\nEnvironment=NM_CLOUD_SETUP_EC2=no NM_CLOUD_SETUP_LOG=1\n")],
            &Nothing,
        ),
        (
            vec![
                (drop_in, "[Service]\nEnvironmentFile=-/etc/sysconfig/nm-cloud-setup\n"),
                (file, "NM_CLOUD_SETUP_GCP=yes\n"),
            ],
            &on,
        ),
    ] {
        let files: Vec<_> = files.into_iter().chain([timer]).collect();
        check(Role::Worker, &files, as_it_is, wanted);
    }
    let running = ("run/systemd/active/fapolicyd", "");
    for other in [
        ("etc/fapolicyd/fapolicyd.conf", "permissive = 1\n"),
        ("etc/fapolicyd/rules.d/30-k8s.rules", "allow perm=any all : dir=/opt/cni/bin/\n"),
        ("etc/fapolicyd/rules.d/30-site.rules", "allow perm=any uid=0 : all\n"),
        ("etc/fapolicyd/rules.d/30-site.rules", "allow_audit perm=execute all : dir=/opt/\n"),
    ] {
        check(Role::Worker, &[running, other], as_it_is, &Nothing);
    }
    for other in ["allow perm=open all : all\n", "allow perm=any uid=0 trust=1 : all\n"] {
        let rules = ("etc/fapolicyd/rules.d/95-allow-open.rules", other);
        check(Role::Worker, &[running, rules], as_it_is, &Problem("fapolicyd runs"));
    }
}
