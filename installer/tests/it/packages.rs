//! Packages of the bundle beside those of a node: what is planned, what is refused,
//! and what a reset takes away again.

use std::fs;
use std::os::unix::fs::MetadataExt;

use installer::engine::reset::{self, Told};
use installer::engine::run;
use installer::exec::Command;
use installer::host::Host;
use installer::install::{Change, Steps};
use installer::intent::Intent;
use installer::preflight;
use installer::receipt::{Deed, Line, Receipt, StepName};
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{Rpm, bundle_with_packages};
use crate::node::text::write;
use crate::node::{self, Node, kinds};

const KUBELET: Rpm = Rpm { nevra: "kubelet-1.28.2-1.x86_64", is_requested: true, needed: &[] };
const SOCAT: Rpm = Rpm {
    nevra: "socat-1.7.4-1.x86_64",
    is_requested: true,
    needed: &[("kubelet-1.28.2-1.x86_64", "socat")],
};
const LIBX: Rpm = Rpm {
    nevra: "libx-1:2.0-1.x86_64",
    is_requested: false,
    needed: &[
        ("kubelet-1.28.2-1.x86_64", "libx >= 1:1.5"),
        ("kubelet-1.28.2-1.x86_64", "libx.so.2()(64bit)"),
        ("kubelet-1.28.2-1.x86_64", "(libx if systemd)"),
    ],
};

/// A node with these packages, and yum in place of dnf where that is said.
fn node_with(packages: &str, tool: &str) -> Node {
    let node = kinds::bare(Role::Worker);
    write(&node, "run/packages", packages);
    if tool == "dnf" {
        write(&node, "usr/bin/dnf", "");
    }
    node
}

fn intent(node: &Node, packages: &[Rpm]) -> Intent {
    let mut intent = node.intent();
    (intent.bundle, intent.target) = bundle_with_packages(packages);
    intent
}

fn step() -> Steps {
    let mut steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == StepName::Packages);
    steps
}

fn planned(node: &Node, intent: &Intent) -> Vec<Change> {
    let mut plan = run::plan(&node.look(None).0, intent, &step()).unwrap();
    plan.remove(0).changes
}

fn apply(node: &Node, intent: &Intent) -> (anyhow::Result<usize>, Vec<String>) {
    let (host, commands) = node.look(None);
    let end = run::apply(&mut host.open().unwrap(), intent, &step(), &mut |_, _, _| ());
    (end, commands.made())
}

fn packages(node: &Node) -> Vec<String> {
    let text = fs::read_to_string(node.root().join("run/packages")).unwrap();
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    all.sort();
    all
}

/// What preflight says of a kind, with its cure.
fn problems(node: &Node, intent: &Intent, of: &str) -> Vec<String> {
    let problems = preflight::problems(&node.look(None).0, intent);
    let texts = problems.iter().map(|one| format!("{one}\n{}", one.cure()));
    texts.filter(|text| text.contains(of)).collect()
}

/// Resets it; gives what is told to stay, and the commands.
fn reset_told(host: Host) -> Vec<String> {
    let mut stays = Vec::new();
    let left = reset::reset(&mut host.open().unwrap(), &mut |told| {
        if let Told::Stays(what) = told {
            stays.push(what.to_owned());
        }
    });
    assert_eq!(left, [""; 0]);
    stays
}

