//! What systems of one family call otherwise than those of another, for who reads what
//! to do.

use crate::facts::Facts;
use crate::host::Host;

/// The program that puts packages in and removes them: el7 has no dnf.
pub(crate) fn packager(host: &Host) -> &'static str {
    if host.exists("/usr/bin/dnf") { "dnf" } else { "yum" }
}

/// How a node gets modules that its kernel lacks: until el7 they are in the kernel's
/// own package.
pub(crate) fn modules_cure(host: &Host, facts: &Facts) -> String {
    let (tool, kernel) = (packager(host), &facts.kernel);
    let put_in = match facts.family.as_deref() {
        Some("el6" | "el7") => format!("{tool} reinstall kernel-{kernel}"),
        _ => format!("{tool} install kernel-modules-{kernel} kernel-modules-extra-{kernel}"),
    };
    format!(
        "restart the node if its kernel was updated; else put them in from your system's medium \
         (`{put_in}`), or do without, by proxyMode: iptables or no nfs"
    )
}
