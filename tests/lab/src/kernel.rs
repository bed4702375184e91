//! `/lib/modules` of a node on a kernel without loadable modules: what is built
//! in is listed as built in, by the kernel's own configuration. So `modprobe
//! br_netfilter` succeeds where the kernel has it, and fails where it has not.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use flate2::read::GzDecoder;

use crate::command::run;

/// Options of the kernel's configuration and the modules that they would make.
const MODULES: [(&str, &str); 22] = [
    ("BRIDGE", "net/bridge/bridge"),
    ("BRIDGE_NETFILTER", "net/bridge/br_netfilter"),
    ("FUSE_FS", "fs/fuse/fuse"),
    ("IKCONFIG", "kernel/configs"),
    ("IP6_NF_IPTABLES", "net/ipv6/netfilter/ip6_tables"),
    ("IP_NF_FILTER", "net/ipv4/netfilter/iptable_filter"),
    ("IP_NF_IPTABLES", "net/ipv4/netfilter/ip_tables"),
    ("IP_NF_MANGLE", "net/ipv4/netfilter/iptable_mangle"),
    ("IP_NF_NAT", "net/ipv4/netfilter/iptable_nat"),
    ("IP_SET", "net/netfilter/ipset/ip_set"),
    ("IP_VS", "net/netfilter/ipvs/ip_vs"),
    ("IP_VS_RR", "net/netfilter/ipvs/ip_vs_rr"),
    ("IP_VS_SH", "net/netfilter/ipvs/ip_vs_sh"),
    ("IP_VS_WRR", "net/netfilter/ipvs/ip_vs_wrr"),
    ("NETFILTER_XT_MARK", "net/netfilter/xt_mark"),
    ("NETFILTER_XT_MATCH_COMMENT", "net/netfilter/xt_comment"),
    ("NET_IPIP", "net/ipv4/ipip"),
    ("NF_CONNTRACK", "net/netfilter/nf_conntrack"),
    ("NF_NAT", "net/netfilter/nf_nat"),
    ("NF_TABLES", "net/netfilter/nf_tables"),
    ("OVERLAY_FS", "fs/overlayfs/overlay"),
    ("VXLAN", "drivers/net/vxlan/vxlan"),
];

/// Makes `folder` into a `/lib/modules` for the kernel that runs.
pub(crate) fn write_modules(folder: &Path) -> anyhow::Result<()> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    // depmod wants to find them below `lib/modules` of a root.
    let root = folder.with_extension("root");
    let modules = root.join("lib/modules").join(&release);
    fs::create_dir_all(&modules).with_context(|| format!("creating {}", modules.display()))?;
    let configuration = configuration(&release)?;
    let is_built_in =
        |option: &str| configuration.lines().any(|line| line == format!("CONFIG_{option}=y"));
    let listed: String = MODULES
        .iter()
        .filter(|(option, _)| is_built_in(option))
        .map(|(_, module)| format!("kernel/{module}.ko\n"))
        .collect();
    let files = [
        ("modules.builtin", listed.as_str()),
        ("modules.order", ""),
        ("modules.builtin.modinfo", ""),
    ];
    for (name, text) in files {
        fs::write(modules.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    run(Command::new("depmod").arg("-b").arg(&root).arg(&release))?;
    fs::rename(root.join("lib/modules"), folder)
        .with_context(|| format!("creating {}", folder.display()))?;
    fs::remove_dir_all(&root).with_context(|| format!("removing {}", root.display()))
}

fn configuration(release: &str) -> anyhow::Result<String> {
    let packed = PathBuf::from("/proc/config.gz");
    let mut text = String::new();
    if packed.exists() {
        let file = File::open(&packed).context("opening /proc/config.gz")?;
        GzDecoder::new(file).read_to_string(&mut text).context("reading /proc/config.gz")?;
        return Ok(text);
    }
    let plain = format!("/boot/config-{release}");
    fs::read_to_string(&plain)
        .with_context(|| format!("reading the kernel's configuration from {plain}"))
}
