//! The files of an image that say what is installed.

use std::io::{self, Read};

use bundle_format::input::bounded;
use serde::{Deserialize, Serialize};

use super::package::Package;
use super::{apk, dpkg, rpm};
use crate::sbom::distribution::{Distribution, MAX_OS_RELEASE};

/// The largest list that is read, in bytes. dpkg's status of a whole desktop has 4 MB.
const MAX_LIST: u64 = 16 << 20;
/// The largest database of rpm's that is read, in bytes.
const MAX_DATABASE: u64 = 128 << 20;

/// The kind of the packages in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) enum System {
    Apk,
    Dpkg,
    Go,
    Rpm,
}

/// A file that says what is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    Apk,
    Dpkg,
    Rpm,
    OsRelease,
}

/// What such a file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Found {
    Packages(System, Vec<Package>),
    OsRelease(Distribution),
    /// Why it could not be read.
    Unread(String),
}

impl Watched {
    /// What the file at `path` of an image is, if it is one of these.
    pub(crate) fn of(path: &str) -> Option<Self> {
        const RPM: [&str; 3] = ["var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"];
        match path {
            "var/lib/dpkg/status" => return Some(Self::Dpkg),
            "lib/apk/db/installed" | "usr/lib/apk/db/installed" => return Some(Self::Apk),
            "etc/os-release" | "usr/lib/os-release" => return Some(Self::OsRelease),
            _ => {}
        }
        // Images without dpkg have one file for each package (bazel's `rules_distroless`).
        if let Some(name) = path.strip_prefix("var/lib/dpkg/status.d/") {
            let is_list = name.contains('/') || name.ends_with(".md5sums");
            return (!is_list).then_some(Self::Dpkg);
        }
        let name = RPM.iter().find_map(|folder| path.strip_prefix(folder))?;
        matches!(name, "rpmdb.sqlite" | "Packages.db" | "Packages").then_some(Self::Rpm)
    }

    /// Reads such a file.
    pub(crate) fn read(self, reader: &mut dyn Read) -> Found {
        let found = || -> io::Result<Found> {
            let limit = match self {
                Self::OsRelease => MAX_OS_RELEASE,
                Self::Apk | Self::Dpkg => MAX_LIST,
                Self::Rpm => MAX_DATABASE,
            };
            let bytes = bounded(reader, limit)?;
            let text = || String::from_utf8_lossy(&bytes);
            Ok(match self {
                Self::Apk => Found::Packages(System::Apk, apk::packages(&text())?),
                Self::Dpkg => Found::Packages(System::Dpkg, dpkg::packages(&text())?),
                Self::Rpm => Found::Packages(System::Rpm, rpm::packages(&bytes)?),
                Self::OsRelease => Found::OsRelease(Distribution::parse(&text())),
            })
        };
        found().unwrap_or_else(|error| Found::Unread(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_of_databases_are_read() {
        for (path, wanted) in [
            ("var/lib/dpkg/status", Some(Watched::Dpkg)),
            ("var/lib/dpkg/status.d/base-files", Some(Watched::Dpkg)),
            ("var/lib/dpkg/status.d/base-files.md5sums", None),
            ("var/lib/dpkg/status.d/a/b", None),
            ("var/lib/dpkg/status-old", None),
            ("lib/apk/db/installed", Some(Watched::Apk)),
            ("usr/lib/sysimage/rpm/rpmdb.sqlite", Some(Watched::Rpm)),
            ("var/lib/rpm/Packages", Some(Watched::Rpm)),
            ("var/lib/rpm/Name", None),
            ("usr/lib/os-release", Some(Watched::OsRelease)),
            ("rootfs/etc/os-release", None),
        ] {
            assert_eq!(Watched::of(path), wanted, "{path}");
        }
    }

    #[test]
    fn what_is_too_large_is_said() {
        let large = io::Read::take(io::repeat(b'\n'), MAX_OS_RELEASE + 1);
        let found = Watched::OsRelease.read(&mut { large });
        assert!(matches!(found, Found::Unread(_)), "{found:?}");
    }
}
