//! What a step has set holds after the next boot too, as the programs that set it then
//! have it: systemd-sysctl, procps, and systemd's generators.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use installer::engine::run;
use installer::install::Steps;
use installer::receipt::{Receipt, StepName};
use installer::role::Role;

use crate::node::kinds::{self, BARE};
use crate::node::member::Member;
use crate::node::{Node, difference};

const SYSTEMD: &str = "/lib/systemd/systemd-sysctl";
const OWN: &str = "etc/sysctl.d/zz-kubeferry.conf";
const OLD: &str = "etc/sysctl.d/99-kubeferry.conf";
const OLD_TEXT: &str = "net.bridge.bridge-nf-call-ip6tables = 1\n\
                        net.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1\n";

/// What sites and packages have that switches forwarding off. A text that begins with
/// `->` is a link.
const SITES: [&[(&str, &str)]; 12] = [
    &[],
    // amazon-eks-ami#746
    &[
        ("etc/sysctl.d/99-sysctl.conf", "->../sysctl.conf"),
        ("etc/sysctl.conf", "# CIS\nnet.ipv4.ip_forward = 0\n"),
    ],
    // Without the link only procps reads it.
    &[("etc/sysctl.conf", "net/ipv4/ip_forward=0\r\nnet.ipv4.conf.all.forwarding=0")],
    &[("etc/sysctl.d/50-cis.conf", "net.ipv4.ip_forward = 0\n")],
    // A line of one value stays where it was first, and what is between undoes it.
    &[
        ("etc/sysctl.d/50-a.conf", "net.ipv4.ip_forward = 1\n"),
        ("etc/sysctl.d/60-b.conf", "net.ipv4.conf.all.forwarding = 0\n"),
    ],
    &[
        ("etc/sysctl.d/50-a.conf", "net.ipv4.conf.default.forwarding = 0\n"),
        ("usr/lib/sysctl.d/60-b.conf", "-net.ipv4.conf.default.forwarding = 0\n"),
    ],
    &[("etc/sysctl.d/zzz-site.conf", "net.ipv4.ip_forward = 0\nnet.ipv4.tcp_syncookies = 1\n")],
    &[("etc/sysctl.d/zzz-site.conf", "-net.ipv4.ip_forward\n")],
    &[("usr/lib/sysctl.d/zzz-package.conf", "net.ipv4.ip_forward = 0\n")],
    // One that is hidden, and one that hides it.
    &[
        ("etc/sysctl.d/zzz.conf", "->/dev/null"),
        ("usr/lib/sysctl.d/zzz.conf", "net.ipv4.ip_forward = 0\n"),
    ],
    &[("etc/sysctl.d/10-nics.conf", "net.ipv4.conf.eth0.forwarding = 0\n")],
    &[("usr/lib/sysctl.d/10-nics.conf", "net.ipv4.conf.*.forwarding = 0\n")],
];

fn write(node: &Node, path: &str, text: &str) {
    let path = node.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match text.strip_prefix("->") {
        Some(to) => symlink(to, path).unwrap(),
        None => fs::write(path, text).unwrap(),
    }
}

fn step(node: &Node, name: StepName) -> Steps {
    let mut steps = node.steps();
    steps.retain(|step| step.name() == name);
    steps
}

/// The changes of one step, as a plan says them.
fn plan(node: &Node, name: StepName) -> Vec<String> {
    let plan = run::plan(&node.look(None).0, &node.intent(), &step(node, name)).unwrap();
    plan.iter().flat_map(|planned| &planned.changes).map(ToString::to_string).collect()
}

fn apply(node: &Node, name: StepName) {
    let mut host = node.look(None).0.open().unwrap();
    // The keys of bridges come with their module.
    for name in [StepName::Modules, name] {
        run::apply(&mut host, &node.intent(), &step(node, name), &mut |_, _, _| ()).unwrap();
    }
    assert_eq!(plan(node, name), [""; 0]);
}

