//! Swap stays off, whatever would switch it on.

use std::fs;
use std::path::Path;
use std::process::Command;

use installer::receipt::StepName;
use installer::role::Role;

use super::{apply, plan, write};
use crate::node::kinds::{self, BARE};
use crate::node::{Node, difference};

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
        return eprintln!("skipped: there is no {GENERATOR}");
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
        return eprintln!("skipped: the generator makes no swap here");
    }
    assert_eq!(swaps(&node), 4);
    apply(&node, StepName::Swap);
    assert_eq!(swaps(&node), 0);
}
