//! The keys of containerd's configuration that Kubernetes depends on.

use toml_edit::Table;

use crate::node::containerd::release::Release;
use crate::node::containerd::table::at;

pub(super) const CRI: &str = "io.containerd.grpc.v1.cri";
pub(super) const IMAGES: &str = "io.containerd.cri.v1.images";
pub(super) const RUNTIME: &str = "io.containerd.cri.v1.runtime";

/// Where the keys are.
pub(crate) struct Keys {
    /// The sandbox image.
    pub(crate) sandbox: &'static [&'static str],
    /// The table of registries.
    pub(crate) registry: &'static [&'static str],
    /// The table of runtimes, and of what they have in common.
    pub(crate) containerd: &'static [&'static str],
    /// The old switch of the cgroup driver.
    pub(crate) old_switch: &'static [&'static str],
}

/// The keys in a format: 2, or 3 and 4 (containerd's `docs/cri/config.md`).
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

/// The keys that count in a configuration. containerd 2.0 to 2.2 migrates the merged
/// tables of format 2 into those of 3. If a file has both, containerd takes
/// images from the old table, and runtimes from the new one (`configMigration`).
pub(crate) fn keys_of(merged: &Table, format: i64, release: Release) -> Keys {
    let (old, new) = (keys(2), keys(3));
    if !release.merges_tables() || release.migrates_files() || format > 2 {
        return keys(format);
    }
    let has = |path: &[&str]| at(merged, path).is_some();
    let of_images = |old: &'static [&'static str], new| match (has(old), has(new)) {
        (false, true) => new,
        _ => old,
    };
    let runtimes = |keys: &Keys| has(&[keys.containerd, &["runtimes"]].concat());
    let of_runtimes = if runtimes(&new) { &new } else { &old };
    Keys {
        sandbox: of_images(old.sandbox, new.sandbox),
        registry: of_images(old.registry, new.registry),
        containerd: of_runtimes.containerd,
        old_switch: of_runtimes.old_switch,
    }
}

/// Whether a plugin is CRI, or one of its parts since containerd 2.
pub(crate) fn is_cri(plugin: &str) -> bool {
    plugin == "cri"
        || plugin.starts_with(CRI)
        || plugin.starts_with("io.containerd.cri.v1")
        || plugin.starts_with("io.containerd.podsandbox.controller.v1")
}

/// Whether a plugin's table belongs to format 3.
pub(crate) fn is_of_format_3(plugin: &str) -> bool {
    plugin.starts_with("io.containerd.cri.v1.")
}