/// What the kernel has after a boot with the node's files, by `program`, in a network of
/// its own: the switches of all, of an interface that was there, and of two that came
/// later. None where this machine cannot tell.
fn booted(node: &Node, program: &str) -> Option<Vec<String>> {
    let root = node.root().display();
    // Each folder is the node's, and what it does not have is empty.
    let folders = ["etc", "run", "usr/local/lib", "usr/lib"];
    for folder in folders {
        fs::create_dir_all(node.root().join(folder).join("sysctl.d")).unwrap();
    }
    let mounts = folders.map(|folder| {
        let place = format!("/{folder}/sysctl.d");
        format!("[ -d {place} ] || mkdir {place}\nmount --bind {root}{place} {place}\n")
    });
    fs::write(node.root().join("no-file"), "").unwrap();
    let conf = node.root().join("etc/sysctl.conf");
    let conf = if conf.exists() { conf } else { node.root().join("no-file") };
    let script = format!(
        "set -e\nfor folder in /etc /run /usr/local/lib; do mount -t tmpfs none $folder; done\n{}\
         cat {} >/etc/sysctl.conf\n\
         ip link add eth0 type veth peer name other\n\
         {program} >/dev/null 2>&1 || true\n\
         ip link add cali1 type veth peer name cali2\n\
         for name in cali1 cali2; do {SYSTEMD} --prefix=/net/ipv4/conf/$name; done\n\
         cd /proc/sys/net/ipv4; cat ip_forward conf/eth0/forwarding conf/cali1/forwarding \
         conf/cali2/forwarding",
        mounts.concat(),
        conf.display()
    );
    let mut unshare = Command::new("unshare");
    let said = unshare.args(["--mount", "--net", "sh", "-c", &script]).output().ok()?;
    fs::remove_file(node.root().join("no-file")).unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if !said.status.success() || lines.len() != 4 {
        eprintln!("not tried: {}", String::from_utf8_lossy(&said.stderr));
        return None;
    }
    Some(lines)
}

#[test]
fn forwarding_is_on_after_a_boot_whatever_a_site_has() {
    let is_here = Path::new(SYSTEMD).exists() && rustix::process::geteuid().is_root();
    if !is_here {
        return eprintln!("not tried: it takes root, and systemd-sysctl");
    }
    let mut undone = 0;
    for (number, site) in SITES.into_iter().enumerate() {
        for program in [SYSTEMD, "sysctl --system"] {
            let node = kinds::bare(Role::Worker);
            site.iter().for_each(|(path, text)| write(&node, path, text));
            // As an earlier version has left it.
            write(&node, OLD, OLD_TEXT);
            let Some(before) = booted(&node, program) else { return };
            undone += usize::from(before.iter().any(|value| value == "0"));
            apply(&node, StepName::Sysctl);
            assert_eq!(booted(&node, program).unwrap(), ["1"; 4], "{program} with {number}");
            assert!(!node.root().join(OLD).exists());
        }
    }
    assert!(undone >= 10, "only {undone} of them undo it");
}

#[test]
fn what_undoes_settings_is_in_the_plan_and_a_reset_puts_it_back() {
    for site in SITES {
        let node = kinds::bare(Role::Master);
        site.iter().for_each(|(path, text)| write(&node, path, text));
        write(&node, "etc/sysctl.d/1.conf", "");
        let before = node.tree();
        let plan = plan(&node, StepName::Sysctl);
        apply(&node, StepName::Sysctl);
        for path in difference(&node.tree(), &before) {
            if path.starts_with("etc/sysctl") {
                assert!(plan.contains(&format!("write /{path}")), "{path}: {plan:?}");
            }
        }
        node.assert_goes_back(&before, "sysctl");
    }
    let node = kinds::bare(Role::Worker);
    write(&node, "etc/sysctl.conf", "a=1\nnet.ipv4.ip_forward = 0\nb = 2");
    apply(&node, StepName::Sysctl);
    let text = fs::read_to_string(node.root().join("etc/sysctl.conf")).unwrap();
    assert_eq!(text, "a=1\n# kubeferry: net.ipv4.ip_forward = 0\nb = 2");
}

#[test]
fn the_file_of_an_earlier_version_moves_and_a_reset_leaves_none() {
    let node = kinds::bare(Role::Worker);
    write(&node, "etc/sysctl.d/1.conf", "");
    let before = node.tree();
    let mut host = node.look(None).0.open().unwrap();
    host.write(
        StepName::Sysctl,
        Path::new("/etc/sysctl.d/99-kubeferry.conf"),
        OLD_TEXT.as_bytes(),
        0o644,
    )
    .unwrap();
    host.finish(StepName::Sysctl).unwrap();
    drop(host);
    let last = "remove /etc/sysctl.d/99-kubeferry.conf".to_owned();
    assert_eq!(plan(&node, StepName::Sysctl).last(), Some(&last));
    apply(&node, StepName::Sysctl);
    assert!(node.root().join(OWN).exists() && !node.root().join(OLD).exists());
    node.assert_goes_back(&before, "an earlier version's");

    // A site's own of that name stays.
    write(&node, OLD, "net.ipv4.ip_forward = 1\nvm.swappiness = 0\n");
    apply(&node, StepName::Sysctl);
    assert!(node.root().join(OLD).exists());
}

