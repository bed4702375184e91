//! What differs between containerd's releases: the format of its configuration, and how
//! the files that it imports are merged. By its sources
//! (`services/server/config`, since 2.0 `cmd/containerd/server/config`).

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
    pub(crate) fn newest_format(self) -> i64 {
        match (self.major, self.minor) {
            (0 | 1, _) => 2,
            (2, 0..=2) => 3,
            _ => 4,
        }
    }

    /// Whether a plugin's table in a later file is merged into that of an earlier one,
    /// and does not take its place.
    pub(crate) fn merges_tables(self) -> bool {
        self.major >= 2
    }

    /// Whether a relative pattern begins at the importing file's folder, and not at
    /// the folder in which containerd was started: systemd has it start in `/`.
    pub(crate) fn has_patterns_beside_file(self) -> bool {
        self > Self::OLD
    }

    /// The folders of registries' files where the configuration names none.
    pub(crate) fn registry_folders(self) -> &'static str {
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
