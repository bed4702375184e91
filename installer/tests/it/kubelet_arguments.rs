//! Arguments that a site's files give kubelet: those with which the bundle's does not
//! start, or that outdo its configuration, are told before anything is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_format::KubernetesVersion;
use bundle_format::cluster::ProxyMode;
use installer::engine::run;
use installer::failure::describe;
use installer::intent::Intent;
use installer::preflight;
use installer::role::Role;

use crate::node::intent::write_bundle_of;
use crate::node::member::Member;
use crate::node::text::write;
use crate::node::{Node, kinds};

const SITE: &str = "etc/sysconfig/kubelet";
const DROP_IN: &str = "etc/systemd/system/kubelet.service.d/10-kubeadm.conf";

/// What is to become of a node, of a bundle with this Kubernetes.
fn intent(node: &Node, kubernetes: &str) -> Intent {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    write_bundle_of(&path, &[], |lock| lock.kubernetes = kubernetes.parse().unwrap());
    let bundle = bundle_format::archive::reader::Bundle::open(&path).unwrap();
    Intent { bundle, ..node.intent() }
}

/// The problems with kubelet's arguments.
fn told(files: &[(&str, &str)], kubernetes: &str) -> Vec<String> {
    told_with("gives kubelet", files, kubernetes)
}

/// Those problems that have these words.
fn told_with(words: &str, files: &[(&str, &str)], kubernetes: &str) -> Vec<String> {
    let node = kinds::bare(Role::Worker);
    files.iter().for_each(|(path, text)| write(&node, path, text));
    let problems = preflight::problems(&node.look(None).0, &intent(&node, kubernetes));
    let all = problems.iter().map(|one| format!("{one}; {}", one.cure()));
    all.filter(|one| one.contains(words)).collect()
}

#[test]
fn arguments_that_are_gone_are_told_with_file_line_and_release() {
    let site =
        "# by hand\nKUBELET_EXTRA_ARGS=\"--v=2 --allow-privileged=true --cadvisor-port=0\"\n";
    assert_eq!(
        told(&[(SITE, site)], "1.28.2"),
        [
            "/etc/sysconfig/kubelet, line 2, gives kubelet --allow-privileged, which Kubernetes \
             1.15 removed: kubelet does not start with it; remove --allow-privileged from \
             /etc/sysconfig/kubelet",
            "/etc/sysconfig/kubelet, line 2, gives kubelet --cadvisor-port, which Kubernetes \
             1.12 removed: kubelet does not start with it; remove --cadvisor-port from \
             /etc/sysconfig/kubelet",
        ]
    );
    for (argument, last, first) in [
        ("seccomp-profile-root", 22, 23),
        ("network-plugin", 23, 24),
        ("cni-bin-dir", 23, 24),
        ("experimental-kernel-memcg-notification", 24, 25),
        ("logtostderr", 25, 26),
        ("container-runtime", 26, 27),
        ("keep-terminated-pod-volumes", 30, 31),
        ("pod-infra-container-image", 34, 35),
    ] {
        let site = format!("KUBELET_EXTRA_ARGS=--{argument}=remote\n");
        let of = |minor: i32| told(&[(SITE, &site)], &format!("1.{minor}.0")).len();
        assert_eq!((of(last), of(first)), (0, 1), "{argument}");
    }
}

