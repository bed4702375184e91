//! What differs between containerd's releases: the format of its configuration, where
//! in it the keys are, and how the files that it imports are merged. By its sources
//! (`services/server/config`, since 2.0 `cmd/containerd/server/config`).

use toml_edit::Table;

use super::files::at;

/// A release of containerd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    major: u32,
    minor: u32,
}

impl Release {
    /// The one of which nothing is said.
    pub(crate) const OLD: Self = Self { major: 1, minor: 6 };
    /// One that reads all formats.
    pub(crate) const NEWEST: Self = Self { major: 2, minor: 3 };

    /// Of a version: `1.6.25`.
    pub(crate) fn of(version: &str) -> Self {
        let mut numbers = version.split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Self { major, minor },
            _ => Self::OLD,
        }
    }

    /// The newest format that it reads.
    pub(super) fn newest_format(self) -> i64 {
        match (self.major, self.minor) {
            (0 | 1, _) => 2,
            (2, 0..=2) => 3,
            _ => 4,
        }
    }

    /// Whether a plugin's table in a later file is merged into that of an earlier one,
    /// and does not take its place.
    pub(super) fn merges_tables(self) -> bool {
        self.major >= 2
    }

    /// Whether a relative pattern begins at the importing file's folder, and not at
    /// the folder in which containerd was started: systemd has it start in `/`.
    pub(super) fn has_patterns_beside_file(self) -> bool {
        self > Self::OLD
    }

    /// The folders of registries' files where the configuration names none.
    pub(super) fn registry_folders(self) -> &'static str {
        match self {
            Self { major: 0 | 1, .. } | Self { major: 2, minor: 0 | 1 } => "",
            _ => "/etc/containerd/certs.d:/etc/docker/certs.d",
        }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "containerd {}.{}", self.major, self.minor)
    }
}

const CRI: &str = "io.containerd.grpc.v1.cri";
const IMAGES: &str = "io.containerd.cri.v1.images";
const RUNTIME: &str = "io.containerd.cri.v1.runtime";

/// Where containerd has what Kubernetes needs.
pub(super) struct Keys {
    /// The sandbox image.
    pub(super) sandbox: &'static [&'static str],
    /// The table on registries.
    pub(super) registry: &'static [&'static str],
    /// The table on runtimes, and on what is common to them.
    pub(super) containerd: &'static [&'static str],
    /// The old switch of the cgroup driver.
    pub(super) old_switch: &'static [&'static str],
}

/// The keys of a format: of 2, and of 3 and 4 (containerd's `docs/cri/config.md`).
pub(super) fn keys(format: i64) -> Keys {
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
pub(super) fn keys_of(merged: &Table, format: i64, release: Release) -> Keys {
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
pub(super) fn is_cri(plugin: &str) -> bool {
    plugin == "cri"
        || plugin.starts_with(CRI)
        || plugin.starts_with("io.containerd.cri.v1")
        || plugin.starts_with("io.containerd.podsandbox.controller.v1")
}

/// Whether a plugin's table is one of format 3.
pub(super) fn is_of_format_3(plugin: &str) -> bool {
    plugin.starts_with("io.containerd.cri.v1.")
}

/// What a plugin of format 1 is called since (`v1MigratePluginName`).
pub(super) fn modern_name(plugin: &str) -> String {
    if plugin.contains('.') {
        return plugin.to_owned();
    }
    let kind = match plugin {
        "cgroups" => "monitor",
        "linux" => "runtime",
        "scheduler" => "gc",
        "bolt" => "metadata",
        "task" => return "io.containerd.runtime.v2.task".to_owned(),
        "opt" | "restart" | "tracing" => "internal",
        "otlp" => "tracing.processor",
        "aufs" | "btrfs" | "devmapper" | "native" | "overlayfs" | "zfs" => "snapshotter",
        name if name.ends_with("-service") => "service",
        _ => "grpc",
    };
    format!("io.containerd.{kind}.v1.{plugin}")
}