#[test]
fn settings_that_cannot_last_are_refused() {
    let refused = |path: &str, text: &str| {
        let node = kinds::bare(Role::Worker);
        write(&node, path, text);
        let plan = run::plan(&node.look(None).0, &node.intent(), &step(&node, StepName::Sysctl));
        installer::failure::describe(&plan.map(drop).unwrap_err(), None)
    };
    let told = refused("run/sysctl.d/zzz.conf", "net.ipv4.ip_forward=0\n");
    assert!(
        told.contains("/run/sysctl.d/zzz.conf has `net.ipv4.ip_forward=0`, and is written again")
    );
    // Of tuned's profile, with what it includes.
    let tuned = |path: &str, main: &str, line: &str| {
        let node = kinds::bare(Role::Worker);
        write(&node, "etc/tuned/active_profile", "site\n");
        write(&node, "run/systemd/enabled/tuned", "");
        write(&node, "etc/tuned/tuned-main.conf", main);
        write(&node, "etc/tuned/site/tuned.conf", "[main]\ninclude=base\n[sysctl]\nvm.a=1\n");
        write(&node, path, &format!("[main]\ninclude = site\n[sysctl]\n{line}\n"));
        run::plan(&node.look(None).0, &node.intent(), &step(&node, StepName::Sysctl))
            .map(|_| plan(&node, StepName::Sysctl))
    };
    let (site, package) = ("etc/tuned/base/tuned.conf", "usr/lib/tuned/base/tuned.conf");
    let (off, eth0) = ("net.ipv4.ip_forward=0", "net.ipv4.conf.eth0.forwarding=0");
    let writes =
        |plan: anyhow::Result<Vec<String>>| plan.unwrap().contains(&format!("write /{site}"));
    assert!(!writes(tuned(site, "", off)), "it reads our file after that");
    assert!(writes(tuned(site, "reapply_sysctl = 0\n", off)));
    assert!(writes(tuned(site, "", eth0)));
    let told = format!("{:#}", tuned(package, "reapply_sysctl=False\n", off).unwrap_err());
    assert!(told.contains("and belongs to tuned's active profile"), "{told}");
    let told = refused("run/systemd/masked/systemd-sysctl", "");
    assert!(told.contains("hint: `systemctl unmask systemd-sysctl`"), "{told}");
}

