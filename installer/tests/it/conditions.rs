//! What sites have that is not as a guide expects it, each by its name: it is
//! handled, or refused with its cure, and all that is refused is told at once.

use std::fs;
use std::net::IpAddr;

use installer::engine::run;
use installer::install::{Change, OfInstall};
use installer::intent::Intent;
use installer::node::facts::Facts;
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{PACKAGE, bundle_with_package};
use crate::node::text::write;
use crate::node::{Node, kinds};

/// All problems, each with its cure below it.
fn problems(node: &Node, intent: &Intent) -> Vec<String> {
    let problems = preflight::problems(&node.look(None).0, intent);
    problems.iter().map(|one| format!("{one}\n{}", one.cure())).collect()
}

/// The text that a plan would write to a path.
fn written(node: &Node, path: &str) -> Option<String> {
    node.plan().into_iter().flat_map(|(_, changes)| changes).find_map(|change| match change {
        Change::Write { path: own, text, .. } if own.to_str() == Some(path) => {
            Some(String::from_utf8(text).unwrap())
        }
        _ => None,
    })
}

fn facts(addresses: &[(&str, [u8; 4])], default_route: Option<&str>) -> Facts {
    let mut facts = kinds::bare(Role::Master).intent().facts;
    let owned = |(name, address): &(&str, [u8; 4])| ((*name).to_owned(), IpAddr::from(*address));
    facts.addresses = addresses.iter().map(owned).collect();
    facts.default_route = default_route.map(str::to_owned);
    facts
}

#[test]
fn no_default_route() {
    const UNIT: &str = "/etc/systemd/system/kubeferry-service-route.service";
    let mut node = kinds::bare(Role::Worker);
    let text = written(&node, UNIT).unwrap();
    assert!(text.contains("ip route replace 10.96.0.0/12 dev eth0\n"), "{text}");
    node.change = |intent| intent.facts.default_route = Some("eth0".to_owned());
    assert_eq!(written(&node, UNIT), None);
}

#[test]
fn several_nics() {
    let two = [("eth0", [10, 0, 0, 2]), ("eth1", [10, 9, 0, 2])];
    // The default route says which, or the operator.
    assert_eq!(facts(&two, Some("eth1")).address(None, None).unwrap(), IpAddr::from([10, 9, 0, 2]));
    let asked = facts(&two, None).address(None, None).unwrap_err();
    assert_eq!(
        asked.to_string(),
        "this node has several addresses: 10.0.0.2 (eth0), 10.9.0.2 (eth1)"
    );
    let wanted = IpAddr::from([10, 0, 0, 2]);
    assert_eq!(facts(&two, None).address(Some(wanted), None).unwrap(), wanted);
    // The address that the masters share is nobody's own, unless there is no other.
    let shared = IpAddr::from([10, 9, 0, 2]);
    assert_eq!(facts(&two, None).address(None, Some(shared)).unwrap(), IpAddr::from([10, 0, 0, 2]));
    assert_eq!(facts(&two, Some("eth1")).address(None, Some(shared)).unwrap(), shared);
    let other = facts(&two, None).address(Some(IpAddr::from([10, 1, 1, 1])), None).unwrap_err();
    assert!(other.to_string().contains("does not have the address 10.1.1.1"), "{other}");
    // One whose default route has no address of its own.
    let one = [("eth0", [10, 0, 0, 2])];
    assert_eq!(
        facts(&one, Some("wwan0")).address(None, None).unwrap(),
        IpAddr::from([10, 0, 0, 2])
    );
    assert!(
        facts(&[], None)
            .address(None, None)
            .unwrap_err()
            .to_string()
            .contains("no address of IPv4, and clusters")
    );
}

