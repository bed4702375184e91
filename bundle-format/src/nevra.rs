//! The full name of an RPM: name, epoch, version, release, architecture.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::text::{printable, serde_as_text};

/// Epoch, version and release of a package, ordered as rpm orders them
/// (`rpmVersionCompare` in rpm's `lib/rpmvs.c`; `~` sorts before, `^` after). Two
/// versions that are spelled differently but compare equal (`1.01` and `1.1`) are
/// equal.
#[derive(Clone, Debug)]
pub struct Evr {
    /// 0 if none is written.
    pub epoch: u32,
    /// As it is written, never empty.
    pub version: String,
    /// Empty if a requirement has none.
    pub release: String,
}

/// A text that is not the name of a package.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NevraError {
    /// The text before `:` is not a number.
    #[error("`{}`: the epoch before `:` must be a number", printable(.0))]
    Epoch(String),
    /// A part is missing.
    #[error("`{}` is not a package of the form name-[epoch:]version-release.arch", printable(.0))]
    Malformed(String),
    /// A part is not what rpm lets a package have. It could become an option of
    /// a command, or a path.
    #[error(
        "`{}` cannot be a package's {part}: it must begin with {} and hold only ASCII letters, digits and {}",
        printable(.text), .part.beginning(), .part.marks()
    )]
    Part {
        /// The part that is wrong.
        part: Part,
        /// The text.
        text: String,
    },
}

/// A part of a package's full name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The name.
    Name,
    /// The version.
    Version,
    /// The release.
    Release,
    /// The architecture.
    Architecture,
}

impl Part {
    /// The marks that this part may contain: those that rpmbuild allows
    /// (`rpmCharCheck` in its `build/parsePreamble.c`), and some that other
    /// builders have used.
    fn marks(self) -> &'static str {
        match self {
            Self::Name => "._+-~^%@,=",
            Self::Version | Self::Release => "._+~^%@,=",
            Self::Architecture => "_",
        }
    }

    fn beginning(self) -> &'static str {
        match self {
            Self::Name | Self::Architecture => "a letter, a digit or `_`",
            Self::Version | Self::Release => "one of them",
        }
    }

    fn check(self, text: &str) -> Result<(), NevraError> {
        let own = |c: char| c.is_ascii_alphanumeric() || self.marks().contains(c);
        let begins = match self {
            Self::Name | Self::Architecture => {
                text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            }
            Self::Version | Self::Release => !text.is_empty(),
        };
        if begins && text.chars().all(own) {
            return Ok(());
        }
        Err(NevraError::Part { part: self, text: text.to_owned() })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Version => "version",
            Self::Release => "release",
            Self::Architecture => "architecture",
        })
    }
}

impl Evr {
    /// Compares by rpm's rule for requirements: an empty release on either side
    /// matches any release (`rpmdsCompare` in rpm's `lib/rpmds.c`).
    pub fn compare_as_range_end(&self, other: &Self) -> Ordering {
        let by_version =
            self.epoch.cmp(&other.epoch).then_with(|| compare_text(&self.version, &other.version));
        if self.release.is_empty() || other.release.is_empty() {
            return by_version;
        }
        by_version.then_with(|| compare_text(&self.release, &other.release))
    }
}

fn compare_text(left: &str, right: &str) -> Ordering {
    rpm_version::Evr::new("0", left, "").cmp(&rpm_version::Evr::new("0", right, ""))
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_text(&self.version, &other.version))
            .then_with(|| compare_text(&self.release, &other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Evr {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Evr {}

impl Hash for Evr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
        for text in [&self.version, &self.release] {
            hash_text(text, state);
            state.write_u8(0);
        }
    }
}

/// Hashes only what rpm compares, because equal versions may be spelled differently:
/// runs of digits without their leading zeros, runs of letters, `~` and `^`. Other
/// characters are only separators.
fn hash_text<H: Hasher>(text: &str, state: &mut H) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_same: fn(&char) -> bool = match first {
            '0'..='9' => char::is_ascii_digit,
            'a'..='z' | 'A'..='Z' => char::is_ascii_alphabetic,
            _ => |_| false,
        };
        let end = rest.find(|other| !is_same(&other)).unwrap_or(rest.len());
        let end = end.max(first.len_utf8());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        if first.is_ascii_digit() {
            run.trim_start_matches('0').hash(state);
        } else if first.is_ascii_alphabetic() || matches!(first, '~' | '^') {
            run.hash(state);
        }
    }
}

