//! What differs between releases of containerd: the format of its configuration, and
//! how imported files are merged. From containerd's sources
//! (`services/server/config`; since 2.0 `cmd/containerd/server/config`).

/// A release of containerd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    major: u32,
    minor: u32,
}

impl Release {
    /// The release that is assumed if none is known.
    pub(crate) const OLD: Self = Self { major: 1, minor: 6 };
    /// A release that reads all formats.
    pub(crate) const NEWEST: Self = Self { major: 2, minor: 3 };

    /// Reads a version: `1.6.25`.
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

    /// Whether a plugin's table in a later file is merged into the earlier one.
    /// If not, it replaces it.
    pub(crate) fn merges_tables(self) -> bool {
        self.major >= 2
    }

    /// Whether each file is brought to the newest format before it is merged. If not,
    /// all files must be of one format.
    pub(crate) fn migrates_files(self) -> bool {
        self.newest_format() > 3
    }

    /// Whether a relative import with a `*` begins at the importing file's folder. If
    /// not, it begins where containerd was started: systemd starts it in `/`.
    pub(crate) fn has_patterns_beside_file(self) -> bool {
        self > Self::OLD
    }

    /// The default folders of registries' files.
    pub(crate) fn registry_folders(self) -> &'static str {
        match self {
            Self { major: 0 | 1, .. } | Self { major: 2, minor: 0 | 1 } => "",
            _ => "/etc/containerd/certs.d:/etc/docker/certs.d",
        }
    }

    /// Whether it takes a list of folders for the name of one. Since 2.1, images are pulled by
    /// the transfer service, which gets the list as it is (`WithHostDir` in containerd's
    /// `internal/cri/server/images/image_pull.go`, also in 2.4). So the default list is
    /// nothing there.
    pub(crate) fn reads_one_registry_folder(self) -> bool {
        self >= Self { major: 2, minor: 1 }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "containerd {}.{}", self.major, self.minor)
    }
}