#[test]
fn a_hostname_with_capitals_or_none() {
    let name = |host_name: &str| {
        let mut facts = facts(&[], None);
        facts.host_name = host_name.to_owned();
        facts.node_name(None).map(|name| name.to_string()).map_err(|error| error.to_string())
    };
    assert_eq!(name("Node-1.Site").as_deref(), Ok("node-1.site"));
    for bad in ["node_1", "", "-a", "a b", "kn\u{f6}tchen"] {
        assert!(name(bad).unwrap_err().contains("is no node name"), "{bad}");
    }
    let node = kinds::bare(Role::Master);
    for bad in ["localhost", "localhost.localdomain"] {
        let mut intent = node.intent();
        intent.name = bad.to_owned().try_into().unwrap();
        let told = problems(&node, &intent);
        assert!(told[0].contains("no name of its own") && told[0].contains("--node-name"));
    }
    // A machine that is another's copy has its name too.
    let node = kinds::bare(Role::Worker);
    let mut intent = node.intent();
    intent.name = "master".to_owned().try_into().unwrap();
    assert!(problems(&node, &intent)[0].contains("has the name of the master"));
    intent.address = IpAddr::from([10, 0, 0, 1]);
    assert!(problems(&node, &intent)[0].contains("is the address of the master"));
}

#[test]
fn no_dns() {
    let mut node = kinds::bare(Role::Worker);
    node.change = |intent| {
        intent.cluster.nodes =
            serde_saphyr::from_str("[{name: node-2, address: 10.0.0.3}]").unwrap();
    };
    let hosts = written(&node, "/etc/hosts").unwrap();
    for line in ["10.0.0.1 master\n", "10.0.0.2 node-1\n", "10.0.0.3 node-2\n"] {
        assert!(hosts.contains(line), "{hosts}");
    }
    // CoreDNS wants a server to ask, and kubelet a file that names one.
    let before = node.tree();
    for useless in ["", "nameserver 127.0.0.53\n", "# nameserver 10.0.0.9\n", "nameserver ::1\n"] {
        write(&node, "etc/resolv.conf", useless);
        let servers = written(&node, "/opt/kubernetes/resolv.conf").unwrap();
        assert!(servers.ends_with("\nnameserver 10.0.0.2\n"), "{servers}");
        let arguments = written(&node, "/etc/sysconfig/kubelet").unwrap();
        assert!(arguments.contains("--resolv-conf=/opt/kubernetes/resolv.conf"), "{arguments}");
    }
    fs::remove_file(node.root().join("etc/resolv.conf")).unwrap();
    node.apply(None).end.unwrap();
    // Once there is one, it is asked.
    write(&node, "etc/resolv.conf", "nameserver 10.0.0.9\n");
    write(&node, "run/systemd/active/kubelet", "");
    let applied = node.apply(None);
    assert_eq!(applied.end.unwrap(), 1);
    assert_eq!(applied.commands.made(), ["systemctl restart kubelet"]);
    let arguments = fs::read_to_string(node.root().join("etc/sysconfig/kubelet")).unwrap();
    assert_eq!(arguments, "KUBELET_EXTRA_ARGS=\n");
    for path in ["etc/resolv.conf", "run/systemd/active/kubelet"] {
        fs::remove_file(node.root().join(path)).unwrap();
    }
    node.assert_goes_back(&before, "a node that got DNS");
}

#[test]
fn a_stick_that_can_only_be_read_and_a_small_tmp() {
    for node in kinds::nodes() {
        // The folder of the bundle is gone by now: nothing can be written beside it.
        let node = node();
        let applied = node.apply(None);
        applied.end.unwrap();
        let made = applied.commands.made();
        assert!(!made.iter().any(|command| command.contains("/tmp")), "{made:?}");
        assert!(!node.root().join("tmp").exists() && !node.root().join("var/tmp").exists());
    }
}

