//! Control groups. kubelet does not start if a controller that it needs is off.

use bundle_format::kubeadm::refuses_cgroup_v1;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::preflight::earlier::has_begun;

/// Controllers of version 1 that kubeadm and kubelet need
/// (`k8s.io/system-validators`, `Cgroups`; kubelet's `pkg/kubelet/cm`, `validate`).
const FIRST: [&str; 7] = ["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"];
/// Controllers of version 2. It has none for `devices` and `freezer`.
const SECOND: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    // A newer kubelet may need more.
    if has_begun(host) && intent.upgrade.is_none() {
        return Ok(Vec::new());
    }
    let second = host.read("/sys/fs/cgroup/cgroup.controllers")?;
    let first = host.read("/proc/cgroups")?;
    let mut found = Vec::new();
    let missing: Vec<&str> = match (&second, &first) {
        (Some(text), _) => {
            let here: Vec<&str> = text.split_ascii_whitespace().collect();
            SECOND.into_iter().filter(|name| !here.contains(name)).collect()
        }
        (None, Some(text)) => {
            let here: Vec<&str> = text.lines().filter_map(mounted).collect();
            FIRST.into_iter().filter(|name| !here.contains(name)).collect()
        }
        (None, None) => return Ok(found),
    };
    if !missing.is_empty() {
        found.push(Failure::new(
            format!("the kernel has no control groups for {}", missing.join(", ")),
            cure(host, &missing)?,
        ));
    }
    let refused = refuses_cgroup_v1(&intent.lock().kubernetes);
    if intent.facts.cgroup_v1 && refused && !intent.cluster.accepts_cgroup_v1() {
        found.push(Failure::new(
            format!(
                "this node has version 1 of control groups, and the kubelet of Kubernetes {} does \
                 not start with it",
                intent.lock().kubernetes
            ),
            "`grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1`, on el8 or \
             newer, and restart the node; or set `kubelet: {failCgroupV1: false}` in the cluster file",
        ));
    }
    Ok(found)
}

/// The name in a line of `/proc/cgroups` (cgroups(7)), such as `memory 4 90 1`, if
/// the controller is on and mounted.
fn mounted(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [name, hierarchy, _, enabled] = words[..] else { return None };
    (hierarchy != "0" && enabled == "1").then_some(name)
}

fn cure(host: &Host, missing: &[&str]) -> anyhow::Result<String> {
    let line = host.read("/proc/cmdline")?.unwrap_or_default();
    let off = line.split_ascii_whitespace().filter(|word| {
        let names = word.strip_prefix("cgroup_disable=").unwrap_or_default();
        names.split(',').any(|name| missing.contains(&name))
    });
    let off: Vec<&str> = off.collect();
    Ok(if off.is_empty() {
        "remove `cgroup_disable` from the kernel's command line, and what else mounts control \
         groups, and restart the node; `cat /proc/cgroups` shows them"
            .to_owned()
    } else {
        let words = off.join(" ");
        format!("`grubby --update-kernel=ALL --remove-args=\"{words}\"`, and restart the node")
    })
}
