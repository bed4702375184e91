//! Kernel modules: loaded now and at every boot. What is built in counts as
//! loaded; whether a kernel has a module is found out by asking it, never by its
//! version.

use bundle_format::cluster::ProxyMode;

use super::file;
use crate::change::Change;
use crate::host::Host;
use crate::step::{Intent, Node, Step};

const PATH: &str = "/etc/modules-load.d/kubeferry.conf";

/// See the module.
pub struct Modules;

impl Step for Modules {
    fn name(&self) -> &'static str {
        "modules"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let wanted = wanted(node.intent, node.host);
        let list: String = wanted.iter().map(|name| format!("{name}\n")).collect();
        let mut changes = file(node.host, PATH, &list)?;
        let unloaded = unloaded(node.host, node.intent, wanted)?;
        changes.extend(unloaded.iter().map(|name| Change::run(&format!("modprobe {name}"))));
        Ok(changes)
    }
}

/// The modules that a node needs.
pub(crate) fn wanted(intent: &Intent, host: &Host) -> Vec<&'static str> {
    let mut names = vec!["overlay", "br_netfilter"];
    if intent.cluster.proxy_mode == ProxyMode::Ipvs {
        names.extend(["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"]);
        // Its name before Linux 4.19, and in kernels that vendors patched.
        let has = |name: &str| host.query(&format!("modprobe --dry-run {name}")).succeeded();
        let old = "nf_conntrack_ipv4";
        names.push(if !has("nf_conntrack") && has(old) { old } else { "nf_conntrack" });
    }
    names
}

/// Those of `names` that the kernel neither has loaded nor is made of.
pub(crate) fn unloaded(
    host: &Host,
    intent: &Intent,
    mut names: Vec<&'static str>,
) -> anyhow::Result<Vec<&'static str>> {
    let loaded = host.read("/proc/modules")?.unwrap_or_default();
    let list = format!("/lib/modules/{}/modules.builtin", intent.facts.kernel);
    let built_in = host.read(list)?.unwrap_or_default();
    names.retain(|name| {
        !loaded.lines().any(|line| line.split(' ').next() == Some(name))
            && !built_in.contains(&format!("/{name}.ko"))
    });
    Ok(names)
}