#[test]
fn files_are_read_as_systemd_reads_them() {
    let old = "[Service]\nEnvironment=\"KUBELET_NETWORK_ARGS=--network-plugin=cni \
               --cni-bin-dir=/opt/cni/bin\"\nEnvironment=\"UNUSED=--allow-privileged=true\"\n\
               ExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_NETWORK_ARGS \\\n  --cadvisor_port=0 \
               $KUBELET_EXTRA_ARGS\n";
    let found = told(&[(DROP_IN, old)], "1.28.2");
    for (words, found) in [
        (", line 2, gives kubelet --network-plugin,", &found[0]),
        (", line 2, gives kubelet --cni-bin-dir,", &found[1]),
        (", line 5, gives kubelet --cadvisor-port,", &found[2]),
    ] {
        assert!(found.starts_with(&format!("/{DROP_IN}{words}")), "{found}");
    }
    assert_eq!(found.len(), 3, "{found:#?}");
    // In order of their names, the package's among them, and only what is used.
    let folder = "etc/systemd/system/kubelet.service.d";
    let line = "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --allow-privileged\n";
    let of = |name: &str, text: &str| told(&[(&format!("{folder}/{name}"), text)], "1.28.2").len();
    assert_eq!(of("05-old.conf", line), 0);
    assert_eq!(of("20-own.conf", line), 1);
    assert_eq!(of("20-own.conf.bak", line), 0);
    let package = "usr/lib/systemd/system/kubelet.service.d";
    for (name, count) in [("20-site.conf", 1), ("10-kubeadm.conf", 0)] {
        let found = told(&[(&format!("{package}/{name}"), line)], "1.28.2");
        assert_eq!(found.len(), count, "{name}: {found:?}");
    }
    assert_eq!(
        of("20-own.conf", "[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--allow-privileged\n"),
        1
    );
    assert_eq!(of("20-own.conf", "[Service]\nEnvironmentFile=/etc/kube\n"), 0);
    // A file of variables comes after variables, and its last line counts.
    let beside = "[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--allow-privileged\n";
    let own = format!("{folder}/20-own.conf");
    assert_eq!(told(&[(&own, beside), (SITE, "KUBELET_EXTRA_ARGS=\n")], "1.28.2").len(), 0);
    let twice = "KUBELET_EXTRA_ARGS=--allow-privileged\nKUBELET_EXTRA_ARGS=--v=1\n";
    assert_eq!(told(&[(SITE, twice)], "1.28.2").len(), 0);
    for text in ["#KUBELET_EXTRA_ARGS=--allow-privileged\n", "KUBELET_EXTRA_ARGS=\"\"\n", "\0"] {
        assert_eq!(told(&[(SITE, text)], "1.28.2").len(), 0, "{text:?}");
    }
    let continued = "KUBELET_EXTRA_ARGS='--v=2 \\\n  --allow-privileged'\n";
    assert_eq!(told(&[(SITE, continued)], "1.28.2").len(), 1);
    let debian = "KUBELET_EXTRA_ARGS=--cadvisor-port 0\n";
    let found = told(&[("etc/default/kubelet", debian)], "1.28.2");
    assert!(found[0].starts_with("/etc/default/kubelet, line 1, gives kubelet --cadvisor-port"));
}

/// As kubeadm's document for etcd's machines has it (kubeadm#1154).
#[test]
fn a_command_without_a_kubeconfig_is_told() {
    const OWN: &str = "etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf";
    let of = |text: &str| told_with("starts kubelet", &[(OWN, text)], "1.28.2");
    assert_eq!(
        of("[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --cgroup-driver=systemd\n"),
        [format!(
            "/{OWN}, line 3, starts kubelet without --kubeconfig: it joins no cluster; remove \
             the lines `ExecStart=` from /{OWN}, so that the package's counts"
        )]
    );
    assert_eq!(of("[Service]\nExecStart=/usr/bin/kubelet $KUBELET_EXTRA_ARGS\n").len(), 1);
    for good in [
        "",
        "[Service]\nCPUAccounting=true\n",
        "[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--v=2\n",
        "[Service]\nExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_EXTRA_ARGS\n",
        "[Service]\nExecStart=/usr/bin/kubelet ${SITE_ARGS}\n",
        "[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf\n",
        "[Service]\nExecStart=/usr/bin/taskset 3 /usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS\n",
        "[Service]\nExecStart=/opt/site/start-it\n",
    ] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
}