/// systemd.network(5) and networkd.conf(5) since 256.
#[test]
fn networkd_switches_no_forwarding_off() {
    let runs = ("run/systemd/active/systemd-networkd", "");
    let (network, own) = ("etc/systemd/network/10-lan.network", "[Match]\nName=eth0\n[Network]\n");
    let off = format!("{own}DHCP=yes\nIPv4Forwarding=no\n");
    for (files, written) in [
        (vec![(network, off.as_str())], Some(network)),
        (
            vec![("etc/systemd/networkd.conf", "[Network]\nIPv4Forwarding = Off\n")],
            Some("etc/systemd/networkd.conf"),
        ),
        (
            vec![
                (network, own),
                ("run/systemd/network/10-lan.network.d/x.conf", "[Network]\nIPv4Forwarding=yes\n"),
            ],
            None,
        ),
        // A package's is hidden by one of its name.
        (
            vec![("usr/lib/systemd/network/80-x.network", off.as_str())],
            Some("etc/systemd/network/80-x.network"),
        ),
        (vec![("usr/lib/systemd/network/10-lan.network", off.as_str()), (network, own)], None),
        // The last word counts, and other interfaces are a site's.
        (vec![(network, &format!("{off}IPv4Forwarding=1\n"))], None),
        (
            vec![
                (network, off.as_str()),
                ("etc/systemd/network/10-lan.network.d/x.conf", "[Network]\nIPv4Forwarding=yes\n"),
            ],
            None,
        ),
        (vec![(network, &off.replace("eth0", "br-*"))], None),
        (vec![(network, &off.replace("Name=eth0", "Type=ether"))], Some(network)),
        (vec![(network, &off.replace("eth0", "en* eth*"))], Some(network)),
        (vec![(network, &off.replace("eth0", "cali*"))], Some(network)),
        // It never switched anything off (systemd.network(5) before 256), and does nothing since.
        (vec![(network, &off.replace("IPv4Forwarding", "IPForward"))], None),
    ] {
        let node = kinds::bare(Role::Worker);
        files.iter().chain([&runs]).for_each(|(path, text)| write(&node, path, text));
        write(&node, "etc/sysctl.d/1.conf", "");
        let before = node.tree();
        let plan = plan(&node, StepName::Sysctl);
        let writes: Vec<&String> = plan.iter().filter(|one| one.contains("/systemd/")).collect();
        let wanted: Vec<String> = written.iter().map(|path| format!("write /{path}")).collect();
        assert_eq!(writes, wanted.iter().collect::<Vec<_>>(), "{files:?}");
        assert_eq!(plan.contains(&"run networkctl reload".to_owned()), written.is_some());
        apply(&node, StepName::Sysctl);
        if let Some(path) = written {
            let text = fs::read_to_string(node.root().join(path)).unwrap();
            assert!(text.contains("# kubeferry: IPv4Forwarding"), "{text}");
        }
        node.assert_goes_back(&before, "networkd's");
        // Where networkd is off, nobody reads them.
        let node = kinds::bare(Role::Worker);
        files.iter().for_each(|(path, text)| write(&node, path, text));
        assert!(!self::plan(&node, StepName::Sysctl).iter().any(|one| one.contains("systemd")));
    }
    let member = finished(StepName::Sysctl);
    for (path, text) in [runs, ("etc/systemd/networkd.conf", "[Network]\nIPv4Forwarding=no\n")] {
        member.write(path, text);
    }
    let found = member.diagnose().findings;
    assert_eq!(
        found[0].cause,
        "/etc/systemd/networkd.conf has `IPv4Forwarding=no`, which overrides \
         /etc/sysctl.d/zz-kubeferry.conf at the next boot"
    );
}

/// It was killed between the file and the command that has networkd read it.
#[test]
fn networkd_reads_its_files_again_after_an_interruption() {
    let node = kinds::bare(Role::Worker);
    write(&node, "run/systemd/active/systemd-networkd", "");
    apply(&node, StepName::Sysctl);
    let receipt = node.root().join("var/lib/kubeferry/receipt.jsonl");
    let deed =
        "{\"line\":\"deed\",\"step\":\"sysctl\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    fs::write(&receipt, fs::read_to_string(&receipt).unwrap() + deed).unwrap();
    assert!(plan(&node, StepName::Sysctl).contains(&"run networkctl reload".to_owned()));
    apply(&node, StepName::Sysctl);
}

/// NetworkManager.conf(5): of one key a later file's `=` replaces what is before it.
#[test]
fn a_later_file_of_network_managers_takes_no_interface_back() {
    let folder = "etc/NetworkManager/conf.d";
    let lan = "[keyfile]\nunmanaged-devices=interface-name:lan9\n";
    for (name, text, more) in [
        ("99-site.conf", lan, None),
        ("site.conf", lan, Some("site.kubeferry.conf")),
        (
            "zz-site.conf",
            "[keyfile]\nunmanaged-devices = mac:00:11:22:33:44:55\n",
            Some("zz-site.kubeferry.conf"),
        ),
        ("zz-site.conf", "[keyfile]\nunmanaged-devices+=interface-name:lan9\n", None),
        ("zz-site.conf", "[main]\nunmanaged-devices=interface-name:lan9\n", None),
        ("zz-site.conf", "[keyfile]\n#unmanaged-devices=interface-name:lan9\n", None),
        ("zz-site.txt", lan, None),
    ] {
        let node = kinds::bare(Role::Worker);
        write(&node, "etc/NetworkManager/NetworkManager.conf", "");
        write(&node, "run/systemd/active/NetworkManager", "");
        write(&node, &format!("{folder}/{name}"), text);
        let before = node.tree();
        apply(&node, StepName::NetworkManager);
        let names = fs::read_dir(node.root().join(folder)).unwrap();
        let mut names: Vec<String> =
            names.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|one| one != name && one != "kubeferry.conf");
        assert_eq!(names, more.iter().copied().collect::<Vec<_>>(), "{name} {text}");
        node.assert_goes_back(&before, "NetworkManager's");
    }
}