#[test]
fn what_is_newer_stays_but_for_kubernetes_itself() {
    let here = "kubelet - 1.30.0-1 x86_64\nlibx 1 2.5-1 x86_64\nsocat - 1.7.3-1 x86_64\n";
    for tool in ["dnf", "yum"] {
        let node = node_with(here, tool);
        let intent = intent(&node, &[KUBELET, SOCAT, LIBX]);
        let plan = planned(&node, &intent);
        assert_eq!(
            plan[0].to_string(),
            "upgrade socat from 1.7.3-1 to 1.7.4-1; downgrade kubelet from 1.30.0-1 to 1.28.2-1"
        );
        let (end, made) = apply(&node, &intent);
        end.unwrap();
        let base = "--assumeyes --config /var/lib/kubeferry/dnf.conf \
                    --exclude=libx-1:2.0-1.x86_64";
        let (kubelet, socat) = ("kubelet-1.28.2-1.x86_64", "socat-1.7.4-1.x86_64");
        let expected = match tool {
            "dnf" => vec![format!("dnf {base} install -- {kubelet} {socat}")],
            _ => vec![
                format!("yum {base} downgrade -- {kubelet}"),
                format!("yum {base} install -- {socat}"),
            ],
        };
        assert_eq!(made, expected);
        let now = ["kubelet - 1.28.2-1 x86_64", "libx 1 2.5-1 x86_64", "socat - 1.7.4-1 x86_64"];
        assert_eq!(packages(&node), now);
        assert_eq!(planned(&node, &intent), [], "a second run has nothing to do");

        // Nobody has what was there before: that is told.
        let stays = reset_told(node.look(None).0);
        assert_eq!(packages(&node), now);
        assert!(stays.iter().any(|one| one.contains("kubelet-1.30.0-1.x86_64")), "{stays:?}");
        assert!(stays.iter().any(|one| one.contains("socat-1.7.3-1.x86_64")), "{stays:?}");
    }
}

#[test]
fn rebuilds_epochs_architectures_and_kernels_are_compared_as_rpm_does() {
    const KERNEL: Rpm =
        Rpm { nevra: "kernel-modules-extra-5.14.0-1.x86_64", is_requested: true, needed: &[] };
    for (here, packages, plan) in [
        // A site's own build of the same version is not what was tried.
        (
            "kubelet - 1.28.2-1.site x86_64",
            [KUBELET],
            "downgrade kubelet from 1.28.2-1.site to 1.28.2-1",
        ),
        ("socat - 1.7.4-1.site x86_64", [SOCAT], ""),
        ("socat 1 1.0-1 x86_64", [SOCAT], ""),
        ("socat - 1.7.4-2 noarch", [SOCAT], ""),
        ("socat - 1.7.4-2 i686", [SOCAT], "install socat-1.7.4-1.x86_64"),
        ("libx - 9-1 x86_64", [LIBX], "upgrade libx from 9-1 to 1:2.0-1"),
        (
            "kernel-modules-extra - 5.14.0-9 x86_64",
            [KERNEL],
            "install kernel-modules-extra-5.14.0-1.x86_64",
        ),
    ] {
        let node = node_with(&format!("{here}\n"), "dnf");
        let plan_is = planned(&node, &intent(&node, &packages));
        let plan_is = plan_is.first().map(ToString::to_string).unwrap_or_default();
        assert_eq!(plan_is, plan, "{here}");
    }
}

#[test]
fn a_newer_package_with_which_the_bundles_do_not_work_is_told_before() {
    const STRICT: Rpm = Rpm {
        nevra: "libx-1:2.0-1.x86_64",
        is_requested: false,
        needed: &[
            ("kubelet-1.28.2-1.x86_64", "libx = 1:2.0-1"),
            ("kubelet-1.28.2-1.x86_64", "/usr/bin/x"),
            ("other-1-1.x86_64", "libx = 5"),
        ],
    };
    let node = node_with("libx 1 2.5-1 x86_64\n", "yum");
    write(&node, "run/provides", "libx\t1:2.5-1\nlibx.so.2()(64bit)\t\n");
    assert_eq!(problems(&node, &intent(&node, &[KUBELET, LIBX]), "libx"), [""; 0]);

    let told = problems(&node, &intent(&node, &[KUBELET, STRICT]), "of the bundle needs");
    let what = |need: &str| {
        format!(
            "kubelet-1.28.2-1.x86_64 of the bundle needs {need}, and this node has libx-1:2.5-1.x86_64\n"
        )
    };
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with(&what("libx = 1:2.0-1")), "{told:?}");
    assert!(told[1].starts_with(&what("/usr/bin/x")), "{told:?}");
    assert!(told[0].contains("`installer inventory` as its baseline"), "{told:?}");
    write(&node, "usr/bin/x", "");
    assert_eq!(problems(&node, &intent(&node, &[KUBELET, STRICT]), "of the bundle needs").len(), 1);
}