#[test]
fn a_package_that_a_lost_power_has_damaged_is_unpacked_anew() {
    let node = kinds::bare(Role::Worker);
    let path = "var/lib/kubeferry/packages/containerd.io-1.6.25-3.1.el9.x86_64.rpm";
    let unpacked = || {
        let mut steps = order::steps(node.role);
        steps.retain(|step| step.name() == StepName::Repository);
        let plan = run::plan(&node.look(None).0, &with_containerd(&node), &steps).unwrap();
        plan[0].changes.iter().find_map(|change| match change {
            Change::Own(OfInstall::Unpack { files, .. }) => Some(files.len()),
            _ => None,
        })
    };
    assert_eq!(unpacked(), Some(2), "metadata and the package");
    write(&node, "var/lib/kubeferry/packages/repodata/repomd.xml", "");
    write(&node, path, PACKAGE);
    assert_eq!(unpacked(), None);
    write(&node, path, &"\0".repeat(PACKAGE.len()));
    assert_eq!(unpacked(), Some(1), "of the right size, and of zeros");
    write(&node, "run/packages", "containerd.io - 1.6.25-3.1.el9 x86_64\n");
    assert_eq!(unpacked(), None, "nobody reads it any more");
}

/// A worker for which the bundle has containerd.io.
fn with_containerd(node: &Node) -> Intent {
    let mut intent = node.intent();
    intent.bundle = bundle_with_package("containerd.io-1.6.25-3.1.el9.x86_64");
    intent
}

#[test]
fn an_existing_containerd_or_docker_or_podman_with_runc() {
    let node = kinds::bare(Role::Master);
    write(&node, "run/packages", "runc - 1.1-1.el9 x86_64\ndocker - 1.13-1.el7 x86_64\n");
    write(&node, "run/requires/runc", "podman\n");
    write(&node, "run/systemd/active/docker", "");
    write(&node, "usr/local/bin/containerd", "");
    write(&node, "etc/cni/net.d/87-podman-bridge.conflist", "{}");
    write(&node, "run/systemd/active/iptables", "");
    let told = problems(&node, &with_containerd(&node));
    for (what, cure) in [
        ("the package runc (needed by podman) cannot stay", "`yum remove runc`"),
        ("the package docker cannot stay", "`yum remove docker`"),
        ("Docker runs on this node", "disable --now docker"),
        (
            "no package installed this containerd: /usr/local/bin/containerd",
            "move /usr/local/bin/containerd away",
        ),
        ("87-podman-bridge.conflist", "mv /etc/cni/net.d"),
        ("iptables.service runs here", "firewall: leave"),
    ] {
        assert!(
            told.iter().any(|one| one.contains(what) && one.contains(cure)),
            "{what}: {told:?}"
        );
    }
    assert_eq!(told.len(), 6, "all at once: {told:?}");

    // What a containerd that is there was told stays, or is refused.
    let node = kinds::bare(Role::Master);
    write(&node, "etc/containerd/config.toml", "version = 2\nroot = \"/data\"\n");
    let text = written(&node, "/etc/containerd/config.toml").unwrap();
    assert!(text.contains("root = \"/data\"\n"), "{text}");
}

#[test]
fn another_firewall_is_not_ended_beside_kubernetes() {
    let node = kinds::bare(Role::Worker);
    write(&node, "run/systemd/active/iptables", "");
    let told = |node: &Node| problems(node, &node.intent()).remove(0);
    assert!(told(&node).contains("`systemctl disable --now iptables`; or"), "{}", told(&node));
    write(&node, "etc/kubernetes/kubelet.conf", "");
    let told = problems(&node, &node.intent());
    let one = told.iter().find(|one| one.contains("iptables.service runs here")).unwrap();
    assert!(one.contains("`systemctl disable iptables`, and restart the node"), "{one}");
}

#[test]
fn a_masked_unit_is_named_before_anything_is_changed() {
    let node = kinds::bare(Role::Worker);
    write(&node, "run/systemd/masked/containerd", "");
    let plan = run::plan(&node.look(None).0, &node.intent(), &node.steps());
    let told = installer::failure::describe(&plan.map(drop).unwrap_err(), None);
    assert!(told.contains("containerd is masked"), "{told}");
    assert!(told.contains("hint: `systemctl unmask containerd`"), "{told}");
}

