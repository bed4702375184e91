//! A node's control groups: one in each hierarchy of version 1, and one in the
//! unified hierarchy beside them. The node's cgroup namespace makes them its
//! root.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::NAME;

/// A mounted hierarchy of this machine.
pub(crate) struct Hierarchy {
    /// Where it is mounted here, below `/sys/fs/cgroup`.
    pub(crate) path: PathBuf,
    /// `cgroup`, or `cgroup2`.
    pub(crate) kind: String,
    /// The mount options that say which controllers it has.
    pub(crate) options: String,
}

/// All hierarchies, as `/proc/self/mountinfo` lists them (proc_pid_mountinfo(5)).
pub(crate) fn hierarchies() -> anyhow::Result<Vec<Hierarchy>> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("reading the mounts")?;
    let found: Vec<Hierarchy> = text.lines().filter_map(hierarchy).collect();
    if !found.iter().any(|hierarchy| hierarchy.options == "memory") {
        bail!(
            "the lab's nodes need control groups of version 1 below /sys/fs/cgroup, which this machine does not have"
        );
    }
    Ok(found)
}

fn hierarchy(line: &str) -> Option<Hierarchy> {
    let (mount, kind) = line.split_once(" - ")?;
    let path = PathBuf::from(mount.split(' ').nth(4)?);
    let mut kind = kind.split(' ');
    let (name, options) = (kind.next()?, kind.nth(1)?);
    if !name.starts_with("cgroup") || !path.starts_with("/sys/fs/cgroup") {
        return None;
    }
    let kept: Vec<&str> =
        options.split(',').filter(|word| !matches!(*word, "rw" | "ro" | "xattr")).collect();
    let named = kept.iter().any(|word| word.starts_with("name="));
    let options = if named { format!("none,{}", kept.join(",")) } else { kept.join(",") };
    let options = if name == "cgroup2" { String::new() } else { options };
    Some(Hierarchy { path, kind: name.to_owned(), options })
}

/// The groups of a node.
pub(crate) struct Cgroup {
    folders: Vec<PathBuf>,
}

impl Cgroup {
    pub(crate) fn of(node: &str) -> anyhow::Result<Self> {
        let name = format!("{NAME}-{node}");
        Ok(Self { folders: hierarchies()?.iter().map(|one| one.path.join(&name)).collect() })
    }

    /// The groups of every node that any lab on this machine had.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let mut folders = Vec::new();
        for hierarchy in hierarchies()? {
            for entry in fs::read_dir(&hierarchy.path).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(NAME) {
                    folders.push(Self { folders: vec![entry.path()] });
                }
            }
        }
        Ok(folders)
    }

    /// Makes them, empty.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        for folder in &self.folders {
            fs::create_dir_all(folder)
                .with_context(|| format!("creating the control group {}", folder.display()))?;
            for file in ["cpuset.cpus", "cpuset.mems"] {
                // A group of cpuset takes no process before it has these.
                let parent = folder.with_file_name(file);
                if folder.join(file).exists() && parent.exists() {
                    let value = fs::read(&parent)?;
                    fs::write(folder.join(file), value)
                        .with_context(|| format!("writing {file} of {}", folder.display()))?;
                }
            }
            let clone = folder.join("cgroup.clone_children");
            if clone.exists() && folder.join("cpuset.cpus").exists() {
                fs::write(clone, "1").with_context(|| format!("opening {}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// The files that move a process into the groups when its id is written.
    pub(crate) fn entrances(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs"))
    }

    /// Lets frozen processes go on, in these groups and those below, and stopped
    /// ones in these. runc freezes a container while it makes or changes it, and a
    /// process that is killed in that moment does not end before it is thawed.
    /// systemd stops all processes before it ends them; nsenter then stops as its
    /// command does, is not in the node to be told to go on, and leaves the
    /// command's end unread, which the node's end waits for.
    pub(crate) fn let_go(&self) {
        for folder in &self.folders {
            thaw_tree(folder);
            signal(folder, Signal::CONT);
        }
    }

    /// Kills whatever is in the groups and removes them and the groups below.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        remove_all(self.folders.clone())
    }

    /// Kills whatever is in the groups below these, and removes those.
    pub(crate) fn empty(&self) -> anyhow::Result<()> {
        remove_all(self.folders.iter().flat_map(|folder| below(folder)).collect())
    }
}

fn remove_all(mut left: Vec<PathBuf>) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        left.retain(|folder| !remove_tree(folder));
        let Some(folder) = left.first() else { return Ok(()) };
        if Instant::now() > end {
            bail!("the control group {} cannot be removed", folder.display());
        }
        for folder in &left {
            kill_tree(folder);
        }
        sleep(Duration::from_millis(20));
    }
}

fn below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}

/// Whether it is gone now.
fn remove_tree(folder: &Path) -> bool {
    for inner in below(folder) {
        remove_tree(&inner);
    }
    fs::remove_dir(folder).is_ok() || !folder.exists()
}

fn thaw_tree(folder: &Path) {
    below(folder).for_each(|inner| thaw_tree(&inner));
    thaw(folder);
}

fn thaw(folder: &Path) {
    let state = folder.join("freezer.state");
    if state.exists() {
        // The group may have gone meanwhile.
        let _ = fs::write(state, "THAWED");
    }
}

fn kill_tree(folder: &Path) {
    for inner in below(folder) {
        kill_tree(&inner);
    }
    thaw(folder);
    signal(folder, Signal::KILL);
}

/// Sends a signal to the processes of a group, and not of those below.
fn signal(folder: &Path, signal: Signal) {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    for pid in text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_read_from_mountinfo() {
        let line = "37 31 0:29 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,xattr,name=systemd";
        let found = hierarchy(line).unwrap();
        assert_eq!(found.path, Path::new("/sys/fs/cgroup/systemd"));
        assert_eq!(found.options, "none,name=systemd");
        let line = "40 31 0:31 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
        assert_eq!(hierarchy(line).unwrap().options, "cpu");
        let line = "41 31 0:32 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        let found = hierarchy(line).unwrap();
        assert_eq!((found.kind.as_str(), found.options.as_str()), ("cgroup2", ""));
        assert!(hierarchy("22 27 0:21 / /proc rw,nosuid - proc proc rw").is_none());
    }
}