#[test]
fn arguments_that_outdo_the_configuration_are_told() {
    for (argument, theirs, ours) in [
        ("cgroup-driver", "cgroupfs", "systemd"),
        (
            "container-runtime-endpoint",
            "unix:///run/crio/crio.sock",
            "unix:///run/containerd/containerd.sock",
        ),
        ("node-ip", "10.9.9.9", "10.0.0.2"),
        ("hostname-override", "other", "node-1"),
        ("image-gc-high-threshold", "85", "100"),
        ("cluster-dns", "10.0.0.10", "10.96.0.10"),
        ("root-dir", "/data/kubelet", "/var/lib/kubelet"),
    ] {
        for (value, count) in [(theirs, 1), (ours, 0)] {
            for between in ["=", " "] {
                let site = format!("KUBELET_EXTRA_ARGS=--{argument}{between}{value} --v=2\n");
                let found = told(&[(SITE, &site)], "1.28.2");
                assert_eq!(found.len(), count, "{site}: {found:?}");
                let told = format!("--{argument} as {theirs}, but it must be {ours}; remove");
                assert!(found.iter().all(|one| one.contains(&told)), "{found:?}");
            }
        }
    }
    let other =
        "KUBELET_EXTRA_ARGS=--container-runtime-endpoint=/var/run/containerd/containerd.sock";
    assert_eq!(told(&[(SITE, other)], "1.28.2"), [""; 0]);
    // Nor what the cluster file has of kubelet's settings.
    let mut node = kinds::bare(Role::Worker);
    node.change = |intent| intent.cluster.kubelet = serde_saphyr::from_str("maxPods: 50").unwrap();
    for (value, count) in [("110", 1), ("50", 0)] {
        write(&node, SITE, &format!("KUBELET_EXTRA_ARGS=--max-pods={value}\n"));
        let problems = preflight::problems(&node.look(None).0, &node.intent());
        let found = problems.iter().filter(|one| one.to_string().contains("it must be 50"));
        assert_eq!(found.count(), count, "{value}");
    }
    // kubeadm writes its file anew where the node enters its cluster.
    let kubeadm = "var/lib/kubelet/kubeadm-flags.env";
    let flags = "KUBELET_KUBEADM_ARGS=\"--network-plugin=cni --node-ip=10.9.9.9\"\n";
    assert_eq!(told(&[(kubeadm, flags)], "1.28.2"), [""; 0]);
    let inside = [(kubeadm, flags), ("etc/kubernetes/kubelet.conf", "")];
    assert_eq!(told(&inside, "1.28.2").len(), 2);
}

#[test]
fn what_this_kubelet_takes_it_is_said_to_take() {
    let kubelets = kubelets();
    if kubelets.is_empty() {
        eprintln!("skipped: no kubelet of the lab's is here");
    }
    kubelets.iter().for_each(|kubelet| assert_takes_what_it_is_said_to(kubelet));
}

fn assert_takes_what_it_is_said_to(kubelet: &Path) {
    let version = Command::new(kubelet).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let version = version.trim().trim_start_matches("Kubernetes v").to_owned();
    let help = Command::new(kubelet).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let names = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let names: Vec<&str> =
        names.filter(|name| *name == name.trim_end_matches([',', '.'])).collect();
    // Gone with the dockershim, in 1.24.
    let has_dockershim = version.parse::<KubernetesVersion>().unwrap().minor() < 24;
    assert_eq!(names.contains(&"network-plugin"), has_dockershim, "{version}");
    assert!(names.contains(&"node-ip") && !names.contains(&"allow-privileged"), "{version}");
    for name in names.iter().filter(|name| !name.contains(['=', '`', '"', ')'])) {
        let site = format!("KUBELET_EXTRA_ARGS=--{name}\n");
        let found = told(&[(SITE, &site)], &version);
        assert!(
            !found.iter().any(|one| one.contains("does not start with it")),
            "{version}: {found:?}"
        );
    }
    for gone in
        ["allow-privileged", "cadvisor-port", "host-pid-sources", "bootstrap-checkpoint-path"]
    {
        assert!(!names.contains(&gone));
        let site = format!("KUBELET_EXTRA_ARGS=--{gone}\n");
        assert!(told(&[(SITE, &site)], &version)[0].contains("does not start with it"));
    }
}

