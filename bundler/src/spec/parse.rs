//! From the spec's text to [`Spec`]: every error with file, line and column.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use bundle_format::Digest;
use serde_saphyr::{Location, Spanned};

use super::{Check, PackageRequest, Spec, Target};

/// A spec is written by hand; nothing larger is one.
const MAX_BYTES: u64 = 4 << 20;

/// A spec with the file that it came from.
#[derive(Debug)]
pub struct SpecFile {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it says.
    pub spec: Spec,
}

/// Why a spec cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read the spec {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no spec.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
}

impl SpecFile {
    /// Reads and checks the spec at `path`.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let fail = |source| SpecError::Read { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(fail)?.len();
        if size > MAX_BYTES {
            return Err(fail(std::io::Error::other(format!(
                "it has {size} bytes; a spec has at most {MAX_BYTES}"
            ))));
        }
        Self::parse(path, std::fs::read(path).map_err(fail)?)
    }

    /// Checks `bytes`, which are the content of `path`.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, SpecError> {
        let invalid = |message: String| SpecError::Invalid(vec![message]);
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes)
            .map_err(|error| invalid(format!("{}: not UTF-8: {error}", path.display())))?;
        let options = serde_saphyr::options! { with_snippet: false };
        let spec: Spec = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| invalid(describe(path, &text, &error)))?;
        let problems = Problems { path, found: Vec::new() }.of(&spec);
        if !problems.is_empty() {
            return Err(SpecError::Invalid(problems));
        }
        Ok(Self { path: path.to_owned(), digest, spec })
    }

    /// A file that the spec names, beside the spec itself.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }
}

/// `spec.yaml:3:5: unknown field …`, the line itself, and what to write instead.
fn describe(path: &Path, text: &str, error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    // The parser's own text may end in the place, which stands in front here.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let Some(location) = error.location() else {
        return format!("{}: {message}", path.display());
    };
    let line = usize::try_from(location.line()).unwrap_or(1);
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let mut description = format!(
        "{}:{}:{}: {message}\n  {line} | {shown}",
        path.display(),
        location.line(),
        location.column()
    );
    if let Some(instead) = instead(message, shown) {
        description.push_str("\n  write ");
        description.push_str(instead);
        description.push_str(" instead");
    }
    description
}

/// What to write for the mistakes that people who know yum make.
fn instead(message: &str, line: &str) -> Option<&'static str> {
    let line = line.trim_start().trim_start_matches("- ");
    if line.contains("gpgcheck: false") || line.contains("gpgcheck: 0") {
        return Some("`{off: the reason}`; on is the default");
    }
    if line.starts_with("gpgcheck:") || line.starts_with("repoGpgcheck:") {
        return Some("`on`, or `{off: the reason}`");
    }
    if line.starts_with("plainHttp:") {
        return Some("the reason for it, in words");
    }
    [
        ("`baseurl`", "`baseUrl`"),
        ("`mirrorlist`", "`mirrorList`"),
        ("`gpgkey`", "`keys`, a list"),
        ("`arch`", "`architecture`"),
        ("`repos`", "`repositories`"),
        ("`repo_gpgcheck`", "`repoGpgcheck`"),
        ("`exclude_packages`", "`exclude`"),
    ]
    .into_iter()
    .find(|(wrong, _)| message.contains(&format!("unknown field {wrong}")))
    .map(|(_, right)| right)
}

/// Collects all that is wrong with a spec that parses.
struct Problems<'a> {
    path: &'a Path,
    found: Vec<String>,
}

