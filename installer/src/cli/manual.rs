//! `installer manual`.

use super::output::print;

/// The pages that an operator needs beside a node, where there is no network to
/// read them on.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Page {
    /// Install a cluster
    Install,
    /// Make all nodes by one line, over ssh
    Up,
    /// Make all nodes with Ansible
    Ansible,
    /// Check who signed a bundle
    Sign,
    /// Repair a stick with bad sectors
    Damage,
    /// Carry only what is new
    Delta,
    /// Check a node before you install: problems and warnings
    Preflight,
    /// See what each step changes
    Steps,
    /// Use your site's settings: the keys of the cluster file
    ClusterFile,
    /// See which ports are opened, and to whom
    Firewall,
    /// Give a person access
    Access,
    /// Renew certificates
    Certificates,
    /// Have several masters
    Masters,
    /// Back up a cluster, and restore it
    Backup,
    /// Upgrade a cluster, and go back
    Upgrade,
    /// Restart a node
    Restart,
    /// Take everything back
    Reset,
    /// Find out why a node is broken
    Doctor,
    /// Send a supporter what he needs
    Support,
}

/// Prints a page as it was when this program was made.
pub(crate) fn manual(page: Page) -> anyhow::Result<()> {
    let text = match page {
        Page::Install => include_str!("../../../docs/install.md"),
        Page::Up => include_str!("../../../docs/up.md"),
        Page::Ansible => include_str!("../../../docs/ansible.md"),
        Page::Sign => include_str!("../../../docs/sign.md"),
        Page::Damage => include_str!("../../../docs/damage.md"),
        Page::Delta => include_str!("../../../docs/delta.md"),
        Page::Preflight => include_str!("../../../docs/preflight.md"),
        Page::Steps => include_str!("../../../docs/steps.md"),
        Page::ClusterFile => include_str!("../../../docs/cluster-file.md"),
        Page::Firewall => include_str!("../../../docs/firewall.md"),
        Page::Access => include_str!("../../../docs/access.md"),
        Page::Certificates => include_str!("../../../docs/certificates.md"),
        Page::Masters => include_str!("../../../docs/masters.md"),
        Page::Backup => include_str!("../../../docs/backup.md"),
        Page::Upgrade => include_str!("../../../docs/upgrade.md"),
        Page::Restart => include_str!("../../../docs/restart.md"),
        Page::Reset => include_str!("../../../docs/reset.md"),
        Page::Doctor => include_str!("../../../docs/doctor.md"),
        Page::Support => include_str!("../../../docs/support.md"),
    };
    print(text)
}
