//! The running kernel: version, configuration, modules.

use bundle_format::cluster::ProxyMode;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::family::packager;
use crate::preflight::earlier::has_begun;
use crate::steps::{modules, nfs_server};

/// The packages with the modules that a kernel's own package lacks.
const MODULES: [&str; 2] = ["kernel-modules", "kernel-modules-extra"];

/// The oldest kernel that each kubeadm accepts; and that of 1.32 and 1.33, which stop
/// with "kernel release … is unsupported" below it (`k8s.io/system-validators`).
const OLDEST: [u32; 2] = [3, 10];
const OLDEST_OF_132: [u32; 2] = [4, 19];

/// Where kubeadm looks for the kernel's configuration. Without it, kubeadm stops.
/// `REL` is the kernel's release.
const CONFIGURATIONS: [&str; 9] = [
    "/proc/config.gz",
    "/boot/config-REL",
    "/usr/src/linux-REL/.config",
    "/usr/src/linux/.config",
    "/usr/lib/modules/REL/config",
    "/usr/lib/ostree-boot/config-REL",
    "/usr/lib/kernel/config-REL",
    "/usr/src/linux-headers-REL/.config",
    "/lib/modules/REL/build/.config",
];

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    // The step `packages` comes before `modules`.
    if !has_modules_of(intent, &intent.facts.kernel) {
        found.extend(missing(host, intent)?);
        if found.is_empty() && !has_begun(host) {
            found.extend(netfilter(host, intent)?);
        }
    }
    // A newer kubeadm may need more.
    if has_begun(host) && intent.upgrade.is_none() {
        return Ok(found);
    }
    let kernel = &intent.facts.kernel;
    let oldest = match intent.lock().kubernetes.minor() {
        32 | 33 => OLDEST_OF_132,
        _ => OLDEST,
    };
    if intent.facts.kernel_version().is_some_and(|own| own < oldest) {
        let [major, minor] = oldest;
        found.push(Failure::new(
            format!(
                "kubeadm of Kubernetes {} needs Linux {major}.{minor}, and this node has {kernel}",
                intent.lock().kubernetes
            ),
            "use a node with a newer system, or a bundle with another Kubernetes",
        ));
    }
    let is_there = |path: &str| host.exists(path.replace("REL", kernel));
    // The kernel of a folder below `--root` does not run.
    let runs = host.exists("/proc/sys/kernel/osrelease");
    if runs && !CONFIGURATIONS.iter().any(|path| is_there(path)) && !has_module(host, "configs")? {
        found.push(Failure::new(
            format!("kubeadm finds no configuration of the kernel, such as /boot/config-{kernel}"),
            "mount /boot, or put that file back from the kernel's package; `modprobe configs` \
             where the kernel has it",
        ));
    }
    // Containers of LXC and Docker have none.
    if host.is_this_system() && !host.exists("/dev/kmsg") {
        found.push(Failure::new(
            "this node has no /dev/kmsg, and kubelet does not start without it",
            "use a virtual or a real machine; or give the LXC container its host's device",
        ));
    }
    Ok(found)
}

/// Whether a module could be loaded; true without modprobe, because nothing can tell
/// then.
fn has_module(host: &Host, name: &str) -> anyhow::Result<bool> {
    let said = host.answer(&Command::of("modprobe --dry-run").with(name))?;
    Ok(said.succeeded() || said.status == Some(127))
}

/// Modules that are missing. A kernel that was updated while the old one still runs
/// has lost its modules.
fn missing(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut missing = Vec::new();
    let mut names = modules::wanted(intent, host);
    names.extend(nfs_server::modules(intent));
    for name in modules::unloaded(host, intent, names)? {
        if !has_module(host, name)? {
            missing.push(name);
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let (kernel, missing) = (&intent.facts.kernel, missing.join(", "));
    Ok(vec![Failure::new(
        format!("the kernel that runs here, {kernel}, lacks {missing}"),
        modules_cure(host, intent),
    )])
}

/// kube-proxy's rules use the old interface or nf_tables. el10 has only nf_tables,
/// and `nft_compat` in a package of its own.
fn netfilter(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let has = |name: &'static str| -> anyhow::Result<bool> {
        Ok(modules::unloaded(host, intent, vec![name])?.is_empty() || has_module(host, name)?)
    };
    // In mode `nftables`, kube-proxy writes native rules.
    let is_native = intent.cluster.proxy_mode == ProxyMode::Nftables;
    let by_nftables = || anyhow::Ok(has("nf_tables")? && (is_native || has("nft_compat")?));
    if has("nf_conntrack")? && (has("ip_tables")? || by_nftables()?) {
        return Ok(None);
    }
    Ok(Some(Failure::new(
        format!(
            "the kernel that runs here, {}, cannot take kube-proxy's rules: it lacks nf_conntrack, \
             or both ip_tables and nf_tables with nft_compat",
            intent.facts.kernel
        ),
        modules_cure(host, intent),
    )))
}

/// The bundle's packages of modules, each with its kernel as `uname -r` says it.
fn brought(intent: &Intent) -> Vec<(&str, String)> {
    let rpms = intent.lock().rpms.iter().filter(|rpm| rpm.target == intent.target.id);
    let of_kernel = rpms.map(|rpm| &rpm.package).filter(|rpm| MODULES.contains(&&*rpm.name));
    of_kernel.map(|rpm| (&*rpm.name, rpm.kernel_release())).collect()
}

/// Whether the bundle has the modules of this kernel that a cluster needs. On el10,
/// `br_netfilter` is in kernel-modules-extra.
fn has_modules_of(intent: &Intent, kernel: &str) -> bool {
    let is_el10 = intent.facts.family.as_deref() == Some("el10");
    let is_it = |(name, own): &(&str, String)| own == kernel && (!is_el10 || *name == MODULES[1]);
    brought(intent).iter().any(is_it)
}

/// How to get missing modules. Up to el7 they are in the kernel's own package.
fn modules_cure(host: &Host, intent: &Intent) -> String {
    let (tool, kernel) = (packager(host), &intent.facts.kernel);
    let others = brought(intent).into_iter().filter(|(_, other)| other != kernel);
    if let Some((name, other)) = others.max() {
        return format!(
            "the bundle has {name} for kernel {other}: start the node with that \
             kernel, or give the bundle's spec this node's list (`installer inventory`) as its \
             `baseline`, and make the bundle again"
        );
    }
    if intent.facts.family.as_deref() == Some("el10") {
        return format!(
            "give the bundle's spec this node's list (`installer inventory`) as its `baseline`, \
             and make the bundle again: it then has kernel-modules-extra-{kernel}; or install \
             that from your system's medium; or restart the node if its kernel was updated"
        );
    }
    let put_in = match intent.facts.family.as_deref() {
        Some("el6" | "el7") => format!("{tool} reinstall kernel-{kernel}"),
        _ => format!("{tool} install kernel-modules-{kernel} kernel-modules-extra-{kernel}"),
    };
    format!(
        "restart the node if its kernel was updated; else install them from your system's medium \
         (`{put_in}`), or do without them: proxyMode: iptables, or no nfs"
    )
}