#[test]
fn what_dnf_or_yum_would_stop_at_is_told_before() {
    let node = node_with("socat - 1.7.3-1 i686\nrunc - 1-1 x86_64\n", "yum");
    let intent = intent(&node, &[KUBELET, SOCAT]);
    assert_eq!(problems(&node, &intent, "is at work"), [""; 0]);
    let twin = problems(&node, &intent, "socat-1.7.3-1.i686 is here, and cannot stay beside");
    assert!(twin[0].ends_with("from the site's own repositories"), "{twin:?}");
    assert!(twin[0].contains("`yum remove socat.i686`"), "{twin:?}");

    let relations = "obsoletes\tsitelet\tkubelet\t<\t2\nobsoletes\tother\tkubelet\t<\t1.28\n\
                     conflicts\tnetcat\tsocat\t\t(none)\nconflicts\tkubelet\tkubelet\t<\t9\n\
                     obsoletes\t(none)\n";
    write(&node, "run/relations", relations);
    let told = problems(&node, &intent, "the package ");
    let what = [
        "the package sitelet takes the place of the bundle's kubelet-1.28.2-1.x86_64\n",
        "the package netcat is in the way of the bundle's socat-1.7.4-1.x86_64\n",
    ];
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().zip(what).all(|(told, what)| told.starts_with(what)), "{told:?}");

    for lock in ["run/yum.pid", "var/lib/dnf/rpmdb_lock.pid"] {
        let node = node_with("", "yum");
        write(&node, lock, "77\n");
        let intent = self::intent(&node, &[KUBELET]);
        assert_eq!(problems(&node, &intent, "is at work"), [""; 0], "it has ended");
        write(&node, "proc/77/comm", "packagekitd\n");
        let told = problems(&node, &intent, "packagekitd (process 77) is at work");
        assert!(told[0].contains("systemctl stop packagekit"), "{told:?}");
    }

    // One that has rpm's own lock, as the kernel has it.
    let node = node_with("", "dnf");
    write(&node, "var/lib/rpm/.rpm.lock", "");
    write(&node, "proc/78/comm", "rpm\n");
    let lock = fs::metadata(node.root().join("var/lib/rpm/.rpm.lock")).unwrap();
    let device = (rustix::fs::major(lock.dev()), rustix::fs::minor(lock.dev()));
    let place = format!("{:02x}:{:02x}:{}", device.0, device.1, lock.ino());
    for (kind, count) in [("WRITE", 1), ("READ ", 0)] {
        let locks = format!(
            "1: FLOCK ADVISORY WRITE 9 00:01:2 0 EOF\n2: POSIX  ADVISORY  {kind} 78 {place} 0 EOF\n"
        );
        write(&node, "proc/locks", &locks);
        let told = problems(&node, &self::intent(&node, &[KUBELET]), "rpm (process 78) is at work");
        assert_eq!(told.len(), count, "{told:?}");
    }
}

#[test]
fn a_node_that_was_taken_to_a_newer_kubernetes_stays_in_it() {
    let node = node_with("kubelet - 1.29.0-1 x86_64\n", "dnf");
    let intent = intent(&node, &[KUBELET]);
    assert_eq!(problems(&node, &intent, "which is in its cluster"), [""; 0]);
    write(&node, "etc/kubernetes/kubelet.conf", "");
    let told = problems(&node, &intent, "which is in its cluster");
    let what =
        "kubelet 1.29.0-1 is on this node, which is in its cluster, and the bundle has 1.28.2-1\n";
    assert!(told[0].starts_with(what), "{told:?}");
}

