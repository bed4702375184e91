//! What nodes and sites have that a cluster does not bear, each by itself: refused or
//! warned of, with its cure; and what is right is told by nobody.

use std::fs;
use std::process::Command;

use bundle_format::lock::{Aspect, Expectation, LockedManifest};
use installer::join::Machine;
use installer::preflight;
use installer::role::Role;
use installer::step::Intent;

use crate::node;
use crate::node::intent::{bundle_changed, image, locked};
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
use Told::{Nothing, Problem, Warning};

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

fn as_it_is(_: &mut Intent) {}

#[test]
fn a_bare_node_is_well() {
    for role in [Role::Master, Role::Worker] {
        check(role, &[], as_it_is, &Nothing);
    }
}

const ROOT: &str = "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";

/// A second mount on top of the root's.
fn mounted(at: &str, options: &str, kind: &str) -> String {
    format!("{ROOT}2 1 8:2 / {at} {options} shared:2 - {kind} /dev/sdb1 rw\n")
}

#[test]
fn file_systems() {
    const PROC: &str = "proc/self/mountinfo";
    for (at, options, kind, wanted) in [
        ("/var/lib/containerd", "rw", "ext4", Nothing),
        ("/var/lib/containerd", "rw,nosuid,nodev", "btrfs", Nothing),
        ("/var/lib/containerd", "rw", "nfs4", Problem("is on nfs4 (at /var/lib/containerd)")),
        ("/var/lib/containerd", "rw", "fuse.sshfs", Problem("is on fuse.sshfs")),
        ("/", "rw", "overlay", Problem("is on overlay (at /)")),
        ("/var/lib/containerd", "rw", "tmpfs", Problem("is in memory (tmpfs at")),
        ("/var/lib/kubelet", "rw", "tmpfs", Problem("/var/lib/kubelet is in memory")),
        ("/var/lib/etcd", "rw", "tmpfs", Problem("/var/lib/etcd is in memory")),
        ("/var/lib/etcd", "rw", "nfs", Problem("is on the network (nfs at /var/lib/etcd)")),
        (
            "/opt",
            "rw,noexec",
            "ext4",
            Problem("/opt is mounted noexec\n`mount -o remount,exec /opt`"),
        ),
        ("/var", "rw,noexec", "ext4", Warning("/var is mounted noexec")),
        ("/var/lib/kubelet", "rw,noexec", "xfs", Warning("/var/lib/kubelet is mounted noexec")),
        ("/srv/my\\040disk", "rw,noexec", "nfs", Nothing),
    ] {
        check(Role::Master, &[(PROC, &mounted(at, options, kind))], as_it_is, &wanted);
    }
    // Another place by containerd's own configuration, and another way to stack.
    let config = "version = 2\nroot = \"/data\"\n";
    let files =
        [(PROC, mounted("/data", "rw", "nfs")), ("etc/containerd/config.toml", config.to_owned())];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    check(Role::Worker, &files, as_it_is, &Problem("containerd's /data is on nfs"));
    let native = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n";
    let nfs = mounted("/var/lib/containerd", "rw", "nfs");
    let files = [(PROC, nfs.as_str()), ("etc/containerd/config.toml", native)];
    check(Role::Worker, &files, as_it_is, &Nothing);
    // Also in a file that is imported.
    let imports = "version = 2\nimports = [\"/etc/containerd/own.toml\"]\n";
    let files = [
        (PROC, nfs.as_str()),
        ("etc/containerd/config.toml", imports),
        ("etc/containerd/own.toml", native),
    ];
    check(Role::Worker, &files, as_it_is, &Nothing);
    let private = ROOT.replace("shared:1 ", "");
    check(Role::Worker, &[(PROC, &private)], as_it_is, &Problem("mounts at / are private"));
    // Below `sudo`, where pam_namespace gives it mounts of its own (linux-pam#331).
    let slave = ROOT.replace("shared:1 ", "master:1 ");
    let below_sudo = |systemds| [(PROC, slave.as_str()), ("proc/1/mountinfo", systemds)];
    check(Role::Worker, &below_sudo(ROOT), as_it_is, &Nothing);
    let told = Problem("mounts at / are private");
    check(Role::Worker, &below_sudo(&private), as_it_is, &told);
}

