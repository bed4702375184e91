//! Forwarding stays on: sysctl's files, by their real order.

use std::fs;
use std::path::Path;
use std::process::Command;

use installer::engine::run;
use installer::receipt::StepName;
use installer::role::Role;

use super::{apply, plan, refusal, step, write};
use crate::node::kinds;
use crate::node::{Node, difference};

const SYSTEMD: &str = "/lib/systemd/systemd-sysctl";
const OWN: &str = "etc/sysctl.d/zz-kubeferry.conf";
const OLD: &str = "etc/sysctl.d/99-kubeferry.conf";
const OLD_TEXT: &str = "net.bridge.bridge-nf-call-ip6tables = 1\n\
                        net.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1\n";

/// Files of sites and packages that switch forwarding off. A text that begins with `->`
/// is a link.
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

/// Whether the kernel forwards after `program` has read the node's files, in a network of
/// its own: for all interfaces, for eth0, which was there before, and for two that came
/// later. None if this machine cannot do that.
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
        eprintln!("skipped: {}", String::from_utf8_lossy(&said.stderr));
        return None;
    }
    Some(lines)
}

#[test]
fn forwarding_is_on_after_a_boot_whatever_a_site_has() {
    let is_here = Path::new(SYSTEMD).exists() && rustix::process::geteuid().is_root();
    if !is_here {
        return eprintln!("skipped: it takes root, and systemd-sysctl");
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
    let refused = |path: &str, text: &str| refusal(path, text, StepName::Sysctl).unwrap();
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