#[test]
fn a_reset_erases_what_came_and_nothing_else() {
    let node = node_with("base - 1-1 noarch\n", "dnf");
    let intent = intent(&node, &[KUBELET, SOCAT, LIBX]);
    // A run that was killed in the middle, and one that did the rest.
    let (host, _) = node.look(Some(node::Fault::Refused(0)));
    run::apply(&mut host.open().unwrap(), &intent, &step(), &mut |_, _, _| ()).unwrap_err();
    write(&node, "run/packages", "base - 1-1 noarch\nlibx 1 2.0-1 x86_64\n");
    apply(&node, &intent).0.unwrap();
    // Then others removed one, replaced one, and put in what needs the third.
    write(
        &node,
        "run/packages",
        "base - 1-1 noarch\nsitecat - 1-1 noarch\nlibx 1 2.0-1 x86_64\nkubelet - 1.29.0-1 x86_64\n",
    );
    let (host, commands) = node.look(None);
    let stays = reset_told(host);
    assert_eq!(
        stays,
        ["kubelet-1.29.0-1.x86_64: somebody replaced kubelet-1.28.2-1.x86_64 with it"]
    );
    assert_eq!(commands.made(), ["rpm --erase -- libx-2.0-1.x86_64"]);
    let now = ["base - 1-1 noarch", "kubelet - 1.29.0-1 x86_64", "sitecat - 1-1 noarch"];
    assert_eq!(packages(&node), now);
}

#[test]
fn a_package_that_another_has_come_to_need_stays() {
    let node = node_with("", "dnf");
    let intent = intent(&node, &[KUBELET, SOCAT]);
    apply(&node, &intent).0.unwrap();
    write(&node, "run/requires/socat", "haproxy\nkubelet\n");
    let (host, commands) = node.look(None);
    assert_eq!(reset_told(host), ["socat-1.7.4-1.x86_64: haproxy-1-1.noarch needs it"]);
    assert_eq!(commands.made(), ["rpm --erase -- kubelet-1.28.2-1.x86_64"]);
    assert_eq!(packages(&node), ["socat - 1.7.4-1 x86_64"]);
}

#[test]
fn older_receipts_have_names_only() {
    let here = "base - 1-1 noarch\nkubelet - 1.28.2-1 x86_64\nlibx 1 2.0-1 x86_64\n";
    let node = node_with(here, "yum");
    // As they were written.
    let receipt = r#"{"line":"receipt","version":1}
{"line":"deed","step":"packages","deed":{"did":"ran","command":["yum","--assumeyes","--disablerepo=*","--enablerepo=kubeferry","install","kubelet-1.28.2-1.x86_64","libx-1:2.0-1.x86_64","base-1-1.noarch","socat-1.7.4-1.x86_64"],"undo":[["yum","--assumeyes","--noplugins","remove","kubelet","libx","socat"]]}}
{"line":"finished","step":"packages"}
"#;
    write(&node, "var/lib/kubeferry/receipt.jsonl", receipt);
    let (host, commands) = node.look(None);
    assert_eq!(reset_told(host), [""; 0]);
    assert_eq!(commands.made(), ["rpm --erase -- kubelet-1.28.2-1.x86_64 libx-2.0-1.x86_64"]);
    assert_eq!(packages(&node), ["base - 1-1 noarch"]);
}

#[test]
fn nor_do_they_have_what_a_later_run_put_in_the_place_of_ours() {
    let node = node_with("base - 2-1 noarch\nsocat - 1.7.4-1 x86_64\n", "yum");
    let mut receipt = Receipt::open(&node.root().join("var/lib/kubeferry")).unwrap();
    for (install, remove) in [
        ("yum --assumeyes install socat-1.7.0-1.x86_64", "yum --assumeyes remove socat"),
        ("yum --assumeyes install socat-1.7.4-1.x86_64 base-2-1.noarch", "yum --assumeyes remove"),
    ] {
        let undo = vec![Command::of(remove)];
        let deed = Deed::Ran { command: Command::of(install), undo, intention: None };
        receipt.add(Line::Deed { step: StepName::Packages, deed }).unwrap();
    }
    drop(receipt);
    assert_eq!(reset_told(node.look(None).0), [""; 0]);
    assert_eq!(packages(&node), ["base - 2-1 noarch"]);
}