#[test]
fn an_xfs_without_file_types() {
    let xfs = mounted("/var/lib/containerd", "rw", "xfs");
    for (said, wanted) in [
        ("naming   =version 2              bsize=4096   ascii-ci=0, ftype=1\n", Nothing),
        (
            "naming   =version 2              bsize=4096   ascii-ci=0 ftype=0\n",
            Problem(
                "is on an XFS without file types (ftype=0), at /var/lib/containerd\nmount another disk",
            ),
        ),
    ] {
        let files = [("proc/self/mountinfo", xfs.as_str()), ("run/xfs_info", said)];
        check(Role::Worker, &files, as_it_is, &wanted);
    }
}

/// By the real mkfs.xfs: what `xfs_info` says of its work, and, where the kernel mounts
/// that, what its folders say without `xfs_info`.
#[test]
fn a_real_xfs_without_file_types() {
    for (ftype, is_refused) in [("0", true), ("1", false)] {
        let node = kinds::bare(Role::Worker);
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk");
        fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
        // Only those of version 4, without checksums, can be without types.
        let options = ["-q", "-m", "crc=0", "-n", &format!("ftype={ftype}")];
        let made = Command::new("mkfs.xfs").args(options).arg(&image).output();
        if !made.is_ok_and(|made| made.status.success()) {
            eprintln!("skipped: no mkfs.xfs is here (xfsprogs), or it makes none of version 4");
            return;
        }
        let told_of = |node: &Node| {
            let [problems, _] = told(node, &node.intent());
            problems.iter().any(|one| one.contains("(ftype=0)"))
        };
        let mounts = node.root().join("proc/self/mountinfo");
        fs::create_dir_all(mounts.parent().unwrap()).unwrap();
        fs::write(mounts, mounted("/var/lib/containerd", "rw", "xfs")).unwrap();
        let said = Command::new("xfs_info").arg(&image).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        fs::write(node.root().join("run/xfs_info"), said.stdout).unwrap();
        assert_eq!(told_of(&node), is_refused, "by xfs_info: ftype={ftype}");
        fs::remove_file(node.root().join("run/xfs_info")).unwrap();
        let at = node.root().join("var/lib/containerd");
        fs::create_dir_all(&at).unwrap();
        let mount = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at).output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            eprintln!("skipped in part: nobody here mounts an XFS of version 4 of a file");
            continue;
        }
        let unmount = Unmount(at.clone());
        fs::create_dir(at.join("inner")).unwrap();
        assert_eq!(told_of(&node), is_refused, "by its folders: ftype={ftype}");
        drop(unmount);
    }
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn settings_of_the_kernel() {
    let ipv4 = |key: &str| format!("proc/sys/net/ipv4/conf/{key}");
    for (path, value, wanted) in [
        (ipv4("all/rp_filter"), "2", Nothing),
        (ipv4("default/rp_filter"), "1", Nothing),
        (ipv4("all/rp_filter"), "1", Warning("rp_filter is 1: the kernel drops a packet")),
        (ipv4("all/arp_ignore"), "1", Warning("arp_ignore is 1")),
        (ipv4("all/arp_ignore"), "2", Warning("arp_ignore is 2")),
        (ipv4("all/arp_ignore"), "3", Nothing),
        (ipv4("default/arp_ignore"), "8", Problem("arp_ignore is 8")),
        (ipv4("default/arp_filter"), "1", Warning("arp_filter is on")),
        ("proc/sys/fs/inotify/max_user_instances".to_owned(), "1024", Nothing),
        (
            "proc/sys/fs/inotify/max_user_instances".to_owned(),
            "128",
            Warning("max_user_instances is below 1024: many pods on a node fail"),
        ),
        (
            "proc/sys/fs/inotify/max_user_instances".to_owned(),
            "4",
            Problem("max_user_instances is 4, of which 0 are taken: too few"),
        ),
        (
            "proc/sys/fs/inotify/max_user_watches".to_owned(),
            "8192",
            Warning("sysctl -w fs.inotify.max_user_watches=65536"),
        ),
        ("proc/sys/fs/inotify/max_user_watches".to_owned(), "64", Problem("too few for kubelet")),
    ] {
        check(Role::Worker, &[(&path, &format!("{value}\n"))], as_it_is, &wanted);
    }
    let strict = [(ipv4("eth0/rp_filter"), "1\n")];
    let strict = strict.each_ref().map(|(path, text)| (path.as_str(), *text));
    check(Role::Worker, &strict, as_it_is, &Nothing);
    let two: fn(&mut Intent) = |intent| {
        intent.facts.addresses.push(("eth1".to_owned(), [10, 9, 0, 2].into()));
    };
    check(Role::Worker, &strict, two, &Warning("rp_filter is 1: the kernel drops a packet"));
    // kube-proxy sets it itself for IPVS.
    let ignores = [(ipv4("all/arp_ignore"), "1\n")];
    let ignores = ignores.each_ref().map(|(path, text)| (path.as_str(), *text));
    let by_ipvs: fn(&mut Intent) = |intent| {
        intent.cluster.proxy_mode = bundle_format::cluster::ProxyMode::Ipvs;
    };
    check(Role::Master, &ignores, by_ipvs, &Nothing);
    let protects: fn(&mut Intent) = |intent| {
        intent.cluster.kubelet.insert("protectKernelDefaults".to_owned(), true.into());
    };
    let other = [("proc/sys/vm/overcommit_memory", "0\n"), ("proc/sys/kernel/panic", "10\n")];
    let told = Problem("other values of vm.overcommit_memory\n`sysctl -w vm.overcommit_memory=1`");
    check(Role::Worker, &other, protects, &told);
    check(Role::Worker, &other, as_it_is, &Nothing);
}

