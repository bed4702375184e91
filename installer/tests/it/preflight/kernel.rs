//! The kernel, its settings, and the processor.

use std::fs;
use std::os::unix::fs::symlink;

use installer::intent::Intent;
use installer::node::facts::Facts;
use installer::node::os_release::OsRelease;
use installer::role::Role;

use super::Told::{Nothing, Problem, Warning};
use super::{as_it_is, check, told};
use crate::node::intent::{Rpm, bundle_with_packages};
use crate::node::text::write;
use crate::node::{self, kinds};

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
    for (files, is_first) in
        [(&[(FIRST, of(""))][..], true), (&[(SECOND, all.to_owned()), (FIRST, of(""))], false)]
    {
        let node = kinds::bare(Role::Worker);
        for (path, text) in files {
            write(&node, path, text);
        }
        assert_eq!(Facts::gather(&node.look(None).0).unwrap().cgroup_v1, is_first);
    }
    let newest: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.35.1");
        intent.facts.cgroup_v1 = true;
    };
    check(
        Role::Worker,
        &[(FIRST, &of(""))],
        newest,
        &Problem("and the kubelet of Kubernetes 1.35.1 does not start with it"),
    );
    let second: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.35.1");
    };
    check(Role::Worker, &[(SECOND, all)], second, &Nothing);
    let accepts: fn(&mut Intent) = |intent| {
        intent.bundle = node::intent::bundle_of("1.35.1");
        intent.facts.cgroup_v1 = true;
        intent.cluster.kubelet.insert("failCgroupV1".to_owned(), false.into());
    };
    check(Role::Worker, &[(FIRST, &of(""))], accepts, &Nothing);
}

/// The node is of this family, and so is the target.
fn become_of(intent: &mut Intent, family: &str) {
    intent.target.family = family.to_owned();
    intent.facts.release = OsRelease::parse(&format!("PLATFORM_ID=platform:{family}\n"));
}

#[test]
fn processors() {
    let second = "cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3";
    let third = "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave";
    let of = |flags: &str| format!("processor\t: 0\nflags\t\t: fpu {flags}\n");
    let family = |name: &'static str| -> fn(&mut Intent) {
        match name {
            "el7" => |intent| become_of(intent, "el7"),
            "el10" => |intent| become_of(intent, "el10"),
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
fn what_forked_processes_share_is_counted_once() {
    let node = kinds::bare(Role::Worker);
    write(&node, "proc/sys/fs/inotify/max_user_instances", "40\n");
    let instance = |process: u32, number: u32, watches: &str| {
        let of = format!("proc/{process}/fdinfo/{number}");
        write(&node, &of, watches);
        let fd = node.root().join(format!("proc/{process}/fd"));
        fs::create_dir_all(&fd).unwrap();
        symlink("anon_inode:inotify", fd.join(number.to_string())).unwrap();
    };
    // A server with twenty forks that have its instance.
    for process in 100..120 {
        instance(process, 5, "inotify wd:1 ino:2 sdev:3\n");
    }
    assert_eq!(told(&node, &node.intent())[0], [""; 0]);
    for number in 10..18 {
        instance(200, number, &format!("inotify wd:1 ino:{number}\n"));
    }
    let [problems, _] = told(&node, &node.intent());
    assert!(problems[0].contains("is 40, of which 9 are taken"), "{problems:?}");
}

/// On el10 `br_netfilter` is in kernel-modules-extra, which the bundle has.
#[test]
fn modules_that_the_bundle_brings_are_not_missing() {
    const KERNEL: &str = "6.12.0-124.8.1.el10_1.x86_64";
    let of = |nevra: &'static str| {
        let node = kinds::bare(Role::Worker);
        write(&node, "run/no-modules", "br_netfilter\nip_tables\nnft_compat\n");
        let rpm = Rpm { nevra, is_requested: true, needed: &[] };
        let mut intent = node.intent();
        (intent.bundle, intent.target) = bundle_with_packages(&[rpm]);
        intent.facts.kernel = KERNEL.to_owned();
        intent.facts.family = Some("el10".to_owned());
        told(&node, &intent)[0].join("\n")
    };
    assert_eq!(of("kernel-modules-extra-6.12.0-124.8.1.el10_1.x86_64"), "");
    let other = of("kernel-modules-extra-6.12.0-124.31.1.el10_1.x86_64");
    assert!(
        other.contains("lacks br_netfilter\nthe bundle has kernel-modules-extra for"),
        "{other}"
    );
    assert!(other.contains("6.12.0-124.31.1.el10_1.x86_64: start the node with"), "{other}");
    let none = of("kernel-modules-extra-matched-6.12.0-124.8.1.el10_1.x86_64");
    assert!(none.contains("lacks br_netfilter\ngive the bundle's spec this node's list"), "{none}");
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
        ("nf_conntrack\nnf_conntrack_ipv4\n", Problem("5.14, lacks nf_conntrack")),
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
