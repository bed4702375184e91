//! Backups that a master makes by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use bundle_format::cluster::{BackupSchedule, Interval};
use installer::engine::run;
use installer::intent::Intent;
use installer::role::Role;
use installer::steps::backup_timer::BackupTimer;

use crate::node::join::join_file;
use crate::node::member::Member;
use crate::node::text::{read, write};
use crate::node::{Node, kinds};

const PROGRAM: &str = "opt/kubernetes/bin/installer";
const TIMER: &str = "etc/systemd/system/kubeferry-backup.timer";
const SERVICE: &str = "etc/systemd/system/kubeferry-backup.service";
const FOLDER: &str = "var/backups/kubeferry";

fn wanted(intent: &mut Intent) {
    intent.cluster.backup = Some(BackupSchedule::default());
}

fn apply(node: &Node) -> Vec<String> {
    let (host, commands) = node.look(None);
    run::apply(&mut host.open().unwrap(), &node.intent(), &[&BackupTimer], &mut |_, _, _| ())
        .unwrap();
    commands.made()
}

#[test]
fn a_timer_runs_a_copy_of_this_program() {
    let mut node = kinds::bare(Role::Master);
    assert_eq!(apply(&node), [""; 0], "nobody asked for it");
    let before = node.tree();
    node.change = wanted;
    let made = apply(&node);
    for wanted in ["daemon-reload", "enable kubeferry-backup.timer", "start kubeferry-backup.timer"]
    {
        assert!(made.contains(&format!("systemctl {wanted}")), "{wanted}: {made:?}");
    }
    let service = read(&node, SERVICE);
    let line =
        "ExecStart=/opt/kubernetes/bin/installer backup --folder /var/backups/kubeferry --keep 7\n";
    assert!(service.ends_with(line), "{service}");
    assert!(read(&node, TIMER).contains("\nOnCalendar=daily\n"));
    let kept = fs::metadata(node.root().join(PROGRAM)).unwrap();
    assert_eq!(kept.permissions().mode() & 0o7777, 0o755);
    assert_eq!(kept.len(), fs::metadata("/proc/self/exe").unwrap().len());
    assert_eq!(fs::metadata(node.root().join(FOLDER)).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(apply(&node), [""; 0], "a second time");
    // An older program is replaced by the one that runs.
    write(&node, PROGRAM, "older");
    apply(&node);
    assert_eq!(fs::metadata(node.root().join(PROGRAM)).unwrap().len(), kept.len());
    node.assert_goes_back(&before, "a timer");
}

#[test]
fn without_the_key_it_goes_and_the_backups_stay() {
    let mut node = kinds::bare(Role::Master);
    node.change = wanted;
    apply(&node);
    let own = format!("{FOLDER}/node-1-2026-11-27T00-00-00Z.backup");
    write(&node, &own, "etcd");
    let before = node.root().join(FOLDER);
    node.change = |_| ();
    let made = apply(&node);
    assert!(made.contains(&"systemctl disable kubeferry-backup.timer".to_owned()), "{made:?}");
    for path in [PROGRAM, TIMER, SERVICE] {
        assert!(!node.root().join(path).exists(), "{path}");
    }
    assert!(before.exists() && read(&node, &own) == "etcd");
    assert_eq!(apply(&node), [""; 0]);
}

#[test]
fn doctor_tells_of_a_backup_that_is_too_old() {
    let member = Member::new(Role::Master);
    let mut file = join_file(member.node.intent().cluster);
    file.cluster.backup =
        Some(BackupSchedule { schedule: Interval::Hourly, ..BackupSchedule::default() });
    member.write("opt/kubernetes/join.yaml", &file.text().unwrap());
    member.write(TIMER, "");
    let told = || {
        let findings = member.diagnose().findings.into_iter();
        let mut own = findings.filter(|one| one.cause.contains("backup"));
        (own.next().map(|one| one.cause), own.next())
    };
    let age = |path: &str, hours: u64| {
        let file = fs::File::options().write(true).open(member.node.root().join(path)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
    };
    assert_eq!(told(), (None, None), "the first one is not due yet");
    age(TIMER, 3);
    let none = "no backup was made in 3 hours; the cluster file wants one hourly".to_owned();
    assert_eq!(told(), (Some(none), None));
    let newest = format!("{FOLDER}/master-2026-11-27T00-00-00Z.backup");
    member.write(&newest, "");
    assert_eq!(told(), (None, None));
    age(&newest, 5);
    let (old, _) = told();
    assert!(old.unwrap().starts_with("the newest backup is 5 hours old: "));
}
