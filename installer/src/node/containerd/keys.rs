//! Where in containerd's configuration is what Kubernetes needs.

use toml_edit::Table;

use crate::node::containerd::files::at;
use crate::node::containerd::release::Release;

const CRI: &str = "io.containerd.grpc.v1.cri";
const IMAGES: &str = "io.containerd.cri.v1.images";
const RUNTIME: &str = "io.containerd.cri.v1.runtime";

/// Where containerd has what Kubernetes needs.
pub(crate) struct Keys {
    /// The sandbox image.
    pub(crate) sandbox: &'static [&'static str],
    /// The table on registries.
    pub(crate) registry: &'static [&'static str],
    /// The table on runtimes, and on what is common to them.
    pub(crate) containerd: &'static [&'static str],
    /// The old switch of the cgroup driver.
    pub(crate) old_switch: &'static [&'static str],
}

/// The keys of a format: of 2, and of 3 and 4 (containerd's `docs/cri/config.md`).
pub(crate) fn keys(format: i64) -> Keys {
    if format <= 2 {
        Keys {
            sandbox: &["plugins", CRI, "sandbox_image"],
            registry: &["plugins", CRI, "registry"],
            containerd: &["plugins", CRI, "containerd"],
            old_switch: &["plugins", CRI, "systemd_cgroup"],
        }
    } else {
        Keys {
            sandbox: &["plugins", IMAGES, "pinned_images", "sandbox"],
            registry: &["plugins", IMAGES, "registry"],
            containerd: &["plugins", RUNTIME, "containerd"],
            old_switch: &["plugins", RUNTIME, "systemd_cgroup"],
        }
    }
}

/// The keys that hold in a configuration. containerd 2 brings the tables of format 2
/// over into those of 3, 2.3 also from a file of format 3; of what stands in both the
/// old one holds on images, and the new one on runtimes (`configMigration`).
pub(crate) fn keys_of(merged: &Table, format: i64, release: Release) -> Keys {
    let (old, new) = (keys(2), keys(3));
    let is_migrated =
        release.merges_tables() && (format <= 2 || format == 3 && release.newest_format() > 3);
    if !is_migrated {
        return keys(format);
    }
    let has = |path: &[&str]| at(merged, path).is_some();
    let of_images = |old: &'static [&'static str], new| match (has(old), has(new)) {
        (false, true) => new,
        (false, false) if format > 2 => new,
        _ => old,
    };
    let runtimes = |keys: &Keys| has(&[keys.containerd, &["runtimes"]].concat());
    let is_new = runtimes(&new) || !runtimes(&old) && format > 2;
    let of_runtimes = if is_new { &new } else { &old };
    Keys {
        sandbox: of_images(old.sandbox, new.sandbox),
        registry: of_images(old.registry, new.registry),
        containerd: of_runtimes.containerd,
        old_switch: of_runtimes.old_switch,
    }
}

/// Whether a plugin is CRI, or a part of it since containerd 2.
pub(crate) fn is_cri(plugin: &str) -> bool {
    plugin == "cri"
        || plugin.starts_with(CRI)
        || plugin.starts_with("io.containerd.cri.v1")
        || plugin.starts_with("io.containerd.podsandbox.controller.v1")
}

/// Whether a plugin's table is one of format 3.
pub(crate) fn is_of_format_3(plugin: &str) -> bool {
    plugin.starts_with("io.containerd.cri.v1.")
}
