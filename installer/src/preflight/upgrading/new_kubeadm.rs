//! What the new kubeadm would change in the control plane, as it says itself before anything
//! is changed. It is taken out of the bundle's package into a folder that is removed afterwards.
//! Nobody has agreed to the bundle yet, so that package must be signed with a vendor's key that
//! the node has from before.

use anyhow::{Context, bail};
use bundle_format::lock::LockedRpm;

use crate::exec::Command;
use crate::failure::Failure;
use crate::files::whole::copy_whole;
use crate::host::Host;
use crate::intent::Intent;
use crate::masked::masked_difference;
use crate::node::kubeadm::own_readyz;
use crate::node::paths::{ADMIN_CONF, STATIC_PODS};
use crate::role::Role;
use crate::steps::packages;

/// Where kubeadm is for a moment, with a number behind it, because several may look at once. It
/// is gone after the next boot, whatever happens.
const FOLDER: &str = "/run/kubeferry-kubeadm-";
/// Takes kubeadm out of a package. All nodes have these programs: rpm brings one, and dracut
/// requires the other.
const TAKE: &str = "umask 077 && rpm2cpio \"$1\" | cpio --extract --quiet --to-stdout \
                    ./usr/bin/kubeadm >\"$2\" && chmod 0700 \"$2\"";

/// What kubeadm says of settings in a form that it no longer reads (its
/// `util/config/common.go`).
const OLD_SETTINGS: &str = "uses an old API spec";

/// What the new kubeadm says.
#[derive(Debug)]
pub enum Foreseen {
    /// It would change these files: the differences of each, as `diff -u` writes them.
    Changes(Vec<String>),
    /// It would not upgrade this cluster.
    Refusal(Failure),
    /// It could not be asked. That does not stop an upgrade.
    Unknown(Failure),
}

/// Asks the new kubeadm. A node whose upgrade has begun, or whose API server does not answer,
/// is not asked: kubeadm compares with what the cluster had before.
pub fn foresee(host: &Host, intent: &Intent) -> Foreseen {
    ask(host, intent).unwrap_or_else(|error| {
        Foreseen::Unknown(Failure::new(
            format!("the new kubeadm does not say what it will change: {error:#}"),
            format!("compare the files in {STATIC_PODS} with their copies after the upgrade"),
        ))
    })
}

fn ask(host: &Host, intent: &Intent) -> anyhow::Result<Foreseen> {
    let nothing = Foreseen::Changes(Vec::new());
    let has_begun = super::open(host, intent)?.is_some();
    if intent.role != Role::Master || has_begun || !host.ask(&own_readyz(host)?).succeeded() {
        return Ok(nothing);
    }
    let missing = packages::missing(host, intent)?;
    let is_new = |rpm: &&LockedRpm| {
        rpm.target == intent.target.id
            && rpm.package.name == "kubeadm"
            && missing.contains(&&rpm.package)
    };
    let Some(rpm) = intent.lock().rpms.iter().find(is_new) else { return Ok(nothing) };
    let path = rpm.path();
    let content = intent.bundle.contents().iter().find(|content| content.path == path);
    let content = content.with_context(|| format!("the bundle has no {path}"))?;
    let folder = format!("{FOLDER}{}", std::process::id());
    let said = host.with_folder(&folder, |real| {
        let mut blob = intent.bundle.open_blob(&content.descriptor)?;
        copy_whole(&real.join("kubeadm.rpm"), &mut blob, 0o600)?;
        let (package, program) = (format!("{folder}/kubeadm.rpm"), format!("{folder}/kubeadm"));
        let told = host.answer(&Command::new(["rpmkeys", "--checksig", "--verbose", &package]))?;
        if !told.succeeded() || !has_good_signature(&told.stdout) {
            bail!("no vendor's key on this node has signed {path}");
        }
        let taken = host.answer(&Command::new(["sh", "-c", TAKE, "sh", &package, &program]))?;
        if !taken.succeeded() {
            bail!("taking it out of {path} {}", taken.end());
        }
        let tag = format!("v{}", intent.lock().kubernetes);
        host.answer(&Command::new([&program, "upgrade", "diff", &tag, "--kubeconfig", ADMIN_CONF]))
    })?;
    if said.succeeded() {
        return Ok(Foreseen::Changes(by_file(&masked_difference(&said.stdout))));
    }
    // Whatever else fails here need not fail in the upgrade.
    if !said.end().contains(OLD_SETTINGS) {
        bail!("it {}", said.end());
    }
    Ok(Foreseen::Refusal(Failure::new(
        format!("the new kubeadm does not take this cluster as it is: {}", said.end()),
        "`kubectl -n kube-system get configmap kubeadm-config --output yaml` shows its settings",
    )))
}

/// Whether rpm tells that the whole package is as a good signature says. A package without a
/// signature has good digests only. One over the header alone covers the program if rpm has
/// compared the header's digest of it, which rpm 4.11 of EL 7 does not.
fn has_good_signature(told: &str) -> bool {
    let good = told.lines().map(|line| line.trim().to_ascii_lowercase());
    let good: Vec<String> = good.filter(|line| line.ends_with(": ok")).collect();
    let signed = |line: &String| line.contains(" signature, key ");
    let is_of_all = |line: &String| match signed(line) {
        true => !line.starts_with("header "),
        false => line.starts_with("payload "),
    };
    good.iter().any(signed) && good.iter().any(is_of_all)
}

/// The differences of each file. kubeadm tells them in any order, after some words.
fn by_file(text: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("--- ") {
            files.push(String::new());
        }
        if let Some(file) = files.last_mut() {
            *file += &format!("{line}\n");
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signature_by_a_key_of_the_node_is_good() {
        // What rpm 4.18 said of three packages.
        let unsigned = "    Header SHA1 digest: OK\n    MD5 digest: OK\n";
        let unknown = "    Header V3 RSA/SHA256 Signature, key ID f4a80eb5: NOKEY\n";
        assert!(!has_good_signature(unsigned) && !has_good_signature(unknown));
        let header = "    Header V4 RSA/SHA512 Signature, key ID 3e1ba8d5: OK\n";
        let payload = "    Payload SHA256 digest: OK\n";
        assert!(has_good_signature(&format!("{header}{unsigned}{payload}")));
        assert!(!has_good_signature(&format!("{unsigned}{payload}")));
        // Of rpm 4.11: a header that is signed says nothing of what rpm does not compare.
        assert!(!has_good_signature(&format!("{header}{unsigned}")));
        let all = "    V4 RSA/SHA512 Signature, key ID 3e1ba8d5: OK\n";
        assert!(has_good_signature(&format!("{header}{unsigned}{all}")));
    }

    #[test]
    fn each_file_has_its_differences_in_a_fixed_order() {
        let head = "[upgrade/diff] Reading configuration\n";
        let scheduler = "--- /s.yaml\n+++ new manifest\n@@ -1 +1 @@\n-a\n+b\n";
        let server = "--- /a.yaml\n+++ new manifest\n@@ -1 +1 @@\n-c\n+d\n";
        let told = by_file(&format!("{head}{scheduler}{server}"));
        assert_eq!(told, [server, scheduler]);
        assert_eq!(by_file(head), [""; 0]);
    }
}
