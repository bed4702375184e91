//! What a node cannot have of its own and shares with this machine: some kernel
//! settings, and the clock. They are noted before anything is changed, and put
//! back when the lab goes down.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::command::run;

/// Settings that the lab changes, or that a kubelet or systemd in a node sets.
const KEYS: [&str; 14] = [
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.netfilter.nf_conntrack_max",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
];

/// The values of these settings at some time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostSettings(BTreeMap<String, String>);

impl HostSettings {
    /// Reads them. One that this kernel does not have is left out.
    pub fn read() -> Self {
        let value = |key: &str| Some(fs::read_to_string(path(key)).ok()?.trim().to_owned());
        Self(KEYS.iter().filter_map(|key| Some(((*key).to_owned(), value(key)?))).collect())
    }

    /// Notes them in `file`, unless a lab that crashed has left its note there.
    pub(crate) fn note(file: &Path) -> anyhow::Result<()> {
        if file.exists() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&Self::read())?;
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    }

    /// Puts the settings back as `file` has them, and removes it.
    pub(crate) fn restore(file: &Path) -> anyhow::Result<()> {
        let Ok(text) = fs::read(file) else { return Ok(()) };
        let noted: Self = serde_json::from_slice(&text)
            .with_context(|| format!("reading the noted settings in {}", file.display()))?;
        let now = Self::read();
        for (key, value) in &noted.0 {
            if now.0.get(key) != Some(value) {
                fs::write(path(key), value).with_context(|| format!("putting back {key}"))?;
            }
        }
        fs::remove_file(file).with_context(|| format!("removing {}", file.display()))
    }
}

/// Sets what nodes need and cannot set themselves.
pub(crate) fn prepare() -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    // kube-proxy sets this unless it is just so already; in a node it cannot,
    // and then ends (`conntrack.maxPerCore` and `conntrack.min`).
    set("net.netfilter.nf_conntrack_max", (32_768 * processors).max(131_072))?;
    // Each node's systemd, kubelet and containerd take some of one user's.
    at_least("fs.inotify.max_user_instances", 1024)?;
    // The kernel's first settimeofday(2) with a time zone may move the clock;
    // this is that first one, for the zone that moves nothing. Nodes are not
    // given the capability anyway.
    if cfg!(target_arch = "x86_64") {
        let settimeofday = "my $zone = pack('ii', 0, 0); syscall(164, 0, $zone) == 0 or die $!";
        run(Command::new("perl").args(["-e", settimeofday]))?;
    }
    Ok(())
}

fn at_least(key: &str, wanted: u64) -> anyhow::Result<()> {
    let text = fs::read_to_string(path(key)).with_context(|| format!("reading {key}"))?;
    let is_less = text.trim().parse::<u64>().is_ok_and(|value| value < wanted);
    if is_less { set(key, wanted) } else { Ok(()) }
}

fn set(key: &str, value: u64) -> anyhow::Result<()> {
    fs::write(path(key), value.to_string()).with_context(|| format!("setting {key}"))
}

fn path(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key.replace('.', "/"))
}