#[test]
fn network_plugins_bear_rp_filter_or_not() {
    for (name, value, wanted) in [
        ("docker.io/calico/node:v3.11.2", "2", Problem("Calico before 3.12 does not start")),
        ("registry.site/x/calico/node:v3.26.4", "2", Nothing),
        ("docker.io/calico/node:v3.11.2", "0", Nothing),
        // It sets 0 itself.
        ("quay.io/cilium/cilium:v1.15.0", "1", Warning("net.ipv4.conf.all.rp_filter=0")),
        ("quay.io/cilium/cilium:v1.15.0", "2", Nothing),
    ] {
        let node = kinds::bare(Role::Worker);
        let path = node.root().join("proc/sys/net/ipv4/conf/all/rp_filter");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
        let image = image(name);
        let mut manifest = locked(&("network", "{}"));
        manifest.images = vec![image.name.clone()];
        let mut intent = node.intent();
        intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
            lock.images = vec![image];
            lock.manifests = vec![manifest];
        });
        let [problems, warnings] = told(&node, &intent);
        let (all, none) = match wanted {
            Warning(_) => (warnings, problems),
            _ => (problems, warnings),
        };
        assert_eq!(none, [""; 0], "{name} {value}");
        match wanted {
            Problem(words) | Warning(words) => assert!(all[0].contains(words), "{all:?}"),
            Nothing => assert_eq!(all, [""; 0], "{name} {value}"),
        }
    }
}