/// A worker of which the receipt has it that a step was finished.
fn finished(step: StepName) -> Member {
    let member = Member::new(Role::Worker);
    let folder = member.node.root().join("var/lib/kubeferry");
    let line = installer::receipt::Line::Finished { step };
    Receipt::open(&folder).unwrap().add(line).unwrap();
    member
}

#[test]
fn the_doctor_tells_what_the_next_boot_undoes() {
    let line = "./installer --role worker --join join.yaml --only";
    let member = finished(StepName::Sysctl);
    member.write("etc/sysctl.d/zzz.conf", "net.ipv4.ip_forward = 0\n");
    let found = member.diagnose().findings;
    assert_eq!(
        found[0].cause,
        "/etc/sysctl.d/zzz.conf has `net.ipv4.ip_forward = 0`, which overrides \
         /etc/sysctl.d/zz-kubeferry.conf at the next boot"
    );
    assert_eq!(found[0].cure, format!("{line} sysctl"));
    // Nor does a cure for now alone last.
    member.write("proc/sys/net/ipv4/ip_forward", "0\n");
    assert_eq!(member.diagnose().findings[0].cure, format!("{line} sysctl"));
    apply(&member.node, StepName::Sysctl);
    assert_eq!(member.diagnose().findings, []);

    let member = finished(StepName::Sysctl);
    member.write(
        "var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--node-ip=10.0.0.2\"\n",
    );
    member.write("proc/sys/net/ipv4/conf/eth0/forwarding", "0\n");
    let found = member.diagnose().findings;
    assert_eq!(found[0].cause, "net.ipv4.conf.eth0.forwarding is 0, and must be 1");
    member.type_in(&found[0].cure);
    assert_eq!(member.diagnose().findings, []);

    let member = finished(StepName::Swap);
    member.write("run/systemd/generator.late/dev-vda3.swap", "[Swap]\nWhat=/dev/vda3\n");
    let found = member.diagnose().findings;
    assert!(
        found[0].cause.ends_with("to prevent that: `run systemctl mask swap.target`"),
        "{found:?}"
    );
    assert_eq!(found[0].cure, format!("{line} swap"));

    let member = finished(StepName::Time);
    member.write("run/systemd/enabled/ntpd", "");
    let found = member.diagnose().findings;
    assert!(
        found[0].cause.ends_with("to switch it off: `run systemctl disable ntpd`"),
        "{found:?}"
    );
    assert_eq!(found[0].cure, format!("{line} time"));
}

