//! Kernel modules: loaded now and at every boot. A module that is built in counts as
//! loaded. Whether a kernel has a module is found by asking, and never by its
//! version. A module that the site blacklists is refused: `modprobe` would load it
//! now, and the next boot would not (systemd-modules-load(8)).

use bundle_format::cluster::ProxyMode;

use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::steps::file::file;

const PATH: &str = "/etc/modules-load.d/kubeferry.conf";

/// Loads the modules that pods' traffic needs.
pub struct Modules;

impl Step<Intent> for Modules {
    fn name(&self) -> StepName {
        StepName::Modules
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let wanted = wanted(node.intent, node.host);
        let unloaded = unloaded(node.host, node.intent, wanted.clone())?;
        if let Some(kept) = kept_out(node.host, node.intent, &wanted)? {
            return Err(kept.into());
        }
        let list: String = wanted.iter().map(|name| format!("{name}\n")).collect();
        let mut changes = file(node.host, PATH, &list)?;
        changes.extend(unloaded.iter().map(|name| Change::run(&format!("modprobe {name}"))));
        Ok(changes)
    }
}

/// The folders of modprobe's settings (modprobe.d(5)).
const TOLD: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];

/// Which settings keep a module from being loaded at the next boot. `-` and `_` are
/// the same in a module's name.
fn kept_out(
    host: &Host,
    intent: &Intent,
    wanted: &[&'static str],
) -> anyhow::Result<Option<Failure>> {
    // A built-in module cannot be kept out.
    let list = format!("/lib/modules/{}/modules.builtin", intent.facts.kernel);
    let built_in = host.read(list)?.unwrap_or_default();
    let is_wanted = |name: &str| {
        let name = name.replace('-', "_");
        wanted.contains(&name.as_str()) && !built_in.contains(&format!("/{name}.ko"))
    };
    let keeps = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["blacklist", name, ..] => is_wanted(name),
            ["install", name, command, ..] => {
                let program = command.rsplit('/').next();
                is_wanted(name) && matches!(program, Some("true" | "false" | ":"))
            }
            _ => false,
        }
    };
    for folder in TOLD {
        for name in host.list(folder)?.into_iter().filter(|name| name.ends_with(".conf")) {
            let path = format!("{folder}/{name}");
            if !host.path(host.followed(&path)?).is_file() {
                continue;
            }
            let text = host.read(&path)?.unwrap_or_default();
            let kept: Vec<&str> = text.lines().filter(|line| keeps(line)).map(str::trim).collect();
            if !kept.is_empty() {
                let (told, which) = match kept.as_slice() {
                    [one] => (format!("`{one}`, and the node needs that module"), "that line"),
                    _ => {
                        let all = kept.join("`, `");
                        (format!("`{all}`, and the node needs these modules"), "these lines")
                    }
                };
                return Ok(Some(Failure::new(
                    format!("{path} has {told} at each boot"),
                    format!("remove {which} from {path}, and run this again"),
                )));
            }
        }
    }
    let line = host.read("/proc/cmdline")?.unwrap_or_default();
    let named = |word: &&str| {
        let (key, names) = word.split_once('=').unwrap_or_default();
        let is_list = ["modprobe.blacklist", "module_blacklist"].contains(&key);
        is_list && names.split(',').any(is_wanted)
    };
    Ok(line.split_ascii_whitespace().find(named).map(|word| {
        Failure::new(
            format!("the kernel was started with `{word}`, and the node needs that module"),
            format!("`grubby --update-kernel ALL --remove-args {word}`, and restart the node"),
        )
    }))
}

/// The modules that a node needs. kube-proxy ends in every mode if nf_conntrack is not
/// loaded: it sets `nf_conntrack_max` before it writes rules, and nothing else on el9 and
/// el10 loads the module when firewalld is off (kops#17968, kops#17915).
pub(crate) fn wanted(intent: &Intent, host: &Host) -> Vec<&'static str> {
    let mut names = vec!["overlay", "br_netfilter"];
    if intent.cluster.proxy_mode == ProxyMode::Ipvs {
        names.extend(["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"]);
    }
    // The name before Linux 4.19, and in kernels with a vendor's patches.
    let has = |name: &str| host.query(&format!("modprobe --dry-run {name}")).succeeded();
    let old = "nf_conntrack_ipv4";
    names.push(if !has("nf_conntrack") && has(old) { old } else { "nf_conntrack" });
    names
}

/// The modules among `names` that are neither loaded nor built in.
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