#[test]
fn ipv6_disabled() {
    for role in [Role::Master, Role::Worker] {
        let node = kinds::without_ipv6(role);
        let before = node.tree();
        node.apply(None).end.unwrap();
        let text = fs::read_to_string(node.root().join("etc/sysctl.d/zz-kubeferry.conf")).unwrap();
        assert!(!text.contains("ip6tables"), "{text}");
        node.assert_goes_back(&before, "a node without IPv6");
    }
}

#[test]
fn a_kernel_without_its_modules() {
    let node = kinds::bare(Role::Master);
    write(&node, "run/no-modules", "br_netfilter\noverlay\n");
    write(&node, "proc/modules", "overlay 1\n");
    let told = problems(&node, &node.intent());
    assert!(told[0].starts_with("the kernel that runs here, 5.14, lacks br_netfilter\nrestart"));

    let cure = |family: &str| {
        let mut intent = node.intent();
        intent.facts.family = Some(family.to_owned());
        problems(&node, &intent).remove(0)
    };
    assert!(cure("el7").contains("(`yum reinstall kernel-5.14`)"), "{}", cure("el7"));
    write(&node, "usr/bin/dnf", "");
    assert!(cure("el9").contains("(`dnf install kernel-modules-5.14 kernel-modules-extra-5.14`)"));

    // Those of what is asked for.
    let node = kinds::bare(Role::Worker);
    write(&node, "run/no-modules", "nfs\nnfsd\n");
    assert_eq!(problems(&node, &node.intent()), [""; 0]);
    for (address, lacks) in [("10.0.0.2", "nfs, nfsd"), ("10.0.0.9", "nfs")] {
        let mut intent = node.intent();
        let machine = format!("[{{name: store, address: {address}, nfs: {{export: /srv}}}}]");
        intent.cluster.nodes = serde_saphyr::from_str(&machine).unwrap();
        let told = problems(&node, &intent);
        let what = format!("lacks {lacks}\n");
        assert!(told.iter().any(|problem| problem.contains(&what)), "{told:?}");
    }
}

#[test]
fn a_cluster_file_with_words_of_its_own() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.cluster.ntp_servers =
        ["ntp.site", "fd00::1", "a\nallow all", "-x", "b iburst"].map(str::to_owned).to_vec();
    intent.cluster.endpoint = Some("m -x:6443".to_owned());
    intent.cluster.nodes = serde_saphyr::from_str(
        "[{name: a, address: 10.0.0.3}, {name: b, address: 10.0.0.3}, {name: a, address: 10.0.0.4}]",
    )
    .unwrap();
    let told = problems(&node, &intent);
    for what in [
        "ntpServers: `a allow all` is no host",
        "ntpServers: `-x` is no host",
        "ntpServers: `b iburst` is no host",
        "endpoint: `m -x:6443` is no HOST:PORT",
        "b has the same address as a, 10.0.0.3",
        "a second machine has the name a",
    ] {
        assert!(told.iter().any(|one| one.starts_with(what)), "{what}: {told:?}");
    }
    assert_eq!(told.len(), 6, "{told:?}");
}

#[test]
fn a_port_that_is_taken_after_a_run_that_failed_early() {
    for (role, port) in [(Role::Master, "6443"), (Role::Worker, "10250")] {
        let node = kinds::bare(role);
        write(&node, "run/listening", &format!("LISTEN 0 128 *:{port} *:*\n"));
        node.apply(None).end.unwrap();
        let told = problems(&node, &node.intent());
        let what = format!("port {port} is taken by another program");
        assert!(told.iter().any(|one| one.starts_with(&what)), "{told:?}");
        write(&node, "etc/kubernetes/kubelet.conf", "");
        let told = problems(&node, &node.intent());
        assert!(!told.iter().any(|one| one.starts_with(&what)), "it is kubelet: {told:?}");
    }
}