#[test]
fn what_preflight_does_not_know_kubelet_is_asked_once_it_is_here() {
    let site = "KUBELET_EXTRA_ARGS='--v=2 --chaos-chance=1'\n";
    let node = kinds::bare(Role::Worker);
    write(&node, SITE, site);
    write(&node, "run/no-flags", "--chaos-chance\n");
    assert_eq!(told(&[(SITE, site)], "1.28.2"), [""; 0]);
    let mut host = node.look(None).0.open().unwrap();
    let error = run::apply(&mut host, &node.intent(), &node.steps(), &mut |_, _, _| ());
    let text = describe(&error.map(drop).unwrap_err(), None);
    assert!(text.contains(" `kubelet` failed"), "{text}");
    assert!(text.contains("unknown flag: --chaos-chance\n"), "{text}");
    let cure = "take out, or mend, --chaos-chance of /etc/sysconfig/kubelet, line 1";
    assert!(text.contains(&format!("hint: {cure}")), "{text}");

    // So does a doctor, who finds no more than a stack in its log.
    let member = Member::new(Role::Worker);
    member.write(SITE, site);
    member.write("run/no-flags", "--chaos-chance\n");
    assert_eq!(member.diagnose().findings, [], "it runs");
    member.remove("run/systemd/active/kubelet");
    member.write("run/systemd/failed/kubelet", "");
    let found = member.diagnose().findings;
    assert!(found[0].cause.ends_with("unknown flag: --chaos-chance"), "{found:?}");
    assert_eq!(found[0].cure, format!("{cure}; then `systemctl restart kubelet`"));
}

/// The kubelets of each Kubernetes that the lab has made here.
fn kubelets() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    let products = fs::read_dir(Path::new(&home).join(".cache/kubeferry-lab/products"));
    let all = products.into_iter().flatten();
    let all = all.map(|product| product.unwrap().path().join("kubelet"));
    all.filter(|path| path.is_file()).collect()
}

#[test]
fn nftables_needs_a_kernel_and_a_release() {
    let node = kinds::bare(Role::Master);
    let told = |kernel: &str, kubernetes: &str, mode: ProxyMode| {
        let mut intent = intent(&node, kubernetes);
        intent.facts.kernel = kernel.to_owned();
        intent.cluster.proxy_mode = mode;
        let problems = preflight::problems(&node.look(None).0, &intent);
        let all = problems.iter().map(|one| format!("{one}; {}", one.cure()));
        all.filter(|one| one.contains("proxyMode nftables")).collect::<Vec<_>>()
    };
    let el8 = "4.18.0-553.el8_10.x86_64";
    assert_eq!(
        told(el8, "1.33.1", ProxyMode::Nftables),
        ["kube-proxy needs Linux 5.13 for proxyMode nftables, and this node has \
             4.18.0-553.el8_10.x86_64; write `proxyMode: iptables` or `ipvs` in the cluster \
             file, for all nodes"]
    );
    assert_eq!(told(el8, "1.33.1", ProxyMode::Iptables), [""; 0]);
    assert_eq!(told("5.14.0-427.el9.x86_64", "1.33.1", ProxyMode::Nftables), [""; 0]);
    for old in ["1.28.2", "1.30.9"] {
        let found = told("5.14.0-427.el9.x86_64", old, ProxyMode::Nftables);
        assert!(found[0].contains("needs Kubernetes 1.31 for proxyMode nftables"), "{found:?}");
        assert_eq!(found.len(), 1);
    }
}