impl FromStr for Evr {
    type Err = NevraError;

    /// Reads `[epoch:]version[-release]`.
    fn from_str(text: &str) -> Result<Self, NevraError> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => {
                let epoch = epoch.parse().map_err(|_| NevraError::Epoch(text.to_owned()))?;
                (epoch, rest)
            }
            None => (0, text),
        };
        let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
        if version.is_empty() {
            return Err(NevraError::Malformed(text.to_owned()));
        }
        Ok(Self { epoch, version: version.to_owned(), release: release.to_owned() })
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands before the first colon would be taken for the epoch.
        let has_colon = [&self.version, &self.release].iter().any(|part| part.contains(':'));
        if self.epoch != 0 || has_colon {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

/// A package: `name-[epoch:]version-release.arch`. The epoch is written only if it is
/// not 0.
#[derive(Clone, Debug)]
pub struct Nevra {
    /// The package's name.
    pub name: String,
    /// Epoch, version and release. The release is never empty.
    pub evr: Evr,
    /// `x86_64`, `noarch`, …
    pub arch: String,
}

impl Nevra {
    /// The package with these parts. Each part is checked.
    pub fn new(name: String, evr: Evr, arch: String) -> Result<Self, NevraError> {
        Part::Name.check(&name)?;
        Part::Version.check(&evr.version)?;
        Part::Release.check(&evr.release)?;
        Part::Architecture.check(&arch)?;
        Ok(Self { name, evr, arch })
    }

    /// The file name that rpm gives the package. It has no epoch.
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.{}.rpm", self.name, self.evr.version, self.evr.release, self.arch)
    }

    /// The kernel that a package of the kernel is of, as `uname -r` prints it.
    pub fn kernel_release(&self) -> String {
        format!("{}-{}.{}", self.evr.version, self.evr.release, self.arch)
    }

    /// Whether a node keeps several versions of the package (dnf.conf(5),
    /// `installonlypkgs`).
    pub fn is_kept_beside_others(&self) -> bool {
        matches!(
            self.name.as_str(),
            "kernel"
                | "kernel-core"
                | "kernel-devel"
                | "kernel-modules"
                | "kernel-modules-core"
                | "kernel-modules-extra"
        )
    }
}

impl Ord for Nevra {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name
            .cmp(&other.name)
            .then_with(|| self.evr.cmp(&other.evr))
            .then_with(|| self.arch.cmp(&other.arch))
    }
}

impl PartialOrd for Nevra {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Nevra {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Nevra {}

impl Hash for Nevra {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.evr.hash(state);
        self.arch.hash(state);
    }
}

impl FromStr for Nevra {
    type Err = NevraError;