#[test]
fn swap_of_each_kind_stays_off() {
    let on = "Filename Type\n/dev/vda3 partition 1 0 -2\n";
    let escaped = "dev-disk-by\\x2dpartuuid-0657fd6d.swap";
    for (path, text, commands) in [
        (
            "run/systemd/generator.late/dev-vda3.swap".to_owned(),
            "[Swap]\nWhat=/dev/vda3\n",
            &["systemctl mask swap.target", "systemctl mask dev-vda3.swap"][..],
        ),
        (
            format!("run/systemd/generator.late/{escaped}"),
            "",
            &[
                "systemctl mask swap.target",
                "systemctl mask dev-disk-by\\x2dpartuuid-0657fd6d.swap",
            ],
        ),
        (
            "run/systemd/generator/dev-zram0.swap".to_owned(),
            "[Swap]\nWhat=/dev/zram0\n",
            &["systemctl mask swap.target", "systemctl mask dev-zram0.swap"],
        ),
        ("usr/lib/systemd/system/a.swap".to_owned(), "[Swap]\n", &["systemctl mask a.swap"]),
        // `systemctl mask` has no room for its link there.
        ("etc/systemd/system/a.swap".to_owned(), "[Swap]\n", &[]),
        // This one goes with its line.
        ("run/systemd/generator/b.swap".to_owned(), "[Unit]\nSourcePath=/etc/fstab\n", &[]),
        ("etc/systemd/system/c.swap".to_owned(), "->/dev/null", &[]),
        (
            "run/systemd/enabled/dphys-swapfile".to_owned(),
            "",
            &["systemctl disable dphys-swapfile"],
        ),
        ("run/systemd/active/zramswap".to_owned(), "", &["systemctl stop zramswap"]),
        ("etc/waagent.conf".to_owned(), "A=y\nResourceDisk.EnableSwap=y\n", &[]),
    ] {
        let node = Node::new(Role::Worker, &BARE);
        write(&node, "proc/swaps", on);
        write(&node, "etc/fstab", "UUID=1 / xfs defaults 0 0\n/dev/vda3 none swap sw 0 0\n");
        write(&node, &path, text);
        let before = node.tree();
        let plan = plan(&node, StepName::Swap);
        for command in commands {
            assert!(plan.contains(&format!("run {command}")), "{path}: {plan:?}");
        }
        assert!(plan.contains(&"run swapoff -a".to_owned()));
        apply(&node, StepName::Swap);
        let is_there = node.root().join(&path).exists();
        let goes = ["etc/systemd/system/a", "run/systemd/enabled", "run/systemd/active"];
        assert_eq!(is_there, !goes.iter().any(|one| path.starts_with(one)), "{path}");
        let agent = fs::read_to_string(node.root().join("etc/waagent.conf")).unwrap_or_default();
        assert!(agent.is_empty() || agent == "A=y\n# kubeferry: ResourceDisk.EnableSwap=y\n");
        let mut host = node.look(None).0.open().unwrap();
        let mut told = Vec::new();
        let left =
            installer::engine::reset::reset(&mut host, &mut |one| told.push(format!("{one:?}")));
        assert_eq!(left, [""; 0]);
        assert!(told.iter().any(|one| one.contains("swapon")), "{told:?}");
        installer::engine::reset::forget(&host).unwrap();
        let mut left = difference(&node.tree(), &before);
        // The double knows of fstab's only; modules stay loaded; and systemd has read the
        // units anew.
        left.retain(|path| !path.starts_with("proc/") && !path.starts_with("run/systemd/loaded"));
        assert_eq!(left, Default::default(), "{path}");
    }
}

#[test]
fn systemd_makes_no_swap_of_what_is_left_of_fstab() {
    const GENERATOR: &str = "/lib/systemd/system-generators/systemd-fstab-generator";
    if !Path::new(GENERATOR).exists() {
        return eprintln!("not tried: there is no {GENERATOR}");
    }
    let fstab = "UUID=0f3a / xfs defaults 0 0\n\
                 UUID=1f3a none swap sw 0 0\n\
                 LABEL=more\tswap\tswap\tnofail,pri=5 0 0\n\
                 /swap\\040file swap swap noauto 0 0\n\
                 /dev/zram0 none swap defaults,x-systemd.device-timeout=0\n";
    // It makes none in a container, which it knows by what is in / and by process 1.
    let script = format!(
        "set -e\nmount -t tmpfs none /mnt\nmkdir /mnt/usr /mnt/proc /mnt/run\n\
         cp \"$1\" /mnt/fstab\nmount --bind /usr /mnt/usr\nmount -t proc none /mnt/proc\n\
         for name in bin lib lib64; do ln -s usr/$name /mnt/$name; done\n\
         env -i SYSTEMD_FSTAB=/fstab PATH=$PATH:/usr/sbin chroot /mnt {GENERATOR} /run /run /run\n\
         find /mnt/run -type f -name '*.swap'"
    );
    let swaps = |node: &Node| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--pid", "--fork", "sh", "-c", &script, "sh"]);
        let said = unshare.arg(node.root().join("etc/fstab")).output().unwrap();
        String::from_utf8(said.stdout).unwrap().lines().count()
    };
    let node = kinds::bare(Role::Worker);
    write(&node, "etc/fstab", fstab);
    if swaps(&node) == 0 {
        return eprintln!("not tried: the generator makes no swap here");
    }
    assert_eq!(swaps(&node), 4);
    apply(&node, StepName::Swap);
    assert_eq!(swaps(&node), 0);
}

