//! A lab leaves nothing behind.

use std::fs;
use std::path::Path;
use std::process::Command;

use lab::host::HostSettings;
use lab::{Line, NAME, Places, Settings, Upstream};

use crate::support::lab;

/// What there is on this machine that a lab could leave.
#[derive(Debug, PartialEq, Eq)]
struct Machine {
    mounts: usize,
    control_groups: usize,
    namespaces: usize,
    processes: usize,
    files: usize,
    settings: HostSettings,
}

impl Machine {
    fn look() -> Self {
        Self {
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(),
            control_groups: count(Path::new("/sys/fs/cgroup"), &|name| name.starts_with(NAME)),
            namespaces: count(Path::new("/run/netns"), &|name| name.starts_with(NAME)),
            processes: processes(),
            files: count(&Places::find().unwrap().run(), &|_| true),
            settings: HostSettings::read(),
        }
    }
}

/// How many entries at any depth have such a name.
fn count(folder: &Path, counts: &dyn Fn(&str) -> bool) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut found = 0;
    for entry in entries.flatten() {
        found += usize::from(counts(&entry.file_name().to_string_lossy()));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found += count(&entry.path(), counts);
        }
    }
    found
}

/// Processes of the lab's program, and those of other process namespaces.
fn processes() -> usize {
    let own = fs::read_link("/proc/self/ns/pid").unwrap();
    let is_foreign = |process: &Path| {
        let namespace = fs::read_link(process.join("ns/pid"));
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        namespace.is_ok_and(|namespace| namespace != own) || line.ends_with(b"supervise")
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|entry| is_foreign(&entry.path())).count()
}

#[test]
fn ten_labs_leave_nothing() {
    let settings = Settings { nodes: 3, ..Settings::default() };
    // The first may have to clear what another has left.
    if lab(&settings).is_none() {
        return;
    }
    let before = Machine::look();
    assert_eq!((before.control_groups, before.namespaces, before.files), (0, 0, 0));
    for round in 1..=10 {
        let up = lab(&settings).unwrap();
        let during = Machine::look();
        assert!(during.processes > before.processes && during.namespaces == 4, "{during:?}");
        drop(up);
        assert_eq!(Machine::look(), before, "after round {round}");
    }
}

/// The variable that makes a run of this program the one that is killed.
const CRASHES: &str = "KUBEFERRY_LAB_TEST_CRASHES";

#[test]
fn what_a_killed_test_has_left_is_cleared_by_the_next() {
    let settings = Settings { nodes: 2, ..Settings::default() };
    let line = Line::of_tests().unwrap();
    if std::env::var_os(CRASHES).is_some() {
        let (crashing, _upstream) = (lab(&settings).unwrap(), Upstream::up(line).unwrap());
        // One of its nodes has lost its power.
        crashing.nodes()[1].kill().unwrap();
        println!("init {}", crashing.nodes()[0].init().unwrap().as_raw_nonzero());
        std::process::abort();
    }
    // What any other has left is gone, or there can be no lab here.
    if lab(&settings).is_none() {
        return;
    }
    let test = "leaks::what_a_killed_test_has_left_is_cleared_by_the_next";
    let crashed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CRASHES, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&crashed.stdout).into_owned();
    let init = said.lines().find_map(|line| line.strip_prefix("init ")).expect(&said);
    let init = format!("/proc/{init}");
    assert!(Path::new(&init).exists());
    let next = lab(&settings).unwrap();
    assert!(!Path::new(&init).exists());
    assert!(next.nodes().iter().all(lab::Node::is_on));
    let refused = lab::Lab::up(&settings).unwrap_err();
    assert!(refused.to_string().contains("a lab is up on this machine"), "{refused}");
    let upstream = Upstream::up(line).unwrap();
    let refused = Upstream::up(line).unwrap_err();
    assert!(refused.to_string().contains("an upstream runs on this machine"), "{refused}");
    drop(upstream);
}