    fn from_str(text: &str) -> Result<Self, NevraError> {
        let malformed = || NevraError::Malformed(text.to_owned());
        let (rest, arch) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(malformed)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(malformed)?;
        if name.is_empty() || release.is_empty() || arch.is_empty() {
            return Err(malformed());
        }
        let evr = format!("{version}-{release}").parse()?;
        Self::new(name.to_owned(), evr, arch.to_owned())
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

serde_as_text!(Evr);
serde_as_text!(Nevra);

#[cfg(test)]
mod tests {
    use super::*;

    fn evr(text: &str) -> Evr {
        text.parse().unwrap()
    }

    fn hash_of(value: &impl Hash) -> u64 {
        let mut state = std::hash::DefaultHasher::new();
        value.hash(&mut state);
        state.finish()
    }

    proptest::proptest! {
        #[test]
        fn equal_versions_have_one_hash(a in "[0-2ab.~^_\u{e9}]{0,5}", b in "[0-2ab.~^_\u{e9}]{0,5}") {
            let of = |version: String| Evr { epoch: 0, version, release: "1".to_owned() };
            let (a, b) = (of(a), of(b));
            proptest::prop_assert_eq!(a == b, hash_of(&a) == hash_of(&b));
        }
    }

    #[test]
    fn versions_of_one_package_have_hashes_of_their_own() {
        let of = |number: u32| format!("a-{number}-1.noarch").parse::<Nevra>().unwrap();
        let hashes: std::collections::HashSet<u64> =
            (0..1000).map(|number| hash_of(&of(number))).collect();
        assert_eq!(hashes.len(), 1000);
    }

    #[test]
    fn a_version_with_a_colon_reads_back() {
        for text in ["0:1:1.0a-1", "2:1:3-1", "0::-1", "0:1-2:3"] {
            assert_eq!(evr(text).to_string(), text);
        }
    }

    #[test]
    fn nevra_round_trips() {
        for text in [
            "kubelet-1.28.2-0.x86_64",
            "gmp-1:6.0.0-15.el7.x86_64",
            "urw-base35-fonts-common-20170801-10.el7.noarch",
        ] {
            assert_eq!(text.parse::<Nevra>().unwrap().to_string(), text);
        }
        for text in ["", "kubelet", "kubelet-1.28.2", "a-b.c", "-1-1.noarch"] {
            assert!(text.parse::<Nevra>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_path_is_no_package() {
        for text in [
            "--setopt=x-1-1.noarch",
            "-y-1-1.noarch",
            "../../a-1-1.noarch",
            "a/b-1-1.noarch",
            "a-1/2-1.noarch",
            "a-1-1/../b.noarch",
            "a\nb-1-1.noarch",
            "a b-1-1.noarch",
            "a;reboot-1-1.noarch",
            "$(a)-1-1.noarch",
            "a`b`-1-1.noarch",
            "a-1-1*.noarch",
            "a-1-1.no arch",
            "a-1-1.-arch",
            "\u{1b}[2Ja-1-1.noarch",
            "é-1-1.noarch",
        ] {
            let error = text.parse::<Nevra>().unwrap_err().to_string();
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
        for text in ["gtk+-2.0~rc1^git1-1.el9_2.x86_64", "0ad-1_2-3.noarch", "_x-1-1.i686"] {
            assert_eq!(text.parse::<Nevra>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn order_is_rpms() {
        // The examples of rpm's `docs/manual/dependencies.md` and tests/rpmvercmp.at.
        let ascending = ["1.0~rc1", "1.0", "1.0^git1", "1.0.1", "1.10", "2.0", "1:0.1"];
        for pair in ascending.windows(2) {
            assert!(evr(pair[0]) < evr(pair[1]), "{pair:?}");
        }
        assert_eq!(evr("1.01-1"), evr("1.1-01"));
        assert!(evr("1.0-2") < evr("1.0-10"));
    }

    #[test]
    fn a_range_end_without_release_matches_any() {
        assert_eq!(evr("1.0").compare_as_range_end(&evr("1.0-5")), Ordering::Equal);
        assert_eq!(evr("1.0-4").compare_as_range_end(&evr("1.0-5")), Ordering::Less);
        assert_eq!(evr("1:1.0").compare_as_range_end(&evr("1.0-5")), Ordering::Greater);
    }

    fn any_evr() -> impl proptest::strategy::Strategy<Value = Evr> {
        use proptest::strategy::Strategy;
        (0u32..3, "[0-9a-c.~^_]{1,8}", "[0-9a-c.~^]{1,4}")
            .prop_map(|(epoch, version, release)| Evr { epoch, version, release })
    }

    proptest::proptest! {
        #[test]
        fn order_is_total(a in any_evr(), b in any_evr(), c in any_evr()) {
            proptest::prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            proptest::prop_assert_eq!(a.cmp(&a), Ordering::Equal);
            if a <= b && b <= c {
                proptest::prop_assert!(a <= c);
            }
        }

        #[test]
        fn text_round_trips(evr in any_evr()) {
            let again: Evr = evr.to_string().parse().unwrap();
            proptest::prop_assert_eq!(evr.to_string(), again.to_string());
            proptest::prop_assert_eq!(evr, again);
        }

        #[test]
        fn a_tilde_goes_before_and_a_caret_behind(evr in any_evr()) {
            let with = |mark: &str| Evr { version: format!("{}{mark}1", evr.version), ..evr.clone() };
            proptest::prop_assert!(with("~") < evr);
            proptest::prop_assert!(with("^") > evr);
        }
    }
}