impl Problems<'_> {
    fn of(mut self, spec: &Spec) -> Vec<String> {
        let name_is_plain = |name: &str| {
            !name.is_empty()
                && name.starts_with(|first: char| first.is_ascii_alphanumeric())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
        };
        if !name_is_plain(&spec.name) {
            self.add(format!("name `{}`: use lower-case letters, digits, `.` and `-`", spec.name));
        }
        if spec.targets.is_empty() {
            self.add("targets: at least one is needed, such as `- {family: el9, architecture: x86_64, …}`");
        }
        self.unique(
            "target",
            spec.targets.iter().map(|target| (target.id(), target.family.referenced)),
        );
        self.unique(
            "manifest",
            spec.manifests
                .iter()
                .map(|manifest| (manifest.value.name.clone(), manifest.referenced)),
        );
        for target in &spec.targets {
            self.check_target(spec, target);
        }
        for Spanned { value, referenced, .. } in &spec.manifests {
            if !name_is_plain(&value.name) {
                self.at(
                    referenced,
                    format!(
                        "manifest name `{}`: use lower-case letters, digits, `.` and `-`",
                        value.name
                    ),
                );
            }
            if value.url.is_some() == value.file.is_some() {
                self.at(
                    referenced,
                    format!("manifest `{}`: give `url` or `file`, one of them", value.name),
                );
            }
            if let Some(digest) = &value.sha256
                && Digest::from_hex(digest).is_err()
            {
                self.at(
                    referenced,
                    format!(
                        "manifest `{}`: sha256 `{digest}` is not 64 lower-case hex digits",
                        value.name
                    ),
                );
            }
        }
        self.found
    }

    fn check_target(&mut self, spec: &Spec, target: &Target) {
        let id = target.id();
        if !target.family.value.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
            || target.family.value.is_empty()
        {
            self.at(
                &target.family.referenced,
                format!("family `{}`: use letters, digits, `.`, `-` and `_`", target.family.value),
            );
        }
        if target.repositories.is_empty() {
            self.at(
                &target.family.referenced,
                format!("target {id}: no repositories to take packages from"),
            );
        }
        self.unique(
            &format!("repository of target {id}"),
            target
                .repositories
                .iter()
                .map(|repository| (repository.id.value.clone(), repository.id.referenced)),
        );
        for repository in &target.repositories {
            let place = &repository.id.referenced;
            let name = &repository.id.value;
            if repository.base_url.is_some() == repository.mirror_list.is_some() {
                self.at(
                    place,
                    format!("repository `{name}`: give `baseUrl` or `mirrorList`, one of them"),
                );
            }
            let checks = repository.gpgcheck == Check::On || repository.repo_gpgcheck == Check::On;
            if checks && repository.keys.is_empty() {
                self.at(place, format!(
                    "repository `{name}`: signatures are checked, but `keys` is empty: name the \
                     vendor's public keys"
                ));
            }
        }
        let known: BTreeSet<_> =
            target.repositories.iter().map(|repository| repository.id.value.as_str()).collect();
        let pins = [
            spec.kubernetes.repository.as_deref().map(|pin| ("kubernetes.repository", pin)),
            spec.containerd
                .as_ref()
                .and_then(|containerd| containerd.repository.as_deref())
                .map(|pin| ("containerd.repository", pin)),
        ];
        let packages = target.packages.iter().filter_map(|package| match &package.value {
            PackageRequest::Pinned(pinned) => {
                Some((pinned.package.as_str(), pinned.repository.as_str()))
            }
            PackageRequest::Anywhere(_) => None,
        });
        for (what, pin) in pins.into_iter().flatten().chain(packages) {
            if !known.contains(pin) {
                self.at(
                    &target.family.referenced,
                    format!(
                        "target {id}: {what} is pinned to repository `{pin}`, which is none of {}",
                        known.iter().copied().collect::<Vec<_>>().join(", ")
                    ),
                );
            }
        }
    }

    fn unique(&mut self, what: &str, names: impl Iterator<Item = (String, Location)>) {
        let mut seen = BTreeSet::new();
        for (name, place) in names {
            if !seen.insert(name.clone()) {
                self.at(&place, format!("{what} `{name}` stands here a second time"));
            }
        }
    }

    fn add(&mut self, message: impl Display) {
        self.found.push(format!("{}: {message}", self.path.display()));
    }

    fn at(&mut self, place: &Location, message: impl Display) {
        self.found.push(format!(
            "{}:{}:{}: {message}",
            self.path.display(),
            place.line(),
            place.column()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "\
name: demo
kubernetes: {version: 1.28.2}
targets:
- family: el9
  architecture: x86_64
  repositories:
  - id: os
    baseUrl: https://example.com/os/
    keys: [key.asc]
";

    fn error(text: &str) -> String {
        SpecFile::parse("s.yaml".as_ref(), text.as_bytes().to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn a_minimal_spec_has_safe_defaults() {
        let file = SpecFile::parse("s.yaml".as_ref(), MINIMAL.into()).unwrap();
        let target = &file.spec.targets[0];
        let repository = &target.repositories[0];
        assert_eq!(target.id(), "el9-x86_64");
        assert_eq!((&repository.gpgcheck, &repository.repo_gpgcheck), (&Check::On, &Check::On));
        assert_eq!(repository.id.referenced.line(), 7);
        assert_eq!(file.digest, Digest::of(MINIMAL.as_bytes()));
    }

    #[test]
    fn every_mistake_names_its_place_and_the_cure() {
        let cases = [
            (MINIMAL.replace("baseUrl", "baseurl"), "s.yaml:8:", "write `baseUrl` instead"),
            (
                MINIMAL.replace("id: os", "id: os\n    gpgcheck: false"),
                "s.yaml:8:",
                "{off: the reason}",
            ),
            (MINIMAL.replace("1.28.2", "1.28"), "s.yaml:2:", "such as 1.28.2"),
            (MINIMAL.replace("x86_64", "sparc"), "s.yaml:5:", "x86_64"),
            (format!("{MINIMAL}name: twice\n"), "s.yaml:10:", "duplicate"),
            (MINIMAL.replace("    keys: [key.asc]\n", ""), "s.yaml:7:", "`keys` is empty"),
            (
                MINIMAL.replace("id: os", "id: os\n    mirrorList: https://example.com/m"),
                "s.yaml:7:",
                "one of them",
            ),
            (MINIMAL.replace("name: demo", "name: De Mo"), "s.yaml: name", "lower-case"),
            (
                MINIMAL.replace("{version: 1.28.2}", "{version: 1.28.2, repository: k8s}"),
                "s.yaml:4:",
                "none of os",
            ),
            (
                format!("{MINIMAL}manifests: [{{name: a, file: a.yaml, sha256: 12}}]\n"),
                "s.yaml:10:",
                "64 lower-case hex",
            ),
            (MINIMAL.replace("id: os", "id: os\n    gpgcheck: {off: ''}"), "s.yaml:8:", "in words"),
        ];
        for (text, place, cure) in cases {
            let error = error(&text);
            assert!(error.contains(place) && error.contains(cure), "{place} {cure}:\n{error}");
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let text =
            MINIMAL.replace("name: demo", "name: De Mo").replace("    keys: [key.asc]\n", "");
        assert_eq!(error(&text).lines().count(), 2);
    }

    #[test]
    fn bombs_and_garbage_are_errors() {
        let aliases = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
            let last = level - 1;
            format!("{text}a{level}: &a{level} [*a{last},*a{last},*a{last},*a{last}]\n")
        });
        for text in [aliases.as_str(), &"[".repeat(100_000), "\u{0}", "", "- a", "name: [", "%YAML"]
        {
            assert!(error(text).starts_with("s.yaml"), "{}", &text[..text.len().min(40)]);
        }
        assert!(SpecFile::parse("s.yaml".as_ref(), vec![0xff, 0xfe, 0xff]).is_err());
    }
}
