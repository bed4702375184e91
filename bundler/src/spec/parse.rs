//! From the spec's text to [`Spec`]: every error with file, line and column.

use std::path::{Path, PathBuf};

use bundle_format::Digest;

use super::problem::{Place, Problem, cut};
use super::tree::{self, Node};
use super::{Spec, named_files, relations, shape};

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
    /// The file is no spec. Each mistake is a line, all but the first marked as
    /// an error; whoever prints the whole marks that.
    #[error("{}", .0.join("\nerror: "))]
    Invalid(Vec<String>),
}

impl SpecFile {
    /// Reads and checks the spec at `path`; the files that it names must be
    /// there.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let fail = |source| SpecError::Read { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(fail)?.len();
        if size > MAX_BYTES {
            return Err(fail(std::io::Error::other(format!(
                "it has {size} bytes; a spec has at most {MAX_BYTES}"
            ))));
        }
        let (file, root) = Self::parse_tree(path, std::fs::read(path).map_err(fail)?)?;
        match named_files::missing(&file, &root) {
            missing if missing.is_empty() => Ok(file),
            missing => Err(invalid(path, missing)),
        }
    }

    /// Checks `bytes`, which are the content of `path`.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, SpecError> {
        Self::parse_tree(path, bytes).map(|(file, _)| file)
    }

    fn parse_tree(path: &Path, bytes: Vec<u8>) -> Result<(Self, Node), SpecError> {
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            SpecError::Invalid(vec![format!("{}: not UTF-8: {error}", path.display())])
        })?;
        let root = tree::parse(&text)
            .map_err(|problem| SpecError::Invalid(vec![with_the_line(&problem, path, &text)]))?;
        let mut problems = shape::check(&root);
        // A spec with a wrong value here and there may still be read, and then
        // more can be said of it.
        let spec = match read_types(&text) {
            Ok(spec) => spec,
            Err(problem) if problems.is_empty() => return Err(invalid(path, vec![problem])),
            Err(_) => return Err(invalid(path, problems)),
        };
        problems.extend(relations::check(&spec, &root));
        if !problems.is_empty() {
            return Err(invalid(path, problems));
        }
        let mut file = Self { path: path.to_owned(), digest, spec };
        file.tell_patches_their_places(&root);
        Ok((file, root))
    }

    /// A file that the spec names, beside the spec itself.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// A patch fails long after the spec was read, when it finds nothing.
    fn tell_patches_their_places(&mut self, root: &Node) {
        for (manifest, node) in self.spec.manifests.iter_mut().zip(root.items("manifests")) {
            for (patch, node) in manifest.value.patches.iter_mut().zip(node.items("patches")) {
                patch.place = Some(node.place.of(&self.path));
            }
        }
    }
}

/// All problems, in the order of the text.
fn invalid(path: &Path, mut problems: Vec<Problem>) -> SpecError {
    problems.sort();
    problems.dedup();
    SpecError::Invalid(problems.iter().map(|problem| problem.line(path)).collect())
}

/// What serde makes of the text, which stops at the first mistake.
fn read_types(text: &str) -> Result<Spec, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The parser's own text may end in the place, which stands in front here.
        let message = message.split(" at line ").next().unwrap_or(&message);
        let number = |number: u64| usize::try_from(number).unwrap_or(1);
        let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
            line: number(location.line()),
            column: number(location.column()),
        });
        Problem::new(place, message)
    })
}

/// The mistake of a text that is no YAML, with the line that it is in.
fn with_the_line(problem: &Problem, path: &Path, text: &str) -> String {
    let line = problem.place.line;
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    format!("{}\n  {line} | {}", problem.line(path), cut(shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Check;

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
                "s.yaml:8:17:",
                "one of them",
            ),
            (MINIMAL.replace("name: demo", "name: De Mo"), "s.yaml:1:7: name", "lower-case"),
            (
                MINIMAL.replace("{version: 1.28.2}", "{version: 1.28.2, repository: k8s}"),
                "s.yaml:2:43:",
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
    fn mistakes_of_values_and_between_values_come_together() {
        let text = MINIMAL
            .replace("name: demo", "name: My_X\ncontainerd: {version: 1.6.20}")
            .replace("1.28.2", "1.36.0")
            .replace("https", "ftp");
        let error = error(&text);
        let starts: Vec<&str> = error
            .lines()
            .map(|line| line.strip_prefix("error: ").unwrap_or(line))
            .map(|line| line.split(": ").next().unwrap())
            .collect();
        assert_eq!(starts, ["s.yaml:1:7", "s.yaml:2:23", "s.yaml:9:14"], "{error}");
    }

    #[test]
    fn files_that_are_not_there_are_named_at_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.yaml");
        let text = format!(
            "{MINIMAL}  baseline: {{packages: nodes.txt}}\nregistries: {{x.io: {{ca: ca.pem}}}}\n\
             manifests: [{{name: a, file: .}}]\ninstallers: [{{architecture: x86_64, file: /nowhere/i}}]\n"
        );
        std::fs::write(&path, text).unwrap();
        let error = SpecFile::read(&path).unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        let folder = folder.path().display();
        for (line, words) in lines.iter().zip([
            format!("s.yaml:9:12: no such file: {folder}/key.asc"),
            format!("s.yaml:10:24: no such file: {folder}/nodes.txt"),
            format!("s.yaml:11:25: no such file: {folder}/ca.pem"),
            format!("s.yaml:12:29: {folder} is a folder"),
            "s.yaml:13:43: no such file: /nowhere/i".to_owned(),
        ]) {
            assert!(line.contains(&words), "{line} {words}");
        }
        assert_eq!(lines.len(), 5, "{error}");
    }

    #[test]
    fn patches_know_where_they_stand() {
        let text = format!(
            "{MINIMAL}manifests:\n- name: a\n  file: a\n  patches:\n  - pullPolicy: Never\n"
        );
        let file = SpecFile::parse("s.yaml".as_ref(), text.into()).unwrap();
        let patch = &file.spec.manifests[0].value.patches[0];
        assert_eq!(patch.place.as_deref(), Some("s.yaml:14:5"));
    }

    #[test]
    fn long_lines_are_not_echoed() {
        let long = "x".repeat(200_000);
        for text in [
            format!("{{name: [{long}"),
            MINIMAL.replace("demo", &long),
            MINIMAL.replace("id: os", &format!("{long}: os")),
            MINIMAL.replace("1.28.2", &long),
            MINIMAL.replace("x86_64", &long),
            MINIMAL.replace("https://", &long),
        ] {
            let error = error(&text);
            assert!(error.len() < 500, "{} bytes: {}", error.len(), &error[..300]);
        }
    }

    #[test]
    fn marks_of_windows_are_read_over() {
        let text = format!("\u{feff}{}", MINIMAL.replace('\n', "\r\n"));
        assert!(SpecFile::parse("s.yaml".as_ref(), text.clone().into()).is_ok());
        let error = error(&text.replace("demo", "De_Mo"));
        assert!(error.starts_with("s.yaml:1:7: name: `De_Mo` is no name"), "{error}");
    }

    #[test]
    fn passwords_in_urls_are_refused_and_not_shown() {
        let text = MINIMAL.replace("https://", "https://me:hunter2@");
        let text =
            format!("{text}manifests: [{{name: a, url: 'https://hunter2@example.com/a'}}]\n");
        let error = error(&text);
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(error.matches("leave it out").count(), 2, "{error}");
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
