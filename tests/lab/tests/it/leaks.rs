//! A lab leaves nothing behind.

use std::fs;
use std::path::Path;

use lab::host::HostSettings;
use lab::{NAME, Places, Settings};

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

#[test]
fn a_lab_that_crashed_is_cleared_by_the_next() {
    let settings = Settings { nodes: 2, ..Settings::default() };
    let Some(crashed) = lab(&settings) else { return };
    let init = crashed.nodes()[0].init().unwrap();
    // Nobody ends it, as if this process had been killed; and one of its nodes
    // has lost its power.
    crashed.nodes()[1].kill().unwrap();
    std::mem::forget(crashed);
    lab::Lab::down().unwrap();
    assert!(!Path::new(&format!("/proc/{}", init.as_raw_nonzero())).exists());
    let Some(next) = lab(&settings) else { return };
    assert!(next.nodes().iter().all(lab::Node::is_on));
}