#[test]
fn one_program_sets_the_clock() {
    for unit in ["ntp", "ntpd", "ntpdate", "ntpsec", "openntpd", "systemd-timesyncd"] {
        let node = kinds::bare(Role::Worker);
        write(&node, &format!("run/systemd/enabled/{unit}"), "");
        write(&node, &format!("run/systemd/active/{unit}"), "");
        let before = node.tree();
        let plan = plan(&node, StepName::Time);
        let expected =
            [format!("run systemctl disable {unit}"), format!("run systemctl stop {unit}")];
        assert_eq!(plan[..2], expected);
        apply(&node, StepName::Time);
        node.assert_goes_back(&before, unit);
    }
    let node = kinds::bare(Role::Worker);
    write(&node, "run/systemd/enabled/phc2sys", "");
    let plan = run::plan(&node.look(None).0, &node.intent(), &step(&node, StepName::Time));
    let told = installer::failure::describe(&plan.map(drop).unwrap_err(), None);
    assert!(told.contains("phc2sys sets this node's clock, and so would chronyd"), "{told}");
    assert!(told.contains("--skip time"), "{told}");
}

#[test]
fn a_module_that_no_boot_would_load_is_refused() {
    let told = |path: &str, text: &str| {
        let node = kinds::bare(Role::Worker);
        write(&node, path, text);
        let plan = run::plan(&node.look(None).0, &node.intent(), &step(&node, StepName::Modules));
        plan.map(drop).map_err(|error| installer::failure::describe(&error, None))
    };
    for text in [
        "blacklist br_netfilter\n",
        "# CIS\n blacklist br-netfilter",
        "install overlay /bin/true\n",
    ] {
        let told = told("etc/modprobe.d/cis.conf", text).unwrap_err();
        let line = text.lines().last().unwrap().trim();
        assert!(told.contains(&format!("/etc/modprobe.d/cis.conf has `{line}`")), "{told}");
    }
    // As CIS has it, in two lines: both at once.
    let both = told("etc/modprobe.d/cis.conf", "install overlay /bin/false\nblacklist overlay\n");
    let both = both.unwrap_err();
    assert!(both.contains("`install overlay /bin/false`, `blacklist overlay`"), "{both}");
    let told_by_kernel = told("proc/cmdline", "ro module_blacklist=pcspkr,overlay quiet\n");
    assert!(told_by_kernel.unwrap_err().contains("--remove-args module_blacklist=pcspkr,overlay"));
    for (path, text) in [
        (
            "etc/modprobe.d/cis.conf",
            "#blacklist overlay\nblacklist udf\ninstall overlay /sbin/modprobe -i overlay\n",
        ),
        ("etc/modprobe.d/cis.conf.rpmsave", "blacklist overlay\n"),
        ("etc/modprobe.d/cis.conf", "->/dev/null"),
        ("proc/cmdline", "ro modprobe.blacklist=udf\n"),
    ] {
        assert_eq!(told(path, text), Ok(()), "{path} {text}");
    }
    // What the kernel is made of needs no loading.
    let node = kinds::bare(Role::Worker);
    write(&node, "etc/modprobe.d/cis.conf", "blacklist overlay\n");
    write(&node, "lib/modules/5.14/modules.builtin", "kernel/fs/overlayfs/overlay.ko\n");
    assert!(run::plan(&node.look(None).0, &node.intent(), &step(&node, StepName::Modules)).is_ok());
}

#[test]
fn cloud_init_writes_no_other_hosts_at_the_next_boot() {
    let own = "write /etc/cloud/cloud.cfg.d/zz-kubeferry.cfg".to_owned();
    for (text, is_written) in [
        ("manage_etc_hosts: true\n", true),
        ("users: []\nmanage_etc_hosts: \"localhost\" # as asked\n", true),
        ("manage_etc_hosts: template\n", true),
        ("manage_etc_hosts: false\n", false),
        ("#manage_etc_hosts: true\n", false),
    ] {
        for path in ["etc/cloud/cloud.cfg", "etc/cloud/cloud.cfg.d/10_site.cfg"] {
            let node = kinds::bare(Role::Worker);
            write(&node, path, text);
            write(&node, "etc/cloud/cloud.cfg.d/1.cfg", "");
            let before = node.tree();
            assert_eq!(plan(&node, StepName::Hosts).contains(&own), is_written, "{text}");
            apply(&node, StepName::Hosts);
            let mut host = node.look(None).0.open().unwrap();
            assert_eq!(installer::engine::reset::reset(&mut host, &mut |_| ()), [""; 0]);
            let left = difference(&node.tree(), &before);
            assert!(!left.iter().any(|path| path.starts_with("etc/")), "{left:?}");
        }
    }
}