#[test]
fn control_groups() {
    const FIRST: &str = "proc/cgroups";
    let of = |off: &str| {
        let names = ["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids", "hugetlb"];
        let line = |name: &&str| format!("{name}\t1\t1\t{}\n", u8::from(*name != off));
        format!(
            "#subsys_name\thierarchy\tnum_cgroups\tenabled\n{}",
            names.iter().map(line).collect::<String>()
        )
    };
    check(Role::Worker, &[(FIRST, &of(""))], as_it_is, &Nothing);
    check(Role::Worker, &[(FIRST, &of("hugetlb"))], as_it_is, &Nothing);
    let disabled =
        [(FIRST, of("memory")), ("proc/cmdline", "ro cgroup_disable=memory quiet".to_owned())];
    let disabled = disabled.each_ref().map(|(path, text)| (*path, text.as_str()));
    let told = Problem(
        "no control groups for memory\n`grubby --update-kernel=ALL --remove-args=\"cgroup_disable=memory\"`",
    );
    check(Role::Worker, &disabled, as_it_is, &told);
    // One that is in no hierarchy.
    let unmounted = of("").replace("pids\t1", "pids\t0");
    check(Role::Worker, &[(FIRST, &unmounted)], as_it_is, &Problem("no control groups for pids"));
    const SECOND: &str = "sys/fs/cgroup/cgroup.controllers";
    let all = "cpuset cpu io memory hugetlb pids rdma misc\n";
    check(Role::Worker, &[(SECOND, all), (FIRST, &of("memory"))], as_it_is, &Nothing);
    check(Role::Worker, &[(SECOND, "cpu io memory pids")], as_it_is, &Problem("for cpuset"));
    let newest: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.35.1");
    };
    check(
        Role::Worker,
        &[(FIRST, &of(""))],
        newest,
        &Problem("with which the kubelet of Kubernetes 1.35.1 does not start"),
    );
    check(Role::Worker, &[(SECOND, all)], newest, &Nothing);
    let bears: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.35.1");
        intent.cluster.kubelet.insert("failCgroupV1".to_owned(), false.into());
    };
    check(Role::Worker, &[(FIRST, &of(""))], bears, &Nothing);
}

#[test]
fn processors() {
    let second = "cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3";
    let third = "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave";
    let of = |flags: &str| format!("processor\t: 0\nflags\t\t: fpu {flags}\n");
    let family = |name: &'static str| -> fn(&mut Intent) {
        match name {
            "el7" => |intent| intent.target.family = "el7".to_owned(),
            "el10" => |intent| intent.target.family = "el10".to_owned(),
            _ => |_| (),
        }
    };
    for (name, flags, wanted) in [
        ("el9", second.to_owned(), Nothing),
        (
            "el9",
            second.replace("sse4_2", ""),
            Problem("made for x86-64-v2, and this processor lacks sse4_2"),
        ),
        ("el7", second.to_owned(), Nothing),
        ("el7", "sse2".to_owned(), Warning("below x86-64-v2, since it lacks cx16, lahf_lm, pni")),
        ("el10", second.to_owned(), Problem("packages of el10 are made for x86-64-v3")),
        ("el10", format!("{second} {third}"), Nothing),
    ] {
        check(Role::Worker, &[("proc/cpuinfo", &of(&flags))], family(name), &wanted);
    }
}

#[test]
fn kernels() {
    let change: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.32.4");
        intent.facts.kernel = "4.18.0-553.el8_10.x86_64".to_owned();
    };
    check(Role::Worker, &[], change, &Problem("Kubernetes 1.32.4 needs Linux 4.19"));
    let warned: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.34.0");
        intent.facts.kernel = "4.18.0-553.el8_10.x86_64".to_owned();
    };
    check(Role::Worker, &[], warned, &Nothing);
    let old: fn(&mut Intent) = |intent| intent.facts.kernel = "2.6.32-754.el6".to_owned();
    check(Role::Worker, &[], old, &Problem("needs Linux 3.10"));
    // kubeadm reads the kernel's configuration.
    let running = [("proc/sys/kernel/osrelease", "5.14\n"), ("run/no-modules", "configs\n")];
    check(Role::Worker, &running, as_it_is, &Problem("such as /boot/config-5.14\nmount /boot"));
    let whole = [running[0], running[1], ("boot/config-5.14", "")];
    check(Role::Worker, &whole, as_it_is, &Nothing);
    // Either way of netfilter will do.
    for (without, wanted) in [
        ("ip_tables\n", Nothing),
        ("nf_tables\nnft_compat\n", Nothing),
        ("ip_tables\nnft_compat\n", Problem("cannot take kube-proxy's rules")),
        ("nf_conntrack\n", Problem("cannot take kube-proxy's rules")),
    ] {
        check(Role::Worker, &[("run/no-modules", without)], as_it_is, &wanted);
    }
    let by_nftables: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.32.4");
        intent.facts.kernel = "6.12".to_owned();
        intent.cluster.proxy_mode = bundle_format::cluster::ProxyMode::Nftables;
    };
    let without = [("run/no-modules", "ip_tables\nnft_compat\n")];
    check(Role::Master, &without, by_nftables, &Nothing);
}

