//! What a step sets still holds after the next boot, judged by the programs that set it
//! then: systemd-sysctl, procps, and systemd's generators.

mod forwarding;
mod network_programs;
mod swap;

use std::fs;
use std::os::unix::fs::symlink;

use installer::engine::run;
use installer::install::Steps;
use installer::receipt::{Receipt, StepName};
use installer::role::Role;

use crate::node::kinds;
use crate::node::member::Member;
use crate::node::{Node, difference};

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

/// With which words a step refuses a bare worker that has `text` at `path`, if it does.
fn refusal(path: &str, text: &str, name: StepName) -> Option<String> {
    let node = kinds::bare(Role::Worker);
    write(&node, path, text);
    let plan = run::plan(&node.look(None).0, &node.intent(), &step(&node, name));
    plan.err().map(|error| installer::failure::describe(&error, None))
}

fn apply(node: &Node, name: StepName) {
    let mut host = node.look(None).0.open().unwrap();
    // The keys of bridges come with their module.
    for name in [StepName::Modules, name] {
        run::apply(&mut host, &node.intent(), &step(node, name), &mut |_, _, _| ()).unwrap();
    }
    assert_eq!(plan(node, name), [""; 0]);
}

/// A worker whose receipt says that a step was finished.
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
    // A cure that only changes the value of now does not last.
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
    let told = refusal("run/systemd/enabled/phc2sys", "", StepName::Time).unwrap();
    assert!(told.contains("phc2sys sets this node's clock, and so would chronyd"), "{told}");
    assert!(told.contains("--skip time"), "{told}");
}

#[test]
fn a_module_that_no_boot_would_load_is_refused() {
    let told = |path: &str, text: &str| refusal(path, text, StepName::Modules);
    for text in [
        "blacklist br_netfilter\n",
        "# CIS\n blacklist br-netfilter",
        "install overlay /bin/true\n",
    ] {
        let told = told("etc/modprobe.d/cis.conf", text).unwrap();
        let line = text.lines().last().unwrap().trim();
        assert!(told.contains(&format!("/etc/modprobe.d/cis.conf has `{line}`")), "{told}");
    }
    // As CIS has it, in two lines: both at once.
    let both = told("etc/modprobe.d/cis.conf", "install overlay /bin/false\nblacklist overlay\n");
    let both = both.unwrap();
    assert!(both.contains("`install overlay /bin/false`, `blacklist overlay`"), "{both}");
    let told_by_kernel = told("proc/cmdline", "ro module_blacklist=pcspkr,overlay quiet\n");
    assert!(told_by_kernel.unwrap().contains("--remove-args module_blacklist=pcspkr,overlay"));
    for (path, text) in [
        (
            "etc/modprobe.d/cis.conf",
            "#blacklist overlay\nblacklist udf\ninstall overlay /sbin/modprobe -i overlay\n",
        ),
        ("etc/modprobe.d/cis.conf.rpmsave", "blacklist overlay\n"),
        ("etc/modprobe.d/cis.conf", "->/dev/null"),
        ("proc/cmdline", "ro modprobe.blacklist=udf\n"),
    ] {
        assert_eq!(told(path, text), None, "{path} {text}");
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