#[test]
fn names_and_copies() {
    let long: fn(&mut Intent) = |intent| {
        intent.name = format!("{}.site", "n".repeat(59)).try_into().unwrap();
    };
    check(
        Role::Master,
        &[],
        long,
        &Problem("this node's name has 64 letters, and 63 are the most"),
    );
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
fn dns_that_knows_every_name() {
    let resolver = |text: &str| text.to_owned();
    for (text, known, wanted) in [
        ("search site\nnameserver 10.0.0.9\n", "", Nothing),
        (
            "search site other\nnameserver 10.0.0.9\n",
            "other\n",
            Warning("answers for every name below other"),
        ),
        // The last of these lines counts.
        ("search site\ndomain own\nnameserver 10.0.0.9\n", "site\n", Nothing),
        ("nameserver 10.0.0.9\n", "site\n", Nothing),
        ("search site\n", "site\n", Nothing),
    ] {
        let files = [("etc/resolv.conf", resolver(text)), ("run/dns", known.to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        check(Role::Worker, &files, as_it_is, &wanted);
    }
}

#[test]
fn routes_into_the_clusters_networks() {
    let table = |destination: &str, gateway: &str, mask: &str, interface: &str| {
        format!(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                 eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                 {interface}\t{destination}\t{gateway}\t0003\t0\t0\t0\t{mask}\n"
        )
    };
    const ROUTES: &str = "proc/net/route";
    const HERE: &str = "00000000";
    const ROUTER: &str = "0100000A";
    let pods =
        "podCidr 10.244.0.0/16 overlaps with 10.244.5.0/24, to which this node has a route by eth1";
    let services = "serviceCidr 10.96.0.0/12 overlaps with 10.96.0.0/16";
    // 10.244.5.0/24, 10.96.0.0/16, 10.192.0.0/10, 172.16.0.0/16, and the default route.
    for (destination, gateway, mask, interface, wanted) in [
        ("0005F40A", HERE, "00FFFFFF", "eth1", Problem(pods)),
        ("0000600A", HERE, "0000FFFF", "eth1", Problem(services)),
        // As kube-router, flannel and Calico leave them; a site may have such as well.
        ("0005F40A", ROUTER, "00FFFFFF", "eth1", Warning(pods)),
        ("0000C00A", ROUTER, "0000C0FF", "eth1", Warning("overlaps with 10.192.0.0/10")),
        ("0005F40A", HERE, "00FFFFFF", "docker0", Nothing),
        ("000010AC", HERE, "0000FFFF", "eth1", Nothing),
        ("00000000", ROUTER, "00000000", "eth1", Nothing),
    ] {
        let table = table(destination, gateway, mask, interface);
        check(Role::Worker, &[(ROUTES, &table)], as_it_is, &wanted);
    }
    let own = table("0000600A", HERE, "0000F0FF", "eth1");
    let unit = "etc/systemd/system/kubeferry-service-route.service";
    check(Role::Worker, &[(ROUTES, &own), (unit, "")], as_it_is, &Nothing);
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
        ("var/lib/rancher/k3s/agent", "", Problem("`k3s-uninstall.sh`")),
        ("var/lib/rancher/rke2/bin", "", Problem("RKE2 is or was on this node")),
        ("sys/class/net/cni0/mtu", "1450\n", Warning("addresses: cni0\n`ip link delete cni0`")),
        ("run/systemd/enabled/nm-cloud-setup.timer", "", Problem("nm-cloud-setup.timer is on")),
        ("run/systemd/active/fapolicyd", "", Problem("fapolicyd runs")),
    ] {
        check(Role::Worker, &[(path, text)], as_it_is, &wanted);
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

#[test]
fn ports_say_who_has_them() {
    let line = "LISTEN 0 511 *:10250 *:* users:((\"agent\",pid=77,fd=6))\n";
    let told = Problem("port 10250 is taken by agent\n");
    check(Role::Worker, &[("run/listening", line)], as_it_is, &told);
    let healthz = "LISTEN 0 511 127.0.0.1:10248 *:*\n";
    let told = Problem("port 10248 is taken by another program");
    check(Role::Worker, &[("run/listening", healthz)], as_it_is, &told);
}

/// A manifest that expects this.
fn expecting(of: Aspect, value: &str) -> LockedManifest {
    let [value, document, path] =
        [value, "DaemonSet kube-system/calico-node", "spec.x"].map(str::to_owned);
    let mut manifest = locked(&("network", "{}"));
    manifest.expects = vec![Expectation { of, value, document, path }];
    manifest
}

#[test]
fn manifests_expect_another_cluster() {
    for (of, value, wanted) in [
        (Aspect::PodAddresses, "10.244.0.0/16", Nothing),
        (Aspect::PodAddresses, "10.244.128.0/17", Nothing),
        (
            Aspect::PodAddresses,
            "192.168.0.0/16",
            Problem(
                "the bundle's manifest network: DaemonSet kube-system/calico-node, spec.x has pods' addresses from 192.168.0.0/16, and podCidr is 10.244.0.0/16\nwrite the same network",
            ),
        ),
        (Aspect::PodNetwork, "10.0.0.0/8", Nothing),
        (Aspect::PodNetwork, "10.9.0.0/16", Problem("as the network of pods, and podCidr is")),
        (Aspect::ServiceAddress, "10.200.0.1", Problem("and serviceCidr is 10.96.0.0/12")),
        (Aspect::Dns, "10.96.0.11", Problem("makes it 10.96.0.10")),
        (Aspect::NodePort, "80", Problem("the API server takes 30000-32767")),
        (Aspect::Family, "IPv6", Problem("this cluster has IPv4 only")),
        (Aspect::ApiServer, "10.0.0.2", Nothing),
        (Aspect::ApiServer, "10.96.0.1", Nothing),
        (
            Aspect::ApiServer,
            "10.7.7.7",
            Problem("at 10.7.7.7, and this cluster's is 10.0.0.2:6443"),
        ),
        (Aspect::Interface, "eth0", Nothing),
        (Aspect::Interface, "eth5", Nothing),
        (Aspect::Interface, "ens3", Problem("wants the interface ens3")),
        (Aspect::Mtu, "1450", Nothing),
        (Aspect::Mtu, "8950", Problem("packets of 8950 bytes between pods, and eth0 carries 1500")),
        (Aspect::Machine, "node-7", Nothing),
        (Aspect::HostPort, "81/TCP", Nothing),
        (
            Aspect::HostPort,
            "80/TCP",
            Warning("port 80 is taken by httpd, and pods of the bundle's manifest network want it"),
        ),
    ] {
        let node = kinds::bare(Role::Master);
        let listening = "LISTEN 0 511 *:80 *:* users:((\"httpd\",pid=7,fd=4))\n";
        for (path, text) in [
            ("sys/class/net/eth0/mtu", "1500\n"),
            // Without an address.
            ("sys/class/net/eth5/mtu", "1500\n"),
            ("run/listening", listening),
        ] {
            let path = node.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut intent = node.intent();
        intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
            lock.manifests = vec![expecting(of, value)];
        });
        let [problems, warnings] = told(&node, &intent);
        let words = match wanted {
            Nothing => None,
            Problem(words) => Some((&problems, words)),
            Warning(words) => Some((&warnings, words)),
        };
        let count = problems.len() + warnings.len();
        assert_eq!(count, usize::from(words.is_some()), "{of:?}: {problems:?} {warnings:?}");
        if let Some((all, words)) = words {
            assert!(all[0].contains(words), "{words}: {all:?}");
        }
        // What is not applied is expected of nobody.
        intent.cluster.skip_manifests = vec!["network".to_owned()];
        assert_eq!(told(&node, &intent).concat(), [""; 0], "{of:?}");
    }
    // Of a machine it is known only where the file has machines.
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
        lock.manifests = vec![expecting(Aspect::Machine, "node-7")];
    });
    intent.cluster.nodes = serde_saphyr::from_str("[{name: node-2, address: 10.0.0.3}]").unwrap();
    assert!(told(&node, &intent)[1][0].contains("waits for a machine node-7"));
}
